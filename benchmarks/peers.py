"""Our presets against what people would use instead on the same networks, side by side in one run.

`python -m benchmarks.peers [--rounds 5] [--steps 300] [--device cpu] [--results FILE]`. Each contender trains in a
process of its own, and they take turns, so that a drift of the machine's speed meets all of them. A figure is the
images a second over so many steps in one go, after as many to warm up, without tests. What is not installed is skipped
with a line; `pip install -e '.[bench]'` adds it, and tinygrad needs clang for the CPU.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

RESULTS = Path(__file__).with_name("results.md")
PATIENCE = 600


class Contender(NamedTuple):
    """Something that trains: what it is called, the package it needs, and how to measure it in images a second."""

    label: str
    package: str
    measure: Callable[[int, str], float]


def ours(preset: str) -> Callable[[int, str], float]:
    """Train our preset through the engine's public door."""

    def measure(steps: int, device: str) -> float:
        from engine import TrainConfig, train
        from engine.events import EpochFinished, RunStarted

        batch_size = TrainConfig.preset(preset).batch_size
        config = TrainConfig.preset(preset, device=device, epochs=2, limit=steps * batch_size)
        events = list(train(config))
        kernels = [event.kernels for event in events if isinstance(event, RunStarted)]
        if kernels != (["fused"] if device == "cpu" else ["framework"]):
            raise RuntimeError(f"the results name other kernels than those that trained: {kernels}")
        epochs = [event for event in events if isinstance(event, EpochFinished)]
        return steps * batch_size / epochs[1].seconds

    return measure


def torch_tutorial(steps: int, device: str) -> float:
    """Train with the tutorial's own loop."""
    import torch

    from benchmarks.torch_tutorial import Net

    model = Net().to(_torch_device(device))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    criterion = torch.nn.CrossEntropyLoss()
    began = running = 0.0
    for number, (images, labels) in enumerate(_torch_batches(2 * steps)):
        if number == steps:
            began = time.perf_counter()
        optimizer.zero_grad()
        loss = criterion(model(images.to(_torch_device(device))), labels.to(_torch_device(device)))
        loss.backward()
        optimizer.step()
        running += loss.item()
    return steps * 64 / (time.perf_counter() - began)


def lightning(steps: int, device: str) -> float:
    """Train the tutorial's network and data with Lightning's Trainer."""
    import lightning
    import torch

    from benchmarks.torch_tutorial import Net

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.network, self.criterion = Net(), torch.nn.CrossEntropyLoss()

        def training_step(self, batch: Any, number: int) -> Any:
            if number == steps:
                self.began = time.perf_counter()
            images, labels = batch
            loss = self.criterion(self.network(images), labels)
            self.log("loss", loss)
            return loss

        def on_train_epoch_end(self) -> None:
            self.seconds = time.perf_counter() - self.began

        def configure_optimizers(self) -> Any:
            return torch.optim.Adam(self.parameters(), lr=0.01)

    module = Module()
    trainer = lightning.Trainer(
        max_epochs=1, accelerator="cpu" if device == "cpu" else "auto", devices=1, logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(module, _torch_batches(2 * steps))
    return steps * 64 / module.seconds


def tinygrad(steps: int, device: str) -> float:
    """Train the same network as tinygrad's own MNIST example does: data on the device, a compiled step."""
    from tinygrad import Tensor, TinyJit, nn

    from engine.data import load

    class Net:
        def __init__(self) -> None:
            self.layers: list[Callable[[Tensor], Tensor]] = [
                nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm(4), Tensor.relu, Tensor.max_pool2d,
                nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm(4), Tensor.relu, Tensor.max_pool2d,
                lambda images: images.flatten(1), nn.Linear(196, 10),
            ]  # fmt: skip

        def __call__(self, images: Tensor) -> Tensor:
            return images.sequential(self.layers)

    data = load()
    images = Tensor((data.train_images[:, None].astype("float32") / 255 - 0.5) / 0.5).realize()
    labels = Tensor(data.train_labels.astype("int32")).realize()
    model = Net()
    optimizer = nn.optim.Adam(nn.state.get_parameters(model), lr=0.01)

    @TinyJit
    def step() -> Tensor:
        with Tensor.train():
            samples = Tensor.randint(64, high=images.shape[0])
            optimizer.zero_grad()
            loss = model(images[samples]).sparse_categorical_crossentropy(labels[samples]).backward()
            return loss.realize(*optimizer.schedule_step())

    began = 0.0
    for number in range(2 * steps):
        if number == steps:
            began = time.perf_counter()
        step().item()
    return steps * 64 / (time.perf_counter() - began)


def keras_fit(steps_per_execution: int) -> Callable[[int, str], float]:
    """Train with `fit`, as the tutorial does for 1 step per execution."""

    def measure(steps: int, device: str) -> float:
        import tensorflow as tf

        from benchmarks.keras_tutorial import network
        from engine.data import load

        if device == "cpu":
            tf.config.set_visible_devices([], "GPU")
        data = load()
        images = data.train_images[: steps * 32, ..., None] / 255.0
        labels = tf.keras.utils.to_categorical(data.train_labels[: steps * 32])
        model = network()
        model.compile(
            optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"],
            steps_per_execution=steps_per_execution,
        )  # fmt: skip
        model.fit(images, labels, verbose=0)
        began = time.perf_counter()
        model.fit(images, labels, verbose=0)
        return steps * 32 / (time.perf_counter() - began)

    return measure


CONTENDERS: dict[str, dict[str, Contender]] = {
    "pytorch-tutorial": {
        "ours": Contender("mnist-tui", "torch", ours("pytorch-tutorial")),
        "tutorial": Contender("the tutorial's own loop", "torch", torch_tutorial),
        "lightning": Contender("Lightning Trainer", "lightning", lightning),
        "tinygrad": Contender("tinygrad, compiled step", "tinygrad", tinygrad),
    },
    "tensorflow-tutorial": {
        "ours": Contender("mnist-tui", "tensorflow", ours("tensorflow-tutorial")),
        "fit": Contender("Keras fit, as published", "tensorflow", keras_fit(1)),
        "fit-100": Contender("Keras fit, steps_per_execution=100", "tensorflow", keras_fit(100)),
    },
}


def _torch_device(device: str) -> str:
    import torch

    return "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"


def _torch_batches(count: int) -> Any:
    """Return so many batches as the tutorial's loader makes them."""
    from torch.utils.data import DataLoader, Subset
    from torchvision import transforms

    from benchmarks.torch_tutorial import Digits
    from engine.data import load

    data = load()
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
    digits = Digits(data.train_images, data.train_labels, transform)
    return DataLoader(Subset(digits, [n % len(digits) for n in range(count * 64)]), batch_size=64, shuffle=True)


def in_process(preset: str, name: str, options: argparse.Namespace) -> float | str:
    """Measure a contender in a process of its own; return images a second, or why there are none."""
    command = [sys.executable, "-m", "benchmarks.peers", "--contender", preset, name]
    command += ["--steps", str(options.steps), "--device", options.device]
    hidden = {"CUDA_VISIBLE_DEVICES": ""} if options.device == "cpu" else {}
    try:
        answer = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, env=os.environ | hidden
        )
        return float(json.loads(answer.stdout.splitlines()[-1]))
    except subprocess.TimeoutExpired:
        return f"did not end within {PATIENCE} s"
    except (IndexError, ValueError):
        return (answer.stderr.strip().splitlines() or [f"exit status {answer.returncode}"])[-1]


def measured(preset: str, options: argparse.Namespace) -> tuple[dict[str, list[float]], list[str]]:
    """Return each contender's images a second, round by round, and a line for each that is left out."""
    figures: dict[str, list[float]] = {}
    left_out = []
    for name, contender in CONTENDERS[preset].items():
        if importlib.util.find_spec(contender.package):
            figures[name] = []
        else:
            left_out.append(f"{contender.label}: skipped, {contender.package} is not installed")
    for number in range(options.rounds):
        for name in list(figures):
            result = in_process(preset, name, options)
            print(f"{preset}, round {number + 1}: {CONTENDERS[preset][name].label}: {result}", flush=True)
            if isinstance(result, str):
                left_out.append(f"{CONTENDERS[preset][name].label}: left out, {result}")
                del figures[name]
            else:
                figures[name].append(result)
    return figures, left_out


def ours_label(device: str) -> str:
    """Return what mnist-tui is called: with whose kernels it trains the tutorials' networks on `device`."""
    return "mnist-tui, fused kernels" if device == "cpu" else "mnist-tui, the framework's layers"


def table(preset: str, device: str, figures: dict[str, list[float]], left_out: list[str]) -> Iterator[str]:
    """Yield the lines of a Markdown table: speeds, and how many times as fast ours is, round by round."""
    yield f"## {preset}\n"
    yield "| | images/s, median | min to max | mnist-tui is … × as fast | min to max |"
    yield "|---|---:|---:|---:|---:|"
    for name, speeds in figures.items():
        ratios = [mine / theirs for mine, theirs in zip(figures.get("ours", []), speeds, strict=False)]
        ratio = f"{statistics.median(ratios):.2f} | {min(ratios):.2f} to {max(ratios):.2f}" if ratios else "– | –"
        label = ours_label(device) if name == "ours" else CONTENDERS[preset][name].label
        yield (
            f"| {label} | {statistics.median(speeds):,.0f} "
            f"| {min(speeds):,.0f} to {max(speeds):,.0f} | {'– | –' if name == 'ours' else ratio} |"
        )
    yield from ("", *left_out) if left_out else ()


def versions() -> str:
    """Return the versions of what took part."""
    packages = dict.fromkeys(one.package for some in CONTENDERS.values() for one in some.values())
    return ", ".join(f"{name} {version(name)}" for name in packages if importlib.util.find_spec(name))


def main() -> None:
    """Measure everything, print it, and write it to the results file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--contender", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.contender:
        preset, name = options.contender
        print(json.dumps(CONTENDERS[preset][name].measure(options.steps, options.device)))
        return
    from engine.backends.base import cpu_name

    before = os.getloadavg()[0]
    tables = ["\n".join(table(preset, options.device, *measured(preset, options))) for preset in CONTENDERS]
    head = (
        f"# Side by side\n\n`python -m benchmarks.peers --rounds {options.rounds} --steps {options.steps} "
        f"--device {options.device}`, {time.strftime('%Y-%m-%d')}. {cpu_name()}; load {before:.1f} before, "
        f"{os.getloadavg()[0]:.1f} after. {versions()}."
    )
    text = "\n\n".join([head, *tables]) + "\n"
    options.results.write_text(text)
    print(f"\n{text}")


if __name__ == "__main__":
    main()
