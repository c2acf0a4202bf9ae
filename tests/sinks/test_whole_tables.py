"""Summaries and tables for Excel, SPSS and Stata, opened by other readers than the writers."""

from __future__ import annotations

import csv
import dataclasses
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from facemood import OutputError, Result
from facemood.sinks import open_sink, sink_kind
from facemood.sinks.table_files import to_xlsx, valid_names
from facemood.table import Column
from tests.test_summaries import PLAN, study
from tests.test_timeline import WORDS, face_of, frame_of

INFO: dict[str, Any] = {"model": "baseline", "labels": list(WORDS), "design": [list(one) for one in PLAN.further]}


def write_all(path: Path, results: list[Result], info: dict[str, Any] = INFO) -> Path:
    sink = open_sink(str(path), info)
    for result in results:
        sink.write(result)
    sink.close()
    sink.close()
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("summary.csv", "SummaryCsvSink"), ("out/Summary.csv", "SummaryCsvSink"), ("a.summary.csv", "SummaryCsvSink"),
        ("summary.xlsx", "SummaryFileSink"), ("a.summary.sav", "SummaryFileSink"), ("a.summary.dta", "SummaryFileSink"),
        ("my-summary.csv", "CsvSink"), ("mysummary.xlsx", "RowsFileSink"), ("a.dta", "RowsFileSink"),
    ],
)  # fmt: skip
def test_only_the_name_summary_holds_summaries(name: str, kind: str) -> None:
    assert sink_kind(name).__name__ == kind


def test_summaries_are_written_as_csv(tmp_path: Path) -> None:
    calm, funny = rows_of(write_all(tmp_path / "summary.csv", study()))
    assert list(calm)[:6] == ["source", "participant", "condition", "session", "segment", "start"]
    assert (calm["condition"], calm["seconds_seen"], calm["onset_sad"]) == ("calm", "1.75", "")
    assert (funny["condition"], funny["episodes_happy"]) == ("funny", "1")


def test_a_run_that_was_cut_off_names_its_summaries_as_unfinished(tmp_path: Path) -> None:
    sink = open_sink(str(tmp_path / "a.summary.csv"), INFO)
    sink.write(study()[2])
    sink.close(whole=False)
    assert [path.name for path in tmp_path.iterdir()] == ["a.summary.unfinished.csv"]


def test_the_codebook_of_summaries_has_their_columns(tmp_path: Path) -> None:
    sink = open_sink(str(tmp_path / "summary-codebook.csv"), INFO)
    sink.close()
    named = [row["name"] for row in rows_of(tmp_path / "summary-codebook.csv")]
    assert named == list(rows_of(write_all(tmp_path / "summary.csv", study()))[0])


def test_excel_has_the_cells_of_the_csv_the_codebook_and_the_settings(tmp_path: Path) -> None:
    pytest.importorskip("xlsxwriter", reason="Excel files need the extra study")
    openpyxl = pytest.importorskip("openpyxl", reason="the independent reader is among the extra dev")
    for name in ("rows", "a.summary"):
        write_all(tmp_path / f"{name}.xlsx", study())
        known = rows_of(write_all(tmp_path / f"{name}.csv", study()))
        book = openpyxl.load_workbook(tmp_path / f"{name}.xlsx")
        assert book.sheetnames == ["table", "codebook", "settings"]
        head, *lines = book["table"].iter_rows(values_only=True)
        assert list(head) == list(known[0])
        for line, row in zip(lines, known, strict=True):
            assert ["" if cell is None else str(cell) for cell in line] == [_plain(cell) for cell in row.values()]
        assert len(list(book["codebook"].iter_rows())) == len(head) + 1
        assert ("model", '"baseline"') in list(book["settings"].iter_rows(values_only=True))


def _plain(cell: str) -> str:
    """A number as Python writes the one that Excel holds: whole numbers have no point there."""
    return cell.removesuffix(".0")


def test_no_text_is_a_formula_or_link_in_excel(tmp_path: Path) -> None:
    pytest.importorskip("xlsxwriter", reason="Excel files need the extra study")
    openpyxl = pytest.importorskip("openpyxl", reason="the independent reader is among the extra dev")
    results = [frame_of(0.0, face_of("happy"), source=name) for name in ("=1+1.mp4", "http://a.example/b.mp4")]
    book = openpyxl.load_workbook(write_all(tmp_path / "t.xlsx", results, {"labels": list(WORDS)}))
    cells = [row[0] for row in book["table"].iter_rows(min_row=2)]
    assert [(cell.data_type, cell.hyperlink) for cell in cells] == [("s", None)] * 2


def test_more_rows_than_a_sheet_has_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("xlsxwriter", reason="Excel files need the extra study")
    monkeypatch.setattr("facemood.sinks.table_files.MOST_XLSX", 2)
    column = Column("a", "integer", "A number", lambda row: row)
    with pytest.raises(OutputError, match="3 rows are more than a sheet can have"):
        to_xlsx([column], [{"a": 1}] * 3, {})


def test_stata_has_the_numbers_of_the_csv_by_another_reader(tmp_path: Path) -> None:
    pytest.importorskip("pyreadstat", reason="Stata files need the extra study")
    pandas = pytest.importorskip("pandas", reason="the independent reader is pandas")
    results = labelled_study()
    for name in ("rows", "a.summary"):
        path = write_all(tmp_path / f"{name}.dta", results)
        with pandas.io.stata.StataReader(path, convert_categoricals=False) as file:
            table, labels = file.read(), file.variable_labels()
        known = rows_of(write_all(tmp_path / f"{name}.csv", results))
        assert list(table) == list(known[0])
        for column in table:
            cells = ["" if pandas.isna(cell) else cell for cell in table[column]]
            assert cells == [
                type(cell)(row[column]) if row[column] else "" for cell, row in zip(cells, known, strict=True)
            ]
        assert labels["source"].startswith("Name of the input")
        assert str(table["seconds" if "seconds" in table else "timestamp"].dtype) == "float64"


def in_pspp(path: Path, *commands: str) -> list[list[str]]:
    """What PSPP, which shares no code with the writer, answers to commands on a file, as lines of CSV."""
    script = path.with_suffix(".sps")
    script.write_text("\n".join([f"GET FILE='{path.name}'.", *commands, ""]))
    output = path.with_suffix(".answer.csv")
    done = subprocess.run(
        ["pspp", script.name, "-O", "format=csv", "-o", output.name],
        cwd=path.parent, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    with output.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


needs_pspp = pytest.mark.skipif(
    not (shutil.which("pspp") and shutil.which("pspp-convert")), reason="the independent reader is PSPP"
)


def labelled_study() -> list[Result]:
    """The study, whose faces are certain or not."""
    return [
        dataclasses.replace(one, faces=tuple(dataclasses.replace(face, certain=number % 2 == 0) for face in one.faces))
        for number, one in enumerate(study())
    ]


@needs_pspp
@pytest.mark.parametrize("name", ["rows", "a.summary"])
def test_spss_has_the_cells_of_the_csv_and_missing_values_by_another_reader(tmp_path: Path, name: str) -> None:
    pytest.importorskip("pyreadstat", reason="SPSS files need the extra study")
    path = write_all(tmp_path / f"{name}.sav", labelled_study())
    known = rows_of(write_all(tmp_path / f"{name}.csv", labelled_study()))
    subprocess.run(["pspp-convert", path, tmp_path / "read.csv"], check=True, timeout=120)
    found = rows_of(tmp_path / "read.csv")
    assert list(found[0]) == list(known[0])
    for there, here in zip(found, known, strict=True):
        for column, cell in here.items():
            read = there[column].strip()  # a system-missing number is a blank
            assert read == cell or (cell and float(read) == pytest.approx(float(cell), rel=1e-12)), column
    assert any(cell == "" for row in known for cell in row.values())


@needs_pspp
def test_spss_has_labels_units_and_levels_of_measurement_by_another_reader(tmp_path: Path) -> None:
    pytest.importorskip("pyreadstat", reason="SPSS files need the extra study")
    lines = in_pspp(write_all(tmp_path / "rows.sav", labelled_study()), "DISPLAY DICTIONARY.", "DISPLAY DOCUMENTS.")
    head = next(line for line in lines if line[:1] == ["Name"])
    known = {line[0]: dict(zip(head, line, strict=True)) for line in lines if len(line) == len(head)}
    assert known["timestamp"]["Label"].startswith("Time from the start of the input")
    assert known["timestamp"]["Label"].endswith("(s)")
    assert known["yaw"]["Label"].endswith("(degrees)")
    for column, level, shown in (
        ("happy", "Scale", "F12.4"), ("frame", "Scale", "F12.0"), ("age", "Scale", "F8.2"),
        ("track_id", "Nominal", "F12.0"), ("certain", "Nominal", "F12.0"), ("emotion", "Nominal", "A7"),
    ):  # fmt: skip
        assert (known[column]["Measurement Level"], known[column]["Print Format"]) == (level, shown)
    labels = {line[-2]: line[-1] for line in lines if line[-1:] in (["no"], ["yes"])}
    assert {float(value): label for value, label in labels.items()} == {0: "no", 1: "yes"}
    assert any("baseline" in cell for line in lines for cell in line)  # the settings


def test_spss_is_read_by_its_own_library(tmp_path: Path) -> None:
    pyreadstat = pytest.importorskip("pyreadstat", reason="SPSS files need the extra study")
    path = write_all(tmp_path / "a.summary.sav", study())
    assert path.read_bytes()[:4] in (b"$FL2", b"$FL3")
    table, meta = pyreadstat.read_sav(path)
    assert table["condition"].tolist() == ["calm", "funny"]
    assert table["seconds_seen"].tolist() == [1.75, 2.0]
    assert table["onset_sad"].isna().tolist() == [True, True]
    labels = dict(zip(meta.column_names, meta.column_labels, strict=True))
    assert labels["seconds_seen"].endswith("(s)")
    assert any("baseline" in line for line in meta.notes)


def test_names_that_spss_and_stata_refuse_are_changed_and_stay_distinct() -> None:
    assert valid_names(["Straße", "Stra_e", "1st", "ok", "O K", "o-k"], 32) == [
        "Stra_e_2", "Stra_e", "v_1st", "ok", "O_K", "o_k_2",
    ]  # fmt: skip
    assert [len(name) for name in valid_names(["a b" * 30, "a c" * 30, "a.b" * 30], 32)] == [32] * 3
    assert len(set(valid_names(["a b" * 30, "a.b" * 30, "a-b" * 30], 32))) == 3
