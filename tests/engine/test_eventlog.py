"""The event log: whole lines in, whole events out, whatever happens to the writer in between."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from engine import events
from engine.eventlog import (
    LONGEST_LINE,
    READ_LIMIT,
    EventFollower,
    EventWriter,
    LineFollower,
    read_backwards,
    read_events,
)
from engine.events import AnyEvent, Step, Warned


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events.jsonl"


@pytest.fixture
def writer(path: Path) -> Iterator[EventWriter]:
    writer = EventWriter(path)
    yield writer
    writer.close()


def step(number: int) -> Step:
    return Step(epoch=1, step=number, steps=9, loss=0.5, accuracy=0.9, learning_rate=0.01, images_per_second=1e4)


EXAMPLES: list[AnyEvent] = [
    events.RunRelaunched(),
    events.RunExtended(epochs_before=3, epochs=6, schedule="restart"),
    events.DeviceAwaited(device="cuda:0"),
    events.DownloadProgressed(file="train-images", received_bytes=1, total_bytes=2),
    events.Preparing(stage="framework"),
    events.RunStarted(
        run="20261124-061230-torch-3fa9",
        backend="torch",
        framework_version="2.14.1",
        device="cpu",
        device_name="a “fast” one\n",
        model="cnn",
        parameters=1198,
        dataset=events.DatasetInfo(
            name="MNIST", source="/tmp", fingerprint="ff", train_examples=6, test_examples=1, class_names=("0", "ゼロ")
        ),
        epochs=10,
        resumed_from=3,
        kernels="fused",
    ),
    step(1),
    events.EpochFinished(
        epoch=1,
        train_loss=0.1 + 0.2,
        train_accuracy=1 / 3,
        test_loss=1e-300,
        test_accuracy=1.0,
        learning_rate=1e-3,
        seconds=2.5,
        images_per_second=24_000.0,
        validation_accuracy=0.5,
    ),
    events.CheckpointSaved(epoch=1, path="last.safetensors", best=True),
    events.PredictionsSaved(epoch=1, path="predictions/epoch-0001.npz", mistakes=247),
    events.CommandApplied(command="pause"),
    Warned(message="The sample stands in."),
    events.RunFinished(outcome="failed", epochs=1, error=events.ErrorInfo(title="a", message="b", hint="c")),
]


def test_every_kind_of_event_is_read_as_it_was_written(path: Path, writer: EventWriter) -> None:
    for event in EXAMPLES:
        writer.append(event)
    assert read_events(path) == EXAMPLES
    assert {type(event) for event in EXAMPLES} == set(events.AnyEvent.__args__)


def test_a_line_is_one_json_object_with_its_type_and_time(path: Path, writer: EventWriter) -> None:
    writer.append(step(1))
    (line,) = path.read_text().splitlines()
    record = json.loads(line)
    assert (record["type"], record["step"], record["loss"]) == ("step", 1, 0.5)
    assert record["time"] == read_events(path)[0].time


def test_a_log_of_an_earlier_version_does_not_say_whose_kernels_trained(path: Path) -> None:
    started = next(event for event in EXAMPLES if isinstance(event, events.RunStarted))
    record = json.loads(events.encode(started))
    del record["kernels"]
    path.write_text(json.dumps(record) + "\n")
    (read,) = read_events(path)
    assert isinstance(read, events.RunStarted)
    assert (read.kernels, read.model) == (None, "cnn")


def test_the_first_line_alone_names_the_schema(path: Path, writer: EventWriter) -> None:
    for number in range(3):
        writer.append(step(number))
    assert [json.loads(line).get("schema") for line in path.read_text().splitlines()] == [1, None, None]


def test_a_second_writer_goes_on_where_the_first_ended(path: Path, writer: EventWriter) -> None:
    writer.append(step(1))
    second = EventWriter(path)
    second.append(step(2))
    second.close()
    assert [event.step for event in read_events(path)] == [1, 2]  # type: ignore[union-attr]
    assert path.read_text().count("schema") == 1


def test_without_a_log_there_are_no_events(path: Path) -> None:
    assert read_events(path) == []
    assert EventFollower(path).read() == []
    assert not path.exists()


class TestTornLines:
    @pytest.fixture
    def lines(self, path: Path, writer: EventWriter) -> bytes:
        for number in (1, 2):
            writer.append(step(number))
        return path.read_bytes()

    def test_a_torn_last_line_is_pending_wherever_it_is_torn(self, path: Path, lines: bytes) -> None:
        end_of_first = lines.index(b"\n") + 1
        for length in range(end_of_first, len(lines)):
            path.write_bytes(lines[:length])
            assert len(read_events(path)) == 1

    def test_a_follower_reads_the_rest_when_it_comes(self, path: Path, lines: bytes) -> None:
        path.write_bytes(lines[:-10])
        follower = EventFollower(path)
        assert len(follower.read()) == 1
        assert follower.read() == []
        with path.open("ab") as file:
            file.write(lines[-10:])
        assert [event.step for event in follower.read()] == [2]  # type: ignore[union-attr]
        assert follower.read() == []

    @pytest.mark.parametrize("cut", [1, 10, 50])
    def test_what_is_written_after_a_torn_line_can_be_read(self, path: Path, lines: bytes, cut: int) -> None:
        path.write_bytes(lines[:-cut])
        writer = EventWriter(path)
        writer.append(step(3))
        writer.close()
        found = [event.step for event in read_events(path)]  # type: ignore[union-attr]
        assert found == ([1, 2, 3] if cut == 1 else [1, 3])

    def test_a_follower_of_a_torn_line_goes_on_with_what_comes_after_it(self, path: Path, lines: bytes) -> None:
        path.write_bytes(lines[:-10])
        follower = EventFollower(path)
        follower.read()
        writer = EventWriter(path)
        writer.append(step(3))
        writer.close()
        assert [event.step for event in follower.read()] == [3]  # type: ignore[union-attr]


class TestDamagedLines:
    @pytest.mark.parametrize(
        "line",
        [
            b"",
            b"\0\0\0\0",
            b"not json",
            b"[]",
            b"null",
            b"{}",
            b'{"type": "step"}',
            b'{"type": "step", "epoch": "one"}',
            b'{"type": "of_a_later_version", "time": 1}',
            b"\xff\xfe\xfd",
            b"[" * 100_000,
        ],
        ids=lambda line: repr(line[:20]),
    )
    def test_a_line_that_is_no_event_is_left_out(self, path: Path, writer: EventWriter, line: bytes) -> None:
        writer.append(step(1))
        with path.open("ab") as file:
            file.write(line + b"\n")
        writer.append(step(2))
        assert [event.step for event in read_events(path)] == [1, 2]  # type: ignore[union-attr]

    def test_a_damaged_stretch_longer_than_a_read_does_not_hide_what_comes_after_it(self, path: Path) -> None:
        """As zeros where a machine lost its power: they are as good as one line, of any length."""
        writer = EventWriter(path)
        writer.append(step(1))
        with path.open("ab") as file:
            file.write(bytes(2 * READ_LIMIT + LONGEST_LINE) + b"\n")
        writer.append(step(2))
        writer.close()
        follower, found = EventFollower(path), []
        while batch := follower.read(steps=1):
            found += [event.step for event in batch if isinstance(event, Step)]
        assert found == [event.step for event in read_events(path) if isinstance(event, Step)] == [1, 2]

    def test_fields_of_a_later_version_are_passed_over(self, path: Path) -> None:
        path.write_bytes(b'{"type": "warned", "time": 1.5, "message": "hm", "severity": 9, "schema": 2}\n')
        assert read_events(path) == [Warned(time=1.5, message="hm")]

    def test_whatever_is_damaged_the_other_lines_are_read(self, path: Path, writer: EventWriter) -> None:
        for number in range(20):
            writer.append(step(number))
        intact = path.read_bytes()
        lines = intact.splitlines(keepends=True)
        dice = random.Random(1)
        for _ in range(200):
            place = dice.randrange(len(intact))
            damaged = bytearray(intact)
            damaged[place] ^= 1 << dice.randrange(8)
            path.write_bytes(damaged)
            steps = {event.step for event in read_events(path) if isinstance(event, Step)}
            hit = next(n for n in range(20) if place < sum(map(len, lines[: n + 1])))
            # A newline that is lost joins a line to the one before it.
            assert steps >= set(range(20)) - {hit, hit + 1}


class TestFollowing:
    def test_it_hands_out_every_event_once_from_the_first_on(self, path: Path, writer: EventWriter) -> None:
        writer.append(step(1))
        writer.append(step(2))
        follower = EventFollower(path)
        assert [event.step for event in follower.read()] == [1, 2]  # type: ignore[union-attr]
        assert follower.read() == []
        writer.append(step(3))
        assert [event.step for event in follower.read()] == [3]  # type: ignore[union-attr]

    @pytest.mark.parametrize("steps", [1, 2, 3, 7])
    def test_of_many_steps_in_a_row_it_hands_out_a_few_with_the_last(
        self, path: Path, writer: EventWriter, steps: int
    ) -> None:
        stretches = [range(1, 7), range(7, 8), range(8, 100)]
        for stretch in stretches:
            for number in stretch:
                writer.append(step(number))
            writer.append(Warned(message="between"))
            writer.append(Warned(message="two"))
        read = EventFollower(path).read(steps=steps)
        assert [event.message for event in read if isinstance(event, Warned)] == ["between", "two"] * 3
        numbers = [event.step for event in read if isinstance(event, Step)]
        for stretch in stretches:
            kept = [number for number in numbers if number in stretch]
            assert kept[-1] == stretch[-1]
            assert min(len(stretch), (steps + 1) // 2) <= len(kept) <= steps
            assert len({after - before for before, after in pairwise(kept)}) <= 1

    def test_it_may_begin_before_the_log_does(self, path: Path) -> None:
        follower = EventFollower(path)
        assert follower.read() == []
        writer = EventWriter(path)
        writer.append(step(1))
        writer.close()
        assert len(follower.read()) == 1

    def test_a_log_larger_than_one_read_comes_in_pieces(self, path: Path) -> None:
        path.write_bytes(b"".join(b"%d\n" % number for number in range(1000)))
        lines, pieces = LineFollower(path), []
        while piece := lines.read(limit=100):
            pieces.append(piece)
        assert len(pieces) > 10
        assert [line for piece in pieces for line in piece] == [b"%d" % number for number in range(1000)]

    def test_a_line_longer_than_one_read_comes_whole(self, path: Path) -> None:
        path.write_bytes(b"x" * 1000 + b"\nshort\n")
        lines = LineFollower(path)
        assert lines.read(limit=100) == [b"x" * 1000]
        assert lines.read(limit=100) == [b"short"]

    def test_a_long_line_without_its_end_stays_pending(self, path: Path) -> None:
        path.write_bytes(b"x" * 1000)
        lines = LineFollower(path)
        assert lines.read(limit=100) == []
        with path.open("ab") as file:
            file.write(b"y\n")
        assert lines.read(limit=100) == [b"x" * 1000 + b"y"]

    def test_it_may_begin_in_the_middle(self, path: Path) -> None:
        path.write_bytes(b"old\nnew\n")
        assert LineFollower(path, offset=4).read() == [b"new"]


class TestReadingBackwards:
    def test_the_last_event_comes_first_and_of_steps_only_some(self, path: Path, writer: EventWriter) -> None:
        """Over many blocks, with damaged lines, lines longer than a block, and one that is torn."""
        dice = random.Random(5)
        for number in range(3000):
            kind = dice.random()
            writer.append(step(number) if kind < 0.9 else Warned(message="é" * dice.choice([1, 300, 30_000])))
            if kind > 0.99:
                with path.open("ab") as log:
                    log.write(b"\x00damaged\n")
        with path.open("ab") as log:
            log.write(b'{"type":"warned","message":"torn')
        forwards = read_events(path)
        backwards = list(read_backwards(path))
        assert backwards[0] == forwards[-1]
        assert [event for event in backwards if isinstance(event, Warned)] == [
            event for event in reversed(forwards) if isinstance(event, Warned)
        ]
        assert [event for event in forwards if event in backwards] == backwards[::-1]
        assert len(backwards) < len(forwards) / 2

    def test_a_line_without_end_is_left_out(self, path: Path, writer: EventWriter) -> None:
        first, last = Warned(message="first"), Warned(message="last")
        writer.append(first)
        with path.open("ab") as log:
            log.write(b"x" * (4 * LONGEST_LINE) + b"\n")
        writer.append(last)
        assert list(read_backwards(path)) == [last, first]

    def test_without_a_log_there_is_nothing(self, path: Path) -> None:
        assert list(read_backwards(path)) == []
