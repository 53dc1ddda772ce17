"""Whose kernels trained a run, in words: no speed is stated without them (see engine.backends.base.Kernels)."""

from __future__ import annotations

from collections.abc import Iterable

from engine.backends import BACKENDS

UNKNOWN = "not recorded"
NOTE = "fused: mnist-tui's own kernels. Such speeds do not compare the frameworks."


def kernels_text(kernels: str | None, backend: str) -> str:
    """`fused` → `fused (mnist-tui)`, `framework` → `PyTorch's layers`; for old logs `not recorded`."""
    if kernels == "fused":
        return "fused (mnist-tui)"
    if kernels == "framework":
        return f"{BACKENDS[backend].label if backend in BACKENDS else backend}'s layers"
    return UNKNOWN


def kernels_phrase(kernels: str | None, backend: str) -> str:
    """The same within a sentence: `with mnist-tui's fused kernels`; empty for old logs, which do not say."""
    if kernels == "fused":
        return "with mnist-tui's fused kernels"
    return f"with {kernels_text(kernels, backend)}" if kernels == "framework" else ""


def notes_on(kernels: Iterable[str | None]) -> list[str]:
    """Return what to say below a table of speeds that were measured with these `kernels`."""
    return [NOTE] if "fused" in set(kernels) else []
