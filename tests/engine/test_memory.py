"""The peak of a process's memory, which tells one framework from the other."""

from __future__ import annotations

import psutil

from engine.memory import peak_memory_bytes


def test_the_peak_counts_bytes_and_stays_when_they_are_given_back() -> None:
    held = psutil.Process().memory_info().rss
    block = bytearray(b"x") * 200_000_000
    peak = peak_memory_bytes()
    assert held + len(block) * 0.9 < peak < held * 20 + 2 * len(block)
    del block
    assert peak_memory_bytes() > 0.9 * peak  # Linux counts in lots of pages
