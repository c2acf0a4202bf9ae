"""Long videos in an archive: segments are parts, and the table is that of one process."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from facemood import EmotionRecognizer, OptionError, archive
from facemood.archive.archive_folder import ArchiveFolder
from facemood.archive.part import ArchivePart
from facemood.archive.part_work import PartWorker
from facemood.archive.planning import Planner
from facemood.archive.segment_edges import count_segments
from facemood.tracking import VideoOptions
from tests.archive.clips import SEGMENT, make_clip
from tests.archive.one_process import job_here
from tests.archive.test_planning import book_of
from tests.cli.conftest import command_in
from tests.videos import make_video, numbered_images

pytest.importorskip("pyarrow.parquet", reason="needs the extra data")

OPTIONS = VideoOptions(segment=SEGMENT)

DERIVED: dict[str, Any] = {"valence": True, "expressions": {"beam": "min(AU06, AU12)"}}
"""Derived measures, whose past begins anew at each seam."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a video, one that breaks off, and the table of one process."""
    folder = tmp_path_factory.mktemp("place")
    whole = make_clip(folder / "clip.mp4").read_bytes()
    (folder / "short.mp4").write_bytes(whole[: len(whole) * 4 // 10])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        recognizer = EmotionRecognizer(threads=1, **DERIVED)
        recognizer.analyze(["clip.mp4", "short.mp4"], segment=SEGMENT).to_csv("one.csv")
    return folder


def collected(folder: str) -> bytes:
    """The table of an archive."""
    archive.collect(folder, f"{folder}.csv")
    return Path(f"{folder}.csv").read_bytes()


def test_segments_in_any_order_give_the_table_of_one_process(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    job = job_here("here", video=OPTIONS, **DERIVED)
    plan = job.plan(["clip.mp4", "short.mp4"])
    assert [[(item.segment, item.segments) for item in part.items] for part in plan.parts] == [
        [(0, 3)], [(1, 3)], [(2, 3)]] * 2  # fmt: skip
    assert (plan.inputs, plan.left, plan.items) == (2, 2, 6)
    done, plan.parts = plan.parts[3:], plan.parts[2::-1]
    assert job.run(plan).failures == []
    assert collected("here") == b"".join(
        line for line in Path("one.csv").read_bytes().splitlines(keepends=True) if not line.startswith(b"short")
    )
    plan = job.plan(["clip.mp4", "short.mp4"])
    assert (plan.done, plan.changed, [part.id for part in plan.parts]) == (1, 0, [part.id for part in done])
    assert job.run(plan).failures == []  # the last segments of the short one are not there, and that is no failure
    assert collected("here") == Path("one.csv").read_bytes()
    status = archive.read_status("here")
    assert (status.inputs, status.parts, status.failures) == (2, 6, [])
    assert job.plan(["clip.mp4", "short.mp4"]).parts == []


@pytest.mark.parametrize("output", ["two/", "two.csv"])
def test_two_processes_share_a_video(place: Path, monkeypatch: pytest.MonkeyPatch, output: str) -> None:
    monkeypatch.chdir(place)
    derived = ["--valence", "--expression", "beam = min(AU06, AU12)"]
    inputs = ["clip.mp4", "short.mp4", "--segment", "4s", *derived]
    done = command_in(place)("analyze", *inputs, "--workers", 2, "-o", output)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("short.mp4: the video breaks off at 2.33 s") == 1  # though each segment finds it
    if output.endswith("/"):
        assert "in 6 new parts" in done.stderr
        collected("two")
    assert Path("two.csv").read_bytes() == Path("one.csv").read_bytes()


def test_the_progress_of_a_part_is_the_share_of_its_video(
    place: Path, monkeypatch: pytest.MonkeyPatch, recognizer: EmotionRecognizer
) -> None:
    monkeypatch.chdir(place)
    job = job_here("progress", video=OPTIONS)
    part = job.plan(["clip.mp4"]).parts[1]
    shares: list[float] = []
    PartWorker(job.reading, recognizer, ArchiveFolder(job.folder)).work(part, lambda done, failed: shares.append(done))
    assert shares == sorted(shares)
    assert len({share for share in shares if 0 < share < 1}) > 1


def test_a_segment_that_cannot_be_read_is_told_once_for_its_video(
    place: Path, monkeypatch: pytest.MonkeyPatch, recognizer: EmotionRecognizer
) -> None:
    monkeypatch.chdir(place)
    job = job_here("killed", video=OPTIONS)
    parts = job.plan(["clip.mp4"]).parts
    worker = PartWorker(job.reading, recognizer, ArchiveFolder(job.folder))
    for part in parts:
        worker.work(part.given_up("it died"))
    status = archive.read_status("killed")
    assert status.failures == [("clip.mp4", "segment 1 of 3: it died")]
    assert (status.inputs, status.rows) == (1, 0)
    again = job_here("killed", video=OPTIONS, retry=True).plan(["clip.mp4"])
    assert [(item.segment, item.generation) for part in again.parts for item in part.items] == [(0, 1), (1, 1), (2, 1)]


def test_a_video_that_grows_is_cut_anew_and_its_old_segments_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def planned(*known: ArchivePart) -> list[tuple[int, int, int]]:
        plan = Planner(book_of(*known), "key", segment=10.0).plan(["a.mp4"])
        parts.extend(plan.parts)
        return [(item.segment, item.segments, item.generation) for part in plan.parts for item in part.items]

    parts: list[ArchivePart] = []
    make_video(Path("a.mp4"), numbered_images(22), fps=1)
    assert planned() == [(0, 2, 0), (1, 2, 0)]
    first = parts[:2]
    assert planned(*first) == []
    assert planned(first[1]) == [(0, 2, 0)]
    make_video(Path("a.mp4"), numbered_images(40), fps=1)
    os.utime("a.mp4", ns=(0, 7))
    assert planned(*first) == [(0, 4, 1), (1, 4, 1), (2, 4, 0), (3, 4, 0)]
    second = parts[-4:]
    book = book_of(*first, *second[:1])
    old, new = (part.items[0] for part in (first[1], second[0]))
    assert book.current_entry(old, str(tmp_path)) is None
    assert book.current_entry(new, str(tmp_path)) is not None


def test_only_videos_in_which_times_are_found_are_cut(tmp_path: Path) -> None:
    long = make_video(tmp_path / "a.mp4", numbered_images(31), fps=1)
    assert count_segments(str(long), 10) == 3
    assert count_segments(str(long), 29) == 1
    assert count_segments(str(make_video(tmp_path / "a.avi", numbered_images(31), fps=1)), 10) == 1
    (tmp_path / "bad.mp4").write_bytes(long.read_bytes()[:999])
    assert count_segments(str(tmp_path / "bad.mp4"), 10) == 1


def test_drawn_videos_are_not_made_of_segments() -> None:
    with pytest.raises(OptionError, match="leave out --pictures, or --segment"):
        archive.ArchiveJob(archive.Reading(video=OPTIONS), Path("out"), looks={})
