"""`mnist-tui completion`: the script with which a shell completes the command's words."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

LINES = {
    "bash": 'eval "$(mnist-tui completion bash)"',
    "zsh": 'eval "$(mnist-tui completion zsh)"',
    "fish": "mnist-tui completion fish | source",
}
"""What belongs in each shell's own file."""
EPILOG = f"In ~/.bashrc, or in ~/.zshrc after compinit: {LINES['bash']} (or zsh). In config.fish: {LINES['fish']}"
VARIABLE = "_MNIST_TUI_COMPLETE"
"""Where the script asks mnist-tui for words; click's own name for it."""


@click.command(short_help="Print the script that completes words in your shell.", epilog=EPILOG)
@click.argument("shell", type=click.Choice(tuple(LINES)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script with which SHELL completes commands, flags, runs, presets, networks and devices."""
    kind = get_completion_class(shell)
    assert kind is not None  # click has all three
    click.echo(kind(ctx.find_root().command, {}, "mnist-tui", VARIABLE).source())
