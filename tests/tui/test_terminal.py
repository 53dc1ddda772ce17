"""What the environment says of the terminal, and hostile text."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tui.terminal import (
    CurveMode,
    PictureMode,
    clean,
    clean_json,
    color_system,
    curve_mode,
    drop_misleading,
    is_remote,
    picture_mode,
    wants_ascii,
)


@pytest.mark.parametrize(
    ("term", "colors"),
    [
        ("xterm-256color", "256"),
        ("tmux-256color", "256"),
        ("xterm-kitty", "256"),
        ("screen", "standard"),
        ("xterm", "standard"),
        ("alacritty", "standard"),
        ("foot", "standard"),
        ("xterm-ghostty", "standard"),
        ("dumb", None),
    ],
)
def test_without_colorterm_the_ending_of_term_gives_the_colours(term: str, colors: str | None) -> None:
    assert color_system({"TERM": term}) == colors


@pytest.mark.parametrize("colorterm", ["truecolor", "24bit"])
def test_colorterm_promises_true_colour_whatever_term_says(colorterm: str) -> None:
    assert color_system({"TERM": "xterm", "COLORTERM": colorterm}) == "truecolor"


@pytest.mark.parametrize(
    ("environ", "mode"),
    [
        ({"TERM": "xterm-256color"}, PictureMode.HALFBLOCK),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, PictureMode.HALFBLOCK),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, PictureMode.HALFBLOCK),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, PictureMode.RAMP),
        ({"TERM": "xterm-256color", "MNIST_TUI_ASCII": "1"}, PictureMode.RAMP),
        ({"TERM": "xterm-256color", "TEXTUAL_COLOR_SYSTEM": "standard"}, PictureMode.RAMP),
        ({"TERM": "screen"}, PictureMode.RAMP),
        ({"TERM": "dumb"}, PictureMode.RAMP),
        ({}, PictureMode.RAMP),
    ],
)
def test_pictures_are_half_blocks_only_where_256_colours_are_sure(environ: dict[str, str], mode: PictureMode) -> None:
    assert picture_mode(environ) is mode


@pytest.mark.parametrize(
    ("environ", "mode"),
    [
        ({"TERM": "xterm-256color"}, CurveMode.BRAILLE),
        ({"TERM": "screen"}, CurveMode.BRAILLE),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, CurveMode.BRAILLE),
        ({"TERM": "xterm-256color", "MNIST_TUI_ASCII": "1"}, CurveMode.ASCII),
        ({"TERM": "linux"}, CurveMode.ASCII),
        ({"TERM": "linux", "MNIST_TUI_CURVES": "braille"}, CurveMode.ASCII),
        ({"TERM": "putty-256color"}, CurveMode.BLOCKS),
        ({"TERM": "vt220"}, CurveMode.BLOCKS),
        ({"TERM": "xterm-256color", "WSL_DISTRO_NAME": "Debian"}, CurveMode.BLOCKS),
        ({"TERM": "xterm-256color", "WSL_DISTRO_NAME": "Debian", "WT_SESSION": "a"}, CurveMode.BRAILLE),
        ({"TERM": "putty", "MNIST_TUI_CURVES": "Braille"}, CurveMode.BRAILLE),
        ({"TERM": "xterm-256color", "MNIST_TUI_CURVES": "blocks"}, CurveMode.BLOCKS),
        ({"TERM": "xterm-256color", "MNIST_TUI_CURVES": "oils"}, CurveMode.BRAILLE),
    ],
)
def test_curves_are_braille_unless_the_font_may_have_none(environ: dict[str, str], mode: CurveMode) -> None:
    assert curve_mode(environ) is mode
    assert curve_mode(environ, ascii_flag=True) is CurveMode.ASCII


def test_the_ascii_flag_beats_every_colour() -> None:
    assert picture_mode({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, ascii_flag=True) is PictureMode.RAMP


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, False),
        ({"MNIST_TUI_ASCII": ""}, False),
        ({"MNIST_TUI_ASCII": "0"}, False),
        ({"MNIST_TUI_ASCII": "1"}, True),
        ({"TERM": "linux"}, True),
    ],
)
def test_ascii_is_asked_for_by_variable_or_by_the_linux_console(environ: dict[str, str], expected: bool) -> None:
    assert wants_ascii(environ) is expected


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, False),
        ({"SSH_CONNECTION": "10.0.0.1 50000 10.0.0.2 22"}, True),
        ({"SSH_TTY": "/dev/pts/1"}, True),
        ({"SSH_TTY": "/dev/pts/1", "TEXTUAL_ANIMATIONS": "full"}, False),
    ],
)
def test_over_ssh_nothing_is_animated(environ: dict[str, str], expected: bool) -> None:
    assert is_remote(environ) is expected


def test_clean_removes_every_control_character() -> None:
    hostile = "a\x1b[2Jb\x9b31mc\x07\x00\x7f\x85d"
    assert clean(hostile) == "a[2Jb31mcd"
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in clean(hostile))


def test_clean_keeps_text_on_one_line_and_in_its_order() -> None:
    assert clean("two\nlines\tand \u202eback\u2066wards") == "two lines and backwards"


def test_clean_leaves_ordinary_text_alone_and_makes_any_file_name_writable() -> None:
    assert clean("Größe 7 – 実験 ✓ [/red]") == "Größe 7 – 実験 ✓ [/red]"
    clean(b"run-\xff".decode(errors="surrogateescape")).encode()


def test_json_means_the_same_without_its_control_characters() -> None:
    text = json.dumps({"name": "a\x9b31m\x7f \u202eb ✓"}, ensure_ascii=False)
    assert clean(clean_json(text)) == clean_json(text)
    assert json.loads(clean_json(text)) == json.loads(text)


@pytest.mark.parametrize("escdelay", ["", "soon", "-5", "25"])
def test_keys_are_read_whatever_escdelay_says(escdelay: str) -> None:
    code = """
import os, selectors
from tui.escape import ImpatientSelector, answer_escape_at_once
answer_escape_at_once()
here, there = os.pipe()
os.write(there, b"q")
selector = ImpatientSelector()
selector.register(here, selectors.EVENT_READ)
print(len(selector.select(1.0)))
"""
    environ = {**os.environ, "ESCDELAY": escdelay}
    answer = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True)
    assert (answer.stdout.strip(), answer.stderr) == ("1", "")


@pytest.mark.parametrize(
    ("size", "no_color", "left"),
    [
        ((120, 40), "", {}),
        ((120, 40), "1", {"NO_COLOR": "1"}),
        ((0, 0), "", {"COLUMNS": "70", "LINES": "20"}),  # a serial line does not know its size
        (None, "", {"COLUMNS": "70", "LINES": "20"}),  # no terminal
    ],
)
def test_the_environment_says_nothing_that_the_terminal_knows_better(
    size: tuple[int, int] | None, no_color: str, left: dict[str, str]
) -> None:
    environ = {"COLUMNS": "70", "LINES": "20", "NO_COLOR": no_color, "TERM": "xterm"}
    drop_misleading(environ, size)
    assert environ == {"TERM": "xterm", **left}
