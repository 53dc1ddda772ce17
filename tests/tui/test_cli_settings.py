"""A setting comes from the flag, else the environment, else the config file, else the preset; and errors say where."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from engine.config import FIELDS
from engine.errors import ConfigError
from tests.tui.cli_harness import refused
from tui.settings import config_path, locate_store, plan_run, user_settings

pytestmark = pytest.mark.usefixtures("cli_store")


def test_the_preset_decides_what_nobody_chose() -> None:
    config = plan_run({"preset": "tensorflow-tutorial"}).config
    assert (config.preset_name, config.model, config.learning_rate) == ("tensorflow-tutorial", "cnn", 0.001)
    assert plan_run({}).config.preset_name == "pytorch-tutorial"


def test_a_flag_beats_the_environment_which_beats_the_file_which_beats_the_preset(
    config_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config_file.write_text("epochs = 2\nbatch_size = 16\nlearning_rate = 0.5\n")
    monkeypatch.setenv("MNIST_TUI_EPOCHS", "3")
    monkeypatch.setenv("MNIST_TUI_BATCH_SIZE", "48")
    config = plan_run({"epochs": "4", "batch_size": None}).config
    assert (config.epochs, config.batch_size, config.learning_rate, config.model) == (4, 48, 0.5, "cnn-bn")


def test_every_setting_can_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tiny_mnist: Path) -> None:
    values = {
        "backend": "tensorflow", "device": "cpu", "model": "cnn", "epochs": "3", "batch_size": "9",
        "learning_rate": "0.25", "optimizer": "nesterov", "seed": "5", "momentum": "0.5", "weight_decay": "0.01",
        "schedule": "cosine", "label_smoothing": "0.1", "normalisation": "standard", "augmentation": "shift",
        "shuffle": "false", "validation": "10", "limit": "50", "conventions": "keras", "deterministic": "true",
        "threads": "1", "data": str(tiny_mnist), "name": "mine",
    }  # fmt: skip
    assert {*values, "preset_name"} == set(FIELDS)
    for key, value in values.items():
        monkeypatch.setenv(f"MNIST_TUI_{key.upper()}", value)
    config = plan_run({}).config
    shown = {key: str(getattr(config, key)) for key in values}
    assert shown == values | {"shuffle": "False", "deterministic": "True"}


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MNIST_TUI_EPOCHS", "")
    assert plan_run({}).config.epochs == 10


def test_the_preset_itself_can_come_from_the_file(config_file: Path) -> None:
    config_file.write_text('preset = "tensorflow-tutorial"\n')
    assert plan_run({}).config.model == "cnn"
    assert plan_run({"preset": "pytorch-tutorial"}).config.model == "cnn-bn"


def test_a_relative_data_path_becomes_absolute() -> None:
    assert plan_run({"data": "images"}).config.data == str(Path.cwd() / "images")


def test_a_tilde_of_nobody_stays_as_it_is() -> None:
    assert plan_run({"data": "~no-such-user/x"}).config.data == str(Path.cwd() / "~no-such-user/x")


def test_a_bad_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MNIST_TUI_EPOCHS", "many")
    with pytest.raises(ConfigError) as caught:
        plan_run({})
    assert caught.value.message == "Epochs must be a whole number from 1 to 10,000, not “many”."
    assert caught.value.hint == "It is the value of the environment variable MNIST_TUI_EPOCHS."


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("epochs = 0", "Epochs must be a whole number from 1 to 10,000, not 0."),
        ("epochs = true", "Epochs must be a whole number"),
        ("epochs = 2026-11-24", "Epochs must be a whole number"),
        ("learning_rate = nan", "Learning rate must be a number above 0"),
        ("device = 3", "Device must be auto, cpu"),
        ('backend = "jax"', "Backend must be one of: torch, tensorflow"),
        ('model = "resnet"', "There is no model “resnet”."),
        ('preset = "best"', "There is no preset “best”."),
        ("preset = [1]", "Preset must be a text, not [1]."),
        ('name = "a\\u0000b"', "Name must be plain text of at most 80 characters"),
        ("[train]\nepochs = 1", "there is no such setting"),
    ],
)
def test_a_bad_value_in_the_file_names_file_and_key(config_file: Path, text: str, words: str) -> None:
    config_file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        plan_run({})
    assert words in str(caught.value)
    assert str(config_file) in str(caught.value)
    assert f"“{text.split()[0].strip('[]')}”" in str(caught.value)


def test_an_unknown_key_gets_a_suggestion(config_file: Path) -> None:
    config_file.write_text("batch-size = 32")
    with pytest.raises(ConfigError, match="Did you mean “batch_size”"):
        plan_run({})


@pytest.mark.parametrize("content", [b"epochs = ", b"\xff\xfe", b"a = " + b"[" * 5000, b"epochs = 1\nepochs = 2"])
def test_a_file_that_is_no_toml_is_named(config_file: Path, content: bytes) -> None:
    config_file.write_bytes(content)
    with pytest.raises(ConfigError, match="cannot be read") as caught:
        plan_run({})
    assert str(config_file) in caught.value.message


def test_a_byte_order_mark_at_the_beginning_is_no_mistake(config_file: Path) -> None:
    config_file.write_bytes(b"\xef\xbb\xbfepochs = 3\n")
    assert plan_run({}).config.epochs == 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("epochs = 3".encode("utf-16"), "it is UTF-16, not UTF-8"),
        ("epochs = 3".encode("utf-32"), "it is UTF-32, not UTF-8"),
        ("epochs = 3\nname = 'ü'".encode("latin-1"), "it is not UTF-8 (byte 0xfc in line 2)"),
    ],
    ids=["UTF-16", "UTF-32", "Latin-1"],
)
def test_another_encoding_is_named(config_file: Path, content: bytes, words: str) -> None:
    config_file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        plan_run({})
    assert caught.value.message == f"{config_file} cannot be read: {words}."
    assert "UTF-8" in caught.value.hint


def test_a_folder_in_the_files_place_is_named(config_file: Path) -> None:
    config_file.mkdir()
    with pytest.raises(ConfigError, match="it is a folder"):
        plan_run({})


def test_no_file_is_no_error() -> None:
    assert not config_path().exists()
    assert set(user_settings()) == {"store", "data"}


def test_the_store_follows_the_same_order(config_file: Path, cli_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config_file.write_text('store = "/from/file"')
    assert locate_store("there").path == Path.cwd() / "there"
    assert locate_store(None).path == cli_store
    monkeypatch.delenv("MNIST_TUI_STORE")
    assert locate_store(None).path == Path("/from/file")
    config_file.write_text("")
    Path("checkpoints").mkdir()
    assert locate_store(None).path == Path.cwd() / "checkpoints"


@pytest.mark.parametrize(
    ("preset", "home"),
    [("pytorch-tutorial", "torch"), ("tensorflow-tutorial", "keras"), ("speedrun", "torch"), ("accurate", "torch")],
)
def test_match_pins_the_conventions_of_the_presets_home(preset: str, home: str) -> None:
    for backend in ("torch", "tensorflow"):
        config = plan_run({"preset": preset, "backend": backend}, match=True).config
        assert (config.backend, config.conventions) == (backend, home)


def test_match_refuses_other_conventions(capsys: pytest.CaptureFixture[str]) -> None:
    error = refused(capsys, ["train", "--match", "--conventions", "keras"])
    assert "--match means --conventions torch with this preset, but --conventions keras was given." in error


def test_the_installed_framework_stands_in_for_the_presets_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)  # as find_spec sees a package that is not installed
    plan = plan_run({"preset": "pytorch-tutorial"})
    assert plan.config.backend == "tensorflow"
    assert plan.config.model == "cnn-bn"
    assert plan.notice.startswith("PyTorch is not installed, so TensorFlow trains instead.")


def test_a_backend_that_was_chosen_is_not_replaced(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    error = refused(capsys, ["train", "--backend", "torch"])
    assert "PyTorch is not installed" in error
    assert "pip install 'mnist-tui[torch]'" in error


def test_without_any_framework_the_presets_own_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("torch", "tensorflow"):
        monkeypatch.setitem(sys.modules, name, None)
    assert "PyTorch is not installed" in refused(capsys, ["train"])
