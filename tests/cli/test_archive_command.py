"""Archives from the command line: the same table as of one process, and only new inputs the next night."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.archive.photos import fill, rows_of
from tests.cli.conftest import Run
from tests.videos import make_video, numbered_images

pytest.importorskip("pyarrow.parquet", reason="needs the extra data")


def test_an_archive_is_read_once_grows_and_is_collected(facemood: Run, tmp_path: Path) -> None:
    fill(tmp_path / "in", 12)
    make_video(tmp_path / "in" / "clip.mp4", numbered_images(5))
    names = sorted(path.name for path in (tmp_path / "in").iterdir())
    rows = [f"in/{name},{number}" for number, name in enumerate(names)]
    (tmp_path / "list.csv").write_text("path,participant\n" + "\n".join(rows) + "\nin/gone.jpg,x\n")
    done = facemood("analyze", "--from", "list.csv", "--workers", 2, "-o", "out/", "--pictures")
    assert done.returncode == 1, done.stderr
    assert "0 of 13 inputs are done; reading 13" in done.stderr
    assert "in/gone.jpg: there is no such file" in done.stderr
    assert (tmp_path / "out" / "pictures" / "in" / "003.jpg.png").stat().st_size > 0
    assert (tmp_path / "out" / "pictures" / "in" / "clip.mp4.mp4").stat().st_size > 0
    again = facemood("analyze", "in", "--workers", 2, "-o", "out/", "-q")
    assert (again.returncode, again.stderr) == (0, "")
    assert facemood("analyze", "in", "-o", "one.csv", "-q").returncode == 0
    told = facemood("archive", "collect", "out/", "-o", "all.csv")
    assert "of 13 inputs" in told.stderr
    one, all_ = rows_of(tmp_path / "one.csv"), rows_of(tmp_path / "all.csv")
    assert [row[:-1] for row in all_] == one
    assert {row[-1] for row in all_} == {"participant", *map(str, range(13))}
    known = json.loads(facemood("archive", "status", "out/", "--json").stdout)
    assert (known["inputs"], known["planned"], known["failures"]) == (13, 13, [])


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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--workers", "2"], "-o FOLDER/"),
        (["--workers", "2", "-o", "t.csv"], "-o FOLDER/"),
        (["--shard", "5/4", "-o", "out/"], "NUMBER/TOTAL"),
        (["--pictures", "-o", "out/"], "--workers N"),
        (["--workers", "2", "-o", "out/", "--json"], "--json does not go with an archive"),
    ],
)
def test_options_that_do_not_fit_are_refused(facemood: Run, tmp_path: Path, arguments: list[str], message: str) -> None:
    fill(tmp_path / "in", 1)
    done = facemood("analyze", "in", *arguments)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.replace("│", " ").split())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


@pytest.mark.skipif(sys.platform == "win32", reason="limits the size of files as a full disk does")
def test_a_run_that_cannot_write_stops_cleanly_and_goes_on_later(facemood: Run, tmp_path: Path) -> None:
    fill(tmp_path / "in", 2)
    command = "ulimit -f 8; exec " + " ".join(
        [sys.executable, "-m", "facemood", "analyze", "in", "--workers", "1", "-o", "out/"]
    )
    full = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert full.returncode == 3, full.stderr
    assert "run again: parts that are done stay" in full.stderr
    assert not [path for path in (tmp_path / "out" / "parts").iterdir() if not path.name.endswith(".lock")]
    later = facemood("analyze", "in", "--workers", 1, "-o", "out/")
    assert later.returncode == 0, later.stderr
    assert "2 rows in 1 new part" in later.stderr
    assert len(list((tmp_path / "out" / "parts").iterdir())) == 1
