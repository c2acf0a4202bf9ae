"""The dialect for spreadsheets: nothing that stands in a table is run."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from facemood.analysis import Analysis
from facemood.csv_dialect import DIALECTS, ExcelLines, check_dialect
from facemood.results import Result
from facemood.sinks import open_sink
from tests.conftest import make_face

FORMULAS = ["=1+1.jpg", "+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1", "\r=1", "\n=1", "＝1"]  # noqa: RUF001
"""Names that spreadsheet programs run, or strip down to such."""


@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_gets_an_apostrophe_in_the_dialect_for_spreadsheets_alone(tmp_path: Path, name: str) -> None:
    analysis = Analysis((Result(name, labels=("happy",)),))
    for dialect, cell in (("plain", name), ("excel", f"'{name}")):
        path = analysis.to_csv(tmp_path / f"{dialect}.csv", dialect=dialect)
        with path.open(newline="", encoding="utf-8-sig" if dialect == "excel" else "utf-8") as file:
            assert next(csv.DictReader(file))["source"] == cell


def test_numbers_and_other_names_stay(tmp_path: Path) -> None:
    line = ExcelLines()
    assert line(["a=1.jpg", -1.5, "", 0]) == "a=1.jpg,-1.5,,0\r\n"
    assert line(["été.jpg"]) == "été.jpg\r\n"
    assert (line.guarded, line.told()) == (0, "")


def test_a_run_writes_its_tables_in_the_dialect_and_says_what_it_changed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    info = {"labels": ["happy"], "csv_dialect": "excel"}
    sink = open_sink(str(tmp_path / "a.csv"), info)
    for name in ("=1.jpg", "b.jpg", "@c.jpg"):
        sink.write(Result(name, labels=("happy",)))
    sink.close()
    text = (tmp_path / "a.csv").read_bytes()
    assert text.startswith(b"\xef\xbb\xbfsource,")
    assert b"\r\n'=1.jpg," in text
    assert b"\r\nb.jpg," in text
    assert "2 texts begin with an apostrophe" in caplog.text


def test_a_dialect_that_there_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown CSV dialect 'exel'.*Did you mean 'excel'"):
        Analysis(()).to_csv(tmp_path / "a.csv", dialect="exel")
    assert [check_dialect(name) for name in DIALECTS] == list(DIALECTS)


def test_excel_in_europe_reads_semicolons_and_decimal_commas(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="needs the extra data")
    analysis = Analysis((Result("=a;b.jpg", faces=(make_face(),), labels=("happy", "bored")),))
    path = analysis.to_csv(tmp_path / "a.csv", dialect="excel-eu")
    assert path.read_bytes().startswith("\ufeffsource;frame;".encode())
    table = pandas.read_csv(path, sep=";", decimal=",", encoding="utf-8-sig")
    assert (table["source"][0], table["x1"][0], table["happy"][0]) == ("'=a;b.jpg", 10.0, 0.7)
    assert table["happy"].dtype == float


def test_episodes_are_numbers_in_every_dialect(tmp_path: Path) -> None:
    sink = open_sink(str(tmp_path / "a.episodes.csv"), {"labels": ["happy"], "csv_dialect": "excel-eu"})
    for time in (0.0, 0.5, 1.0):
        sink.write(Result("a.mp4", timestamp=time, faces=(replace(make_face(), track_id=1),), labels=("happy",)))
    sink.close()
    assert (tmp_path / "a.episodes.csv").read_bytes().decode("utf-8-sig").split("\r\n")[:2] == [
        "tier;begin;end;duration;annotation;peak_time;peak;mean;source;person",
        "expression person 1;0,000;1,500;1,500;happy;0,000;0,7;0,7;a.mp4;1",
    ]
