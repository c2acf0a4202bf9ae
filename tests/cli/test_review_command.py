"""``facemood review`` as users run it: the page in a process that is killed and goes on; report and export."""

from __future__ import annotations

import contextlib
import csv
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from facemood.review import LabelStore, open_review
from tests.cli.conftest import START, Run, started
from tests.review.conftest import label_all, read_once, run

assert read_once
assert run  # fixtures


@pytest.fixture
def out(run: Path) -> Path:
    """A copy of the table, in the folder in which the command runs."""
    return run


@pytest.fixture
def labelled(out: Path) -> LabelStore:
    """A review in which a person says what facemood says, but happy once more."""
    store = open_review(out, count=12)
    answers = [moment.label for moment in store.sample.moments.values()]
    label_all(store, "Anna", lambda place: answers[place] if place else "happy")
    return store


@contextlib.contextmanager
def page(out: Path) -> Iterator[tuple[httpx.Client, subprocess.Popen[str]]]:
    """Start the page, and open the address that it prints."""
    with started("review", out, "--moments", 6) as (link, process):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{32}", link)
        address, _, token = link.partition("?token=")
        with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
            yield client, process


def label(client: httpx.Client, count: int) -> None:
    """Label the next moments."""
    session = client.get("/session", params={"rater": "Anna"}).json()
    left = [moment for moment in session["moments"] if moment not in session["given"]]
    for moment in left[:count]:
        answer = client.post("/labels", json={"rater": "Anna", "moment": moment, "label": "happy"})
        assert answer.status_code == 200


def test_nothing_is_lost_when_it_is_killed(out: Path, read_once: Path) -> None:
    before = {path: path.read_bytes() for path in [*out.iterdir(), *(read_once / "in").iterdir()]}
    with page(out) as (client, process):
        label(client, 4)
        process.kill()
        process.wait(60)
    assert len(open_review(out).given["Anna"]) == 4
    with page(out) as (client, process):
        assert client.get("/raters").json()["raters"] == {"Anna": 4}
        second = subprocess.run(
            [sys.executable, "-c", START, "review", str(out), "--port", "0"],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert second.returncode == 3  # a second page of the same review is refused
        assert "another process" in second.stderr
        label(client, 2)
        process.send_signal(signal.SIGINT)
        printed, words = process.communicate(timeout=60)
    assert (process.returncode, printed) == (0, "")
    assert f"the labels are in {out / 'review'}" in words
    assert len(open_review(out).given["Anna"]) == 6
    assert {path: path.read_bytes() for path in before} == before
    assert sorted(path.name for path in (out / "review").iterdir()) == ["Anna.labels.csv", "sample.json"]


def test_the_agreement_is_written(facemood: Run, out: Path, labelled: LabelStore) -> None:
    done = facemood("review", "out", "-o", "agreement.csv")
    assert (done.returncode, done.stdout) == (0, "")
    assert re.search(r"uniform\s+Anna - facemood\s+12\s+\d+\.\d%\s+", done.stderr)
    with (out.parent / "agreement.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert "facemood_codebook" in (out.parent / "agreement.csv.json").read_text()
    assert (rows[0]["sample"], rows[0]["first"], rows[0]["second"]) == ("uniform", "Anna", "facemood")
    assert facemood("review", "out", "-o", "agreement.html", "-q").stderr == ""
    assert "95% interval" in (out.parent / "agreement.html").read_text()


def test_the_faces_are_exported(facemood: Run, out: Path, labelled: LabelStore) -> None:
    done = facemood("review", "out", "--export", "faces", "--rater", "anna")
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert done.stderr.startswith("faces: 12 faces: ")
    assert len(list((out.parent / "faces").glob("*/*.png"))) == 12
    again = facemood("review", "out", "--export", "faces")
    assert again.returncode == 2
    assert "there are files already" in again.stderr


def test_a_label_that_cannot_be_a_folder_is_told(facemood: Run, out: Path) -> None:
    for file in (out / "rows.csv", out / "rows.csv.json"):
        file.write_text(file.read_text().replace("neutral", "so/so").replace("happy", "so/so"))
    store = open_review(out, count=6)
    label_all(store, "Anna", lambda place: "so/so")
    done = facemood("review", "out", "--export", "faces")
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert "'so/so' cannot be the name of a folder: its faces are in so_so" in done.stderr
    assert len(list((out.parent / "faces" / "so_so").glob("*.png"))) == 6


def test_nothing_is_written_over(facemood: Run, out: Path, labelled: LabelStore) -> None:
    for name in ("out/rows.csv", "out/review/Anna.labels.csv"):
        before = (out.parent / name).read_bytes()
        done = facemood("review", "out", "-o", name)
        assert done.returncode == 2
        assert "this would write over the input" in done.stderr
        assert (out.parent / name).read_bytes() == before


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["missing"], 3, "no table of faces here"),
        (["out", "-o", "agreement.pdf"], 2, "ends in .html or .csv"),
        (["out", "--more", "rarer"], 2, "unknown sample 'rarer'"),
        (["out", "--moments", "0"], 2, "equal to 1"),
        (["out", "--export", "faces"], 2, "no face is labelled"),
        (["out", "--rater", "Anna"], 2, "give --export FOLDER too"),
    ],
)
def test_wrong_usage_is_told(facemood: Run, out: Path, words: list[str], code: int, message: str) -> None:
    done = facemood("review", *words)
    assert done.returncode == code, done.stderr
    assert message in re.sub(r"[\s│]+", " ", done.stderr)
    assert "Traceback" not in done.stderr


def test_hidden_faces_are_shown_only_if_that_is_asked_for(facemood: Run, out: Path, labelled: LabelStore) -> None:
    sidecar = out / "rows.csv.json"  # as the run that wrote the table with --anonymize leaves it
    sidecar.write_text(sidecar.read_text().replace('"detector"', '"faces_hidden": "blur", "detector"'))
    for words in ([], ["--export", "faces"]):
        done = facemood("review", "out", *words)
        assert done.returncode == 2
        assert "--show-faces" in done.stderr
    assert facemood("review", "out", "-o", "agreement.html", "-q").returncode == 0  # it shows nobody
    assert facemood("review", "out", "--export", "faces", "--show-faces").returncode == 0
