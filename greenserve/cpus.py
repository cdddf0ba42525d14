"""How many CPUs this process may keep busy, which is less than the machine has in a container.

Two things bound it and neither shows the other: the affinity mask counts
cores, the cgroup's quota counts time. Only reads files, below a root that a
test can move.
"""

import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

ROOT = Path("/")


def count_usable_cpus(root: Path = ROOT) -> int:
    """Return the cores of the affinity mask or the CPU quota rounded up, whichever is smaller, but at least 1."""
    quota = find_cpu_quota(root)
    return max(1, min(count_cores(), count_cores() if quota is None else math.ceil(quota)))


def count_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def find_cpu_quota(root: Path = ROOT) -> float | None:
    """Return how many CPUs' worth of time the cgroup grants, or None if it sets no limit.

    A group can never use more than the groups around it, so the smallest quota
    on the way up counts. In a container the path in /proc/self/cgroup may be
    the host's and lead nowhere; its own limit then stands at the mount's root.
    """
    quotas = [quota for group in _groups(root) for quota in (_quota_v2(group), _quota_v1(group)) if quota is not None]
    return min(quotas, default=None)


def _groups(root: Path) -> Iterator[Path]:
    """Yield the directory of each group this process is in that could hold a CPU quota, innermost first."""
    for line in _read_text(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        for mount in _mounts(controllers):
            inner = PurePosixPath(path.lstrip("/"))
            # "/../x" is what a process sees that was moved in from outside its namespace.
            if ".." not in inner.parts:
                yield from (root / mount / group for group in (inner, *inner.parents))
            else:
                yield root / mount


def _mounts(controllers: str) -> tuple[str, ...]:
    """Return where the hierarchy of these controllers is mounted; version 2 names none."""
    if not controllers:
        return ("sys/fs/cgroup", "sys/fs/cgroup/unified")
    if "cpu" in controllers.split(","):
        return (f"sys/fs/cgroup/{controllers}", "sys/fs/cgroup/cpu")
    return ()


def _quota_v2(group: Path) -> float | None:
    """`cpu.max` says "QUOTA PERIOD" in microseconds, or "max PERIOD"."""
    return _ratio(*_read_text(group / "cpu.max").split()[:2])


def _quota_v1(group: Path) -> float | None:
    return _ratio(_read_text(group / "cpu.cfs_quota_us"), _read_text(group / "cpu.cfs_period_us"))


def _ratio(quota: str = "", period: str = "") -> float | None:
    """Return quota / period, or None for "max", -1 and whatever else is no limit."""
    try:
        limit = int(quota) / int(period)
    except (ValueError, ZeroDivisionError):
        return None
    return limit if limit > 0 else None


def _read_text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
