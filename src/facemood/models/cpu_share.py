"""How many CPUs this process may use: by its affinity, and by the quota of its container.

A container with a quota of 2 CPUs on a machine with 64 sees 64 CPUs. So many threads use up the quota in a part of each
period, and then all of them stand still until the next one.
"""

from __future__ import annotations

import math
import os
from pathlib import Path, PurePosixPath

CGROUPS = Path("/sys/fs/cgroup")
"""Where Linux shows the groups of processes that share a quota."""

MEMBERSHIP = Path("/proc/self/cgroup")
"""Where Linux tells the groups of this process: a line ``ID:CONTROLLERS:PATH`` each."""


def quota(root: Path = CGROUPS, membership: Path = MEMBERSHIP) -> float | None:
    """Return the CPUs that the quota of the container allows, or None if there is no quota.

    The quotas of all groups around the process hold; the smallest is returned. Both versions of control groups are
    read: ``cpu.max`` ("QUOTA PERIOD", or "max PERIOD") and ``cpu.cfs_quota_us`` (-1 without a quota).

    Args:
        root: Folder of the control groups.
        membership: The file that tells the groups of this process.
    """
    try:
        lines = membership.read_text().splitlines()
    except OSError:
        return None
    found = [_limit(folder) for line in lines for folder in _folders(root, line)]
    return min((limit for limit in found if limit is not None), default=None)


def usable_cpus(root: Path = CGROUPS, membership: Path = MEMBERSHIP) -> int:
    """Return how many CPUs this process may use, at least 1: those of its affinity, within the quota, rounded up.

    Example:
        >>> usable_cpus() >= 1
        True
    """
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = quota(root, membership)
    return own if limit is None else max(1, min(own, math.ceil(limit)))


def _folders(root: Path, line: str) -> list[Path]:
    """Return the folders of a group and of those around it; in a container, the root is often the container's own."""
    _, controllers, path = line.split(":", 2) if line.count(":") >= 2 else ("", "-", "/")
    if controllers == "":
        base = root
    elif "cpu" in controllers.split(","):
        base = root / "cpu" if (root / "cpu").is_dir() else root / controllers
    else:
        return []
    inner = PurePosixPath(path.lstrip("/"))
    return [base / inner, *(base / parent for parent in inner.parents)]


def _limit(folder: Path) -> float | None:
    """Return the CPUs that one group allows."""
    try:
        if (folder / "cpu.max").is_file():
            most, period = (folder / "cpu.max").read_text().split()
            return None if most == "max" else int(most) / int(period)
        allowed = int((folder / "cpu.cfs_quota_us").read_text())
        return None if allowed < 0 else allowed / int((folder / "cpu.cfs_period_us").read_text())
    except (OSError, ValueError, ZeroDivisionError):
        return None
