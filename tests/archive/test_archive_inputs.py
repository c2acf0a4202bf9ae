"""Names of files that are not there are failures of an archive, until the files are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from facemood import archive
from tests.archive.one_process import job_here
from tests.archive.photos import fill

pytest.importorskip("pyarrow.parquet", reason="needs the extra data")


def run_with_missing() -> list[str]:
    """Read a list with names that are not there; returns all that was told."""
    inputs = archive.find_archive_inputs(["in/000.jpg", "late.jpg", "nowhere/", "none-*.jpg", "in/000.txt"])
    job = job_here("out")
    summary = job.run(job.plan(inputs.names))
    summary.add_problems(inputs.problems)
    return sorted(name for name, _ in summary.failures)


def test_a_missing_file_is_recorded_told_each_time_and_read_when_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "in", 1)
    told = ["in/000.txt", "late.jpg", "none-*.jpg", "nowhere/"]
    assert run_with_missing() == told
    status = archive.read_status("out")
    assert [(name, "no such file" in reason) for name, reason in status.failures] == [("late.jpg", True)]
    assert run_with_missing() == told
    (tmp_path / "in" / "000.jpg").rename(tmp_path / "late.jpg")
    assert run_with_missing() == ["in/000.jpg", "in/000.txt", "none-*.jpg", "nowhere/"]
    status = archive.read_status("out")
    assert (status.inputs, status.rows, status.failures) == (2, 2, [])  # rows of a file that is gone stay
