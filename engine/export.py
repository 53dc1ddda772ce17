"""Answers to take along: as CSV, and as a contact sheet in PNG."""

from __future__ import annotations

import csv
import io
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from engine.causes import explain, working_folder
from engine.data import CLASSES
from engine.errors import BackendError, StoreError
from engine.files import write_atomically
from engine.import_failures import died
from engine.process import python_command, python_environment

if TYPE_CHECKING:
    import numpy as np

    from engine.answers import Answers

MOST_ON_A_SHEET = 2000
"""A sheet of so many pictures is some 3,000 pixels wide and high; more would be no sheet to look at."""
ADD_TORCHVISION = "pip install 'mnist-tui[torch]'"
COLUMNS = ("index", "true", "predicted", "confidence", "loss", *(f"p{digit}" for digit in range(CLASSES)))
SECOND_COLUMNS = ("predicted_2", "confidence_2")


def csv_text(answers: Answers, indices: np.ndarray, second: Answers | None = None) -> str:
    """Return the answers for `indices`, in their order, a row an image under a heading; with another run's beside."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS + SECOND_COLUMNS * (second is not None))
    for index in indices.tolist():
        row = [index, int(answers.labels[index]), int(answers.predicted[index])]
        figures = [answers.confidence[index], answers.loss[index], *answers.probabilities[index]]
        row += [f"{float(figure):.6f}" for figure in figures]
        if second is not None:
            row += [int(second.predicted[index]), f"{float(second.confidence[index]):.6f}"]
        writer.writerow(row)
    return text.getvalue()


def save_csv(path: Path, answers: Answers, indices: np.ndarray, second: Answers | None = None) -> None:
    """Write `csv_text` to `path`. Raises StoreError."""
    _save(path, csv_text(answers, indices, second).encode())


def save_contact_sheet(path: Path, images: np.ndarray, answers: Answers, indices: np.ndarray) -> int:
    """Draw the images for `indices`, at most MOST_ON_A_SHEET, with their captions, as a PNG; return how many.

    `images`: all test images, uint8 [n, 28, 28]. torchvision makes it, in a process of its own. Raises BackendError
    where that is not installed or fails, StoreError where the file cannot be written.
    """
    import numpy as np

    if find_spec("torchvision") is None:
        raise BackendError("torchvision is missing", "It makes the contact sheet.", f"Add it: {ADD_TORCHVISION}")
    indices = indices[:MOST_ON_A_SHEET]
    captions = [f"{answers.labels[i]}>{answers.predicted[i]}  {100 * answers.confidence[i]:.0f}%" for i in indices]
    request = io.BytesIO()
    np.savez(request, images=images[indices], captions=np.array(captions, dtype=np.str_))
    command = python_command("engine.contact_sheet")
    try:
        answer = subprocess.run(
            command, input=request.getvalue(), capture_output=True, env=python_environment(), cwd=working_folder()
        )
    except OSError as error:
        raise BackendError("No contact sheet", *explain(error, "started", command[0])) from error
    if answer.returncode:
        raise BackendError("No contact sheet", *died(answer, "torchvision", "torchvision", ADD_TORCHVISION))
    _save(path, answer.stdout)
    return len(indices)


def _save(path: Path, content: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda file: file.write(content))
    except OSError as error:
        raise StoreError("File cannot be written", *explain(error, "written", path, "Choose another place.")) from error
