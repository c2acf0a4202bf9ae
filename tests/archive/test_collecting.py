"""A collected table has its codebook and settings beside it, and replaces no other file."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from facemood import archive
from facemood.errors import OutputConflictError
from tests.archive.one_process import job_here
from tests.archive.photos import fill, place_of

pytest.importorskip("pyarrow.parquet", reason="needs the extra data")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with an archive of two photos, whose list carries a column."""
    folder = tmp_path_factory.mktemp("place")
    names = fill(folder / "in", 2)
    with place_of(folder, size=2) as place:
        job = replace(job_here("out"), carried={names[0]: {"site": "B"}})
        job.run(job.plan(names))
        yield place


@pytest.mark.parametrize("table", ["all.csv", "tables/all.parquet"])
def test_the_codebook_names_each_column(place: Path, table: str) -> None:
    (place / table).parent.mkdir(exist_ok=True)
    archive.collect("out", table)
    archive.collect("out", "all.csv")  # its own codebook is replaced
    beside = json.loads(Path(f"{table}.json").read_text())
    with Path("all.csv").open(newline="") as file:
        assert [column["name"] for column in beside["codebook"]] == next(csv.reader(file))
    assert beside["codebook"][-1]["name"] == "site"
    assert all(column["meaning"] for column in beside["codebook"])
    assert (beside["table"], beside["settings"]["model"], beside["settings"]["failures"]) == (
        Path(table).name, "default", [],
    )  # fmt: skip


@pytest.mark.usefixtures("place")
def test_no_other_file_is_replaced() -> None:
    Path("mine.csv.json").write_text("my notes")
    with pytest.raises(OutputConflictError, match=r"mine\.csv\.json: this name is needed for the codebook"):
        archive.collect("out", "mine.csv")
    assert Path("mine.csv.json").read_text() == "my notes"
    assert not Path("mine.csv").exists()
