"""File names of any bytes, in any locale, from folders of all sorts: nothing is lost, and nothing is more than text."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from facemood.filenames import escape_name, unescape_name
from tests.cli.conftest import Run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs file names of any bytes")

NAMES = [
    b"=1+1.png", b"[bob].png", b"a\x1b[31mred\n.png", b"caf\xe9.png", b"caf\\xe9.png", "日本 $x$.png".encode(),
    b"<img src=x onerror=alert(1)>.png", b"\xff\xfe[red]&amp;.png",
]  # fmt: skip
"""Names that locales, terminals, spreadsheets and pages stumble over."""


@pytest.fixture
def strange(tmp_path: Path) -> Path:
    """A folder of small pictures with such names."""
    folder = tmp_path / "strange"
    folder.mkdir()
    for name in NAMES:
        with open(os.path.join(os.fsencode(folder), name), "wb") as file:
            Image.new("RGB", (32, 32)).save(file, "PNG")
    return folder


def run_in(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command in a folder, in a locale of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LC_", "LANG", "PYTHONUTF8"))}
    known = {**kept, "COLUMNS": "100", "NO_COLOR": "1", "OMP_WAIT_POLICY": "PASSIVE", **environment}
    command = [sys.executable, "-m", "facemood", *arguments]
    return subprocess.run(command, capture_output=True, cwd=folder, env=known, timeout=300)


LOCALES = [
    {"PYTHONIOENCODING": "cp1252"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    {"LC_ALL": "C.UTF-8"},
]
"""A terminal of old, a bare container, and what is usual."""


@pytest.mark.parametrize("environment", LOCALES, ids=lambda known: " ".join(known.values()))
def test_names_of_any_bytes_are_kept_in_all_tables_and_shown_as_text(
    strange: Path, environment: dict[str, str]
) -> None:
    outputs = ("-o", "t.csv", "-o", "t.jsonl", "-o", "t.json", "-o", "t.parquet", "-o", "t.html")
    run = run_in(strange, "analyze", ".", "gone[é].png", *outputs, "--threads", "1", **environment)
    assert run.returncode == 1
    with (strange / "t.csv").open(encoding="utf-8", newline="") as file:
        names = [row["source"] for row in csv.DictReader(file)]
    assert sorted(os.fsencode(unescape_name(name)) for name in names) == sorted(NAMES)
    assert r"caf\xe9.png" in names
    assert r"caf\\xe9.png" in names
    assert "日本 $x$.png" in names
    lines = (strange / "t.jsonl").read_text(encoding="utf-8").splitlines()
    whole = json.loads((strange / "t.json").read_text(encoding="utf-8"))
    assert [json.loads(line)["source"] for line in lines] == [result["source"] for result in whole["results"]] == names
    parquet: Any = pytest.importorskip("pyarrow.parquet", reason="needs the extra data")
    assert parquet.read_table(strange / "t.parquet")["source"].to_pylist() == names
    page = (strange / "t.html").read_text(encoding="utf-8")
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page
    assert "\x1b" not in page
    shown = run.stderr.decode("utf-8")
    assert "\x1b" not in shown
    for name in (
        r"a\x1b[31mred\n.png",
        "[bob].png",
        r"caf\xe9.png",
        "日本 $x$.png",
        r"\xff\xfe[red]&amp;.png",
    ):
        assert name in shown
    assert "gone[é].png: the pattern matches no image or video" in shown


def test_json_on_stdout_is_utf8_in_any_locale(strange: Path) -> None:
    run = run_in(strange, "analyze", ".", "--json", "--threads", "1", PYTHONIOENCODING="ascii", LC_ALL="C")
    assert run.returncode == 0
    names = [json.loads(line)["source"] for line in run.stdout.decode("utf-8").splitlines()]
    assert {escape_name(os.fsdecode(name)) for name in NAMES} == set(names)


def test_a_spreadsheet_is_given_no_formula(strange: Path, facemood: Run) -> None:
    done = facemood("analyze", ".", "-o", "t.csv", "-o", "t.json", "--csv-dialect", "excel", cwd=strange)
    assert done.returncode == 0
    with (strange / "t.csv").open(encoding="utf-8-sig", newline="") as file:
        names = [row["source"] for row in csv.DictReader(file)]
    assert "'=1+1.png" in names
    assert "[bob].png" in names
    assert "t.csv: 1 text begins with an apostrophe" in done.stderr
    assert json.loads((strange / "t.json").read_text())["info"]["csv_dialect"] == "excel"
    wrong = facemood("analyze", ".", "-o", "t.csv", "--csv-dialect", "exel", cwd=strange)
    assert wrong.returncode == 2
    assert "unknown CSV dialect 'exel'" in wrong.stderr


def test_names_of_folders_that_look_like_markup_end_no_run(facemood: Run, tmp_path: Path) -> None:
    (tmp_path / "x[").mkdir()
    Image.new("RGB", (32, 32)).save(tmp_path / "x[/y].png")
    done = facemood("analyze", "x[/y].png", "x[", "[/red].jpg")
    assert done.returncode == 1
    assert done.stderr.count("x[/y].png") == 1
    assert "[/red].jpg: the pattern matches no image" in done.stderr


def test_each_file_that_is_not_read_is_told_and_the_rest_is_read(facemood: Run, tmp_path: Path) -> None:
    for photo in ("a.png", "b.png", "@eaDir/a.png", ".hidden/d.png", "br [x]/e.png", "br x/f.png"):
        (tmp_path / photo).parent.mkdir(exist_ok=True)
        Image.new("RGB", (32, 32)).save(tmp_path / photo)
    (tmp_path / "cut.png").write_bytes((tmp_path / "a.png").read_bytes()[:40])
    for other in ("n.txt", "m.txt", "o.docx"):
        (tmp_path / other).touch()
    (tmp_path / "gone.png").symlink_to("nowhere.png")
    (tmp_path / "loop").symlink_to(".")
    done = facemood("analyze", "*", "br [x]/*.png", ".", "--json", "-o", "t.json")
    names = [json.loads(line)["source"] for line in done.stdout.splitlines()]
    assert names == ["a.png", "b.png", "br [x]/e.png", "br x/f.png"]
    assert done.returncode == 1
    for told in (
        "*: 3 files left out: 2 .txt, 1 .docx",
        ".: 3 files left out: 2 .txt, 1 .docx",
        "cut.png: this is not an image",
        "gone.png: there is no such file",
    ):
        assert told in done.stderr
    assert json.loads((tmp_path / "t.json").read_text())["info"]["left_out"] == {".txt": 4, ".docx": 2}


def test_an_empty_name_and_addresses_are_refused(facemood: Run, tmp_path: Path) -> None:
    Image.new("RGB", (32, 32)).save(tmp_path / "a.png")
    done = facemood("analyze", "", "http://127.0.0.1:9/a.jpg", "a.png", "--json", "--allow-download")
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1
    assert "the source is an empty text" in done.stderr
    assert "http://127.0.0.1:9/a.jpg: cannot be downloaded" in done.stderr
    assert facemood("analyze", "").returncode == 3
