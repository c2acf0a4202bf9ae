"""Archives with real processes: rows as of one process, whatever is killed, and nothing twice or lost."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from facemood import EmotionRecognizer, archive
from facemood.archive import archive_run, planning
from facemood.errors import OutputConflictError, OutputError, SourceError
from tests.archive.photos import fill, rows_of, sources_of

pytest.importorskip("pyarrow.parquet", reason="needs the extra data")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc, and kills them")

COUNT = 24

SIZE = 4
"""Photos of a part."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with photos in it, and small parts."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(planning, "PART_PHOTOS", SIZE)
    fill(tmp_path / "in", COUNT)
    return tmp_path


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, ...]]:
    """The rows of one process."""
    folder = tmp_path_factory.mktemp("one")
    fill(folder / "in", COUNT)
    before = Path.cwd()
    os.chdir(folder)
    try:
        EmotionRecognizer(threads=1).analyze("in").to_csv("one.csv")
    finally:
        os.chdir(before)
    return rows_of(folder / "one.csv")


def collected(folder: Path) -> list[tuple[str, ...]]:
    """The rows of an archive."""
    archive.collect(folder, folder.parent / "all.csv")
    return rows_of(folder.parent / "all.csv")


def children_of(pid: int) -> list[int]:
    """The processes that a process started."""
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdecimal() and _parent_of(entry) == pid and b"archive_worker" in _command_of(entry)
    ]


def _parent_of(entry: Path) -> int:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return -1


def _command_of(entry: Path) -> bytes:
    try:
        return (entry / "cmdline").read_bytes()
    except OSError:
        return b""


def parts_in(folder: Path) -> int:
    return len(list((folder / "parts").glob("[!.]*.parquet")))


def test_shards_and_growing_folders_give_the_rows_of_one_process(place: Path, expected: list[tuple[str, ...]]) -> None:
    late = place / "in" / "023.jpg"
    late.rename(place / "late.jpg")
    for shard in ("1/2", "2/2"):
        archive.run("in", "out", workers=1, shard=shard)
    (place / "late.jpg").rename(late)
    grown = archive.run("in", "out", workers=2)
    assert (grown.inputs, grown.known, grown.parts, grown.rows) == (COUNT, COUNT - 1, 1, 1)
    assert collected(place / "out") == expected
    assert archive.run("in", "out", workers=2).read == 0
    status = archive.read_status("out")
    assert (status.inputs, status.failures, status.busy) == (COUNT, [], 0)
    assert [path.name for path in (place / "out" / "parts").iterdir() if path.name.startswith(".")] == []


def test_the_death_of_a_worker_costs_nothing(place: Path, expected: list[tuple[str, ...]]) -> None:
    killed: list[int] = []

    def kill_one(progress: archive.ArchiveProgress) -> None:
        if not killed and progress.done >= SIZE:
            killed.extend(children_of(os.getpid())[:1])
            os.kill(killed[0], signal.SIGKILL)

    summary = archive.run("in", "out", workers=2, progress=kill_one)
    assert killed
    assert summary.failures == []
    assert collected(place / "out") == expected


def test_a_killed_run_and_two_runs_at_once_lose_nothing(place: Path, expected: list[tuple[str, ...]]) -> None:
    command = [sys.executable, "-c", "from facemood import archive\nfrom facemood.archive import planning\n"
               "planning.PART_PHOTOS = 4\narchive.run('in', 'out', workers=1)"]  # fmt: skip
    with subprocess.Popen(command, cwd=place) as running:
        ends = time.monotonic() + 60
        while parts_in(place / "out") < 2 and time.monotonic() < ends:
            time.sleep(0.01)
        running.kill()
    before = parts_in(place / "out")
    assert before < COUNT // SIZE
    jobs = [subprocess.Popen(command, cwd=place) for _ in range(2)]
    assert [job.wait(120) for job in jobs] == [0, 0]
    assert parts_in(place / "out") == COUNT // SIZE
    assert collected(place / "out") == expected
    assert archive.run("in", "out").read == 0


@pytest.fixture
def killer(place: Path) -> Iterator[str]:
    """An input that kills the process that reads it: a pipe, whose reader gets SIGKILL."""
    pipe = place / "in" / "005-killer.png"
    os.mkfifo(pipe)
    stop = threading.Event()

    def kill_readers() -> None:
        while not stop.is_set():
            for pid in children_of(os.getpid()):
                with contextlib.suppress(OSError):  # the process, or a file of it, may be gone by now
                    if any(os.path.realpath(handle) == str(pipe) for handle in _open_files(pid)):
                        os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)

    def open_for_readers() -> None:
        while not stop.is_set():
            try:
                handle = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
            except OSError:  # nobody reads it
                time.sleep(0.005)
                continue
            time.sleep(0.1)  # the reader has opened it, and waits for data
            os.close(handle)

    threads = [threading.Thread(target=kill_readers), threading.Thread(target=open_for_readers)]
    for thread in threads:
        thread.start()
    yield f"in/{pipe.name}"
    stop.set()
    for thread in threads:
        thread.join()


def _open_files(pid: int) -> list[str]:
    try:
        return [f"/proc/{pid}/fd/{name}" for name in os.listdir(f"/proc/{pid}/fd")]
    except OSError:
        return []


def test_an_input_that_kills_its_process_is_found_and_listed(
    place: Path, killer: str, expected: list[tuple[str, ...]]
) -> None:
    (place / "in" / "damaged.jpg").write_bytes(b"\xff\xd8\xff no photo")
    names = sorted([*(f"in/{number:03d}.jpg" for number in range(COUNT)), "in/damaged.jpg", killer])
    summary = archive.run([*names, "in/none.jpg"], "out", workers=2)
    failures = dict(summary.failures)
    assert sorted(failures) == ["in/005-killer.png", "in/damaged.jpg", "in/none.jpg"]
    assert failures[killer] == "the process that read it died 2 times (SIGKILL)"
    assert collected(place / "out") == expected
    assert archive.run(names, "out").read == 0


def test_a_source_that_changes_while_it_is_read_is_told_and_read_again(place: Path) -> None:
    reading = archive.Reading()
    job = archive.ArchiveJob(reading, Path("out"), 1)
    plan = job.plan(["in/003.jpg", "in/004.jpg"])
    shutil.copy("in/013.jpg", "in/004.jpg")
    summary = job.run(plan)
    assert [name for name, _ in summary.failures] == ["in/004.jpg"]
    assert "changed while it was read" in summary.failures[0][1]
    again = archive.run(["in/003.jpg", "in/004.jpg"], "out", workers=1)
    assert (again.read, again.changed, again.failures) == (1, 1, [])
    archive.collect("out", "all.csv")
    assert sources_of(place / "all.csv") == ["in/003.jpg", "in/004.jpg"]


def test_mixed_settings_and_versions_are_refused_unless_told(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive.run(["in/000.jpg", "in/001.jpg"], "out", workers=1)
    archive.run(["in/001.jpg"], "out", workers=1, min_face=60)
    with pytest.raises(OutputConflictError, match="1 inputs were only read with other settings"):
        archive.collect("out", "all.csv")
    archive.collect("out", "all.csv", mixed=True)
    assert sources_of(place / "all.csv") == ["in/000.jpg", "in/001.jpg"]


def test_what_cannot_be_an_archive_is_refused(place: Path) -> None:
    with pytest.raises(OutputConflictError, match="holds other files"):
        archive.run("in/000.jpg", "in", workers=1)
    with pytest.raises(SourceError, match="is no archive"):
        archive.collect("in", "all.csv")
    with pytest.raises(OutputConflictError, match="unknown kind of table"):
        archive.collect("out", "all.txt")
    with pytest.raises(OutputError):
        archive.run("in/000.jpg", "in/000.jpg/out", workers=1)
    assert list(archive_run.outside(Path("out"), ["in/a.jpg"])) == ["in/a.jpg"]
    with pytest.raises(OutputConflictError, match="a folder of its own"):
        list(archive_run.outside(Path("out"), ["out/a.jpg"]))
