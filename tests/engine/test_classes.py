"""Classes are called by their names."""

from __future__ import annotations

import pytest

from engine.classes import DIGITS, class_names_of, find_class
from engine.errors import DataError

FASHION = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


@pytest.mark.parametrize(
    ("text", "label"),
    [("Coat", 4), ("coat", 4), (" ANKLE BOOT ", 9), ("ank", 9), ("t-", 0), ("sh", 6), ("4", 4)],
)
def test_a_name_its_beginning_or_its_number_means_a_class(text: str, label: int) -> None:
    assert find_class(text, FASHION) == label


def test_letters_may_differ_in_case_alone() -> None:
    assert [find_class(text, ("A", "a", "b")) for text in ("A", "a", "B")] == [0, 1, 2]


def test_the_name_comes_before_the_number() -> None:
    assert find_class("1", ("2", "1", "3")) == 1
    assert find_class("7", DIGITS) == 7


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("s", "“s” may be Sandal, Shirt, Sneaker. Type more of the name."),
        ("cot", "No class is called “cot”. The classes are: T-shirt/top, Trouser"),
        ("10", "No class is called “10”"),
        ("", "No class is called “”"),
    ],
)
def test_what_means_no_class_or_several_is_told(text: str, told: str) -> None:
    with pytest.raises(DataError) as caught:
        find_class(text, FASHION)
    assert told in str(caught.value)


def test_numbers_that_are_no_names_of_numbered_classes_are_refused() -> None:
    with pytest.raises(DataError):
        find_class("0", ("2", "1", "3"))


def test_without_names_the_classes_are_the_digits() -> None:
    assert class_names_of(None) == DIGITS
