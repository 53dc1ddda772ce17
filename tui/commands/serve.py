"""`mnist-tui serve`: the app in a browser."""

from __future__ import annotations

import click

from engine.errors import EngineError
from tui.commands.options import GroupOptions, notify, store_option


@click.command(short_help="Show the app in a browser.")
@click.option("--host", metavar="NAME", default="127.0.0.1", show_default=True, help="The address to be reached at.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="The port.")
@store_option
@click.pass_obj
def serve(group: GroupOptions, /, host: str, port: int, store_path: str | None) -> None:
    """Show the app in a browser, on this machine alone unless --host says otherwise.

    Each page is an app of its own; closing it leaves its runs training. From another machine, better go through
    SSH: ssh -L 8000:localhost:8000 HOST.

    The address has a token, new each time. Others who can log in to this machine reach the port, too, but get nothing
    without it. Whoever has the address can use the app as you: read your files and start processes. So keep it to
    yourself; the administrators of this machine can read it in any case.
    """
    try:
        from tui.browser import AppServer, is_loopback
    except ImportError as error:
        raise EngineError(
            "Not installed",
            "For the app in a browser, the package textual-serve is needed.",
            "To add it: pip install 'mnist-tui[serve]'",
        ) from error
    if not is_loopback(host):
        notify(
            f"Warning: {host}:{port} is reached from other machines, unencrypted: whoever reads the address on its way "
            "can start training on this machine and read files of yours."
        )
    try:
        AppServer(_arguments(group, store_path), host, port).serve()
    except OSError as error:
        raise EngineError(
            "Cannot serve", f"{host}:{port}: {error.strerror or error}.", "Try another --port."
        ) from error


def _arguments(group: GroupOptions, store_path: str | None) -> list[str]:
    """Return the options for the app of each page."""
    options = {"--store": store_path or group.store_path, "--theme": group.theme}
    given = [f"{name}={value}" for name, value in options.items() if value]
    return [*given, *(["--ascii"] if group.use_ascii else [])]
