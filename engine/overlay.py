"""Two networks' answers to the same images: who is wrong where, and whether the difference means anything."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from engine.significance import is_significant, p_text
from engine.slow_imports import slow_import

if TYPE_CHECKING:
    import numpy as np

    from engine.answers import Answers


@dataclass(frozen=True, eq=False)
class Overlay:
    """`first` and `second` answered the same images. What it finds are int64 indices, ascending."""

    first: Answers
    second: Answers

    @cached_property
    def both_wrong(self) -> np.ndarray:
        """The images that both get wrong."""
        return _where(self.first.wrong & self.second.wrong)

    @cached_property
    def only_first_wrong(self) -> np.ndarray:
        """The images that the first gets wrong and the second right."""
        return _where(self.first.wrong & ~self.second.wrong)

    @cached_property
    def only_second_wrong(self) -> np.ndarray:
        """The images that the second gets wrong and the first right."""
        return _where(~self.first.wrong & self.second.wrong)

    @cached_property
    def p_value(self) -> float:
        """McNemar's exact test: how probable so uneven a split of the one-sided mistakes is between equals, 0 to 1.

        Between equals, each image that only one gets wrong is either's with the same chance: SciPy's
        binomial test.
        """
        only_first, only_second = len(self.only_first_wrong), len(self.only_second_wrong)
        if only_first == only_second:
            return 1.0
        return float(slow_import("scipy.stats").binomtest(only_first, only_first + only_second, 0.5).pvalue)

    def verdict(self, first: str = "the first", second: str = "the second") -> str:
        """Say which network is better on these images, called `first` and `second`, or that it may be chance."""
        if not is_significant(self.p_value):
            return f"no more than chance: p {p_text(self.p_value)}"
        better = second if len(self.only_first_wrong) > len(self.only_second_wrong) else first
        return f"{better} is better on these images: p {p_text(self.p_value)}"


@dataclass(frozen=True)
class Agreement:
    """How two networks answered the `tested` images after `epochs`, the first's and the second's.

    `alike` counts the images that both took for the same class, rightly or not. `p_value` is McNemar's.
    """

    epochs: tuple[int, int]
    tested: int
    alike: int
    both_wrong: int
    only_first_wrong: int
    only_second_wrong: int
    p_value: float

    @classmethod
    def of(cls, overlay: Overlay, epochs: tuple[int, int]) -> Agreement:
        """Return the counts of `overlay`. The first time this may take a second: see Overlay.p_value."""
        return cls(
            epochs=epochs,
            tested=len(overlay.first.labels),
            alike=int((overlay.first.predicted == overlay.second.predicted).sum()),
            both_wrong=len(overlay.both_wrong),
            only_first_wrong=len(overlay.only_first_wrong),
            only_second_wrong=len(overlay.only_second_wrong),
            p_value=overlay.p_value,
        )

    @property
    def both_right(self) -> int:
        """How many images both got right."""
        return self.tested - self.both_wrong - self.only_first_wrong - self.only_second_wrong


def _where(condition: np.ndarray) -> np.ndarray:
    import numpy as np

    return np.flatnonzero(condition)
