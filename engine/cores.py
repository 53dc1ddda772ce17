"""How many CPU cores this process may use: its affinity, and the CPU quota of the cgroups that it is in (Linux).

A container that is limited to two of 64 cores sees all 64: with a thread for each, the kernel stops them all for most
of every tenth of a second. See https://docs.kernel.org/admin-guide/cgroup-v2.html and its cgroup-v1 counterpart.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

PROCESS = Path("/proc/self")


def usable_cores(process: Path = PROCESS) -> int:
    """Return how many cores this process may keep busy, at least 1: half a core more gives no thread more."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = cpu_quota(process)
    return cores if quota is None else max(1, min(cores, int(quota)))


def cpu_quota(process: Path = PROCESS) -> float | None:
    """Return how many cores the cgroups of `process`, a folder of /proc, may use at most; None without a limit.

    A limit of any group above counts too.
    """
    quotas = [quota for folder in _groups(process) if (quota := _quota_of(folder)) is not None]
    return min(quotas, default=None)


def _groups(process: Path) -> Iterator[Path]:
    """Yield the folders of the cgroups that limit `process`, and of those above them as far as they are mounted."""
    paths: dict[str, str] = {}
    for line in _lines(process / "cgroup"):
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        for controller in controllers.split(","):
            paths[controller] = path  # version 2 names no controller
    for root, mount_point, mounted in _mounts(process / "mountinfo"):
        for controller in mounted & paths.keys():
            folder = mount_point / _below(paths[controller], root)
            while folder != mount_point:
                yield folder
                folder = folder.parent
            yield mount_point


def _mounts(mountinfo: Path) -> Iterator[tuple[str, Path, set[str]]]:
    """Yield which cgroup is mounted where, with which controllers: of version 2 the empty one. See proc(5)."""
    for line in _lines(mountinfo):
        place, _, kind = line.partition(" - ")
        fields, kinds = place.split(), kind.split()
        if len(fields) > 4 and len(kinds) > 2 and kinds[0] in ("cgroup", "cgroup2"):
            controllers = {""} if kinds[0] == "cgroup2" else set(kinds[2].split(",")) & {"cpu"}
            yield fields[3], Path(fields[4].replace("\\040", " ")), controllers


def _below(path: str, root: str) -> PurePosixPath:
    """Return `path` relative to `root`, the cgroup that is mounted; nothing where it is outside, as in a container."""
    try:
        below = PurePosixPath(path).relative_to(root)
    except ValueError:
        return PurePosixPath()
    return PurePosixPath() if ".." in below.parts else below


def _quota_of(folder: Path) -> float | None:
    for files in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):
        words = [word for name in files for line in _lines(folder / name) for word in line.split()]
        if len(words) == 2 and all(word.isdecimal() for word in words) and int(words[1]):
            return int(words[0]) / int(words[1])  # without a limit the first one is "max" or -1
    return None


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(errors="replace").splitlines()
    except OSError:
        return []
