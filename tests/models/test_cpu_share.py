"""Quotas of containers, in both versions of control groups."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from facemood.models.cpu_share import quota, usable_cpus


def groups(folder: Path, membership: str, files: dict[str, str]) -> tuple[Path, Path]:
    """Make a tree of control groups, and return its root and the file that tells the groups of the process."""
    for name, text in files.items():
        file = folder / "fs" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (folder / "self").write_text(membership)
    return folder / "fs", folder / "self"


V1 = "3:memory:/docker/a\n2:cpu,cpuacct:/docker/a\n"


@pytest.mark.parametrize(
    ("membership", "files", "expected"),
    [
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
        ("0::/\n", {"cpu.max": "max 100000\n"}, None),
        ("0::/\n", {"cgroup.procs": ""}, None),
        ("0::/pod/box\n", {"pod/box/cpu.max": "max 100000", "pod/cpu.max": "50000 100000"}, 0.5),
        ("0::/pod/box\n", {"cpu.max": "300000 100000"}, 3.0),
        (V1, {"cpu/docker/a/cpu.cfs_quota_us": "200000", "cpu/docker/a/cpu.cfs_period_us": "100000"}, 2.0),
        (V1, {"cpu,cpuacct/cpu.cfs_quota_us": "25000", "cpu,cpuacct/cpu.cfs_period_us": "100000"}, 0.25),
        (V1, {"cpu/docker/a/cpu.cfs_quota_us": "-1", "cpu/docker/a/cpu.cfs_period_us": "100000"}, None),
        (V1, {"memory/docker/a/cpu.max": "100000 100000"}, None),
        ("0::/\n", {"cpu.max": "nonsense"}, None),
        ("0::/\n", {"cpu.max": "100000 0"}, None),
        ("damaged", {"cpu.max": "100000 100000"}, None),
    ],
)
def test_the_smallest_quota_around_the_process_holds(
    tmp_path: Path, membership: str, files: dict[str, str], expected: float | None
) -> None:
    assert quota(*groups(tmp_path, membership, files)) == expected


def test_without_control_groups_there_is_no_quota(tmp_path: Path) -> None:
    assert quota(tmp_path, tmp_path / "missing") is None


@pytest.mark.parametrize(("quota_us", "cpus"), [("100000", 1), ("10000", 1), ("99900000", None)])
def test_cpus_are_those_of_the_affinity_within_the_quota(tmp_path: Path, quota_us: str, cpus: int | None) -> None:
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    found = usable_cpus(*groups(tmp_path, "0::/\n", {"cpu.max": f"{quota_us} 100000"}))
    assert found == (own if cpus is None else cpus)
