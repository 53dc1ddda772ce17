"""`mnist-tui bench` measures every framework on every device, and says what is not as it should be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.backends import BACKENDS
from engine.backends.base import Device
from engine.bench import RECIPES, Measurement, measure
from engine.devices import BackendReport
from tests.tui.cli_harness import call, needs_a_framework
from tui.commands import bench

pytestmark = pytest.mark.usefixtures("cli_store")
CPU, GPU = Device("cpu", "2 cores"), Device("cuda:0", "H100")


@needs_a_framework
def test_it_measures_every_recipe_on_every_installed_framework() -> None:
    ended = call("bench", "--seconds", "0.1", "--json")
    told = json.loads(ended.stdout)
    assert ended.returncode == 0, told
    installed = [name for name, info in BACKENDS.items() if info.installed]
    on_cpu = [(one["backend"], one["preset"]) for one in told["measurements"] if one["device"] == "cpu"]
    assert on_cpu == [(name, recipe) for name in installed for recipe in RECIPES]
    for one in told["measurements"]:
        assert one["images_per_second"] > 10
        assert one["first_step_seconds"] > one["build_seconds"] >= 0
        assert one["memory_bytes"] > 50e6
        assert one["is_on_device"]
        if one["device"] == "cpu":
            assert one["kernels"] == ("fused" if one["preset"] == "pytorch-tutorial" else "framework")
    assert list(told["verdicts"]) == list(BACKENDS)


@needs_a_framework
def test_a_device_that_is_not_there_is_told_as_such() -> None:
    (failed,) = measure(next(name for name, info in BACKENDS.items() if info.installed), "cuda:99", 0.1)
    assert "sees no device cuda:99" in failed.error
    assert not failed.is_on_device


@pytest.mark.parametrize("flaw", ["raise ImportError('libcudart.so is missing')", "import os; os.abort()"])
def test_a_framework_that_does_not_start_is_a_row_with_the_reason_and_status_1(
    flaw: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for info in BACKENDS.values():
        (tmp_path / f"{info.package}.py").write_text(flaw)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    ended = call("bench", "--seconds", "0.1")
    assert ended.returncode == 1
    for info in BACKENDS.values():
        row = next(line for line in ended.stdout.splitlines() if line.startswith(info.label))
        assert "libcudart.so is missing" in row or "signal 6" in row
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("has_gpu", "visible", "words"),
    [
        (False, None, "TensorFlow trains on the CPU; this machine has no NVIDIA GPU"),
        (True, None, "TensorFlow sees no GPU: install tensorflow[and-cuda]"),
        (True, "", "TensorFlow sees no GPU: CUDA_VISIBLE_DEVICES='' hides it"),
    ],
)
def test_the_verdict_on_a_cpu_depends_on_whether_there_is_a_gpu(
    has_gpu: bool, visible: str | None, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.bench.has_nvidia_gpu", lambda: has_gpu)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert bench.verdict(_report(CPU), [_measured(CPU)]).startswith(words)


def test_the_verdict_on_a_gpu_tells_how_much_faster_it_is() -> None:
    measured = [_measured(CPU), _measured(GPU, images_per_second=12_000.0, gpu_memory_bytes=300_000_000)]
    assert bench.verdict(_report(CPU, GPU), measured) == "TensorFlow trains on cuda:0 (12.0 × the CPU on cnn-strided)"


def test_a_speed_is_shown_with_whose_kernels_it_timed_on_80_columns_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tui.commands.options.output_width", lambda: 80)
    measured = [_measured(CPU, kernels="fused", images_per_second=11_586.0), _measured(CPU, kernels="framework")]
    bench._print([_report(CPU)], {"tensorflow": measured})
    heading, fused, framework, *_ = (text := capsys.readouterr().out).splitlines()
    assert "kernels" in heading
    assert "11,586" in fused
    assert "fused" in fused
    assert "framework" in framework
    assert "mnist-tui's own kernels" in text
    assert max(map(len, text.splitlines()[:3])) <= 80


@pytest.mark.parametrize(
    ("flaw", "words"),
    [
        ({"weights_on": ("cpu",)}, "TensorFlow was to train on cuda:0, but its weights are on cpu"),
        ({"error": "Out of memory.", "hint": "Free some."}, "TensorFlow fails on cuda:0: Out of memory. Free some."),
    ],
)
def test_a_gpu_that_does_not_do_the_work_is_a_failure(flaw: dict[str, object], words: str) -> None:
    measured = [_measured(CPU), _measured(GPU, **flaw)]
    assert bench.verdict(_report(CPU, GPU), measured) == words
    assert not measured[1].is_on_device


def test_what_is_not_installed_comes_with_the_command_that_adds_it() -> None:
    report = BackendReport(
        backend="torch", label="PyTorch", installed=False, error="not installed", hint="pip install 'mnist-tui[torch]'"
    )
    assert bench.verdict(report, []) == "PyTorch is not installed: pip install 'mnist-tui[torch]'"


def _report(*devices: Device) -> BackendReport:
    return BackendReport(backend="tensorflow", label="TensorFlow", installed=True, devices=devices)


def _measured(device: Device, **figures: object) -> Measurement:
    values = {
        "images_per_second": 1000.0, "weights_on": (device.id,), "kernels": "framework", "model": "cnn-strided",
        **figures,
    }  # fmt: skip
    return Measurement(backend="tensorflow", device=device.id, **values)  # type: ignore[arg-type]
