"""Which GPUs a process can use, by CUDA_VISIBLE_DEVICES."""

from __future__ import annotations

import pytest

from engine.gpus import choose

A, B, C = "GPU-a1", "GPU-b1", "GPU-b2"


@pytest.mark.parametrize(
    ("chosen", "seen"),
    [
        (None, [A, B, C]),
        ("", []),
        ("-1", []),
        ("2", [C]),
        ("2,0", [C, A]),
        (" 1 , 2", [B, C]),
        ("1,7,0", [B]),  # CUDA reads no further than the first that is not there
        ("GPU-a", [A]),
        ("GPU-b", []),  # which of the two?
        ("GPU-b2,0", [C, A]),
        ("GPU-c", []),
        ("MIG-7d8", ["MIG-7d8"]),
        ("MIG-GPU-a1/1/0", ["MIG-GPU-a1/1/0"]),
        ("NoDevFiles", []),
    ],
)
def test_the_variable_chooses_gpus_as_cuda_reads_it(chosen: str | None, seen: list[str]) -> None:
    assert choose([A, B, C], chosen) == seen


def test_without_the_drivers_library_device_files_stand_for_gpus() -> None:
    assert choose(["nvidia3"], "0") == ["nvidia3"]
    assert choose(["nvidia3"], None) == ["nvidia3"]
    assert choose(["nvidia3"], "GPU-a1") == ["GPU-a1"]


def test_a_machine_without_a_gpu_has_none_to_choose() -> None:
    assert choose([], "0") == []
