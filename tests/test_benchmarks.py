"""The benchmarks run, and the documents state what they measured."""

import importlib
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from facemood.models import DEFAULT_MODEL, find_model
from tests.conftest import PHOTOS, ROOT

RESULTS = ROOT / "benchmarks" / "results.json"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="peak memory is measured with the module resource")
def test_a_quick_run_writes_every_table(tmp_path: Path) -> None:
    command: list[str | Path] = [sys.executable, ROOT / "benchmarks" / "run.py", "--quick", "-o", tmp_path / "r.md"]
    subprocess.run(command, check=True, capture_output=True)
    tables = json.loads((tmp_path / "r.json").read_text())["tables"]
    assert all(rows for title, rows in tables.items() if title != "Beside fer")
    page = (tmp_path / "r.md").read_text()
    assert all(f"## {title}" in page for title in tables)
    assert "the figures mean nothing" in page


def test_the_readme_states_what_the_shipped_results_state() -> None:
    tables = json.loads(RESULTS.read_text())["tables"]
    rows = {row["what"]: row["median ms"] for title in ("A face", "A photo of 640x480") for row in tables[title]}
    memory = {row["photos"]: row["peak MB"] for row in tables["Memory"]}
    frames = {row["what"]: row["mean ms"] for row in tables["A frame of a camera"]}
    videos = {row["minutes"]: row["peak MB"] for row in tables["Videos"]}
    readme = " ".join((ROOT / "README.md").read_text().split())
    for stated in (
        f"| classify one face crop, on one core | {rows['a face, batch 1, threads=1']:.1f} ms |",
        f"| analyze a 640x480 photo with one face | {rows['total']:.1f} ms "
        f"({rows['total, min_face=60']:.1f} ms with `min_face=60`);",
        f"| {memory[100]:.0f} MB for 100 photos, {memory[1000]:.0f} MB for 1,000 |",
        f"| {frames['total, faces=1']:.1f} ms with one face, {frames['total, faces=4']:.1f} ms with four |",
        f"| {videos[1]:.0f} MB for one minute, {videos[10]:.0f} MB for ten minutes |",
    ):
        assert stated in readme


def test_the_shipped_results_are_whole_and_of_the_shipped_model(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnx", reason="needs the extra train")
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    machine = importlib.import_module("machine")
    known = json.loads(RESULTS.read_text())
    assert not known["quick"]
    assert machine.network_digest(find_model(DEFAULT_MODEL)) in known["machine"]["model"]
    assert known["tables"]["Beside fer"]


def test_the_servers_guide_shows_what_attacks_cost() -> None:
    for package in ("httpx", "websockets"):
        pytest.importorskip(package, reason="benchmarks/attacks.py needs the extras serve and dev")
    command: list[str | Path] = [sys.executable, ROOT / "benchmarks" / "attacks.py"]
    command += ["--show", ROOT / "benchmarks" / "attacks.json"]
    shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert shown.strip() in (ROOT / "docs" / "server.md").read_text()
    rows = json.loads((ROOT / "benchmarks" / "attacks.json").read_text())["attacks"]
    assert all(row[f"{kind} ms under it"] < 2.05 * row[f"{kind} ms"] for row in rows for kind in ("live", "photo"))


def test_the_page_on_speed_is_made_from_the_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    page = importlib.import_module("speed_page").page()
    assert (ROOT / "docs" / "speed.md").read_text() == page, "run: python benchmarks/speed_page.py"


def test_the_default_number_of_threads_is_near_the_best_also_beside_busy_processes() -> None:
    rows = json.loads((ROOT / "benchmarks" / "threads.json").read_text())["busy"]
    assert "1" in rows
    assert all(row["default_to_best"] <= 1.15 for row in rows.values())


def test_reading_photos_reduced_changes_no_more_than_cutting_off_a_few_rows_of_pixels() -> None:
    rows = json.loads((ROOT / "benchmarks" / "large_photos.json").read_text())["min_face"]
    for row in rows.values():
        whole, _ = row["reduced"]["faces"]
        assert row["reduced"]["in_both"] >= 0.95 * whole
        same, cut = (row[way]["same_label"] / row[way]["in_both"] for way in ("reduced", "shifted"))
        assert same >= cut - 0.01
        assert row["cpu_ms"][1] < 0.5 * row["cpu_ms"][0]


def test_each_line_of_the_history_says_what_it_compares_and_on_which_machine() -> None:
    lines = [json.loads(line) for line in (ROOT / "benchmarks" / "history.jsonl").read_text().splitlines()]
    assert lines
    for line in lines:
        assert line["commit"] != line["against"]
        assert all(line[key] for key in ("date", "processor", "load before the run"))
        assert all(set(row) == {"cpu", "wall"} for row in line["ratios"].values())


@pytest.mark.parametrize("what", ["photo", "live"])
def test_a_picture_is_read_again_and_again_for_the_ratios(what: str) -> None:
    command: list[str | Path] = [sys.executable, ROOT / "benchmarks" / "repeated.py", what, PHOTOS / "astronaut.png"]
    done = subprocess.run([*command, "--threads", "1"], check=True, capture_output=True, text=True)
    cpu, wall = map(float, done.stdout.split())
    assert cpu > 0
    assert wall > 0


def test_cpu_time_leaves_out_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    cpu, wall = importlib.import_module("repeated").timed(lambda: time.sleep(0.2))
    assert wall >= 0.2
    assert cpu < wall
