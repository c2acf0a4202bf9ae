"""Archives from the command line: the same table as of one process, and only new inputs the next night."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from facemood import EmotionRecognizer
from tests.archive.photos import fill, rows_of
from tests.cli.conftest import command_in
from tests.videos import make_video, numbered_images

pytest.importorskip("pyarrow.parquet", reason="needs the extra data")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with 12 photos and a video, with a list of it, and with one of them and of a photo that is not there."""
    folder = tmp_path_factory.mktemp("place")
    fill(folder / "in", 12)
    make_video(folder / "in" / "clip.mp4", numbered_images(5))
    names = sorted(path.name for path in (folder / "in").iterdir())
    rows = [f"in/{name},{number}" for number, name in enumerate(names)]
    (folder / "list.txt").write_text("./in\n\n")
    (folder / "list.csv").write_text("path,participant\n" + "\n".join(rows) + "\nin/gone.jpg,x\n")
    return folder


@pytest.fixture(scope="module")
def full(place: Path) -> subprocess.CompletedProcess[str] | None:
    """A run that cannot write its parts; None on Windows."""
    if sys.platform == "win32":
        return None
    arguments = [sys.executable, "-m", "facemood", "analyze", "--from", "list.csv", "--workers", "1", "-o", "out/"]
    command = f"ulimit -f 8; exec {shlex.join(arguments)}"
    return subprocess.run(["bash", "-c", command], cwd=place, capture_output=True, text=True, timeout=120)


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files as a full disk does")
def test_a_run_that_cannot_write_stops_cleanly(place: Path, full: subprocess.CompletedProcess[str] | None) -> None:
    assert full is not None
    assert full.returncode == 3, full.stderr
    assert "run again: parts that are done stay" in full.stderr
    assert not [path for path in (place / "out" / "parts").iterdir() if not path.name.endswith(".lock")]


@pytest.mark.usefixtures("full")
def test_an_archive_goes_on_grows_and_is_collected(place: Path, recognizer: EmotionRecognizer) -> None:
    facemood = command_in(place)
    done = facemood("analyze", "--from", "list.csv", "--workers", 2, "-o", "out/", "--pictures")
    assert done.returncode == 1, done.stderr
    assert "0 of 14 inputs are done; reading 14" in done.stderr
    assert "in 2 new parts" in done.stderr
    assert done.stderr.count("in/gone.jpg: there is no such file") == 1
    assert len(list((place / "out" / "parts").iterdir())) == 2
    assert (place / "out" / "pictures" / "in" / "003.jpg.png").stat().st_size > 0
    assert (place / "out" / "pictures" / "in" / "clip.mp4.mp4").stat().st_size > 0
    again = facemood("analyze", "--from", "list.txt", "--workers", 2, "-o", "out/", "-q")
    assert (again.returncode, again.stderr) == (0, "")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        recognizer.analyze("in").to_csv("one.csv")
    told = facemood("archive", "collect", "out/", "-o", "all.csv")
    assert "of 14 inputs; 1 input could not be read" in told.stderr
    one, all_ = rows_of(place / "one.csv"), rows_of(place / "all.csv")
    assert [row[:-1] for row in all_] == one
    assert {row[-1] for row in all_} == {"participant", *map(str, range(13))}
    known = json.loads(facemood("archive", "status", "out/", "--json").stdout)
    assert (known["inputs"], known["planned"]) == (14, 13)  # the last run did not name the missing one
    assert [name for name, _ in known["failures"]] == ["in/gone.jpg"]


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals of POSIX")
def test_a_request_to_end_keeps_parts_and_leaves_nothing_over(tmp_path: Path) -> None:
    fill(tmp_path / "in", 3)
    os.mkfifo(tmp_path / "pipe.png")
    command = [sys.executable, "-m", "facemood", "analyze", "in", "pipe.png", "--workers", "1", "-o", "out/"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        ends = time.monotonic() + 60
        while not list(tmp_path.glob("out/parts/*.part")) and time.monotonic() < ends:
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        _, words = process.communicate(timeout=60)
    assert process.returncode == 143, words
    assert "run again to go on" in words
    assert [path.name for path in (tmp_path / "out" / "parts").iterdir() if not path.name.endswith(".lock")] == []


REFUSED = [
    (["--shard", "1/2"], "-o FOLDER/"),
    (["--shard", "1/2", "-o", "t.csv"], "-o FOLDER/"),
    (["--workers", "2", "-o", "t.csv", "--participants", "plan.csv"], "in one process"),
    (["--shard", "5/4", "-o", "out/"], "NUMBER/TOTAL"),
    (["--pictures", "-o", "out/"], "--workers N"),
    (["--workers", "2", "-o", "out/", "--json"], "--json does not go with an archive"),
    (["--workers", "2", "-o", "out/", "--overwrite"], "--overwrite does not go with an archive"),
    (["--segment", "10x", "-o", "t.csv"], "expected a duration such as 10m"),
    (["--segment", "10m", "-o", "t.csv", "--participants", "plan.csv"], "does not go with --segment"),
    (["--segment", "3s", "-o", "t.csv"], "segments must last 4 seconds or more"),
    (["--segment", "10m", "--baseline", "0-9", "-o", "t.csv"], "a baseline holds for a whole video"),
    (["-o", "s3://bucket/table.csv"], "only archives are written into an object store"),
]
"""Options that do not fit, and what the message says."""

ONE_AFTER_THE_OTHER = """
import contextlib, io, json, sys
from facemood.cli.entry import run

def told(arguments):
    sys.argv, words = ["facemood", "analyze", "in", *arguments], io.StringIO()
    with contextlib.redirect_stderr(words):
        try:
            run()
        except SystemExit as end:
            return end.code, words.getvalue()

print(json.dumps([told(arguments) for arguments in json.loads(sys.argv[1])]))
"""
"""Runs the command several times in one process."""


def test_options_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    fill(tmp_path / "in", 1)
    command = [sys.executable, "-c", ONE_AFTER_THE_OTHER, json.dumps([arguments for arguments, _ in REFUSED])]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    for (_, message), (code, words) in zip(REFUSED, json.loads(done.stdout), strict=True):
        assert code == 2, words
        assert message in " ".join(words.replace("│", " ").split())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]
