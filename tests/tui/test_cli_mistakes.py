"""`mnist-tui mistakes`: lists, filters, files, two runs, and doubtful labels."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest

from engine.answers import Answers, load_answers
from engine.data import Dataset
from engine.runs import Run, Store
from tests.conftest import write_idx
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
    assert "McNemar's test: no more than chance: p = 0.50" in text
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


def test_a_run_stopped_within_its_first_epoch_is_not_to_be_waited_for(
    cli_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped = WrittenRun(Store(cli_store))
    stopped.start()
    stopped.step(1, 4)
    stopped.finish("stopped")
    told = " ".join(refused(capsys, ["mistakes", stopped.run.id]).split())
    assert "was stopped before its first epoch ended" in told
    assert f"mnist-tui resume {stopped.run.id}" in told


class TestNamedClasses:
    """Classes go by their names on the command line, as those of Fashion-MNIST."""

    @pytest.fixture
    def fashion_run(self, cli_store: Path, tmp_path: Path, sketches: Dataset, monkeypatch: pytest.MonkeyPatch) -> Run:
        """A run on images that lie in a folder called Fashion-MNIST; images 0 to 6 are wrong."""
        monkeypatch.setenv("MNIST_TUI_DATA", str(write_idx(tmp_path / "fashion-mnist", sketches)))
        return completed(Store(cli_store))

    def test_the_matrix_and_the_list_name_them(self, fashion_run: Run, capsys: pytest.CaptureFixture[str]) -> None:
        text = printed(capsys, "mistakes", fashion_run.id)
        assert [line.split("  ")[0] for line in text.splitlines() if line.startswith(("Coat", "Ankle"))] == [
            "Coat",
            "Ankle boot",
        ]
        heading = next(line for line in text.splitlines() if "T-shirt/top" in line and "total" in line)
        assert heading.split()[:3] == ["T-shirt/top", "Trouser", "Pullover"]
        assert re.search(r"^ +4  Coat +Sandal +\d", text, re.MULTILINE)

    @pytest.mark.parametrize(
        ("flags", "index"), [(["--true", "Coat"], 4), (["--true", "san"], 5), (["--predicted", "SNEAKER"], 6)]
    )
    def test_they_are_asked_for_by_name(
        self, fashion_run: Run, capsys: pytest.CaptureFixture[str], flags: list[str], index: int
    ) -> None:
        found = json.loads(printed(capsys, "mistakes", fashion_run.id, "--json", *flags))
        assert [mistake["index"] for mistake in found["mistakes"]] == [index]
        assert found["class_names"][4] == "Coat"

    def test_a_name_that_there_is_not_is_refused_with_those_that_there_are(
        self, fashion_run: Run, capsys: pytest.CaptureFixture[str]
    ) -> None:
        told = refused(capsys, ["mistakes", fashion_run.id, "--true", "cot"])
        assert "No class is called “cot”." in told
        assert "The classes are: T-shirt/top, Trouser" in told
        assert "“s” may be Sandal, Shirt, Sneaker" in refused(capsys, ["mistakes", "last", "--predicted", "s"])

    def test_on_a_narrow_terminal_no_two_figures_touch(
        self, fashion_run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for width in (40, 60, 80, 100):
            monkeypatch.setattr("tui.commands.mistakes.output_width", lambda width=width: width)
            text = printed(capsys, "mistakes", fashion_run.id)
            matrix = text.split("\n\n")[1].splitlines()[1:]
            assert all(len(line) <= width for line in matrix)
            assert sum(line.startswith("Coat") for line in matrix) == (2 if width < 60 else 1)
