"""What the tests of the command line share: a small dataset, a user of their own, and the real command."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from engine.backends import BACKENDS
from tui.cli import run

TRAIN, TEST = 256, 100
COMMAND = (sys.executable, "-c", "from tui.cli import main; main()")
QUICK = ("--threads", "1", "--batch-size", "32")

needs_a_framework = pytest.mark.skipif(
    not any(info.installed for info in BACKENDS.values()), reason="no framework is installed"
)
each_backend = pytest.mark.parametrize(
    "backend",
    [
        pytest.param(name, marks=pytest.mark.skipif(not info.installed, reason=f"{name} is not installed"))
        for name, info in BACKENDS.items()
    ],
)


def write_dataset(folder: Path) -> Path:
    """Write IDX files of images that tell their label by which rows are white; easy, but not empty."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, count in (("train", TRAIN), ("t10k", TEST)):
        labels = np.arange(count, dtype=np.uint8) % 10
        images = np.random.default_rng(count).integers(0, 60, (count, 28, 28), dtype=np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[label * 2 + 3 : label * 2 + 6] = 255
        (folder / f"{part}-images-idx3-ubyte").write_bytes(struct.pack(">4I", 0x803, count, 28, 28) + images.tobytes())
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, count) + labels.tobytes())
    return folder


def start(*arguments: str) -> subprocess.Popen[str]:
    """Start the real command in the background, without a terminal."""
    return subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the real command to its end, without a terminal."""
    return subprocess.run([*COMMAND, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True)


def refused(capsys: pytest.CaptureFixture[str], arguments: Sequence[str]) -> str:
    """Return what the command says when it refuses `arguments`: on stderr alone, with status 2, and no traceback."""
    status = run(list(arguments))
    captured = capsys.readouterr()
    assert status == 2, captured
    assert captured.out == ""
    assert captured.err.count("Error: ") == 1
    assert "Traceback" not in captured.err
    return captured.err


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return what the command prints on stdout, ending well."""
    status = run(list(arguments))
    captured = capsys.readouterr()
    assert status == 0, captured
    return captured.out
