"""Several processes write the very files that one process writes, whatever dies."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from facemood import EmotionRecognizer
from facemood.archive import OrderedReading, Reading
from facemood.errors import FacemoodError
from facemood.results import Result
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
