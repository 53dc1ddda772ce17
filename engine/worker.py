"""`python -m engine.worker RUN_DIR`: the process that trains one run, from its config.json to its last event."""

from __future__ import annotations

import argparse
import faulthandler
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

import msgspec

from engine import commands, events
from engine.control import SECONDS_BETWEEN_LOOKS, Control, StopRequested
from engine.devices import Queue, best_device, expected_queue, probe
from engine.errors import EngineError
from engine.eventlog import EventWriter, read_backwards
from engine.events import AnyEvent
from engine.files import clear_drafts
from engine.loading import LoadingWatch
from engine.locks import FileLock, device_lock_path
from engine.postmortem import explained
from engine.process import give_way
from engine.runs import Run
from engine.turns import Ticket

NICENESS = 5
"""Training on the processor takes what the app, or whatever else is in front of the user, leaves of it."""

EXIT_STATUS: dict[events.Outcome, int] = {"completed": 0, "failed": 1, "stopped": 0}


def main(arguments: list[str] | None = None) -> int:
    """Train the run named on the command line; return 0, 1 for a failed run, or 128 + the signal that ended it."""
    parser = argparse.ArgumentParser(prog="python -m engine.worker", description=__doc__)
    parser.add_argument("run_dir", type=Path)
    parser.add_argument("--lock-descriptor", type=int, help="the run's lock, handed over by the launcher")
    parser.add_argument("--ticket", nargs=2, metavar=("PATH", "DESCRIPTOR"), help="the run's place in line, likewise")
    parser.add_argument(
        "--commands-from", type=int, default=0, help="where in commands.jsonl to begin, in bytes, likewise"
    )
    parser.add_argument("--now", action="store_true", help="do not wait for other runs on the same device")
    options = parser.parse_args(arguments)
    faulthandler.enable()  # a fatal signal leaves its name and a traceback in worker.log
    run = Run(options.run_dir.resolve())
    lock, commands_from = FileLock(run.lock_path, options.lock_descriptor), options.commands_from
    if options.lock_descriptor is not None:
        os.set_inheritable(options.lock_descriptor, False)
    else:
        with run.inbox() as inbox:
            if not lock.acquire():
                print(f"Run {run.id} is being trained by another worker.", file=sys.stderr)
                return 2
            commands_from = os.fstat(inbox).st_size
    control = Control(run.commands_path, commands_from, needed=run.config_path)
    worker = _Worker(run, control, options.now, LoadingWatch(Control(run.commands_path, commands_from)))
    if options.ticket:
        path, descriptor = Path(options.ticket[0]), int(options.ticket[1])
        os.set_inheritable(descriptor, False)
        worker.ticket = Ticket(path, FileLock(path, descriptor))
    return worker.work()


class _Worker:
    """Writes a run's events while it trains, and turns signals into commands."""

    def __init__(self, run: Run, control: Control, skip_queue: bool, loading: LoadingWatch) -> None:
        self.run = run
        self.control = control
        self.skip_queue = skip_queue
        self.loading = loading
        self.ticket: Ticket | None = None
        self.queue: Queue | None = None
        self.turn: FileLock | None = None
        self.signal_number = 0

    def work(self) -> int:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        outcome: events.Outcome = "failed"
        log = EventWriter(self.run.events_path)
        try:
            for event in self._events():
                with self.loading.telling(event, lambda: self._leave(log)):
                    log.append(event)
                if isinstance(event, events.RunFinished):
                    outcome = event.outcome
        except Exception as error:
            traceback.print_exc()
            log.close()
            log = EventWriter(self.run.events_path)  # which ends a line that was written in half
            log.append(self._cut_short("failed", explained(error)))
        log.close()
        return 128 + self.signal_number if self.signal_number else EXIT_STATUS[outcome]

    def _leave(self, log: EventWriter) -> NoReturn:
        """End the run and the process, on the thread that listens while the one that trains is busy loading."""
        log.append(self._cut_short("stopped"))
        log.close()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(128 + self.signal_number if self.signal_number else EXIT_STATUS["stopped"])

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        """Stop the run; the second signal stops it at once."""
        self.control.put(commands.Stop(now=bool(self.signal_number)))
        self.loading.stop()
        self.signal_number = number

    def _events(self) -> Iterator[AnyEvent]:
        """Yield the run's events; whatever goes wrong, the last one is a RunFinished."""
        try:
            clear_drafts(self.run.path)
            config = self.run.config
            queue = expected_queue(config.device)
            if queue.device == "cpu":
                give_way(NICENESS)
            if not self.skip_queue:
                yield from self._wait_for_turn(queue, is_guess=config.device == "auto")
            from engine.trainer import train

            for event in train(config, self.run, self.control):
                if isinstance(event, events.RunStarted) and self.queue:
                    yield from self._change_queue(Queue.of(event.device))
                yield event
        except StopRequested:
            yield self._cut_short("stopped")
        except EngineError as error:
            yield self._cut_short("failed", error)
        except Exception as error:
            traceback.print_exc()
            yield self._cut_short("failed", explained(error))

    def _wait_for_turn(self, queue: Queue, is_guess: bool = False) -> Iterator[AnyEvent]:
        """Wait until all that came earlier are done with the device; raises StopRequested.

        What else is asked meanwhile waits, too: a run can be paused, or given another learning rate, before it starts.
        Where the queue `is_guess`, the framework is asked before the run waits in it: it may know no GPU.
        """
        self.queue = queue
        self.ticket = self.ticket or Ticket.draw(queue.key, self.run)
        self.turn = FileLock(device_lock_path(queue.key))
        kept: list[commands.AnyCommand] = []
        is_told = False
        while True:
            for command in self.control.pending():
                if isinstance(command, commands.Stop):
                    raise StopRequested(command.now)
                kept.append(command)
            if self.ticket.is_next() and self.turn.acquire(patience=0):
                break
            if not is_told:
                is_told = True
                real = best_device(probe(self.run.config.backend)) if is_guess and queue.device != "cpu" else ""
                if real and Queue.of(real) != queue:
                    for command in kept:
                        self.control.put(command)
                    yield from self._change_queue(Queue.of(real))
                    return
                yield events.DeviceAwaited(device=queue.device, queue="" if queue.key == queue.device else queue.key)
            time.sleep(SECONDS_BETWEEN_LOOKS)
        for command in kept:
            self.control.put(command)

    def _change_queue(self, queue: Queue) -> Iterator[AnyEvent]:
        """Leave the queue and the device for those of `queue`, unless they are the same; raises StopRequested."""
        if self.queue is None or queue.key == self.queue.key:
            return
        if self.ticket:
            self.ticket.release()
        if self.turn:
            self.turn.release()
        self.ticket = None
        if queue.device == "cpu":
            give_way(NICENESS)
        yield from self._wait_for_turn(queue)

    def _cut_short(self, outcome: events.Outcome, error: EngineError | None = None) -> events.RunFinished:
        """Return the end of a run whose worker did not get to train: it stands where the worker before it stopped.

        Where that one was killed, it told no end: the epochs since the end before count.
        """
        told = read_backwards(self.run.events_path)
        before = next((one for one in told if isinstance(one, events.RunFinished | events.EpochFinished)), None)
        if not isinstance(before, events.RunFinished):
            before = events.RunFinished(outcome=outcome, epochs=len(self.run.progress().epochs))
        reason = events.ErrorInfo(title=error.title, message=error.message, hint=error.hint) if error else None
        return msgspec.structs.replace(before, outcome=outcome, error=reason, time=time.time())


if __name__ == "__main__":
    sys.exit(main())
