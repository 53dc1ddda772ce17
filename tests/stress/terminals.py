"""Terminals for the real command, which can be lost: a pty whose other end is closed, a tmux server that is killed."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence

import pexpect
import pyte
import pytest

from engine.runs import Run
from tests.tui.cli_harness import COMMAND
from tests.waiting import wait_until

TERMINAL = {"TERM": "xterm-256color", "COLUMNS": "", "LINES": ""}


class Pty:
    """The command, Python `code` or another `program` on a pty of its own: all bytes it sent, and their screen."""

    def __init__(
        self,
        *arguments: str,
        code: str = "",
        program: Sequence[str] = COMMAND,
        columns: int = 120,
        rows: int = 40,
        **environment: str,
    ) -> None:
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self.raw = bytearray()
        self.ended = False
        command = (sys.executable, "-c", code) if code else program
        given = {name: value for name, value in {**os.environ, **TERMINAL, **environment}.items() if value}
        self.child = pexpect.spawn(
            command[0], [*command[1:], *arguments], env=given, dimensions=(rows, columns), timeout=60
        )

    def text(self) -> str:
        """Return the screen as text, after everything that was sent until now."""
        try:
            while True:
                data = self.child.read_nonblocking(65536, timeout=0)
                self.raw += data
                with contextlib.suppress(Exception):  # pyte's own limits are not the point
                    self._stream.feed(data)
        except pexpect.TIMEOUT:
            pass
        except pexpect.EOF:
            self.ended = True
        return "\n".join(self._screen.display)

    def wait_for(self, *words: str) -> str:
        """Return the screen once it shows all of `words`."""
        with contextlib.suppress(pytest.fail.Exception):
            wait_until(lambda: self.ended or all(word in self.text() for word in words), "they appear")
        text = self.text()
        if not all(word in text for word in words):
            pytest.fail(f"{words} never appeared; the terminal shows\n{text}\nand last got {bytes(self.raw[-300:])!r}")
        return text

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size and an empty screen."""
        self._screen.reset()
        self._screen.resize(rows, columns)
        self.child.setwinsize(rows, columns)

    def press(self, keys: str) -> None:
        """Type `keys`."""
        self.child.send(keys)

    def wait_for_end(self) -> int:
        """Return the exit status, once the command has ended: 128 + n after signal n."""
        wait_until(lambda: self.text() and self.ended, "the command ends")
        self.child.close()
        return self.child.exitstatus if self.child.signalstatus is None else 128 + self.child.signalstatus

    def hang_up(self) -> None:
        """Close our end: the terminal is gone, and the command is told so by the system alone."""
        process = self.child.pid
        self.child.ptyproc.fileobj.close()
        self.child.closed = self.child.ptyproc.closed = True
        self.child.child_fd = self.child.ptyproc.fd = -1
        wait_until(lambda: _is_reaped(process), "the command notices that its terminal is gone")

    def close(self) -> None:
        """Kill what still runs."""
        if not self.child.closed:
            self.child.kill(signal.SIGKILL)
            self.child.close()


class Tmux:
    """A tmux server of its own with one window."""

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self._tmux = ["tmux", "-L", name, "-f", "/dev/null"]
        self._call("new-session", "-d", "-x", "120", "-y", "40", *command)

    def wait_for(self, words: str) -> None:
        """Wait until the window shows `words`."""
        wait_until(lambda: words in self._call("capture-pane", "-p").stdout, f"{words} in tmux")

    def kill_server(self) -> None:
        """Kill the server and with it the terminals of all that runs inside."""
        self._call("kill-server")
        wait_until(lambda: self._call("list-sessions").returncode, "the server is gone")

    def _call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*self._tmux, *arguments], capture_output=True, text=True)


def reattached(run: Run) -> subprocess.Popen[bytes]:
    """Start to follow `run` anew, as raw events, without a terminal."""
    return subprocess.Popen(
        [*COMMAND, "attach", run.id, "--json"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def last_setting(raw: bytes, *modes: str) -> list[bytes]:
    """Return the last `ESC [ ? mode h` or `l` that `raw` holds for each of `modes`; b"" for one that is never set."""
    found = []
    for mode in modes:
        settings = re.findall(rb"\x1b\[\?(?:[0-9]+;)*%s(?:;[0-9]+)*([hl])" % mode.encode(), raw)
        found.append(settings[-1] if settings else b"")
    return found


def _is_reaped(process: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        return os.waitpid(process, os.WNOHANG)[0] == process
    return True
