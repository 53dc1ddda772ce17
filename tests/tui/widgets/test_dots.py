"""Lines in braille dots."""

from __future__ import annotations

import pytest

from tui.widgets.dots import Dots


def drawn(dots: Dots, columns: int, rows: int) -> list[str]:
    lines = [[" "] * columns for _ in range(rows)]
    for row, column, character, _ in dots.cells():
        lines[row][column] = character
    return ["".join(line) for line in lines]


def test_a_diagonal_goes_from_dot_to_dot() -> None:
    dots = Dots(2, 1)
    dots.draw([(0, 0), (3, 3)], owner=0)
    assert drawn(dots, 2, 1) == ["⡠⠊"]


def test_a_level_line_has_a_dot_in_every_column_and_one_point_is_one_dot() -> None:
    dots = Dots(3, 2)
    dots.draw([(0, 7), (5, 7)], owner=0)
    dots.draw([(0, 0)], owner=0)
    assert drawn(dots, 3, 2) == ["⠉⠉⠉", "⡀  "]


def test_a_dashed_line_has_gaps_that_go_on_from_point_to_point() -> None:
    dots = Dots(8, 1)
    dots.draw([(x, 0) for x in range(16)], owner=0, dashed=True)
    assert drawn(dots, 8, 1) == ["⣀⣀⡀ ⣀⣀⡀ "]


def test_where_lines_meet_a_cell_has_the_dots_of_both() -> None:
    dots = Dots(1, 1)
    dots.draw([(0, 0), (1, 0)], owner=3)
    dots.draw([(0, 3), (1, 3)], owner=5)
    assert [character for _, _, character, _ in dots.cells()] == ["⣉"]


def test_of_two_lines_over_each_other_neither_is_hidden() -> None:
    dots = Dots(8, 1)
    for owner in (3, 5):
        dots.draw([(0, 0), (15, 0)], owner)
    assert [owner for _, _, _, owner in sorted(dots.cells())] == [3, 3, 5, 5, 3, 3, 5, 5]


def test_what_is_above_or_below_the_grid_is_left_out_however_far() -> None:
    dots = Dots(2, 1)
    dots.draw([(0, 1e200), (1, 3), (2, 3), (3, -1e200)], owner=0)
    assert drawn(dots, 2, 1) == ["⠈⡇"]
    dots = Dots(2, 1)
    dots.draw([(0, 9), (3, 9)], owner=0)
    assert list(dots.cells()) == []


@pytest.mark.parametrize("dashed", [False, True])
def test_no_points_are_no_line(dashed: bool) -> None:
    dots = Dots(2, 2)
    dots.draw([], owner=0, dashed=dashed)
    assert list(dots.cells()) == []
