"""A collected table as a folder of Parquet files, which DuckDB reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from facemood import archive
from facemood.archive import table_folder
from facemood.errors import OutputConflictError
from tests.archive.one_process import run_here
from tests.archive.photos import fill, sources_of

pytest.importorskip("pyarrow.parquet", reason="needs the extra data")


def test_a_folder_holds_the_rows_of_one_table_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    duckdb = pytest.importorskip("duckdb", reason="needs duckdb")
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "in", 7)
    for first in (0, 3, 5):
        run_here([f"in/{number:03d}.jpg" for number in range(first, first + 2)], "out")
    monkeypatch.setattr(table_folder, "FILE_ROWS", 3)
    archive.collect("out", "all/")
    archive.collect("out", "all.parquet")
    archive.collect("out", "all.csv")
    files = sorted(path.name for path in Path("all").iterdir())
    assert files == ["_codebook.json", "rows-00000.parquet", "rows-00001.parquet"]
    beside = json.loads(Path("all/_codebook.json").read_text())
    assert beside["codebook"] == json.loads(Path("all.parquet.json").read_text())["codebook"]
    folder, one = (duckdb.sql(f"select * from '{name}'").fetchall() for name in ("all/*.parquet", "all.parquet"))
    assert folder == one
    assert parquet.read_table("all").num_rows == len(folder)  # another reader of folders
    assert [row[0] for row in folder] == sources_of(Path("all.csv"))
    monkeypatch.setattr(table_folder, "FILE_ROWS", 100)
    archive.collect("out", "all")  # the earlier one is replaced, with all of its files
    assert sorted(path.name for path in Path("all").iterdir()) == ["_codebook.json", "rows-00000.parquet"]
    written = ["all", "all.csv", "all.csv.json", "all.parquet", "all.parquet.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [*written, "in", "out"]


def test_an_archive_without_rows_gives_a_folder_without_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.jpg").write_bytes(b"\xff\xd8\xff")
    run_here("bad.jpg", "out")
    parquet = pytest.importorskip("pyarrow.parquet")
    archive.collect("out", "all/")
    assert parquet.read_table("all").num_rows == 0


@pytest.mark.parametrize("output", [".", "./", "..", "../new/"])
def test_the_working_folder_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, output: str) -> None:
    (tmp_path / "new").mkdir()
    fill(tmp_path / "in", 1)
    monkeypatch.chdir(tmp_path)
    run_here("in", "out")
    monkeypatch.chdir(tmp_path / "new")
    with pytest.raises(OutputConflictError, match="the working folder cannot be replaced"):
        archive.collect("../out", output)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "new", "out"]
    assert list(Path().iterdir()) == []


def test_other_files_are_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "in", 1)
    run_here("in", "out")
    for folder, words in (("in/", "holds other files, such as 000.jpg"), ("out/parts/", "holds the parts")):
        with pytest.raises(OutputConflictError, match=words):
            archive.collect("out", folder)
    assert [path.name for path in Path("in").iterdir()] == ["000.jpg"]
    Path("all").mkdir()
    Path("all/_codebook.json").write_text("my notes")
    with pytest.raises(OutputConflictError, match=r"all/_codebook\.json: this name is needed for the codebook"):
        archive.collect("out", "all/")
    assert Path("all/_codebook.json").read_text() == "my notes"
