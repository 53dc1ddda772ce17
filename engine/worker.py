"""`python -m engine.worker RUN_DIR`: the process that trains one run, from its config.json to its last event."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from engine import commands, events
from engine.control import SECONDS_BETWEEN_LOOKS, Control, StopRequested
from engine.devices import expected_device
from engine.errors import EngineError
from engine.eventlog import EventWriter
from engine.events import AnyEvent
from engine.locks import FileLock, device_lock_path
from engine.runs import Run

EXIT_STATUS: dict[events.Outcome, int] = {"completed": 0, "failed": 1, "stopped": 0}


def main(arguments: list[str] | None = None) -> int:
    """Train the run named on the command line; return 0, 1 for a failed run, or 128 + the signal that ended it."""
    parser = argparse.ArgumentParser(prog="python -m engine.worker", description=__doc__)
    parser.add_argument("run_dir", type=Path)
    parser.add_argument("--lock-descriptor", type=int, help="the run's lock, handed over by the launcher")
    parser.add_argument("--commands-from", type=int, default=0, help="where in commands.jsonl to begin, in bytes")
    parser.add_argument("--now", action="store_true", help="do not wait for other runs on the same device")
    options = parser.parse_args(arguments)
    run = Run(options.run_dir.resolve())
    lock = FileLock(run.lock_path, options.lock_descriptor)
    if options.lock_descriptor is not None:
        os.set_inheritable(options.lock_descriptor, False)
    elif not lock.acquire():
        print(f"Run {run.id} is being trained by another worker.", file=sys.stderr)
        return 2
    return _Worker(run, Control(run.commands_path, options.commands_from), options.now).work()


class _Worker:
    """Writes a run's events while it trains, and turns signals into commands."""

    def __init__(self, run: Run, control: Control, skip_queue: bool) -> None:
        self.run = run
        self.control = control
        self.skip_queue = skip_queue
        self.signal_number = 0

    def work(self) -> int:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        log = EventWriter(self.run.events_path)
        outcome: events.Outcome = "failed"
        for event in self._events():
            log.append(event)
            if isinstance(event, events.RunFinished):
                outcome = event.outcome
        log.close()
        return 128 + self.signal_number if self.signal_number else EXIT_STATUS[outcome]

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        """Stop the run; the second signal stops it at once."""
        self.control.put(commands.Stop(now=bool(self.signal_number)))
        self.signal_number = number

    def _events(self) -> Iterator[AnyEvent]:
        try:
            config = self.run.config
            device = expected_device(config.device)
            lock = FileLock(device_lock_path(device))
            if not self.skip_queue:
                yield from self._wait_for_turn(lock, device)
        except StopRequested:
            yield events.RunFinished(outcome="stopped", epochs=0)
        except EngineError as error:
            described = events.ErrorInfo(title=error.title, message=error.message, hint=error.hint)
            yield events.RunFinished(outcome="failed", epochs=0, error=described)
        else:
            from engine.trainer import train

            yield from train(config, self.run, self.control)

    def _wait_for_turn(self, lock: FileLock, device: str) -> Iterator[AnyEvent]:
        """Wait until no other run trains on the device; raises StopRequested."""
        if lock.acquire(patience=0):
            return
        yield events.DeviceAwaited(device=device)
        while not lock.acquire(patience=SECONDS_BETWEEN_LOOKS):
            for command in self.control.pending():
                if isinstance(command, commands.Stop):
                    raise StopRequested(command.now)


if __name__ == "__main__":
    sys.exit(main())
