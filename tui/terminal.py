"""What the terminal can show, read from its environment, and text made safe to show in it."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from enum import StrEnum


def drop_misleading(environ: MutableMapping[str, str], size: tuple[int, int] | None) -> None:
    """Drop from `environ` what others take for more than it says.

    COLUMNS and LINES where the terminal tells its own `size`: what a shell has exported stays when that changes. An
    empty NO_COLOR, which means nothing (no-color.org), but takes Textual's colours away.
    """
    if size and all(size):
        environ.pop("COLUMNS", None)
        environ.pop("LINES", None)
    if environ.get("NO_COLOR") == "":
        del environ["NO_COLOR"]


class PictureMode(StrEnum):
    """How pictures are drawn."""

    HALFBLOCK = "halfblock"
    """Two grey pixels a cell; needs 256 colours."""
    RAMP = "ramp"
    """A shade of ` .:-=+*#%@` a cell; needs no colour at all."""


class CurveMode(StrEnum):
    """How curves are drawn."""

    BRAILLE = "braille"
    """Thin lines of braille dots, two columns and four rows of them in a cell."""
    BLOCKS = "blocks"
    """Lines of quarter blocks, for fonts without braille."""
    ASCII = "ascii"


WITHOUT_BRAILLE = ("ansi", "cons25", "cygwin", "linux", "putty", "sun", "vt")
"""How TERM begins for terminals whose fonts often have no braille: consoles, PuTTY, and hardware."""


def wants_ascii(environ: Mapping[str, str], flag: bool = False) -> bool:
    """Return whether to draw with ASCII only: by `--ascii`, by MNIST_TUI_ASCII, or on the Linux console.

    The Linux console's fonts have neither braille nor eighth blocks.
    """
    return flag or environ.get("MNIST_TUI_ASCII", "0") not in ("", "0") or environ.get("TERM") == "linux"


def is_remote(environ: Mapping[str, str]) -> bool:
    """Return whether to do without animations: over SSH they come late and in jerks.

    Textual's own TEXTUAL_ANIMATIONS has the last word.
    """
    over_ssh = environ.get("SSH_CONNECTION") or environ.get("SSH_TTY")
    return bool(over_ssh) and not environ.get("TEXTUAL_ANIMATIONS")


def picture_mode(environ: Mapping[str, str], ascii_flag: bool = False) -> PictureMode:
    """Return how to draw pictures: half blocks where `environ` promises 256 colours or more.

    NO_COLOR counts when it is not empty. Textual obeys an empty one too, so drop that before creating the App.
    """
    if environ.get("NO_COLOR") or wants_ascii(environ, ascii_flag):
        return PictureMode.RAMP
    return PictureMode.HALFBLOCK if color_system(environ) in ("256", "truecolor") else PictureMode.RAMP


def curve_mode(environ: Mapping[str, str], ascii_flag: bool = False) -> CurveMode:
    """Return how to draw curves: in braille, unless the font of the terminal may have none.

    MNIST_TUI_CURVES says it outright: `braille`, `blocks` or `ascii`; where all is ASCII, curves are too. The fonts of
    Windows' old console have no braille: WSL can run in it, and only Windows Terminal sets WT_SESSION.
    """
    forced = environ.get("MNIST_TUI_CURVES", "").lower()
    if wants_ascii(environ, ascii_flag):
        return CurveMode.ASCII
    if forced in tuple(CurveMode):
        return CurveMode(forced)
    is_windows_console = "WSL_DISTRO_NAME" in environ and not {"WT_SESSION", "TERM_PROGRAM", "TMUX"} & environ.keys()
    if is_windows_console or environ.get("TERM", "").startswith(WITHOUT_BRAILLE):
        return CurveMode.BLOCKS
    return CurveMode.BRAILLE


def color_system(environ: Mapping[str, str]) -> str | None:
    """Return "truecolor", "256", "standard" (16 colours) or None, as Textual decides it: by Rich's own rule.

    COLORTERM decides if it says truecolor or 24bit, else the ending of TERM: `-256color` and `-kitty` have 256.
    """
    from rich.console import Console

    forced = environ.get("TEXTUAL_COLOR_SYSTEM", "auto")
    console = Console(
        color_system=forced,  # type: ignore[arg-type]  # Rich lists the names; Textual passes the variable on as it is
        force_terminal=True,
        legacy_windows=False,
        _environ=environ,
    )
    return console.color_system


_REPLACEMENTS: dict[int, str | None] = {
    **dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)]),  # C0, DEL and C1
    **dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)]),  # they reorder what stands around them
    **dict.fromkeys(range(0xD800, 0xE000)),  # undecodable bytes of a file name; they cannot be written
    **dict.fromkeys(map(ord, "\t\n\r"), " "),
}


def clean(text: str) -> str:
    """Return `text` as one line without control characters, so that it cannot command the terminal."""
    return text.translate(_REPLACEMENTS)


def clean_json(text: str) -> str:
    """Return JSON `text` with escapes, which mean the same, for all characters that `clean` does not let through."""
    return text.translate(_ESCAPES)


_ESCAPES = {code: f"\\u{code:04x}" for code in _REPLACEMENTS if code != ord("\n")}
