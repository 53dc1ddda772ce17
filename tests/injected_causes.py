"""Real causes of system errors, injected into every handler: `python -m tests.injected_causes FOLDER`.

It runs in a user and mount namespace of its own, where it mounts small and read-only disks and gives up the right to
read and write other users' files. What the handlers say comes out as one JSON object a line.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import re
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

MS_RDONLY, MS_REMOUNT = 1, 32
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER = 1, 2, 3
CAPABILITY_VERSION_3 = 0x20080522


@dataclass(frozen=True)
class Cause:
    """What keeps a file in `folder` from being read or written.

    `apply` brings it about, as long as the context lasts. `message` and `advice` are regular expressions. Where
    `movable`, the handler's own advice on another place is expected, too.
    """

    name: str
    apply: Callable[[Path], contextlib.AbstractContextManager[Any]]
    message: str
    advice: str
    movable: bool = True


@dataclass(frozen=True)
class Handler:
    """A place that turns a system error into words.

    `prepare` fills an empty folder, `act` does what fails in it and returns the words where nothing is raised.
    `elsewhere`: the advice on another place. `skipped`: the causes that cannot reach it, each with its reason.
    """

    name: str
    prepare: Callable[[Path], Any]
    act: Callable[[Path, Any], str | None]
    elsewhere: str = ""
    skipped: tuple[tuple[str, str], ...] = ()


# Causes


@contextlib.contextmanager
def no_rights(folder: Path) -> Iterator[None]:
    """The folder can be listed and entered but not written; what is in it can be neither written nor read."""
    places = [folder, *folder.rglob("*")]
    modes = {place: place.stat().st_mode for place in places}
    for place in reversed(places):
        place.chmod(0o500 if place == folder else 0o000)
    try:
        yield
    finally:
        for place in places:
            place.chmod(modes[place])


@contextlib.contextmanager
def gone(folder: Path) -> Iterator[None]:
    """The folder has been deleted."""
    folder.rename(folder.with_name("away"))
    yield


@contextlib.contextmanager
def file_in_place(folder: Path) -> Iterator[None]:
    """A file is where the folder should be."""
    folder.rename(folder.with_name("away"))
    folder.write_text("in the way")
    yield


@contextlib.contextmanager
def link_to_itself(folder: Path) -> Iterator[None]:
    """The folder is a link that leads to itself."""
    folder.rename(folder.with_name("away"))
    folder.symlink_to(folder)
    yield


@contextlib.contextmanager
def full(folder: Path) -> Iterator[None]:
    """The disk of the folder has no room left."""
    with (folder / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(512))
    yield


@contextlib.contextmanager
def no_inodes(folder: Path) -> Iterator[None]:
    """The disk of the folder takes no more files, although it has room."""
    with contextlib.suppress(OSError):
        for number in range(10_000):
            (folder / f"filler-{number}").touch()
    yield


@contextlib.contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """The disk of the folder is mounted read-only."""
    mount(folder, MS_REMOUNT | MS_RDONLY)
    yield


@contextlib.contextmanager
def limited(kind: int, limit: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(kind)
    resource.setrlimit(kind, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(kind, (soft, hard))


def no_large_files(_folder: Path) -> contextlib.AbstractContextManager[None]:
    """No file may grow."""
    return limited(resource.RLIMIT_FSIZE, 0)


@contextlib.contextmanager
def no_more_files(_folder: Path) -> Iterator[None]:
    """No more files may be opened."""
    descriptor = os.open("/dev/null", os.O_RDONLY)
    os.close(descriptor)
    with limited(resource.RLIMIT_NOFILE, descriptor):
        yield


def failing_disk(number: int, *functions: str) -> Callable[[Path], contextlib.AbstractContextManager[Any]]:
    """A disk that fails cannot be made: each call of the system functions `functions` (of `os`) gives that error.

    As the system does it, opening names the path, and writing does not.
    """

    @contextlib.contextmanager
    def apply(folder: Path) -> Iterator[None]:
        real_open = os.open

        def broken_open(path: Any, *arguments: Any, **keywords: Any) -> int:
            if Path(path).is_relative_to(folder):
                raise OSError(number, os.strerror(number), os.fspath(path))
            return real_open(path, *arguments, **keywords)

        def broken(*_arguments: Any) -> None:
            raise OSError(number, os.strerror(number))

        with contextlib.ExitStack() as stack:
            for name in functions:
                stack.enter_context(mock.patch.object(os, name, broken_open if name == "open" else broken))
            yield

    return apply


WRITE_CAUSES = (
    Cause("no rights", no_rights, r"may not (write to|enter) (it|/\S+) \(it belongs to \w+, with", r"chmod u\+\w /"),
    Cause("folder gone", gone, r"there is no folder|is not there|is gone", ""),
    Cause("file in place", file_in_place, r"is a file, and a folder is needed|is gone", r"Move /\S+ away|^$|Choose"),
    Cause("link to itself", link_to_itself, r"links lead in a circle|link that leads nowhere|is gone",
          r"Remove the link|^$|Choose"),
    Cause("disk full", full, "the disk is full", "Make room"),
    Cause("no inodes", no_inodes, "no inodes left", "Make room"),
    Cause("read-only disk", read_only, r"the file system at /\S+ is read-only", ""),
    Cause("file size limit", no_large_files, r"ulimit -f\)", r"ulimit -f unlimited", movable=False),
    Cause("too many files", no_more_files, r"files open, and may not open more", r"ulimit -n", movable=False),
    Cause("failing disk", failing_disk(errno.EIO, "fsync", "write"), "the disk reported an error", "dmesg"),
    Cause("quota", failing_disk(errno.EDQUOT, "fsync", "write"), "disk quota is used up", "Delete files"),
)  # fmt: skip
READ_CAUSES = (
    Cause("no rights", no_rights, r"may not (enter|read) (it|/\S+) \(it belongs to \w+, with", r"chmod u\+\w /"),
    Cause("folder gone", gone, r"[Tt]here is no|is not there", ""),
    Cause("file in place", file_in_place, r"is a file, and a folder is needed", r"Move /\S+ away"),
    Cause("link to itself", link_to_itself, r"links lead in a circle", r"Remove the link"),
    Cause("too many files", no_more_files, r"files open, and may not open more", r"ulimit -n", movable=False),
)  # fmt: skip


# The machine


def mount(folder: Path, flags: int = 0, options: str = "size=64k,nr_inodes=40") -> None:
    """Mount a small disk at `folder`, or with MS_REMOUNT change the one that is there."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", ctypes.c_ulong(flags), options.encode()):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(folder))


def give_up_rights() -> None:
    """Give up root's right to read and write what file modes forbid; mounting stays possible."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = struct.pack("Ii", CAPABILITY_VERSION_3, 0)
    found = ctypes.create_string_buffer(24)
    libc.capget(header, found)
    effective, permitted, inheritable, *upper = struct.unpack("6I", found.raw)
    kept = ~(1 << CAP_DAC_OVERRIDE | 1 << CAP_DAC_READ_SEARCH | 1 << CAP_FOWNER)
    wanted = struct.pack("6I", effective & kept, permitted & kept, inheritable & kept, *upper)
    if libc.capset(header, wanted):
        raise OSError(ctypes.get_errno(), "capset failed")


# Handlers that write


def made_run(folder: Path, **settings: Any) -> Any:
    from engine.config import TrainConfig
    from engine.runs import Store

    run, lock = Store(folder).create(TrainConfig.create(device="cpu", **settings))
    return run, lock


def ended_run(folder: Path) -> Any:
    from engine.eventlog import EventWriter
    from engine.events import RunFinished

    run, lock = made_run(folder)
    log = EventWriter(run.events_path)
    log.append(RunFinished(outcome="stopped", epochs=1))
    log.close()
    lock.release()
    return run


def create(folder: Path, _: Any) -> None:
    from engine.config import TrainConfig
    from engine.runs import Store

    Store(folder / "runs").create(TrainConfig())


def rename(folder: Path, run: Any) -> None:
    from engine.runs import Store

    Store(folder).rename(run, "another name")


def send(folder: Path, run_and_lock: Any) -> None:
    from engine.commands import Pause

    run_and_lock[0].send(Pause())


def delete(folder: Path, run: Any) -> None:
    from engine.runs import Store

    Store(folder).delete(run)


def resume(folder: Path, run: Any) -> None:
    from engine.launcher import relaunch

    relaunch(run, skip_queue=True)


def draw(folder: Path, _: Any) -> None:
    from engine.runs import Run
    from engine.turns import Ticket

    with mock.patch.dict(os.environ, XDG_STATE_HOME=str(folder)):
        Ticket.draw("cpu", Run(Path("/somewhere/else/run")))


def write_csv(folder: Path, answers: Any) -> None:
    import numpy as np

    from engine.export import save_csv

    save_csv(folder / "mistakes.csv", answers, np.arange(len(answers.labels)))


def some_answers(_folder: Path) -> Any:
    import numpy as np

    from engine.answers import Answers

    return Answers(np.full((2000, 10), 0.1, np.float16), np.zeros(2000, np.int64))


def save_checkpoint(folder: Path, run: Any) -> None:
    import numpy as np

    from engine import checkpoint
    from engine.failures import storage_error

    metadata = checkpoint.Metadata(model="cnn", optimizer="sgd", seed=0, epoch=1)
    try:
        checkpoint.save(run.path / checkpoint.LAST, {"weight": np.zeros(9000, np.float32)}, metadata)
    except OSError as error:
        raise storage_error(error, run) from error


def tell(folder: Path, run_and_lock: Any) -> None:
    from engine.events import Warned
    from engine.failures import storage_error

    run, _, log = run_and_lock
    try:
        log.append(Warned(message="x" * 9000))
    except OSError as error:
        raise storage_error(error, run) from error


def told_run(folder: Path) -> Any:
    from engine.eventlog import EventWriter

    run, lock = made_run(folder)
    return run, lock, EventWriter(run.events_path)


def download(folder: Path, _: Any) -> None:
    from engine import download
    from engine.errors import DataError

    one = download._Download("https://mirror/x.gz", folder / "mnist" / "train-images-idx3-ubyte", "")
    try:
        one.path.parent.mkdir(parents=True, exist_ok=True)  # as pooch does it
        with tempfile.NamedTemporaryFile(dir=one.path.parent) as file:
            file.write(bytes(90_000))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise DataError("Download failed", *one.reason(error)) from error


def edit_config(folder: Path, _: Any) -> None:
    from tui.commands.config import _create

    with mock.patch.dict(os.environ, XDG_CONFIG_HOME=str(folder)):
        from tui.settings import config_path

        _create(config_path())


def report_crash(folder: Path, _: Any) -> str:
    from tui.crash_report import crash_message

    with mock.patch.dict(os.environ, XDG_STATE_HOME=str(folder)), mock.patch.object(tempfile, "tempdir", str(folder)):
        text = crash_message(ValueError("a bug"))
    assert "ValueError: a bug" in text
    return text


def nothing(_folder: Path) -> None:
    return None


def never(reason: str, *causes: str) -> tuple[tuple[str, str], ...]:
    """Return `causes` with the reason why they cannot reach a handler."""
    return tuple((cause, reason) for cause in causes)


MADE = never("it makes the folder", "folder gone")
NOT_FORCED = never("it does not force anything to the disk", "failing disk", "quota")
DELETES = never("it only deletes", "disk full", "file size limit", "no inodes", "failing disk", "quota")
IN_USE = never("a disk with a file open for writing cannot be made read-only", "read-only disk")
OPEN_ALREADY = never("the file is open already", "no rights", "file in place", "link to itself", "folder gone",
                     "read-only disk", "too many files", "no inodes")  # fmt: skip
WRITERS = (
    Handler("create a run", nothing, create, r"--store or MNIST_TUI_STORE", MADE + NOT_FORCED),
    Handler("rename a run", ended_run, rename),
    Handler("send a command", made_run, send, "", IN_USE),
    Handler("delete a run", ended_run, delete, "", DELETES),
    Handler("resume a run", ended_run, resume),
    Handler("draw a ticket", nothing, draw, r"[Ss]et XDG_STATE_HOME.*--now", MADE + NOT_FORCED),
    Handler("write a CSV", some_answers, write_csv, "hoose another place", MADE),
    Handler("save a checkpoint", ended_run, save_checkpoint),
    Handler("write an event", told_run, tell, "", OPEN_ALREADY),
    Handler("download", nothing, download, "", MADE),
    Handler("make the config file", nothing, edit_config, "XDG_CONFIG_HOME", MADE),
    Handler("report a crash", nothing, report_crash, "", MADE + NOT_FORCED),
)


# Handlers that read


def list_runs(folder: Path, _: Any) -> None:
    from engine.runs import Store

    Store(folder / "runs").run_ids()


def read_config(folder: Path, run: Any) -> None:
    _ = run.config


def read_predictions(folder: Path, _: Any) -> None:
    from engine.evaluation import load_predictions

    load_predictions(folder / "epoch-0001.npz")


def read_checkpoint(folder: Path, _: Any) -> None:
    from engine.checkpoint import load
    from engine.models import ARCHITECTURES

    load(folder / "last.safetensors", ARCHITECTURES["cnn"], "sgd")


def read_idx(folder: Path, _: Any) -> None:
    from engine import data

    data.load(str(folder / "digits"))


def read_npz(folder: Path, _: Any) -> None:
    from engine import data

    data.load(str(folder / "mnist.npz"))


def read_sample(folder: Path, _: Any) -> None:
    from engine import data

    path = folder / "mnist_5k.csv.gz"
    data.read(data.Source("sample", path, "sample", (path,)))


def read_settings(folder: Path, _: Any) -> None:
    from tui.settings import chosen_settings

    with mock.patch.dict(os.environ, XDG_CONFIG_HOME=str(folder)):
        chosen_settings({})


def look_at_crash(folder: Path, run: Any) -> str:
    from engine.postmortem import crash_of

    return str(crash_of(run))


def files(*names: str) -> Callable[[Path], None]:
    def prepare(folder: Path) -> None:
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(b"something")

    return prepare


def crashed_run(folder: Path) -> Any:
    run = ended_run(folder)
    run.log_path.write_text("Segmentation fault")
    return run


IDX = [f"digits/{name}" for name in ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
                                     "t10k-labels-idx1-ubyte")]  # fmt: skip
READERS = (
    Handler("list runs", files("runs/one/config.json"), list_runs, "--store or MNIST_TUI_STORE",
            never("a store that is not there is empty", "folder gone")),
    Handler("read a run's settings", ended_run, read_config),
    Handler("read predictions", files("epoch-0001.npz"), read_predictions),
    Handler("read a checkpoint", files("last.safetensors"), read_checkpoint),
    Handler("read IDX files", files(*IDX), read_idx),
    Handler("read an npz", files("mnist.npz"), read_npz),
    Handler("read the sample", files("mnist_5k.csv.gz"), read_sample),
    Handler("read config.toml", files("mnist-tui/config.toml"), read_settings, "",
            never("without a file there are no settings", "folder gone", "file in place")),
    Handler("explain a crash", crashed_run, look_at_crash, "",
            never("without a log nothing is known", "folder gone", "file in place", "link to itself")),
)  # fmt: skip


# Handlers that start a process


@contextlib.contextmanager
def no_python(folder: Path) -> Iterator[None]:
    """This interpreter has been removed."""
    with mock.patch.object(sys, "executable", str(folder / "python")):
        yield


def refusing_fork(number: int) -> Callable[[Path], contextlib.AbstractContextManager[Any]]:
    """A system without processes or memory to give cannot be made: its call gives the error that the system would."""

    def refuse(*_: Any) -> int:
        raise OSError(number, os.strerror(number))

    def apply(_folder: Path) -> contextlib.AbstractContextManager[Any]:
        return mock.patch.multiple(subprocess, _fork_exec=refuse, _USE_VFORK=False, _USE_POSIX_SPAWN=False)

    return apply


PYTHON = r"python\S* cannot be started: "
START_CAUSES = (
    Cause("no interpreter", no_python, PYTHON + "(there is no|it is not there)", ""),
    Cause("no processes", refusing_fork(errno.EAGAIN), PYTHON + "this user may not start more", "ulimit -u"),
    Cause("no memory", refusing_fork(errno.ENOMEM), PYTHON + "this machine does not have enough", "End other programs"),
)


def launch(folder: Path, _: Any) -> None:
    from engine.config import TrainConfig
    from engine.launcher import launch
    from engine.runs import Store

    try:
        launch(Store(folder), TrainConfig.create(device="cpu"), skip_queue=True)
    finally:
        assert Store(folder).run_ids() == [], "a run that could not start is left behind"


def resume_start(folder: Path, run: Any) -> None:
    from engine.launcher import relaunch

    before = run.events_path.read_bytes()
    try:
        relaunch(run, skip_queue=True)
    finally:
        assert run.events_path.read_bytes() == before, "a run that could not go on is not what it was"


def ask_devices(folder: Path, _: Any) -> str:
    from engine.devices import probe

    report = probe(installed())
    return f"{report.error} {report.hint}"


def measure(folder: Path, _: Any) -> str:
    from engine.bench import measure

    (found,) = measure(installed(), "cpu", 1.0)
    return f"{found.error} {found.hint}"


def draw_sheet(folder: Path, answers: Any) -> None:
    import numpy as np

    from engine.export import save_contact_sheet

    save_contact_sheet(folder / "x.png", np.zeros((2000, 28, 28), np.uint8), answers, np.arange(4))


def installed() -> str:
    from engine.backends import BACKENDS

    return next(name for name, info in BACKENDS.items() if info.installed)


STARTERS = (
    Handler("launch", nothing, launch),
    Handler("resume", ended_run, resume_start),
    Handler("ask for devices", nothing, ask_devices),
    Handler("measure", nothing, measure),
    Handler("draw a contact sheet", some_answers, draw_sheet),
)

TABLE = ((WRITERS, WRITE_CAUSES), (READERS, READ_CAUSES), (STARTERS, START_CAUSES))
ROWS = [
    (handler, cause)
    for handlers, causes in TABLE
    for handler in handlers
    for cause in causes
    if cause.name not in dict(handler.skipped)
]
NEVER = re.compile("smaller batch|[Ff]etch|[Dd]amaged|another checkpoint|Delete the run|force-reinstall")
"""What none of these causes is about."""
ONLY = {"Make room": ("disk full", "no inodes"), "ulimit -f": ("file size limit",), "(cd)": (), "quota": ("quota",)}
"""Advice that only these causes call for."""


def problems(handler: Handler, cause: Cause, told: dict[str, str]) -> list[str]:
    """Return what is wrong with what `handler` told of `cause`: the path, the cause, the advice; [] if nothing."""
    message, hint = told["message"], told["hint"]
    found = []
    if handler not in STARTERS and told["folder"] not in message:
        found.append("the path is not named")
    if not re.search(cause.message, message):
        found.append(f"the cause is not told: {cause.message}")
    if not re.search(cause.advice, hint):
        found.append(f"the advice is missing: {cause.advice}")
    if cause.movable and not re.search(handler.elsewhere, hint):
        found.append(f"the advice on another place is missing: {handler.elsewhere}")
    if other := NEVER.search(f"{message} {hint}"):
        found.append(f"it is about something else: {other[0]}")
    found += [f"wrong advice: {words}" for words, causes in ONLY.items() if words in hint and cause.name not in causes]
    return found


def run_row(folder: Path, handler: Handler, cause: Cause) -> dict[str, str]:
    """Return the folder, and what `handler` says when `cause` keeps it from its work there."""
    from engine.errors import EngineError

    folder.mkdir(parents=True)
    folder = folder.resolve()
    if cause.name in ("disk full", "no inodes", "read-only disk"):
        mount(folder)
    prepared = handler.prepare(folder)
    with cause.apply(folder):
        try:
            told = handler.act(folder, prepared) or "no error"
        except EngineError as error:
            return {"folder": str(folder), "message": f"{error.title}: {error.message}", "hint": error.hint}
    return {"folder": str(folder), "message": told, "hint": told}


def main() -> None:
    """Run every row and print what came of it."""
    root = Path(sys.argv[1])
    give_up_rights()
    for kind in ("STATE", "CACHE", "CONFIG"):
        os.environ[f"XDG_{kind}_HOME"] = str(root / kind.lower())
    os.environ.pop("MNIST_TUI_DATA", None)
    for number, (handler, cause) in enumerate(ROWS):
        folder = root / str(number) / "place"
        try:
            row = run_row(folder, handler, cause)
        except Exception as error:
            row = {"folder": str(folder), "message": f"NOT CAUGHT: {type(error).__name__}: {error}", "hint": ""}
        print(json.dumps({"handler": handler.name, "cause": cause.name, **row}), flush=True)
        with contextlib.suppress(OSError):
            shutil.rmtree(root / str(number))


if __name__ == "__main__":
    main()
