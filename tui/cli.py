"""The `mnist-tui` command: the app without a subcommand, and the subcommands, each loaded when it is used."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import StringIO, TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from engine.errors import EngineError
from tui.help_texts import with_help

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMMANDS = {
    "train": "tui.commands.train",
    "runs": "tui.commands.runs",
    "show": "tui.commands.show",
    "compare": "tui.commands.compare",
    "attach": "tui.commands.runs",
    "stop": "tui.commands.control",
    "pause": "tui.commands.control",
    "resume": "tui.commands.control",
    "set": "tui.commands.set",
    "rename": "tui.commands.label",
    "note": "tui.commands.label",
    "delete": "tui.commands.runs",
    "mistakes": "tui.commands.mistakes",
    "devices": "tui.commands.about",
    "models": "tui.commands.about",
    "presets": "tui.commands.about",
    "data": "tui.commands.about",
    "bench": "tui.commands.bench",
    "config": "tui.commands.config",
    "serve": "tui.commands.serve",
    "completion": "tui.commands.completion",
}

INTERRUPTED = 128 + signal.SIGINT


OTHER_COMMANDS = {
    **dict.fromkeys(("list", "ls", "history"), "runs"),
    **dict.fromkeys(("rm", "remove", "del"), "delete"),
    **dict.fromkeys(("kill", "cancel", "abort"), "stop"),
    **dict.fromkeys(("info", "status", "log", "logs", "describe"), "show"),
    **dict.fromkeys(("watch", "follow", "tail"), "attach"),
    **dict.fromkeys(("run", "fit", "start"), "train"),
    **dict.fromkeys(("continue", "extend"), "resume"),
    **dict.fromkeys(("diff", "cmp", "duel"), "compare"),
    **dict.fromkeys(("benchmark", "speed"), "bench"),
    **dict.fromkeys(("errors", "wrong", "confusion"), "mistakes"),
    **dict.fromkeys(("gpus", "device"), "devices"),
    **dict.fromkeys(("networks", "architectures"), "models"),
    **dict.fromkeys(("settings", "configure"), "config"),
}
"""What other programs call some of the commands."""


class LazyGroup(click.Group):
    """Imports a subcommand's module only when that is asked for, so that --version and errors come at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the help."""
        return list(COMMANDS)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that `args` begin with; where there is none, name the one that was most likely meant."""
        from difflib import get_close_matches

        name = args[0]
        if name in COMMANDS or name.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        close = OTHER_COMMANDS.get(name) or next(iter(get_close_matches(name, COMMANDS, n=1)), "")
        hint = f" Did you mean “{close}”?" if close else ""
        raise click.UsageError(f"There is no command “{name}”.{hint}", ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(COMMANDS[cmd_name]), cmd_name)
        return with_help(command)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Ctrl+C ends it with the status that shells give it."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            if sys.stderr.isatty():
                click.echo(err=True)  # the prompt comes below the ^C
            ctx.exit(INTERRUPTED)


def _with_suggestion(error: click.ClickException) -> click.ClickException:
    """Return an error about a flag that does not exist with the one that was most likely meant."""
    from engine.setting_names import meant

    if not isinstance(error, click.NoSuchOption) or error.ctx is None:
        return error
    options = [one for one in error.ctx.command.params if isinstance(one, click.Option)]
    by_name = {flag.lstrip("-").replace("-", "_"): flag for option in options for flag in option.opts}
    close = meant(error.option_name, by_name)
    if not close:
        return error
    message = f"There is no option “{error.option_name}”. Did you mean “{by_name[close]}”?"
    return click.UsageError(message, error.ctx)


def _print_version(ctx: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    from importlib.metadata import version
    from platform import python_version

    from engine.backends import BACKENDS

    click.echo(f"mnist-tui {version('mnist-tui')}")
    click.echo(f"Python {python_version()}")
    click.echo(f"Textual {version('textual')}")
    for info in BACKENDS.values():
        click.echo(f"{info.label} {(info.version or 'of unknown version') if info.installed else 'not installed'}")
    ctx.exit()


def _offer_folders(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    from tui.commands.offers import offer_folders

    return offer_folders(ctx, parameter, incomplete)


def _offer_themes(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem[str]]:
    from tui.commands.offers import offer_themes

    return offer_themes(ctx, parameter, incomplete)


@click.group(cls=LazyGroup, invoke_without_command=True)
@click.option("--store", "store_path", metavar="DIR", shell_complete=_offer_folders, help="The folder of runs.")
@click.option("--ascii", "use_ascii", is_flag=True, help="Draw with ASCII characters only.")
@click.option(
    "--theme",
    metavar="NAME",
    shell_complete=_offer_themes,
    help="The colours: mnist-dark (the default), mnist-light, or one of Textual's own.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Print the versions of mnist-tui, Python, Textual and both frameworks.",
)
@click.pass_context
def cli(ctx: click.Context, store_path: str | None, use_ascii: bool, theme: str | None) -> int:
    """Train a small digit classifier with PyTorch or TensorFlow and see every digit it gets wrong.

    Without a command, the app opens.
    """
    from engine.folders import homeless_notice
    from tui.commands.options import GroupOptions, notify

    ctx.obj = GroupOptions(store_path, use_ascii, theme)
    if notice := homeless_notice():
        notify(f"Notice: {notice}")
    if ctx.invoked_subcommand is not None:
        ctx.with_resource(_interruptible())
        return 0
    from tui.commands.app import open_app

    return open_app(ctx.obj)


with_help(cli)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl+C raise KeyboardInterrupt while a command works, so that it cleans up behind itself.

    Before and after, there is nothing to clean up: what handles the signal then ends the process without a traceback.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line `arguments` (the process's own by default) and return the exit status."""
    from tui.commands.options import report_error
    from tui.crash_report import crash_message, system_error
    from tui.terminal import clean

    try:
        status: int | None = cli.main(arguments, prog_name="mnist-tui", standalone_mode=False)
    except EngineError as error:
        report_error(error)
        return 2
    except click.ClickException as error:
        shown = StringIO()
        _with_suggestion(error).show(shown)
        click.echo("\n".join(map(clean, shown.getvalue().splitlines())), err=True)  # it quotes what was typed
        return error.exit_code
    except click.Abort as abort:
        cause = abort.__cause__ or abort.__context__  # the latter at a question that is to be answered
        return INTERRUPTED if isinstance(cause, KeyboardInterrupt) else 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        if foreseen := system_error(error):  # such as a full disk behind `mnist-tui runs > file`
            report_error(foreseen)
            return 2
        click.echo(crash_message(error), err=True)
        return 1
    return status or 0


def main() -> NoReturn:
    """Be the `mnist-tui` command."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `| head` ends the command as it does any other
    _open_streams()
    from tui.terminal import drop_misleading

    drop_misleading(os.environ, _terminal_size())
    status = run()
    try:
        sys.stdout.flush()
    except OSError:  # told already; the interpreter would try again and say so itself
        os._exit(status or 2)
    sys.exit(status)


def _terminal_size() -> os.terminal_size | None:
    """Return the size that the terminal behind stdout tells; None where it is none, or does not know."""
    try:
        return os.get_terminal_size(sys.__stdout__.fileno() if sys.__stdout__ else 1)
    except (OSError, ValueError):
        return None


def _open_streams() -> None:
    """Make stdin, stdout and stderr usable: where the caller has closed one, nothing comes and goes there."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115  # for the life of the process
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a locale that cannot write “ε” is no reason to fail
