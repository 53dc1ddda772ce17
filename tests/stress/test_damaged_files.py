"""Files that are cut off, flipped or made up: an older checkpoint stands in, a line is left out, an error is told."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import checkpoint
from engine.checkpoint import LAST
from engine.config import FIELDS, TrainConfig
from engine.errors import EngineError
from engine.eventlog import EventFollower, EventWriter, read_events
from engine.events import RunStarted, Warned
from engine.launcher import launch, relaunch
from engine.models import ARCHITECTURES
from engine.runs import Progress, Run, Store
from tests.stress.torture import Record, endless, torture, wait_for_end
from tests.tui.cli_harness import call
from tui.snapshot import RunReplay

pytestmark = torture

DAMAGES = 100
EVERY = 20
"""Of the damages, every so many is also resumed by a real worker."""
CASES = 1000
fuzzed = settings(
    max_examples=CASES, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=40)
    | st.sampled_from([10**400, -(2**63), 1.7e308]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)
"""Whatever JSON can say, and NaN, which it cannot."""


@pytest.fixture(scope="module")
def trained(few_digits: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of four epochs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        run = launch(Store(tmp_path_factory.mktemp("runs")), endless(few_digits, epochs=4), skip_queue=True)
        wait_for_end(run)
    assert run.status() == "completed"
    return run


@pytest.fixture
def copy(trained: Run, store: Store) -> Run:
    """A copy of that run, to be damaged."""
    shutil.copytree(trained.path, store.path / trained.id)
    return store.find("last")


def test_a_damaged_checkpoint_has_an_older_one_stand_in_for_it(copy: Run, record: Record) -> None:
    dice = random.Random(3)
    intact = (copy.path / LAST).read_bytes()
    fell_back = resumed = 0
    for number in range(DAMAGES):
        damaged = bytearray(intact)
        place = dice.randrange(len(intact))
        if number % 2:
            damaged = damaged[:place]
        else:
            damaged[place] ^= 1 << dice.randrange(8)
        (copy.path / LAST).write_bytes(damaged)
        found = checkpoint.latest(copy.path, ARCHITECTURES[copy.config.model], copy.config.optimizer)
        fell_back += bool(found) and LAST in found[2] and "instead" in found[2]  # type: ignore[index]
        if number % EVERY < 2:
            relaunch(copy, skip_queue=True, epochs=copy.config.epochs + 1)
            wait_for_end(copy)
            assert copy.status() == "completed"
            last_start = max(i for i, event in enumerate(copy.events()) if isinstance(event, RunStarted))
            warned = [event.message for event in copy.events()[last_start:] if isinstance(event, Warned)]
            resumed += any(LAST in message for message in warned)
            assert LAST in call("attach", copy.id, "--lines").stderr
    real = 2 * DAMAGES // EVERY
    record(
        f"the last checkpoint cut off or flipped at {DAMAGES} places",
        "all fall back on an older one and say so",
        f"{fell_back} of {DAMAGES} fall back and say so; {resumed} of {real} resumed by a worker warn",
    )
    assert (fell_back, resumed) == (DAMAGES, real)


def test_a_log_cut_at_any_byte_is_read_and_written_on(copy: Run, record: Record) -> None:
    whole = copy.events_path.read_bytes()
    events = read_events(copy.events_path)
    first = sum(map(len, whole.splitlines(keepends=True)[:-3]))
    unread = 0
    for end in range(first, len(whole) + 1):
        copy.events_path.write_bytes(whole[:end])
        follower = EventFollower(copy.events_path)
        before = follower.read()
        assert before == events[: len(before)]
        assert len(before) >= len(events) - 3
        Progress.of(before)
        copy.status()
        writer = EventWriter(copy.events_path)
        writer.append(Warned(message="after the cut"))
        writer.close()
        after = follower.read()
        unread += not (after and isinstance(after[-1], Warned) and read_events(copy.events_path)[-1] == after[-1])
    cuts = len(whole) + 1 - first
    record(
        f"events.jsonl cut at each of the {cuts} bytes of its last 3 records",
        "never an error; what is appended next is read",
        f"no error; {cuts - unread} of {cuts} read",
    )
    assert not unread


@pytest.fixture
def looked_at(copy: Run) -> Callable[[], None]:
    """Looks at the copy as the app and every listing do; only errors that are made to be shown may come of it."""
    from tui.commands.reporting import LineReporter

    def look() -> None:
        reporter = LineReporter(TrainConfig())
        for event in copy.events():
            reporter.show(b"", event)
        for command in (["runs"], ["runs", "--json"], ["show", copy.id], ["show", copy.id, "--json"]):
            quietly(*command)
        replay = RunReplay(copy)
        replay.update()
        _ = replay.snapshot.seconds_left, replay.snapshot.epoch_step

    return look


def quietly(*arguments: str) -> None:
    """Run a command in this process; a traceback of its would be raised here."""
    from tui.cli import run

    assert run(arguments) in (0, 2)


def test_made_up_settings_are_refused_in_one_clear_error(
    copy: Run, looked_at: Callable[[], None], record: Record, capfd: pytest.CaptureFixture[str]
) -> None:
    intact = copy.config_path.read_bytes()
    known = msgspec.json.decode(intact)
    cases, refusals = 0, list[EngineError]()

    @fuzzed
    @given(
        st.binary(max_size=200)
        | values.map(to_json)
        | st.dictionaries(st.sampled_from(sorted(FIELDS)) | st.text(max_size=9), values).map(
            lambda d: to_json(known | d)
        )
        | mutations(intact)
    )
    def fuzz(content: bytes) -> None:
        copy.config_path.write_bytes(content)
        nonlocal cases
        cases += 1
        try:
            config = copy.config
        except EngineError as error:
            refusals.append(error)
        else:
            assert TrainConfig.from_json(config.to_json()) == config
        looked_at()
        capfd.readouterr()

    fuzz()
    assert all(error.title and error.message.strip() for error in refusals)
    record(
        "config.json made up by hypothesis",
        f"{CASES} cases, one clear error each, never a traceback",
        f"{cases} cases, {len(refusals)} refused, 0 tracebacks",
    )


def test_made_up_events_are_left_out_or_shown_as_they_are(
    copy: Run, looked_at: Callable[[], None], record: Record, capfd: pytest.CaptureFixture[str]
) -> None:
    intact = copy.events_path.read_bytes()
    lines = intact.splitlines()
    records = [msgspec.json.decode(line) for line in lines]
    keys = st.sampled_from(sorted({key for record in records for key in record} - {"type"}))
    changed = st.tuples(st.sampled_from(records), st.dictionaries(keys, values, max_size=3))
    line = st.binary(max_size=100) | values.map(to_json) | changed.map(lambda pair: to_json(pair[0] | pair[1]))
    counts = {"cases": 0, "lines": 0, "events": 0}

    @fuzzed
    @given(st.lists(line | st.sampled_from(lines), max_size=8).map(b"\n".join) | mutations(intact))
    def fuzz(content: bytes) -> None:
        copy.events_path.write_bytes(content + b"\n")
        counts["cases"] += 1
        counts["lines"] += content.count(b"\n") + 1
        counts["events"] += len(copy.events())
        looked_at()
        capfd.readouterr()

    fuzz()
    record(
        "events.jsonl made up by hypothesis",
        f"{CASES} cases, damaged lines left out, never a traceback",
        f"{counts['cases']} cases, {counts['events']:,} events in {counts['lines']:,} lines, 0 tracebacks",
    )


def mutations(intact: bytes) -> st.SearchStrategy[bytes]:
    """Return `intact` with a piece of it replaced by a few bytes."""
    places = st.integers(0, len(intact))
    return st.tuples(places, places, st.binary(max_size=20)).map(
        lambda cut: intact[: min(cut[:2])] + cut[2] + intact[max(cut[:2]) :]
    )


def to_json(value: object) -> bytes:
    """Return `value` as Python's own JSON, which also says NaN and Infinity."""
    import json

    return json.dumps(value).encode(errors="surrogatepass")
