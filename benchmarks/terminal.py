"""What the benchmarks of the app share: a command on a pseudo-terminal of its own, timed from outside; made-up runs."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine.cores import usable_cores

COMMAND = (sys.executable, "-c", "from tui.cli import main; main()")
SIZE = (120, 40)
PATIENCE = 60.0
TICKS = os.sysconf("SC_CLK_TCK")
_ESCAPES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-~])")


class Terminal:
    """A process on a terminal, everything it has sent, and when it began (`time.perf_counter`)."""

    def __init__(
        self, command: Sequence[str], environment: dict[str, str] | None = None, size: tuple[int, int] = SIZE
    ) -> None:
        env = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", **(environment or {})}
        for name in ("COLUMNS", "LINES", "NO_COLOR"):
            env.pop(name, None)
        self.received = bytearray()
        self._since = 0
        self.began = time.perf_counter()
        self.pid, self._descriptor = pty.fork()
        if self.pid == 0:
            with contextlib.suppress(OSError):
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
                os.execvpe(command[0], command, env)
            os._exit(127)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, seconds: float) -> bool:
        """Take in what comes within `seconds`, the first piece of it; return whether anything came."""
        ready, _, _ = select.select([self._descriptor], [], [], seconds)
        if ready:
            with contextlib.suppress(OSError):
                self.received += os.read(self._descriptor, 1 << 16)
        return bool(ready)

    def drain(self, seconds: float) -> int:
        """Read for so many seconds; return the number of bytes that came."""
        before, end = len(self.received), time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self.read(left)
        return len(self.received) - before

    def wait_for(self, *words: str, patience: float = PATIENCE) -> float:
        """Return when (perf_counter) all of `words` had come since the last `press`; SystemExit when they do not."""
        deadline = time.perf_counter() + patience
        wanted = [word.encode() for word in words]
        while True:
            text = _ESCAPES.sub(b"", self.received[self._since :])
            if all(word in text for word in wanted):
                return time.perf_counter()
            if time.perf_counter() > deadline:
                raise SystemExit(
                    f"{words} never came; the last that did: {bytes(text[-2000:]).decode(errors='replace')}"
                )
            self.read(0.5)

    def press(self, keys: str) -> float:
        """Type `keys` and return when; what comes from now on is theirs."""
        while self.read(0):
            pass
        self._since = len(self.received)
        os.write(self._descriptor, keys.encode())
        return time.perf_counter()

    def processor_seconds(self) -> float:
        """Return the processor time of the process so far, in all threads, without its children's."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak_memory(self) -> int:
        """Return the most memory, in bytes, that the process has held."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return 1024 * int(re.findall(r"VmHWM:\s+(\d+)", status)[0])

    def close(self) -> None:
        """Kill what still runs."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._descriptor)


@contextlib.contextmanager
def own_user() -> Iterator[Path]:
    """Be a user without runs, settings and queue: yields the empty store, which is the one in force."""
    with tempfile.TemporaryDirectory() as folder:
        changes = {f"XDG_{kind}_HOME": f"{folder}/{kind.lower()}" for kind in ("STATE", "CONFIG")}
        changes["MNIST_TUI_STORE"] = f"{folder}/runs"
        before = {name: os.environ.get(name) for name in changes}
        os.environ.update(changes)
        seen = Path(folder, "state", "mnist-tui", "remembered", "tour")
        seen.parent.mkdir(parents=True)
        seen.write_text("shown\n")  # else the first start would show the tour
        try:
            yield Path(folder, "runs")
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` of `values` lie, the nearest one."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Return `median (min to max)`."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def load() -> str:
    """Return how busy the machine is."""
    return f"load {os.getloadavg()[0]:.1f} on {usable_cores()} cores"
