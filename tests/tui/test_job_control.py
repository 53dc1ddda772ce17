"""The app as a job of a shell: ctrl+z and fg, a terminal that changes its size, and variables that say another one."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import termios

import pytest

from engine.process import START
from engine.runs import Store
from tests.stress.terminals import Pty, last_setting
from tests.tui.app_harness import WrittenRun, is_locked
from tests.waiting import wait_until

COMMAND = (sys.executable, "-P", str(START))
SHELL = ("bash", "--norc", "--noprofile", "--noediting", "-i")
MOUSE = ("1000", "1003", "1006")


def width_of(text: str) -> int:
    """Return how many columns the app uses: its boxes reach the right edge."""
    return max(len(line.rstrip()) for line in text.splitlines())


@pytest.fixture
def live_run(store: Store) -> WrittenRun:
    """A run that trains until the test ends."""
    written = WrittenRun(store)
    written.start()
    return written


def test_ctrl_z_gives_the_terminal_back_and_fg_paints_the_app_anew(live_run: WrittenRun) -> None:
    terminal = Pty(program=SHELL, columns=100, rows=30, PS1="ready> ", HISTFILE="")
    terminal.wait_for("ready>")
    terminal.press(f"{shlex.join(COMMAND)}\n")
    terminal.wait_for("running", "Setup", "Quit")
    assert last_setting(bytes(terminal.raw), "1049", "25") == [b"h", b"l"]
    terminal.press("\x1a")
    terminal.wait_for("Stopped")
    assert last_setting(bytes(terminal.raw), "1049", "25", *MOUSE) == [b"l", b"h", b"l", b"l", b"l"]
    assert is_locked(live_run.run)
    cooked = termios.ECHO | termios.ICANON | termios.ISIG
    assert termios.tcgetattr(terminal.child.child_fd)[3] & cooked == cooked
    terminal.resize(90, 24)
    terminal.press("fg\n")
    shown = terminal.wait_for("running", "Setup", "Quit")
    assert width_of(shown) == 90
    assert last_setting(bytes(terminal.raw), "1049", "25", *MOUSE) == [b"h", b"l", b"h", b"h", b"h"]
    terminal.press("2")
    terminal.wait_for("newest first")
    terminal.press("\x1a")  # again, without another size
    wait_until(lambda: terminal.text().count("Stopped"), "it stops again")
    terminal.resize(90, 24)
    terminal.press("fg\n")
    terminal.wait_for("1 run", "newest first", "Quit")
    terminal.press("\x03")  # ctrl+c asks what becomes of the live run
    terminal.wait_for("Detach")
    for piece in ("\x1b[122", ";5u"):  # a dialog stops, too; so terminals with the newer protocol send ctrl+z
        terminal.press(piece)
    terminal.wait_for("Stopped")
    terminal.press("kill -9 %1; fg; exit\n")
    terminal.wait_for_end()
    live_run.vanish()


def test_without_a_shell_to_go_back_to_ctrl_z_says_so(store: Store) -> None:
    terminal = Pty(program=COMMAND)
    terminal.wait_for("Setup", "Quit")
    terminal.press("\x1a")
    terminal.wait_for("There is no shell to go back to")
    terminal.press("q")
    assert terminal.wait_for_end() == 0


def test_a_stop_that_nobody_announced_is_survived(store: Store) -> None:
    terminal = Pty(program=COMMAND)
    terminal.wait_for("Setup", "Quit")
    os.kill(terminal.child.pid, signal.SIGSTOP)
    terminal.resize(100, 30)
    os.kill(terminal.child.pid, signal.SIGCONT)
    assert width_of(terminal.wait_for("Setup", "Quit")) == 100
    terminal.press("q")
    assert terminal.wait_for_end() == 0


def test_the_terminal_knows_its_size_better_than_the_environment(store: Store) -> None:
    terminal = Pty(program=COMMAND, columns=120, rows=40, COLUMNS="70", LINES="20")
    assert width_of(terminal.wait_for("Setup", "Quit")) == 120
    terminal.resize(100, 30)
    text = terminal.wait_for("Setup", "Quit")
    assert width_of(text) == 100
    assert "Quit" in text.splitlines()[29]
    terminal.press("q")
    assert terminal.wait_for_end() == 0


def test_a_command_on_a_terminal_is_as_wide_as_that(store: Store) -> None:
    written = WrittenRun(store, name="a name that needs room " + "x" * 40)
    written.vanish()
    terminal = Pty("runs", program=COMMAND, columns=200, COLUMNS="60")
    terminal.wait_for("a name that needs room " + "x" * 40)
    terminal.wait_for_end()
