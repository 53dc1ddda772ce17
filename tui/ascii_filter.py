"""With --ascii, whatever Textual draws by itself in other characters: borders, scroll bars, arrows, ellipses."""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_SAME_CELLS = {
    "─━┄┅┈┉╌╍═—–−‒": "-",
    "│┃┆┇┊┋╎╏║": "|",
    "╭╮╰╯┌┐└┘├┤┬┴┼╔╗╚╝╠╣╦╩╬┏┓┗┛┣┫┳┻╋╲╱╳": "+",
    "▁▂▃▄▅▆▇▔▏▎▍▌▋▊▉▕▐▖▗▘▝▙▚▛▜▞▟▀": " ",
    "█▓■▪●⬤": "#",
    "▒░◆◉": "+",
    "•◌○∙‣": "o",
    "·⋅": ".",
    "▶▸►→›❯»": ">",
    "◀◂◄←‹❮«": "<",
    "▲▴↑⌃△": "^",
    "▼▾↓⌄▽": "v",
    "✓✔★☆": "*",
    "✗✘✕✖×": "x",
    "…⋯": ".",
    "“”„": '"',
    "‘’": "'",
    "≥": ">",
    "≤": "<",
    "≈": "~",
    "‖": "=",
    "ε": "e",
    "µ": "u",
}
_GLYPHS = {ord(glyph): plain for glyphs, plain in _SAME_CELLS.items() for glyph in glyphs} | {
    ord("🔎"): "? ",  # it takes two cells
}


class AsciiFilter(LineFilter):
    """Puts an ASCII character in the place of every glyph that is drawn; letters of any script stay."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return `segments` with as many cells as before."""
        return [
            segment if segment.text.isascii() else Segment(_in_ascii(segment.text), segment.style, segment.control)
            for segment in segments
        ]


def _in_ascii(text: str) -> str:
    return text.replace("± ", "+-").translate(_GLYPHS)
