"""Texts cut and padded to a number of terminal cells."""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size


def fitted(text: str, width: int, at_right: bool = False, ascii: bool = False) -> str:
    """Return `text` exactly `width` cells wide: padded with blanks, or cut with an ellipsis."""
    taken = cell_len(text)
    if taken > width:
        return set_cell_size(text, width - 1) + ("~" if ascii else "…") if width else ""
    blanks = " " * (width - taken)
    return blanks + text if at_right else text + blanks


def beside(name: str, figure: str, width: int, ascii: bool = False) -> str:
    """Return `name` and `figure` with a blank between them, the name cut with an ellipsis to fit into `width` cells."""
    room = max(1, width - cell_len(figure) - 1)
    return f"{name if cell_len(name) <= room else fitted(name, room, ascii=ascii)} {figure}"


def centred(text: str, width: int) -> str:
    """Return `text` in the middle of `width` cells, cut with an ellipsis where it is longer."""
    taken = cell_len(text)
    left = max(0, width - taken) // 2
    return " " * left + fitted(text, width - left)
