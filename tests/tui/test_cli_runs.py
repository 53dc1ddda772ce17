"""`mnist-tui runs`, `show`, `stop`, `attach` and `delete` tell and change what is in the store."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pexpect
import pytest
from msgspec.structs import replace

from engine import events
from engine.config import TrainConfig
from engine.eventlog import EventWriter
from engine.locks import FileLock
from engine.runs import Run, Store
from tests.tui.cli_harness import on_terminal, printed, refused
from tui.cli import run

DIGITS = events.DatasetInfo(
    name="MNIST", source="IDX files in /data", fingerprint="ab12", train_examples=60_000, test_examples=10_000
)
STARTED = events.RunStarted(
    run="", backend="", framework_version="2.1", device="cpu", device_name="A CPU", model="", parameters=2174,
    dataset=DIGITS, epochs=0,
)  # fmt: skip
EPOCH = events.EpochFinished(
    epoch=0, train_loss=0.5, train_accuracy=0.9, test_loss=0.25, test_accuracy=0.0, learning_rate=0.01, seconds=40.0,
    images_per_second=15_000,
)  # fmt: skip
DIVERGED = events.ErrorInfo(title="Training diverged", message="The loss is not finite.", hint="Use a smaller one.")
SUMMARY_KEYS = [
    "run",
    "short_name",
    "status",
    "place",
    "backend",
    "model",
    "epochs_done",
    "epochs",
    "extended",
    "changes",
    "test_accuracy",
    "best_epoch",
    "best_test_accuracy",
    "seconds",
    "created",
    "name",
    "note",
    "problem",
    "dataset",
    "device",
    "settings",
    "path",
]


def record(store: Path, outcome: str | None = "completed", epochs: int = 2, **changes: object) -> tuple[Run, FileLock]:
    """Put a run into the store as a worker would have left it, and return it with its lock, still held."""
    config = TrainConfig.create(**{"preset_name": "pytorch-tutorial", **changes})
    made, lock = Store(store).create(config)
    log = EventWriter(made.events_path)
    log.append(replace(STARTED, run=made.id, backend=config.backend, model=config.model, epochs=config.epochs))
    for epoch in range(1, epochs + 1):
        log.append(replace(EPOCH, epoch=epoch, test_accuracy=0.96 + epoch / 100))
    if outcome:
        error = DIVERGED if outcome == "failed" else None
        log.append(events.RunFinished(outcome=outcome, epochs=epochs, error=error))  # type: ignore[arg-type]
    log.close()
    return made, lock


def ended(store: Path, outcome: str | None = "completed", epochs: int = 2, **changes: object) -> Run:
    """Put a run into the store that nobody trains any more; without an outcome it has crashed."""
    made, lock = record(store, outcome, epochs, **changes)
    lock.release()
    return made


def test_an_empty_store_says_what_to_do(cli_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, "runs") == f"There are no runs in {cli_store} yet. Start one: mnist-tui train\n"
    assert json.loads(printed(capsys, "runs", "--json")) == []


def test_runs_lists_every_status_with_aligned_figures(cli_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = [ended(cli_store, outcome, backend="torch") for outcome in ("completed", "stopped", "failed", None)]
    live, lock = record(cli_store, None, backend="tensorflow", name="of mine")
    lines = printed(capsys, "runs").splitlines()
    lock.release()
    rows = {line.split()[0]: line for line in lines[1:]}
    assert lines[0].split() == ["run", "status", "test", "acc", "backend", "epochs", "time", "created", "id", "name"]
    for each, status in zip([*made, live], ("completed", "stopped", "failed", "crashed", "running"), strict=True):
        row = rows[each.short_name].split()
        assert row[1:3] == [status, "0.9800"]
        assert row[4:6] == ["2/10", "1:20"]
        assert each.id in row
    assert rows[live.short_name].endswith("of mine")
    assert {line.index("2/10") for line in rows.values()} == {lines[0].index("epochs") + 2}


def test_runs_has_columns_for_the_settings_that_differ_alone(
    cli_store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for rate, size in ((0.01, 64), (0.003, 128), (0.003, 64)):
        ended(cli_store, backend="torch", learning_rate=rate, batch_size=size, name="a name")
    heading, *rows = printed(capsys, "runs").splitlines()
    assert heading.split()[4:6] == ["rate", "batch"]
    assert "model" not in heading
    assert [row.split()[3:5] for row in rows] == [["0.01", "64"], ["0.003", "128"], ["0.003", "64"]]
    monkeypatch.setattr("tui.commands.runs.output_width", lambda: 56)
    heading, *rows = printed(capsys, "runs").splitlines()
    assert heading.split() == ["run", "status", "test", "acc", "rate", "batch", "name"]
    assert all(len(row) <= 56 for row in rows)


def test_runs_as_json_has_stable_keys(cli_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = ended(cli_store, name="first")
    (row,) = json.loads(printed(capsys, "runs", "--json"))
    assert list(row) == SUMMARY_KEYS
    assert (row["run"], row["status"], row["epochs_done"], row["epochs"]) == (made.id, "completed", 2, 10)
    assert (row["best_epoch"], row["best_test_accuracy"], row["seconds"]) == (2, 0.98, 80.0)
    assert (row["name"], row["path"], row["dataset"]) == ("first", str(made.path), "MNIST")
    assert row["settings"] == json.loads(made.config_path.read_bytes())


def test_a_run_goes_by_its_new_name_and_carries_a_note(cli_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made, other = ended(cli_store, name="first"), ended(cli_store)
    settings = made.config_path.read_bytes()
    assert printed(capsys, "rename", "first", " second one ") == f"{made.id} is called second one\n"
    assert printed(capsys, "note", "second one", "too [b]slow[/]") == f"{made.id}: too [b]slow[/]\n"
    assert "second one (too [b]slow[/])" in printed(capsys, "runs")
    text = printed(capsys, "show", "second one")
    assert [line.split()[1:] for line in text.splitlines() if line.startswith(("Name", "Note"))] == [
        ["too", "[b]slow[/]"],
        ["second", "one"],
    ]
    assert "There is no run “first”" in refused(capsys, ["show", "first"])
    assert made.config_path.read_bytes() == settings
    printed(capsys, "rename", other.id, "second one")
    assert "means 2 runs" in refused(capsys, ["show", "second one"])
    printed(capsys, "rename", made.id, "")
    assert printed(capsys, "note", made.id, "") == f"{made.id} has no note\n"
    assert [row["name"] for row in json.loads(printed(capsys, "runs", "--json"))] == ["", "second one"]


@pytest.mark.parametrize("name", ["last", "2", "a\x1b[31mb", "x" * 81])
def test_a_name_that_would_not_be_found_or_fit_is_refused(
    cli_store: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    made = ended(cli_store, name="first")
    assert refused(capsys, ["rename", made.id, name])
    assert "at most 200 characters" in refused(capsys, ["note", made.id, "x" * 201])
    assert made.name == "first"


def test_damaged_labels_count_as_none(cli_store: Path) -> None:
    made = ended(cli_store, name="first")
    path = made.path / "labels.json"
    for damage in (b"{", b'{"name": 3}', b'{"name": "\\u001b[31m"}', b"\xff" * 20_000, b""):
        path.write_bytes(damage)
        assert (made.name, made.labels.note) == ("first", "")


def test_a_damaged_run_is_listed_and_can_be_deleted(cli_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = ended(cli_store)
    made.config_path.write_text('{"epochs": "\x1b[31mmany"')
    made.events_path.write_bytes(b"\x00\xff\n{}\n[")
    assert "crashed" in printed(capsys, "runs")
    assert json.loads(printed(capsys, "runs", "--json"))[0]["backend"] is None
    assert "cannot be read" in refused(capsys, ["show", made.id])
    printed(capsys, "delete", "--yes", made.id)
    assert not Store(cli_store).runs()


def test_hostile_names_are_shown_as_plain_text(cli_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended(cli_store, name="[red]a[/] [@click=app.quit]b")
    for arguments in (["runs"], ["show", "last"]):
        assert "[red]a[/] [@click=app.quit]b" in printed(capsys, *arguments)


def test_a_run_with_control_characters_in_its_settings_is_shown_without_them(
    cli_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = ended(cli_store, name="plain")
    run.config_path.write_text(run.config_path.read_text().replace("plain", r"a\u001b[31m\u009b31mb"))
    assert run.id in printed(capsys, "runs")
    message = refused(capsys, ["show", "last"])
    assert "Run not readable" in message
    assert not {"\x1b", "\x9b"} & set(message)


def test_show_tells_settings_conventions_epochs_and_result(cli_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended(cli_store, learning_rate=0.02, conventions="keras")
    text = printed(capsys, "show", "last")
    rows = dict(line.split("  ", 1) for line in text.splitlines() if "  " in line.strip())
    values = {label: rest.strip() for label, rest in rows.items()}
    assert values["Learning rate"] == "0.02"
    assert values["Adam ε"] == "1e-07"
    assert values["Batch norm momentum"] == "0.01"
    assert values["Dataset"] == "MNIST"
    assert "       1      0.5000     0.9000     0.2500    0.9700    40.0 s    15,000" in text
    assert text.endswith("Test accuracy: 0.9800 after epoch 2\n")


def test_show_says_why_a_run_failed(cli_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended(cli_store, "failed", 0)
    assert printed(capsys, "show", "last").endswith(
        "\nTraining diverged: The loss is not finite.\nUse a smaller one.\n"
    )


def test_show_gives_a_crashed_workers_last_words(cli_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended(cli_store, None).log_path.write_text("Killed by \x1b[1msomething\n")
    assert printed(capsys, "show", "last").endswith("  Killed by something\n")


def test_show_as_json_has_all_of_it(cli_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = ended(cli_store)
    shown = json.loads(printed(capsys, "show", "last", "--json"))
    assert shown["settings"] == json.loads(made.config_path.read_text())
    assert shown["conventions"]["adam_epsilon"] == 1e-8
    assert [epoch["epoch"] for epoch in shown["epochs"]] == [1, 2]
    assert shown["started"]["dataset"]["fingerprint"] == "ab12"
    assert (shown["finished"]["outcome"], shown["best_epoch"]) == ("completed", 2)


def test_show_of_two_runs_gives_every_difference_and_nothing_else(
    cli_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = ended(cli_store, backend="torch", epochs=3)
    second = ended(cli_store, backend="tensorflow", epochs=3, seed=1)
    told = json.loads(printed(capsys, "show", first.id, second.id, "--json"))
    assert told["runs"] == [first.id, second.id]
    assert {row["setting"]: row["values"] for row in told["differences"]} == {
        "backend": ["torch", "tensorflow"],
        "seed": [0, 1],
        "initialisation": ["torch", "keras"],
        "adam_epsilon": [1e-8, 1e-7],
        "adam_epsilon_corrected": [True, False],
        "batch_norm_momentum": [0.1, 0.01],
        "batch_norm_epsilon": [1e-5, 1e-3],
        "batch_norm_unbiased": [True, False],
    }
    table = printed(capsys, "show", first.id, second.id)
    assert "Batch norm ε                  1e-05" in table
    assert "Learning rate" not in table


def test_matched_runs_differ_in_the_backend_alone(cli_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = ended(cli_store, backend="torch", conventions="torch")
    second = ended(cli_store, backend="tensorflow", conventions="torch")
    table, _, verdict = printed(capsys, "show", first.id, second.id).partition("\n\n")
    assert [line.split() for line in table.splitlines()[1:]] == [["Backend", "torch", "tensorflow"]]
    assert "nobody can tell whether that is chance" in verdict


def test_a_convention_that_a_run_has_no_use_for_is_a_dash(cli_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = ended(cli_store, optimizer="adam"), ended(cli_store, optimizer="sgd")
    row = next(line for line in printed(capsys, "show", first.id, second.id).splitlines() if line.startswith("Adam ε "))
    assert row.split() == ["Adam", "ε", "1e-08", "–"]


@pytest.mark.parametrize("command", ["show", "attach", "stop", "delete"])
def test_a_run_that_is_not_there_is_refused(cli_store: Path, capsys: pytest.CaptureFixture[str], command: str) -> None:
    assert f"There is no run “nothing” in {cli_store}." in refused(capsys, [command, "nothing"])
    ended(cli_store)
    assert "mnist-tui runs lists them." in refused(capsys, [command, "\x1b[31m"])


def test_a_prefix_of_two_runs_is_refused(cli_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended(cli_store)
    ended(cli_store)
    assert "means 2 runs" in refused(capsys, ["show", "2"])


def test_only_a_live_run_can_be_stopped(cli_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = ended(cli_store)
    assert f"Run {made.id} has finished: it is not running any more." in refused(capsys, ["stop", "last"])


def test_a_live_run_is_not_deleted(cli_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made, lock = record(cli_store, None)
    assert f"mnist-tui stop {made.id}" in refused(capsys, ["delete", "--yes", "last"])
    lock.release()
    assert printed(capsys, "delete", "--yes", "last") == f"Deleted {made.id}\n"
    assert not made.path.exists()


def test_delete_without_a_terminal_needs_yes(
    cli_store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = ended(cli_store)
    with Path("/dev/null").open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        assert "needs --yes" in refused(capsys, ["delete", "last"])
    assert made.path.exists()


@pytest.mark.parametrize(("answer", "status"), [("n", 1), ("", 1), ("y", 0)])
def test_delete_asks_on_a_terminal(cli_store: Path, answer: str, status: int) -> None:
    made = ended(cli_store)
    child = on_terminal("delete", "last")
    child.expect(rf"Delete {made.id} \(completed after 2 of 10 epochs, test accuracy 0\.\d{{4}}\)\? \[y/N\]: ")
    child.sendline(answer)
    child.expect_exact("Deleted" if status == 0 else "Nothing was deleted.")
    child.expect(pexpect.EOF)
    child.close()
    assert (child.exitstatus, made.path.exists()) == (status, status == 1)


def test_attach_tells_an_ended_run_from_its_beginning(cli_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = ended(cli_store)
    lines = printed(capsys, "attach", "last").splitlines()
    assert lines[0] == f"{made.id}: PyTorch 2.1 on cpu (A CPU), model cnn-bn with 2,174 parameters"
    assert [line.split()[0] for line in lines[-2:]] == ["1", "2"]


@pytest.mark.parametrize(("outcome", "words"), [("failed", "Error: Training diverged"), (None, "Error: Run crashed")])
def test_attach_ends_as_the_run_did(
    cli_store: Path, capsys: pytest.CaptureFixture[str], outcome: str | None, words: str
) -> None:
    ended(cli_store, outcome)
    assert run(["attach", "last"]) == 1
    assert words in capsys.readouterr().err


def test_the_store_can_be_named_before_or_after_the_command(
    cli_store: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    made = ended(tmp_path / "other")
    for arguments in (["--store", str(tmp_path / "other"), "runs"], ["runs", "--store", str(tmp_path / "other")]):
        assert made.id in printed(capsys, *arguments)
    assert "no runs" in printed(capsys, "runs")


def test_a_store_that_is_a_file_is_refused(cli_store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cli_store.write_text("not a folder")
    assert "Store cannot be read" in refused(capsys, ["runs"])


@pytest.mark.parametrize("columns", [64, 80, 120])
def test_a_narrow_terminal_keeps_short_names_and_results_whole(cli_store: Path, columns: int) -> None:
    made = ended(cli_store, backend="tensorflow", name="a rather long name for a run that will not fit")
    text = re.sub(r"\x1b\[[0-9;]*m", "", on_terminal("runs", columns=columns).read())
    assert made.short_name in text
    assert (made.id in text) is (columns == 120)
    assert "0.9800" in text
    assert max(map(len, text.splitlines())) <= columns
