"""The index of a store: runs in the order of their creation, whatever the clocks say, and a short name for each."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Self

import pytest

from engine import runs
from engine.config import TrainConfig
from engine.errors import RunError
from engine.eventlog import EventWriter
from engine.events import DeviceAwaited
from engine.run_index import INDEX_FILE, id_of, moment_of
from engine.runs import Run, Store, check_name

NOON = datetime(2025, 11, 28, 12, tzinfo=UTC).timestamp()


@pytest.fixture
def set_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Sets this process's time zone until the end of the test."""

    def set_zone(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield set_zone
    monkeypatch.undo()
    time.tzset()


def clock_at(moment: float) -> type[datetime]:
    """Return a clock that stands still."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            """Return the moment."""
            return cls.fromtimestamp(moment, tz)

    return Clock


def create(store: Store, backend: str = "torch", name: str = "") -> Run:
    """Return a new run that nobody trains."""
    run, lock = store.create(TrainConfig.create(backend=backend, name=name))
    lock.release()
    return run


def old_run(store: Store, run_id: str, created: float, first_event: float | None = None, backend: str = "torch") -> Run:
    """Return a run as an older version left it: nothing but its id and its files tell when it was created."""
    run = Run(store.path / run_id)
    run.path.mkdir(parents=True)
    run.config_path.write_bytes(TrainConfig.create(backend=backend).to_json())
    os.utime(run.config_path, (created, created))
    if first_event is not None:
        log = EventWriter(run.events_path)
        log.append(DeviceAwaited(time=first_event, device="cpu"))
        log.close()
    return run


class TestOrder:
    def test_the_newest_run_is_last_whatever_time_zone_it_was_created_in(
        self, store: Store, set_zone: Callable[[str], None]
    ) -> None:
        made = []
        for zone in ("Asia/Tokyo", "America/Los_Angeles", "UTC", "Pacific/Kiritimati"):
            set_zone(zone)
            made.append(create(store, name=zone).id)
        assert store.run_ids() == made
        assert store.find("last").name == "Pacific/Kiritimati"

    def test_older_ids_are_ordered_by_their_first_event(self, store: Store, set_zone: Callable[[str], None]) -> None:
        set_zone("Europe/Berlin")
        tokyo = old_run(store, "20251128-210000-torch-0000", NOON + 1e6, first_event=NOON + 7)
        angeles = old_run(store, "20251128-041000-torch-0000", NOON + 1e6, first_event=NOON + 605)
        india = old_run(store, "20251128-173500-torch-8000", NOON + 1e6, first_event=NOON + 301)
        assert [run.id for run in store.runs()] == [tokyo.id, india.id, angeles.id]
        assert [moment_of(run.path) - NOON for run in store.runs()] == [0, 300.5, 600]

    def test_without_events_they_are_ordered_by_when_their_settings_were_written(
        self, store: Store, set_zone: Callable[[str], None]
    ) -> None:
        set_zone("Europe/Berlin")
        tokyo = old_run(store, "20251128-210000-torch-0000", NOON)
        angeles = old_run(store, "20251128-041000-torch-0000", NOON + 600)
        assert [run.id for run in store.runs()] == [tokyo.id, angeles.id]

    def test_where_files_tell_nothing_an_older_id_is_local_time(
        self, store: Store, set_zone: Callable[[str], None]
    ) -> None:
        """Such as after a copy, which was made at another time."""
        set_zone("Europe/Berlin")
        run = old_run(store, "20251128-130000-torch-0000", NOON + 40 * 24 * 3600)
        assert moment_of(run.path) == NOON
        assert run.created is not None
        assert run.created.isoformat() == "2025-11-28T13:00:00+01:00"

    def test_the_hour_that_comes_twice_in_autumn_is_told_apart(
        self, store: Store, set_zone: Callable[[str], None]
    ) -> None:
        set_zone("Europe/Berlin")
        first = datetime(2026, 10, 25, 0, 50, tzinfo=UTC).timestamp()  # 2:50 in summer time
        summer = old_run(store, "20261025-025000-torch-0000", first, first + 3)
        winter = old_run(store, "20261025-021000-torch-0000", first + 1200, first + 1203)
        assert [run.id for run in store.runs()] == [summer.id, winter.id]

    def test_old_and_new_ids_are_in_one_order(self, store: Store, set_zone: Callable[[str], None]) -> None:
        set_zone("Pacific/Kiritimati")  # 14 hours ahead of UTC: an old id looks newer than it is
        now = time.time()
        old = old_run(store, f"{datetime.fromtimestamp(now - 60):%Y%m%d-%H%M%S}-torch-0000", now - 60, now - 55)
        new = create(store)
        assert [run.id for run in store.runs()] == [old.id, new.id]

    def test_after_a_clock_was_set_back_later_runs_still_come_later(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = []
        for moment in (NOON, NOON - 3600, NOON - 1800, NOON + 1):
            monkeypatch.setattr(runs, "datetime", clock_at(moment))
            made.append(create(store).id)
        assert store.run_ids() == made

    def test_an_id_tells_the_moment_in_utc(self, store: Store, set_zone: Callable[[str], None]) -> None:
        set_zone("Asia/Tokyo")
        assert id_of(NOON + 0.5, "torch") == "20251128-120000Z-torch-8000"
        assert moment_of(store.path / "20251128-120000Z-torch-8000") == NOON + 0.5

    def test_screens_get_local_time(self, store: Store, set_zone: Callable[[str], None]) -> None:
        set_zone("Asia/Tokyo")
        created = Run(store.path / "20251128-120000Z-torch-8000").created
        assert created is not None
        assert f"{created:%m-%d %H:%M}" == "11-28 21:00"

    @pytest.mark.parametrize("run_id", ["my-run", "20269999-999999Z-torch-0000", ""])
    def test_another_name_tells_nothing(self, store: Store, run_id: str) -> None:
        assert Run(store.path / "x" / run_id).created is None


class TestShortNames:
    def test_runs_are_numbered_by_backend(self, store: Store) -> None:
        made = [create(store, backend) for backend in ("torch", "tensorflow", "torch")]
        assert [run.short_name for run in made] == ["torch-1", "tensorflow-1", "torch-2"]
        assert store.find("torch-2").id == made[2].id

    def test_a_name_is_never_given_again(self, store: Store) -> None:
        runs = [create(store) for _ in range(3)]
        store.delete(runs[1])
        store.delete(runs[2])
        assert create(store).short_name == "torch-4"
        assert runs[0].short_name == "torch-1"
        with pytest.raises(RunError, match="no run “torch-2”"):
            store.find("torch-2")

    def test_runs_launched_at_once_have_names_of_their_own(self, store: Store) -> None:
        with ThreadPoolExecutor(8) as pool:
            runs = list(pool.map(lambda _: create(store), range(40)))
        assert {run.short_name for run in runs} == {f"torch-{number}" for number in range(1, 41)}
        assert [run.short_name for run in store.runs()] == [f"torch-{number}" for number in range(1, 41)]

    def test_older_runs_are_numbered_first_and_looking_writes_nothing(self, store: Store) -> None:
        old_run(store, "20251128-140000-torch-0000", NOON + 7200)
        old_run(store, "20251128-120000-torch-0000", NOON)
        old_run(store, "20251128-130000-tensorflow-0000", NOON + 3600, backend="tensorflow")
        names = {run.id: run.short_name for run in store.runs()}
        assert list(names.values()) == ["torch-1", "tensorflow-1", "torch-2"]
        assert not (store.path / INDEX_FILE).exists()
        assert create(store).short_name == "torch-3"
        assert {run.id: run.short_name for run in store.runs()[:3]} == names

    def test_deleting_an_older_run_leaves_the_others_their_names(self, store: Store) -> None:
        first = old_run(store, "20251128-120000-torch-0000", NOON)
        second = old_run(store, "20251128-140000-torch-0000", NOON + 7200)
        store.delete(first)
        assert second.short_name == "torch-2"

    def test_a_run_copied_from_another_store_gets_the_next_name(self, store: Store, tmp_path: Path) -> None:
        create(store)
        elsewhere = create(Store(tmp_path / "other"))
        copied = Run(elsewhere.path.rename(store.path / elsewhere.id))
        assert copied.short_name == "torch-2"

    def test_a_folder_that_was_renamed_has_the_backend_in_its_settings(self, store: Store) -> None:
        old_run(store, "mine", NOON, backend="tensorflow")
        damaged = old_run(store, "damaged", NOON + 1)
        damaged.config_path.write_bytes(b"\xff[")
        os.utime(damaged.config_path, (NOON + 1, NOON + 1))
        assert [run.short_name for run in store.runs()] == ["tensorflow-1", "unknown-1"]

    def test_a_name_that_a_user_gave_before_is_not_taken_for_another_run(self, store: Store) -> None:
        create(store)
        old_run(store, "20201128-120000-torch-0000", NOON).config_path.write_bytes(
            TrainConfig.create(name="torch-1").to_json()
        )
        with pytest.raises(RunError, match="“torch-1” means 2 runs"):
            store.find("torch-1")

    @pytest.mark.parametrize("name", ["torch-1", "tensorflow-99", "unknown-1", "last"])
    def test_users_cannot_give_such_a_name(self, store: Store, name: str) -> None:
        with pytest.raises(RunError, match=f"“{name}” means"):
            check_name(name, ())
        with pytest.raises(RunError, match=f"“{name}” means"):
            create(store, name=name)
        assert not store.path.exists()

    @pytest.mark.parametrize("name", ["torch-0", "torch", "torch-1a", "my-torch-1", "torch-1.5"])
    def test_names_that_only_look_alike_can_be_given(self, name: str) -> None:
        assert check_name(name, ()) == name

    def test_damaged_lines_are_left_out(self, store: Store) -> None:
        first, second = create(store), create(store)
        index = store.path / INDEX_FILE
        lines = index.read_bytes().splitlines()
        index.write_bytes(b'\xff\n{"run": 7}\n[]\n' + lines[0] + b"\n" + lines[0] + b"\n" + lines[1][:20])
        assert [run.short_name for run in (first, second)] == ["torch-1", "torch-2"]
        assert create(store).short_name == "torch-3"
        assert [run.short_name for run in store.runs()] == ["torch-1", "torch-2", "torch-3"]

    @pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "named pipe"])
    def test_without_an_index_runs_are_numbered_all_the_same(self, store: Store, make: Callable[[Path], None]) -> None:
        store.path.mkdir()
        make(store.path / INDEX_FILE)
        assert [create(store).short_name for _ in range(3)] == ["torch-1", "torch-2", "torch-3"]
        assert store.find("torch-2").id == store.run_ids()[1]

    def test_a_run_that_is_gone_has_none(self, store: Store) -> None:
        assert Run(store.path / "20251128-120000Z-torch-8000").short_name == ""
