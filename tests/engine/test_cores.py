"""The cores that a process may use, from made-up trees of cgroups as containers and systemd have them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.cores import cpu_quota, usable_cores

MACHINE = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@pytest.fixture
def process(tmp_path: Path) -> Path:
    """A folder like /proc/self, without cgroups."""
    (tmp_path / "self").mkdir()
    return tmp_path / "self"


def version_2(process: Path, own: str, root: str = "/", **limits: str) -> None:
    """Put `process` into the group `own`, where `root` is mounted; `limits` are those of groups, _ for /."""
    mount = process.parent / "cg 2"
    for name, limit in limits.items():
        folder = mount / name.replace("_", "/").strip("/")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cpu.max").write_text(f"{limit}\n")
    (process / "cgroup").write_text(f"1:name=systemd:/x\n0::{own}\n")
    escaped = str(mount).replace(" ", "\\040")
    (process / "mountinfo").write_text(
        f"30 23 0:26 / /sys rw - sysfs sysfs rw\n31 30 0:27 {root} {escaped} rw,nosuid shared:4 - cgroup2 cgroup2 rw\n"
    )


def version_1(process: Path, own: str, root: str, **quotas: str) -> None:
    """The same for version 1, with the controllers cpu and cpuacct together."""
    mount = process.parent / "cpu,cpuacct"
    for name, quota in quotas.items():
        folder = mount / name.replace("_", "/").strip("/")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cpu.cfs_quota_us").write_text(f"{quota}\n")
        (folder / "cpu.cfs_period_us").write_text("100000\n")
    (process / "cgroup").write_text(f"5:memory:/other\n4:cpu,cpuacct:{own}\n0::/ignored\n")
    (process / "mountinfo").write_text(
        f"32 31 0:29 / {process.parent}/memory rw - cgroup cgroup rw,memory\n"
        f"33 31 0:30 {root} {mount} rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
    )


class TestVersion2:
    def test_in_a_container_its_own_group_is_the_root(self, process: Path) -> None:
        version_2(process, "/", _="150000 100000")
        assert cpu_quota(process) == 1.5

    def test_a_group_above_may_allow_less(self, process: Path) -> None:
        version_2(process, "/a/b/c", _a_b="400000 100000", _a="250000 100000", _a_b_c="max 100000")
        assert cpu_quota(process) == 2.5

    def test_where_only_part_of_the_tree_is_mounted(self, process: Path) -> None:
        version_2(process, "/docker/id/inner", root="/docker/id", _inner="50000 100000")
        assert cpu_quota(process) == 0.5

    @pytest.mark.parametrize("own", ["/elsewhere", "/../../other"])
    def test_a_group_that_is_not_mounted_leaves_what_is_mounted(self, process: Path, own: str) -> None:
        version_2(process, own, root="/docker/id" if own == "/elsewhere" else "/", _="300000 100000")
        assert cpu_quota(process) == 3

    def test_without_a_limit(self, process: Path) -> None:
        version_2(process, "/a", _a="max 100000")
        assert cpu_quota(process) is None


class TestVersion1:
    def test_the_least_of_all_groups_counts(self, process: Path) -> None:
        version_1(process, "/docker/id", "/docker/id", _="200000", _docker="10000")
        assert cpu_quota(process) == 2

    def test_on_the_host(self, process: Path) -> None:
        version_1(process, "/slice/job", "/", _="-1", _slice="350000", _slice_job="-1")
        assert cpu_quota(process) == 3.5


class TestUsable:
    def test_a_quota_is_rounded_down_and_never_below_one(self, process: Path) -> None:
        version_2(process, "/", _="30000 100000")
        assert usable_cores(process) == 1
        version_2(process, "/", _="190000 100000")
        assert usable_cores(process) == 1

    def test_more_than_the_machine_has_is_no_limit(self, process: Path) -> None:
        version_2(process, "/", _=f"{(MACHINE + 5) * 100000} 100000")
        assert usable_cores(process) == MACHINE

    def test_without_cgroups_it_is_what_the_process_may_run_on(self, process: Path) -> None:
        assert usable_cores(process) == MACHINE

    @pytest.mark.parametrize("text", ["", "garbage", "100000 0", "1 2 3", "-1 100000", "\xff\n\n"])
    def test_what_is_not_understood_is_no_limit(self, process: Path, text: str) -> None:
        version_2(process, "/", _=text)
        (process / "mountinfo").write_text((process / "mountinfo").read_text() + "\n- \n1 2 3 - cgroup2\n")
        assert usable_cores(process) == MACHINE

    @pytest.mark.skipif(not hasattr(os, "sched_setaffinity") or MACHINE < 2, reason="there is one core to choose from")
    def test_a_process_may_be_bound_to_some_cores(self, process: Path) -> None:
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {min(before)})
        try:
            assert usable_cores(process) == 1
        finally:
            os.sched_setaffinity(0, before)
