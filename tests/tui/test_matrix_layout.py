"""The confusion matrix fits into any width, and no two of its figures touch."""

from __future__ import annotations

import random
import re

import pytest
from rich.cells import cell_len

from engine.scores import ClassScores
from tui.formats import short_count
from tui.matrix_layout import SCORES, MatrixLayout, lay_out

FASHION = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
DIGITS = tuple("0123456789")
MNIST_10K = (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009)
MNIST_60K = (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949)


def matrix_of(totals: tuple[int, ...], wrong: int = 1) -> list[list[int]]:
    """Return a matrix of classes with so many images each, all right but `wrong` of each that go to the next class."""
    size = len(totals)
    rows = [[0] * size for _ in totals]
    for row, total in enumerate(totals):
        rows[row][row] += total - wrong
        rows[row][(row + 1) % size] += wrong
    return rows


def lines_of(layout: MatrixLayout) -> list[list[str]]:
    size = len(layout.names)
    scores = ClassScores((0.5,) * size, (1.0,) * size, (None,) * size, (1,) * size)
    return [layout.heading(), *(layout.row(row, scores) for row in range(size)), layout.totals()]


def check(layout: MatrixLayout, width: int) -> None:
    """Check that every line fits and that its parts are apart, and that each figure can be read."""
    for line in lines_of(layout):
        assert cell_len("".join(line)) <= width
        assert all(part.startswith(" ") for part in line[1:]), line
        assert len({cell_len(part) for part in line[1 : 1 + layout.shown]}) == 1
    for row, counts in enumerate(layout.counts):
        texts = layout.row(row, None)[1 : 1 + layout.shown]
        for text, count in zip(texts, [counts[column] for column in layout.columns], strict=True):
            assert text.strip().replace(",", "") in ({str(count), short_count(count)} if count else {"·"})


@pytest.mark.parametrize("totals", [MNIST_10K, MNIST_60K, (9999,) * 10, (5, 6) * 5])
@pytest.mark.parametrize("names", [DIGITS, FASHION])
@pytest.mark.parametrize("width", [66, 76, 96, 116])
def test_ten_classes_are_seen_whole_and_exact_at_the_usual_widths(
    totals: tuple[int, ...], names: tuple[str, ...], width: int
) -> None:
    layout = lay_out(matrix_of(totals), names, width)
    check(layout, width)
    assert layout.is_whole
    assert layout.has_totals
    assert not layout.compact
    assert not layout.numbered


def test_counts_with_four_digits_are_apart() -> None:
    counts = matrix_of(MNIST_10K)
    counts[1][1:3] = 1118, 1119
    text = "\n".join("".join(line) for line in lines_of(lay_out(counts, DIGITS, 68)))
    assert re.search(r"^1 +· +1118 +1119 ", text, re.MULTILINE)
    assert not re.search(r"\d{5,}", text.replace(str(sum(map(sum, counts))), ""))


def test_any_matrix_fits_into_any_width_with_its_figures_apart() -> None:
    draw = random.Random(34)
    for size in [200, 62, 47, 26, *[2, 3, 10] * 30]:
        most = draw.choice([9, 99, 999, 9_999, 60_000, 1_200_000])
        letters = draw.choice(["ab", "Ankle boot", "漢字かな", "xyzé"])
        longest = draw.choice([1, 4, 12, 40])
        names = [
            f"{''.join(draw.choices(letters, k=draw.randint(0, longest)))}{number}"[-longest:] for number in range(size)
        ]
        counts = [[draw.choice([0, draw.randint(0, most)]) for _ in range(size)] for _ in range(size)]
        width = draw.randint(30, 240)
        first = draw.randint(0, size)
        layout = lay_out(counts, names, width, first=first)
        check(layout, width)
        headings = [text.strip() for text in layout.heading()[1 : 1 + layout.shown]]
        if len(set(names)) == size:
            assert len(set(headings)) == len(headings), "the columns can be told apart"
        assert first in layout.columns or first >= size - layout.shown


def test_what_is_given_up_first_is_what_is_missed_least() -> None:
    counts = matrix_of(MNIST_10K)
    assert ",".join(lay_out(counts, DIGITS, 96).row(1, None)).count("1,134") == 1
    narrower = [lay_out(counts, DIGITS, width) for width in (76, 68, 58, 52)]
    assert [layout.heading()[12:] for layout in narrower] == [
        [f"{name:>5}" for name in SCORES],
        [f"{name:>5}" for name in SCORES[:2]],
        [],
        [],
    ]
    assert [layout.has_totals for layout in narrower] == [True, True, True, False]
    two_hundred = lay_out([[1] * 200] * 200, [f"class {number}" for number in range(200)], 80, first=120)
    assert not two_hundred.is_whole
    assert 120 in two_hundred.columns


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1118, "1.1k"),
        (9949, "9.9k"),
        (9950, "10k"),
        (12_345, "12k"),
        (999_499, "999k"),
        (1_200_000, "1.2M"),
    ],
)
def test_a_short_count_takes_four_characters(number: int, text: str) -> None:
    assert short_count(number) == text
