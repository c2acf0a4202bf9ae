"""Several processes write the very files that one process writes, whatever dies."""

from __future__ import annotations

import os
import pickle
import signal
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from facemood import EmotionRecognizer
from facemood.archive import OrderedReading, Reading
from facemood.archive.ordered_reading import _joined, _Turn
from facemood.archive.reading import ReadTask
from facemood.archive.worker_process import WorkerMessage, WorkerProcess
from facemood.errors import FacemoodError, VideoError
from facemood.results import Result
from facemood.tracking import VideoOptions
from facemood.video_segments import SegmentTimes
from tests.archive.killing import children_of, killing_readers
from tests.archive.photos import fill
from tests.cli.conftest import command_in
from tests.videos import make_video, numbered_images


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with photos, two videos and a damaged photo, whose names alternate."""
    folder = tmp_path_factory.mktemp("place")
    fill(folder / "in", 20)
    make_video(folder / "in" / "005.mp4", numbered_images(24))
    make_video(folder / "in" / "015.mp4", numbered_images(24))
    (folder / "in" / "009-damaged.jpg").write_bytes(b"\xff\xd8\xff no photo")
    return folder


def test_tasks_are_a_few_photos_or_a_video(place: Path) -> None:
    tasks = OrderedReading(Reading(), 2).tasks([*(f"{number}.jpg" for number in range(9)), "a.mp4", "b.jpg"])
    assert [(len(task.names), task.moving) for task in tasks] == [(8, True), (1, True), (1, True), (1, True)]


def test_a_long_video_is_a_task_for_each_segment(tmp_path: Path) -> None:
    video = str(make_video(tmp_path / "a.mp4", numbered_images(31), fps=1))
    tasks = OrderedReading(Reading(video=VideoOptions(segment=10)), 2).tasks(["a.jpg", video])
    assert [(task.segment, task.segments) for task in tasks] == [(0, 1), (0, 3), (1, 3), (2, 3)]


def test_segments_are_joined_and_a_video_ends_where_it_cannot_be_read() -> None:
    tasks = {name: [ReadTask((name,), True, number, 2) for number in (0, 1)] for name in ("a.mp4", "b.mp4")}
    error = VideoError("b.mp4: broken")

    def said(name: str, number: int, *times: float) -> list[tuple[ReadTask, str, Any]]:
        return [(tasks[name][number], "result", Result(name, timestamp=time)) for time in times]

    messages = [
        *said("a.mp4", 0, 0, 9), (tasks["a.mp4"][0], "advance", 2), *said("a.mp4", 1, 9, 10),
        *said("b.mp4", 0, 0), (tasks["b.mp4"][0], "failure", ("b.mp4", error)), *said("b.mp4", 1, 10),
        (ReadTask(("c.jpg",), True), "result", Result("c.jpg")),
    ]  # fmt: skip
    joined = list(_joined(iter(messages), SegmentTimes.of(VideoOptions(segment=10))))
    assert [(value.source, value.timestamp) for kind, value in joined if kind == "result"] == [
        ("a.mp4", 0), ("a.mp4", 9), ("a.mp4", 10), ("b.mp4", 0), ("c.jpg", None)]  # fmt: skip
    assert [value for kind, value in joined if kind == "failure"] == [("b.mp4", error)]
    assert sum(value for kind, value in joined if kind == "advance") == 4


def test_the_progress_counts_each_pass_over_a_video(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    told: list[tuple[int, int | None]] = []
    reading = OrderedReading(Reading(video=VideoOptions(people="auto")), 1)
    results = reading.results(["in/003.jpg", "in/005.mp4"], on_error=lambda name, error: None,
                              progress=lambda done, total: told.append((done, total)))  # fmt: skip
    assert len(list(results)) == 25
    assert (told[0], told[-1]) == ((0, 49), (49, 49))


def test_the_progress_counts_what_waits_for_its_turn() -> None:
    turn, worker = _Turn(ReadTask(("a.mp4",), True)), cast("WorkerProcess", None)  # who says it does not matter
    for kind, value in [("result", pickle.dumps("first")), ("advance", 8), ("advance", 3)]:
        turn.add(WorkerMessage(worker, kind, value))
    assert turn.ahead == 11
    said = turn.take()
    assert [next(said), next(said)] == [("result", "first"), ("advance", 8)]
    assert turn.ahead == 3


def test_the_progress_grows_to_the_number_of_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_video(tmp_path / "long.mp4", numbered_images(40))
    make_video(tmp_path / "short.mp4", numbered_images(8))
    told: list[int] = []
    reading = OrderedReading(Reading(), 2)
    names = ["long.mp4", "short.mp4"]
    results = reading.results(names, on_error=lambda *error: None, progress=lambda done, total: told.append(done))
    assert [one.source for one in results] == ["long.mp4"] * 40 + ["short.mp4"] * 8
    assert (told, told[-1]) == (sorted(told), 48)


def test_the_progress_of_segments_ends_at_the_number_of_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_video(tmp_path / "cut.mp4", numbered_images(120))
    told: list[tuple[int, int | None]] = []
    reading = OrderedReading(Reading(video=VideoOptions(segment=4.0)), 2)
    results = reading.results(["cut.mp4"], on_error=lambda *error: None, progress=lambda *now: told.append(now))
    frames = len(list(results))
    assert frames == 120
    assert {total for _, total in told} == {frames}
    assert [done for done, _ in told] == sorted(min(done, frames) for done, _ in told)
    assert told[-1] == (frames, frames)


def test_the_command_writes_the_files_of_one_process(place: Path) -> None:
    facemood = command_in(place)
    outputs = ["t.csv", "{name}.html", "pictures/"]
    words = []
    for name, more in (("one", ["--threads", 1]), ("several", ["--workers", 2])):
        (place / name).mkdir()
        named = [part for output in outputs for part in ("-o", f"{name}/{output}")]
        done = facemood("analyze", "in", "--draw", "map", "--baseline", "0-1", *named, *more)
        assert done.returncode == 1, done.stderr
        words.append(done.stderr.replace(name, ""))
    assert words[0] == words[1]
    one, several = (
        {path.relative_to(place / name): path for path in (place / name).rglob("*") if path.is_file()}
        for name in ("one", "several")
    )
    assert len(one) > 40
    assert one.keys() == several.keys()
    assert [str(name) for name in one if content(one[name]) != content(several[name])] == []


def content(file: Path) -> bytes | list[str]:
    """The bytes of a file; of the record of a run its lines, sorted, without the names of the folder and the inode."""
    if file.suffix != ".json":
        return file.read_bytes()
    lines = file.read_text().replace("several/", "one/").splitlines()
    return sorted(line.rstrip(",") for line in lines if '"inode"' not in line)


def without_times(result: Result) -> dict[str, Any]:
    """A result without the times that it took."""
    return {key: value for key, value in result.to_dict().items() if key != "speed"}


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc, and kills them")
def test_deaths_leave_the_results_as_they_are_and_a_killing_input_is_listed(
    place: Path, recognizer: EmotionRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    names = sorted(map(str, Path("in").iterdir()))
    told: list[str] = []
    results = recognizer.stream(names, on_error=lambda name, error: told.append(name))
    expected = list(map(without_times, results))
    failures: list[tuple[str, str]] = []

    def on_error(name: str, error: FacemoodError) -> None:
        failures.append((name, str(error)))

    names.insert(3, "killer.png")
    got = []
    with killing_readers(place / "killer.png"):
        for result in OrderedReading(Reading(images=True), 2).results(names, on_error=on_error):
            got.append(without_times(result))
            if (
                result.source == "in/005.mp4" and result.index == 3
            ):  # handed on in part; the others do not fit into a pipe
                for child in children_of(os.getpid()):
                    os.kill(child, signal.SIGKILL)
    assert got == expected
    assert [name for name, _ in failures] == ["killer.png", *told]
    assert failures[0][1] == "killer.png: the process that read it died 2 times (SIGKILL)"
    assert children_of(os.getpid()) == []
