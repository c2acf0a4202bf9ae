"""A part says what made it."""

from pathlib import Path

import pytest

from facemood import archive
from tests.archive.one_process import run_here
from tests.archive.photos import fill

pytest.importorskip("pyarrow.parquet", reason="needs the extra data")


def test_a_part_names_its_precision(tmp_path: Path) -> None:
    fill(tmp_path / "in", 1)
    run_here(str(tmp_path / "in"), tmp_path / "out", precision="int8")
    ((made_by, parts),) = archive.read_status(tmp_path / "out").made_by
    assert parts == 1
    assert made_by["precision"] == "int8"
    assert made_by["device"] == "cpu"
