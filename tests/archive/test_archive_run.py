"""Archives with real processes: rows as of one process, whatever is killed, and nothing twice or lost."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from facemood import EmotionRecognizer, archive
from facemood.archive import archive_run, part_work
from facemood.archive.made_by import made_by
from facemood.errors import OutputConflictError, OutputError, SourceError
from tests.archive.killing import children_of, killing_readers
from tests.archive.one_process import job_here, run_here
from tests.archive.photos import fill, place_of, rows_of, sources_of

pytest.importorskip("pyarrow.parquet", reason="needs the extra data")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc, and kills them")

COUNT = 24

SIZE = 4
"""Photos of a part."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with photos in it, and small parts. Each test has an archive of its own there."""
    folder = tmp_path_factory.mktemp("place")
    fill(folder / "in", COUNT)
    with place_of(folder, size=SIZE) as place:
        yield place


@pytest.fixture(scope="module")
def expected(place: Path, recognizer: EmotionRecognizer) -> list[tuple[str, ...]]:
    """The rows of one process."""
    recognizer.analyze("in").to_csv("one.csv")
    return rows_of(place / "one.csv")


def collected(folder: Path) -> list[tuple[str, ...]]:
    """The rows of an archive."""
    archive.collect(folder, folder.parent / "all.csv")
    return rows_of(folder.parent / "all.csv")


def parts_in(folder: Path) -> int:
    return len(list((folder / "parts").glob("[!.]*.parquet")))


def test_shards_and_growing_folders_give_the_rows_of_one_process(place: Path, expected: list[tuple[str, ...]]) -> None:
    late = place / "in" / "023.jpg"
    late.rename(place / "late.jpg")
    archive.run("in", "grown", workers=1, shard="1/2")
    run_here("in", "grown", shard="2/2")
    (place / "late.jpg").rename(late)
    grown = run_here("in", "grown")
    assert (grown.inputs, grown.known, grown.parts, grown.rows) == (COUNT, COUNT - 1, 1, 1)
    assert collected(place / "grown") == expected
    assert archive.run("in", "grown", workers=2).read == 0
    status = archive.read_status("grown")
    assert (status.inputs, status.failures, status.busy) == (COUNT, [], 0)
    assert [path.name for path in (place / "grown" / "parts").iterdir() if path.name.startswith(".")] == []


def command_of(call: str) -> list[str]:
    """A process that makes one call."""
    return [sys.executable, "-c", "from facemood import archive\nfrom facemood.archive import planning\n"
            f"from tests.archive.one_process import run_here\nplanning.PART_PHOTOS = {SIZE}\n{call}"]  # fmt: skip


def test_a_killed_run_and_two_runs_at_once_lose_nothing(place: Path, expected: list[tuple[str, ...]]) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command_of("archive.run('in', 'killed', workers=1)"), env=environment) as running:
        ends = time.monotonic() + 60
        while parts_in(place / "killed") < 2 and time.monotonic() < ends:
            time.sleep(0.01)
        running.kill()
    before = parts_in(place / "killed")
    assert 2 <= before < COUNT // SIZE
    jobs = [subprocess.Popen(command_of("run_here('in', 'killed')"), env=environment) for _ in range(2)]
    assert [job.wait(120) for job in jobs] == [0, 0]
    assert parts_in(place / "killed") == COUNT // SIZE
    assert collected(place / "killed") == expected
    assert archive.run("in", "killed").read == 0


def test_deaths_cost_nothing_and_an_input_that_kills_is_found(place: Path, expected: list[tuple[str, ...]]) -> None:
    (place / "bad").mkdir()
    (place / "bad" / "damaged.jpg").write_bytes(b"\xff\xd8\xff no photo")
    names = [f"in/{number:03d}.jpg" for number in range(COUNT)]
    names[6:6] = ["bad/killer.png", "bad/damaged.jpg"]
    killed: list[int] = []

    def kill_one(progress: archive.ArchiveProgress) -> None:
        if not killed and progress.done >= SIZE:
            killed.extend(children_of(os.getpid())[:1])
            os.kill(killed[0], signal.SIGKILL)

    with killing_readers(place / "bad" / "killer.png"):
        summary = archive.run([*names, "in/none.jpg"], "deaths", workers=2, progress=kill_one)
    assert killed
    failures = dict(summary.failures)
    assert sorted(failures) == ["bad/damaged.jpg", "bad/killer.png", "in/none.jpg"]
    assert failures["bad/killer.png"] == "the process that read it died 2 times (SIGKILL)"
    assert [path.name for path in (place / "deaths" / "parts").iterdir() if path.name.startswith(".")] == []
    assert collected(place / "deaths") == expected
    assert [name for name, _ in archive.read_status("deaths").failures] == sorted(failures)
    assert archive.run(names, "deaths").read == 0


def test_a_source_that_changes_while_it_is_read_is_told_and_read_again(place: Path) -> None:
    names = ["changing/003.jpg", "changing/004.jpg"]
    fill(place / "changing", 5)
    job = job_here("changed")
    plan = job.plan(names)
    shutil.copy(names[0], names[1])
    summary = job.run(plan)
    assert [name for name, _ in summary.failures] == [names[1]]
    assert "changed while it was read" in summary.failures[0][1]
    again = run_here(names, "changed")
    assert (again.read, again.changed, again.failures) == (1, 1, [])
    archive.collect("changed", "all.csv")
    assert sources_of(place / "all.csv") == names


def test_mixed_settings_are_refused_unless_told(place: Path) -> None:
    run_here(["in/000.jpg", "in/001.jpg"], "mixed")
    run_here(["in/001.jpg"], "mixed", min_face=60)
    with pytest.raises(OutputConflictError, match="the rows of 1 input were made with other settings"):
        archive.collect("mixed", "all.csv")
    archive.collect("mixed", "all.csv", mixed=True)
    assert sources_of(place / "all.csv") == ["in/000.jpg", "in/001.jpg"]


@pytest.mark.parametrize(
    ("fact", "hint"), [("numpy", ""), ("processor", r" \(rows then differ in their last decimals\)")]
)
def test_parts_of_different_makers_are_refused_unless_told(
    place: Path, monkeypatch: pytest.MonkeyPatch, fact: str, hint: str
) -> None:
    run_here(["in/000.jpg"], fact)
    own = made_by("cpu", "fp32")
    monkeypatch.setattr(part_work, "made_by", lambda device, precision: {**made_by(device, precision), fact: "other"})
    run_here(["in/000.jpg", "in/001.jpg"], fact)
    values = ", ".join(sorted((own[fact], "other")))
    with pytest.raises(OutputConflictError, match=rf"{re.escape(f'({fact}: {values})')}{hint}; read the inputs again"):
        archive.collect(fact, "all.csv")
    archive.collect(fact, "all.csv", mixed=True)
    assert sources_of(place / "all.csv") == ["in/000.jpg", "in/001.jpg"]


def test_what_cannot_be_an_archive_is_refused(place: Path) -> None:
    with pytest.raises(OutputConflictError, match="holds other files"):
        archive.run("in/000.jpg", "in", workers=1)
    with pytest.raises(SourceError, match="is no archive"):
        archive.collect("in", "all.csv")
    with pytest.raises(OutputConflictError, match="unknown kind of table"):
        archive.collect("new", "all.txt")
    with pytest.raises(OutputError):
        archive.run("in/000.jpg", "in/000.jpg/out", workers=1)
    assert list(archive_run.outside(Path("out"), ["in/a.jpg"])) == ["in/a.jpg"]
    with pytest.raises(OutputConflictError, match="a folder of its own"):
        list(archive_run.outside(Path("out"), ["out/a.jpg"]))
