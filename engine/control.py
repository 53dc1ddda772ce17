"""How a user's commands reach the training loop: from commands.jsonl, and from signals."""

from __future__ import annotations

from pathlib import Path

from engine import commands
from engine.commands import AnyCommand
from engine.errors import RunError
from engine.eventlog import LineFollower

SECONDS_BETWEEN_LOOKS = 0.05


class StopRequested(Exception):
    """The user wants the run to end; `now` without evaluating and saving first."""

    def __init__(self, now: bool) -> None:
        super().__init__()
        self.now = now


class Control:
    """The commands that wait to be carried out. Without a file it brings only those put in by `put`.

    `offset` is where in the file to begin: what stands before was asked of an earlier worker (see Run.inbox). Once the
    file `needed` is gone, as when the user deletes the run's folder, nobody can ask for anything any more: it says to
    stop.
    """

    def __init__(self, path: Path | None = None, offset: int = 0, needed: Path | None = None) -> None:
        self._put: list[AnyCommand] = []
        self._lines = LineFollower(path, offset) if path else None
        self._needed = needed

    def put(self, command: AnyCommand) -> None:
        """Add a command from inside this process; safe in a signal handler."""
        self._put.append(command)

    def pending(self) -> list[AnyCommand]:
        """Return what was asked since the last look, in order, leaving out damaged lines."""
        if self._needed and not self._needed.exists():
            return [commands.Stop(now=True)]
        found, self._put = self._put, []
        for line in self._lines.read() if self._lines else []:
            try:
                found.append(commands.decode(line))
            except RunError as error:
                print(error, flush=True)
        return found
