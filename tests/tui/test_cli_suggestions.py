"""A flag, a command, a variable or a key of the config file that does not exist: the error names what was meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import ConfigError
from engine.runs import STATUS_WORDS, Store
from tests.tui.app_harness import WrittenRun
from tests.tui.cli_harness import refused
from tui.cli import run
from tui.settings import plan_run


@pytest.mark.parametrize(
    ("arguments", "suggestion"),
    [
        ("train --lr 0.1", "“--learning-rate”"),
        ("train --bs=3", "“--batch-size”"),
        ("train --epoch 3", "“--epochs”"),
        ("train --gpu 0", "“--device”"),
        ("set last --lr 1", "“--learning-rate”"),
        ("config show --framework torch", "“--backend”"),
        ("runs --output x", "“--store”"),
        ("trian", "“train”"),
        ("ls", "“runs”"),
        ("kill last", "“stop”"),
    ],
)
def test_an_error_of_the_command_line_names_what_was_meant(
    cli_store: Path, arguments: str, suggestion: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments.split()) == 2
    assert f"Did you mean {suggestion}?" in capsys.readouterr().err


def test_a_misnamed_variable_is_not_ignored(cli_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MNIST_TUI_OFFLINE", "1")
    plan_run({})
    for name, meant in (("LR", "LEARNING_RATE"), ("EPOCH", "EPOCHS"), ("BATCHSIZE", "BATCH_SIZE")):
        monkeypatch.setenv(f"MNIST_TUI_{name}", "3")
        with pytest.raises(ConfigError, match=f"Did you mean MNIST_TUI_{meant}"):
            plan_run({})
        monkeypatch.delenv(f"MNIST_TUI_{name}")


def test_a_misnamed_key_of_the_config_file_is_told(config_file: Path) -> None:
    config_file.write_text("lr = 0.1\n")
    with pytest.raises(ConfigError, match="Did you mean “learning_rate”"):
        plan_run({})


@pytest.mark.parametrize("outcome", ["completed", "stopped", "failed", "crashed"])
def test_an_ended_run_is_told_in_plain_words_with_what_to_do(
    cli_store: Path, outcome: str, capsys: pytest.CaptureFixture[str]
) -> None:
    written = WrittenRun(Store(cli_store))
    written.start()
    written.epoch(1)
    if outcome == "crashed":
        written.vanish()
    else:
        written.finish(outcome)  # type: ignore[arg-type]
    message = refused(capsys, ["stop", "last"])
    assert f"Run {written.run.id} {STATUS_WORDS[outcome]}: it is not running any more." in message  # type: ignore[index]
    assert f"mnist-tui resume {written.run.id}" in message
    assert ("mnist-tui show" in message) is (outcome in ("failed", "crashed"))
    assert "it is failed" not in message
