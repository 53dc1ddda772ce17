"""`mnist-tui mistakes`: lists, filters, files, two runs, and doubtful labels."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from engine.answers import Answers, load_answers
from engine.runs import Run, Store
from tests.tui.app_harness import WrittenRun, completed
from tests.tui.cli_harness import printed, refused
from tui.datasets import dataset_at


@pytest.fixture
def run(cli_store: Path) -> Run:
    """A run of three epochs, of which the last gets the first seven of 50 images wrong."""
    return completed(Store(cli_store))


@pytest.fixture
def answers(run: Run) -> Answers:
    return load_answers(run, 3, dataset_at(""))


def test_it_shows_the_matrix_and_the_most_wrong_first(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "mistakes", "last")
    assert f"{run.id} after epoch 3: 7 of 50 wrong (14.00 %)" in text
    assert "precision" in text
    rows = [line.split() for line in text.splitlines() if line.endswith(tuple("0123456789")) and "%" in line]
    assert [row[:3] for row in rows] == [[str(i), str(i), str(i + 1)] for i in range(6, -1, -1)]


def test_the_csv_on_standard_output_has_exactly_the_mistakes(
    run: Run, answers: Answers, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = list(csv.DictReader(io.StringIO(printed(capsys, "mistakes", run.id, "--csv", "-", "--sort", "index"))))
    assert [int(row["index"]) for row in rows] == answers.mistakes.tolist()
    one = list(csv.DictReader(io.StringIO(printed(capsys, "mistakes", run.id, "--csv", "-", "--true", "4"))))
    assert [(row["true"], row["predicted"]) for row in one] == [("4", "5")]
    assert printed(capsys, "mistakes", run.id, "--csv", "-", "--predicted", "0").count("\n") == 1


def test_a_file_is_written_and_told(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    printed(capsys, "mistakes", run.id, "--epoch", "1", "--csv", str(tmp_path / "mine.csv"))
    assert len((tmp_path / "mine.csv").read_text().splitlines()) == 10


def test_json_has_everything(run: Run, answers: Answers, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(printed(capsys, "mistakes", run.id, "--json"))
    assert (found["run"], found["epoch"], found["tested"], found["wrong"]) == (run.id, 3, 50, 7)
    assert found["confusion_matrix"] == answers.confusion_matrix.tolist()
    assert [mistake["index"] for mistake in found["mistakes"]] == list(range(6, -1, -1))
    assert len(found["f1"]) == len(found["mistakes"][0]["probabilities"]) == 10


def test_two_runs_are_compared_in_words(run: Run, cli_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = completed(Store(cli_store), epochs=1)
    text = printed(capsys, "mistakes", run.id, "--against", other.id)
    assert "McNemar's test: no real difference: p = 0.50" in text
    found = json.loads(printed(capsys, "mistakes", run.id, "--against", other.id, "--json"))["overlay"]
    assert (found["both_wrong"], found["only_first_wrong"], found["only_second_wrong"]) == ([*range(7)], [], [7, 8])


def test_all_runs_together_name_doubtful_labels(run: Run, cli_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "mistakes", "--all-runs")
    assert "The only run gets 0 test images wrong and at least 90% sure." in text
    found = json.loads(printed(capsys, "mistakes", "--all-runs", "--json"))
    assert (found["asked"], found["left_out"], found["suspects"]) == ([run.id], [], [])


def test_what_cannot_be_shown_is_refused_in_a_sentence(
    run: Run, cli_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "has predictions of epochs 1–3, not of epoch 9" in refused(capsys, ["mistakes", run.id, "--epoch", "9"])
    assert "--all-runs does not go together with --epoch" in refused(capsys, ["mistakes", "--all-runs", "--epoch", "1"])
    assert "Missing argument 'RUN'" in refused(capsys, ["mistakes"])
    waiting = WrittenRun(Store(cli_store))
    waiting.start()
    assert "No predictions yet" in refused(capsys, ["mistakes", waiting.run.id])
    waiting.vanish()
