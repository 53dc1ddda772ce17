"""Every command keeps its help where Python removes docstrings."""

from __future__ import annotations

import subprocess
import sys

from tui.cli import COMMANDS
from tui.help_texts import docstring_of

HELP = """
from tui.cli import COMMANDS, run
for words in [], *([name] for name in COMMANDS), *(["config", name] for name in ("path", "show", "edit")):
    print("HELP OF", *words)
    run([*words, "--help"])
"""


def helps(*options: str) -> dict[str, str]:
    """Return the help of each command, by its words, of a Python with these options."""
    ended = subprocess.run(
        [sys.executable, *options, "-B", "-c", HELP],
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    )
    _, *parts = ended.stdout.split("HELP OF")
    return dict(part.split("\n", 1) for part in parts)


def test_the_help_of_every_command_is_the_same_without_docstrings() -> None:
    usual = helps()
    assert len(usual) == len(COMMANDS) + 4
    assert "Train a small digit classifier" in usual[""]
    assert helps("-OO") == usual


def described(number: int) -> int:
    """Return the number.

    And no more.
    """
    return number


def test_a_docstring_is_read_from_the_source() -> None:
    assert docstring_of(described) == "Return the number.\n\nAnd no more."


def test_without_a_source_there_is_none() -> None:
    assert docstring_of(eval("lambda: 1")) is None
