"""Settings: their bounds, what a user may type for them, and what comes of a file."""

from __future__ import annotations

import math
from typing import Any

import pytest

from engine.config import FIELDS, Field, TrainConfig, parse_field
from engine.conventions import CONVENTIONS, conventions_of
from engine.errors import ConfigError
from engine.presets import PRESETS

NUMBERS = [field for field in FIELDS.values() if field.type in (int, float)]
CHOICES = [field for field in FIELDS.values() if field.choices]

by_name = {"ids": lambda field: field.name}


def refusal(name: str, value: Any) -> str:
    """Return what a user is told who gives `value` for the setting `name`."""
    with pytest.raises(ConfigError) as caught:
        TrainConfig.create(**{name: value})
    assert caught.value.field == name
    return caught.value.message


class TestBounds:
    @pytest.mark.parametrize("field", NUMBERS, **by_name)
    def test_values_at_the_bounds_are_fine(self, field: Field) -> None:
        for bound in (field.minimum, field.maximum):
            if bound is not None:
                assert getattr(TrainConfig.create(**{field.name: bound}), field.name) == bound

    @pytest.mark.parametrize("field", NUMBERS, **by_name)
    def test_values_beyond_the_bounds_are_refused_and_the_bounds_named(self, field: Field) -> None:
        beyond = [field.exclusive_minimum, field.exclusive_maximum, -1e30, 1e30]
        beyond += [field.minimum - 1] if field.minimum is not None else []
        beyond += [field.maximum + 1] if field.maximum is not None else []
        for value in (value for value in beyond if value is not None):
            assert f"{field.label} must be {field.expectation()}, not " in refusal(field.name, value)

    def test_bounds_are_told_in_words(self) -> None:
        assert FIELDS["epochs"].expectation() == "a whole number from 1 to 10,000"
        assert FIELDS["learning_rate"].expectation() == "a number above 0 and at most 1e+12"
        assert FIELDS["momentum"].expectation() == "a number from 0 to below 1"
        assert FIELDS["optimizer"].expectation() == "one of: sgd, momentum, nesterov, adam, adamw"
        assert FIELDS["shuffle"].expectation() == "true or false"

    @pytest.mark.parametrize("field", [field for field in NUMBERS if field.type is float], **by_name)
    @pytest.mark.parametrize("value", [math.nan, "nan", math.inf, "-inf"])
    def test_what_is_no_number_is_refused(self, field: Field, value: Any) -> None:
        refusal(field.name, value)

    def test_a_batch_fits_into_the_limit(self) -> None:
        assert TrainConfig.create(limit=64, batch_size=64).limit == 64
        with pytest.raises(ConfigError, match="at most the limit of 63 images") as caught:
            TrainConfig.create(limit=63, batch_size=64)
        assert caught.value.field == "batch_size"

    def test_the_error_s_sentence_ends_with_what_was_given(self) -> None:
        assert refusal("epochs", "many") == "Epochs must be a whole number from 1 to 10,000, not “many”."
        assert refusal("batch_size", 0) == "Batch size must be a whole number from 1 to 60,000, not 0."


class TestTyping:
    """Forms and flags give texts."""

    @pytest.mark.parametrize(
        ("name", "text", "value"),
        [
            ("epochs", "5", 5),
            ("epochs", "  5 ", 5),
            ("learning_rate", "1e-3", 0.001),
            ("learning_rate", "1", 1.0),
            ("shuffle", "false", False),
            ("shuffle", "True", True),
            ("optimizer", "sgd", "sgd"),
            ("device", "cuda:12", "cuda:12"),
            ("name", "my first", "my first"),
        ],
    )
    def test_a_text_becomes_the_value_it_stands_for(self, name: str, text: str, value: Any) -> None:
        parsed = parse_field(name, text)
        assert (parsed, type(parsed)) == (value, type(value))

    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("epochs", ""),
            ("epochs", "2.5"),
            ("epochs", "five"),
            ("epochs", "１２"),
            ("epochs", "9" * 40),
            ("learning_rate", "0.1x"),
            ("learning_rate", "1,5"),
            ("learning_rate", "1e999"),
            ("shuffle", "maybe"),
            ("optimizer", "Adam"),
            ("backend", "jax"),
            ("device", "gpu"),
            ("device", "cuda:"),
            ("device", "cuda:-1"),
            ("device", "cuda:٣"),
            ("device", "cpu\n"),
            ("name", "x" * 81),
            ("name", "\x1b[31mred"),
            ("data", "folder\0"),
        ],
    )
    def test_a_text_that_stands_for_nothing_is_refused(self, name: str, text: str) -> None:
        refusal(name, text)

    @pytest.mark.parametrize("field", CHOICES, **by_name)
    def test_every_choice_can_be_chosen_and_nothing_else(self, field: Field) -> None:
        for choice in field.choices:
            assert getattr(TrainConfig.create(**{field.name: choice}), field.name) == choice
        assert ", ".join(field.choices) in refusal(field.name, "none of these")

    @pytest.mark.parametrize("value", [None, [], {}, 2.5, b"5", True])
    def test_what_is_of_another_type_is_refused(self, value: Any) -> None:
        refusal("epochs", value)

    def test_a_model_that_there_is_not_is_refused_with_those_there_are(self) -> None:
        with pytest.raises(ConfigError, match="no model “resnet”") as caught:
            TrainConfig.create(model="resnet")
        assert "cnn-bn, cnn" in caught.value.hint

    def test_a_setting_that_there_is_not_is_refused(self) -> None:
        assert refusal("dropout", 0.5) == "There is no setting “dropout”."


class TestDescription:
    @pytest.mark.parametrize("field", FIELDS.values(), **by_name)
    def test_every_setting_has_a_help_a_label_and_a_flag(self, field: Field) -> None:
        assert len(field.help) > 10
        assert field.label[0].isupper()
        assert field.flag == f"--{field.name.replace('_', '-')}"

    @pytest.mark.parametrize("field", FIELDS.values(), **by_name)
    def test_every_default_is_a_value_that_may_be_given(self, field: Field) -> None:
        assert parse_field(field.name, field.default) == field.default
        assert type(field.default) is field.type


class TestCopies:
    def test_a_copy_has_the_changes_and_the_original_has_not(self) -> None:
        original = TrainConfig.create(epochs=3)
        copy = original.replace(epochs=4, seed=7)
        assert (original.epochs, copy.epochs, copy.seed) == (3, 4, 7)
        assert copy.replace(epochs=3, seed=0) == original

    def test_a_copy_is_checked(self) -> None:
        with pytest.raises(ConfigError):
            TrainConfig().replace(epochs=0)

    def test_it_cannot_be_changed(self) -> None:
        with pytest.raises(AttributeError):
            TrainConfig().epochs = 5  # type: ignore[misc]


class TestFile:
    def test_it_survives_being_written_and_read(self) -> None:
        config = TrainConfig.preset("tensorflow-tutorial", learning_rate=0.1 + 0.2, name="¿näme?", limit=100)
        assert TrainConfig.from_json(config.to_json()) == config

    def test_what_is_left_out_has_its_default(self) -> None:
        assert TrainConfig.from_json(b'{"epochs": 3}') == TrainConfig.create(epochs=3)

    @pytest.mark.parametrize(
        "text",
        [
            b"",
            b"{",
            b"null",
            b"[]",
            b"\xff\xfe",
            b'{"epochs": 3',
            b'{"learning_rate": NaN}',
            b'{"epochs": 1e400}',
            b'{"epochs":' + b"[" * 100_000,
        ],
        ids=lambda text: repr(text[:20]),
    )
    def test_a_file_that_holds_no_settings_is_named(self, text: bytes) -> None:
        with pytest.raises(ConfigError, match=r"/run/config\.json is not a run's settings"):
            TrainConfig.from_json(text, "/run/config.json")

    @pytest.mark.parametrize(
        ("text", "field"),
        [
            (b'{"epochs": 0}', "epochs"),
            (b'{"epochs": null}', "epochs"),
            (b'{"optimizer": ["adam"]}', "optimizer"),
            (b'{"model": "resnet"}', "model"),
            (b'{"dropout": 0.5}', "dropout"),
            (b'{"cls": 1}', "cls"),
            (b'{"self": 1}', "self"),
        ],
    )
    def test_a_file_with_a_bad_setting_is_refused_for_that_setting(self, text: bytes, field: str) -> None:
        with pytest.raises(ConfigError) as caught:
            TrainConfig.from_json(text)
        assert caught.value.field == field


class TestPresets:
    def test_the_pytorch_tutorial_is_as_published(self) -> None:
        config = TrainConfig.preset("pytorch-tutorial")
        assert (config.backend, config.model, config.normalisation) == ("torch", "cnn-bn", "symmetric")
        assert (config.optimizer, config.learning_rate, config.batch_size, config.epochs) == ("adam", 0.01, 64, 10)
        assert conventions_of(config) == CONVENTIONS["torch"]

    def test_the_tensorflow_tutorial_is_as_published(self) -> None:
        config = TrainConfig.preset("tensorflow-tutorial")
        assert (config.backend, config.model, config.normalisation) == ("tensorflow", "cnn", "unit")
        assert (config.optimizer, config.learning_rate, config.batch_size, config.epochs) == ("adam", 0.001, 32, 10)
        assert conventions_of(config) == CONVENTIONS["keras"]

    @pytest.mark.parametrize(("name", "epochs"), [("speedrun", 1), ("accurate", 12)])
    def test_the_impatient_have_a_network_and_a_recipe_of_their_own(self, name: str, epochs: int) -> None:
        config = TrainConfig.preset(name)
        assert (config.backend, config.model, config.epochs) == ("torch", "cnn-strided", epochs)
        assert (config.schedule, config.normalisation, config.batch_size) == ("onecycle", "standard", 128)
        assert config.augmentation == ("none" if epochs == 1 else "shift")

    @pytest.mark.parametrize("name", PRESETS)
    def test_they_train_in_either_framework(self, name: str) -> None:
        for backend in FIELDS["backend"].choices:
            config = TrainConfig.preset(name, backend=backend)
            assert (config.backend, config.preset_name) == (backend, name)
            assert config.model == PRESETS[name].settings["model"]

    def test_changes_go_before_the_preset(self) -> None:
        config = TrainConfig.preset("pytorch-tutorial", epochs="2", seed=1)
        assert (config.epochs, config.seed, config.batch_size) == (2, 1, 64)

    def test_a_preset_that_there_is_not_is_refused_with_those_there_are(self) -> None:
        with pytest.raises(ConfigError, match="no preset “keras”") as caught:
            TrainConfig.preset("keras")
        assert caught.value.field == "preset"
        assert all(name in caught.value.hint for name in PRESETS)


class TestConventions:
    def test_left_alone_they_are_the_framework_s_own(self) -> None:
        assert conventions_of(TrainConfig.create(backend="torch")) == CONVENTIONS["torch"]
        assert conventions_of(TrainConfig.create(backend="tensorflow")) == CONVENTIONS["keras"]

    @pytest.mark.parametrize("name", CONVENTIONS)
    def test_pinned_they_are_the_same_for_both(self, name: str) -> None:
        for backend in FIELDS["backend"].choices:
            assert conventions_of(TrainConfig.create(backend=backend, conventions=name)) == CONVENTIONS[name]

    def test_they_are_the_frameworks_documented_defaults(self) -> None:
        torch, keras = CONVENTIONS["torch"], CONVENTIONS["keras"]
        assert (torch.adam_epsilon, torch.batch_norm_momentum, torch.batch_norm_epsilon) == (1e-8, 0.1, 1e-5)
        assert (keras.adam_epsilon, keras.batch_norm_momentum, keras.batch_norm_epsilon) == (1e-7, 0.01, 1e-3)
        assert (torch.batch_norm_unbiased, keras.batch_norm_unbiased) == (True, False)
