"""Each table has its codebook and settings beside it, and no other file is replaced by them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from facemood import Analysis, Face, OutputConflictError, OutputError, Result
from facemood.outputs import OutputTargets, Sidecar
from tests.outputs.test_writers import INFO, make, moves, open_run, place

assert place  # each test has a working folder of its own

HAPPY = np.eye(8, dtype=np.float32)[3]
FACE = Face(np.array([1, 2, 30, 40], np.float32), 0.9, labels=tuple(INFO["labels"]), probabilities=HAPPY, track_id=1)


def write(*patterns: str, whole: bool = True) -> None:
    """A run over one video."""
    outputs = open_run(patterns, make("talk.mp4"))
    for index in range(3):
        outputs.write(Result("talk.mp4", index, index / 2, (64, 48), (FACE,), FACE.labels))
    outputs.close(whole=whole)


def header(table: str) -> list[str]:
    with open(table, newline="") as file:
        return next(csv.reader(file))


@pytest.mark.parametrize("table", ["summary.csv", "talk.episodes.csv", "talk.openface.csv", "my.summary.csv"])
def test_a_table_of_all_results_has_a_file_beside_it(table: str) -> None:
    write(table)
    beside = json.loads(Path(f"{table}.json").read_text())
    assert (beside["table"], beside["settings"]) == (table, INFO)
    assert [column["name"] for column in beside["codebook"]] == header(table)
    assert all(column["meaning"] and column["type"] for column in beside["codebook"])


@pytest.mark.parametrize("table", ["rows.csv", "all.pyfeat.csv"])
def test_a_table_with_a_sidecar_has_it_there(table: str) -> None:
    write(table)
    known = json.loads(Path(f"{table}.json").read_text())["codebook"]
    assert [column["name"] for column in known[table]] == header(table)


def test_a_folder_has_the_codebooks_of_its_tables() -> None:
    write("out/{name}.openface.csv", "out/{name}.csv", "out/{name}.jsonl")
    assert sorted(path.name for path in Path("out").iterdir() if path.suffix == ".json") == ["facemood.json"]
    known = json.loads(Path("out/facemood.json").read_text())["codebook"]
    assert {name: [one["name"] for one in columns] for name, columns in known.items()} == {
        "{name}.openface.csv": header("out/talk.openface.csv"),
        "{name}.csv": header("out/talk.csv"),
    }


def test_parquet_has_the_codebook_in_its_sidecar() -> None:
    arrow = pytest.importorskip("pyarrow.parquet", reason="needs the extra data")
    write("rows.parquet")
    known = json.loads(Path("rows.parquet.json").read_text())["codebook"]["rows.parquet"]
    assert [column["name"] for column in known] == arrow.read_schema("rows.parquet").names


def test_spss_and_stata_have_the_whole_codebook_beside_them_and_excel_has_it_inside() -> None:
    for module in ("pyreadstat", "pandas", "xlsxwriter"):
        pytest.importorskip(module, reason="needs the extra study")
    write("rows.csv", "rows.sav", "summary.dta", "rows.xlsx", "each/{name}.sav")
    assert not Path("rows.xlsx.json").exists()
    beside = json.loads(Path("rows.sav.json").read_text())
    assert beside["codebook"] == json.loads(Path("rows.csv.json").read_text())["codebook"]["rows.csv"]
    summary = json.loads(Path("summary.dta.json").read_text())
    assert (summary["table"], summary["settings"]) == ("summary.dta", INFO)
    assert "mean_AU12" in [column["name"] for column in summary["codebook"]]
    assert sorted(path.name for path in Path("each").iterdir()) == ["facemood.json", "talk.sav"]
    assert json.loads(Path("each/facemood.json").read_text())["codebook"]["{name}.sav"] == beside["codebook"]


def test_a_later_run_replaces_the_codebook_and_one_that_breaks_off_does_not() -> None:
    write("summary.csv")
    before = Path("summary.csv.json").read_bytes()
    Path("summary.csv.json").write_text('{"facemood_codebook": 1}')
    write("summary.csv")
    assert Path("summary.csv.json").read_bytes() == before
    write("episodes.episodes.csv", whole=False)
    assert not list(Path().glob("episodes*.json"))


@pytest.mark.parametrize("content", ["my notes", "[1, 2]", '{"mine": 1}'])
def test_another_file_of_that_name_is_not_touched(content: str) -> None:
    Path("summary.csv.json").write_text(content)
    with pytest.raises(OutputConflictError, match="needed for the codebook"):
        write("summary.csv")
    assert Path("summary.csv.json").read_text() == content
    assert not Path("summary.csv").exists()


def test_a_codebook_is_no_input_and_no_other_output() -> None:
    with pytest.raises(OutputConflictError, match="written twice"):
        OutputTargets(["summary.csv", "summary.csv.json"], make("a.png"), moves)
    with pytest.raises(OutputConflictError, match="input"):
        OutputTargets(["summary.csv"], make("summary.csv.json"), moves)


def test_standard_output_has_none() -> None:
    assert OutputTargets(["-.summary.csv"], make("a.png"), moves).codebooks == []


def analysis() -> Analysis:
    """What `write` writes."""
    results = [Result("talk.mp4", index, index / 2, (64, 48), (FACE,), FACE.labels) for index in range(3)]
    return Analysis(tuple(results), INFO)


@pytest.mark.parametrize("table", ["rows.csv", "new/folder/rows.csv", "rows.tsv"])
def test_python_writes_the_codebook_and_the_settings_too(table: str) -> None:
    path = analysis().to_csv(table)
    beside = json.loads(Path(f"{table}.json").read_text())
    assert (beside["table"], beside["settings"]) == (path.name, INFO)
    assert [column["name"] for column in beside["codebook"]] == header(table)
    assert sorted(one.name for one in path.parent.iterdir()) == [path.name, f"{path.name}.json"]  # and no lock
    analysis()[:1].to_csv(table)  # its own codebook is replaced
    assert len(path.read_text().splitlines()) == 2


def test_python_describes_the_columns_as_the_command_line_does() -> None:
    write("rows.csv")
    known = json.loads(Path("rows.csv.json").read_text())["codebook"]["rows.csv"]
    analysis().to_csv("rows.csv")
    assert json.loads(Path("rows.csv.json").read_text())["codebook"] == known


@pytest.mark.parametrize("content", ["my notes", "[1, 2]", '{"mine": 1}', '{"facemood_outputs": 1, "table": ""}'])
def test_python_touches_no_other_file_of_that_name(content: str) -> None:
    Path("rows.csv.json").write_text(content)
    with pytest.raises(OutputConflictError, match="needed for the codebook"):
        analysis().to_csv("rows.csv")
    assert Path("rows.csv.json").read_text() == content
    assert not Path("rows.csv").exists()
    analysis().to_csv("rows.csv", codebook=False)  # as who wants no codebook
    assert Path("rows.csv.json").read_text() == content
    assert Path("rows.csv").exists()


def test_what_hinders_the_codebook_is_named() -> None:
    Path("rows.csv.json").mkdir()
    with pytest.raises(OutputConflictError, match=r"rows\.csv\.json: .*cannot be used \(Is a directory\); move"):
        analysis().to_csv("rows.csv")
    with pytest.raises(OutputConflictError, match=r"cannot be used \(File name too long\)"):
        analysis().to_csv("x" * 251 + ".csv")
    Path("file").touch()
    with pytest.raises(OutputError, match=r"^file/rows\.csv: cannot be written|^file: "):
        analysis().to_csv("file/rows.csv")
    assert sorted(path.name for path in Path().iterdir()) == ["file", "rows.csv.json"]


def test_a_codebook_replaces_no_input() -> None:
    Path("rows.csv.json").write_text('{"facemood_codebook": 1}')
    read = Analysis((Result("rows.csv.json"),))
    with pytest.raises(OutputConflictError, match=r"write over the input rows\.csv\.json"):
        read.to_csv("rows.csv")
    read.to_csv("rows.csv", codebook=False)


def test_runs_and_python_replace_the_tables_of_each_other() -> None:
    write("rows.csv")
    analysis().to_csv("rows.csv")
    assert "facemood_codebook" in Path("rows.csv.json").read_text()
    write("rows.csv")
    assert [entry.source for entry in Sidecar.read(Path("rows.csv.json")).entries.values()] == ["talk.mp4"]


def test_python_does_not_disturb_a_run_that_writes_the_table() -> None:
    running = open_run(["rows.csv"], make("talk.mp4"))
    with pytest.raises(OutputError, match="another process is writing it"):
        analysis().to_csv("rows.csv")
    running.close(whole=True)
    assert "facemood_outputs" in Path("rows.csv.json").read_text()


def test_a_pipe_gets_the_table_alone(capfd: pytest.CaptureFixture[str]) -> None:
    analysis().to_csv("-")
    assert capfd.readouterr().out.count("\n") == 4
    assert list(Path().iterdir()) == []


def test_python_writes_the_summaries_that_the_command_line_writes() -> None:
    write("summary.csv")
    known, beside = Path("summary.csv").read_text(), json.loads(Path("summary.csv.json").read_text())
    analysis().to_csv("mine.csv", summary=True)
    assert Path("mine.csv").read_text() == known
    assert json.loads(Path("mine.csv.json").read_text()) == {**beside, "table": "mine.csv"}
    assert analysis().codebook(summary=True) == beside["codebook"]


def test_excel_has_summaries_too(place: Path) -> None:
    pytest.importorskip("xlsxwriter", reason="Excel files need the extra study")
    openpyxl = pytest.importorskip("openpyxl", reason="the independent reader is among the extra dev")
    book = openpyxl.load_workbook(analysis().to_excel(place / "summary.xlsx", summary=True))
    head, *lines = book["table"].iter_rows(values_only=True)
    assert list(head) == [column["name"] for column in analysis().codebook(summary=True)]
    assert [line[head.index("seconds_seen")] for line in lines] == [1.5]
