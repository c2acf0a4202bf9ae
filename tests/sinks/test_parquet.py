import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facemood import Analysis, MissingExtraError, OutputError, Result
from facemood.labels import EXPRESSIONS
from facemood.sinks import parquet as module
from facemood.sinks.parquet import ParquetSink
from facemood.table import columns_for
from tests.conftest import make_face
from tests.growing import full_disk, growing

arrow = pytest.importorskip("pyarrow", reason="needs the extra data")
parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra data")

INFO: dict[str, Any] = {"model": "baseline", "labels": list(EXPRESSIONS), "views": 1}
FACE = dataclasses.replace(make_face(), track_id=3, certain=True, pose=np.array([1.5, -2, 0], np.float32))
RESULTS = [
    Result("a.mp4", 0, 0.0, (120, 90), (FACE, make_face((60, 20, 80, 40))), EXPRESSIONS),
    Result("a.mp4", 1, 0.04, (120, 90), (), EXPRESSIONS),
    Result("photo.jpg", labels=EXPRESSIONS, faces=(dataclasses.replace(FACE, certain=False),)),
]


def write_all(path: Path, results: list[Result], info: dict[str, Any] = INFO) -> Any:
    """The Arrow table that is read back from a file."""
    sink = ParquetSink(path, info)
    for result in results:
        sink.write(result)
    sink.close()
    return parquet.read_table(path)


def test_columns_are_those_of_the_csv_with_types(tmp_path: Path) -> None:
    table = write_all(tmp_path / "t.parquet", RESULTS)
    assert table.column_names == [column.name for column in columns_for(EXPRESSIONS)]
    types = {field.name: str(field.type) for field in table.schema}
    assert {name: kind for name, kind in types.items() if kind != "double"} == {
        "source": "string", "frame": "int64", "face": "int64", "track_id": "int64", "emotion": "string",
        "certain": "bool",
    }  # fmt: skip


def test_cells_are_those_of_the_table_and_empty_ones_are_null(tmp_path: Path) -> None:
    rows = write_all(tmp_path / "t.parquet", RESULTS).to_pylist()
    expected = [
        {name: None if value == "" else value for name, value in row.items()} for row in Analysis(tuple(RESULTS)).rows()
    ]
    assert rows == expected
    assert [row["certain"] for row in rows] == [True, None, None, False]
    assert rows[2]["emotion"] is None
    assert (rows[2]["timestamp"], rows[3]["timestamp"]) == (0.04, None)


def test_labels_of_a_users_own_model_are_numbers(tmp_path: Path) -> None:
    labels = ("happy", "bored")
    face = dataclasses.replace(make_face(), labels=labels, probabilities=np.array([0.25, 0.75], np.float32))
    info = {"labels": list(labels)}
    (row,) = write_all(tmp_path / "t.parquet", [Result("a.jpg", faces=(face,), labels=labels)], info).to_pylist()
    assert (row["bored"], row["angry"], row["emotion"]) == (0.75, None, "bored")


def test_rows_are_written_in_groups_as_they_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GROUP", 4)
    sink = ParquetSink(tmp_path / "t.parquet", INFO)
    sizes = []
    for index in range(10):
        sink.write(dataclasses.replace(RESULTS[0], index=index))
        sizes.append(next(tmp_path.glob("t.parquet.*.part")).stat().st_size)
    sink.close()
    assert sizes[0] < sizes[-1]
    file = parquet.ParquetFile(tmp_path / "t.parquet")
    assert file.num_row_groups == 5
    assert file.read()["frame"].to_pylist() == [index for index in range(10) for _ in range(2)]


def test_what_made_the_results_is_told_in_the_file(tmp_path: Path) -> None:
    table = write_all(tmp_path / "t.parquet", [])
    assert json.loads(table.schema.metadata[b"facemood"]) == INFO
    assert table.num_rows == 0


def test_the_file_has_its_name_only_when_it_is_closed(tmp_path: Path) -> None:
    sink = ParquetSink(tmp_path / "new" / "t.parquet", INFO)
    sink.write(RESULTS[0])
    assert growing(tmp_path / "new") == ["t.parquet"]
    sink.close()
    sink.close()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["t.parquet"]


def test_pandas_reads_it(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="needs the extra data")
    write_all(tmp_path / "t.parquet", RESULTS)
    table = pandas.read_parquet(tmp_path / "t.parquet")
    assert table["happy"].sum() == pytest.approx(2.1)
    assert table["track_id"].tolist()[0] == 3


def test_a_place_that_cannot_be_written_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="it is a folder"):
        ParquetSink(tmp_path, INFO)


def test_without_pyarrow_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match="'pyarrow' is not installed.*extra 'data'"):
        ParquetSink(tmp_path / "t.parquet", INFO)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit of the size of files, which stands for a full disk")
def test_a_full_disk_is_an_output_error(tmp_path: Path) -> None:
    sink = ParquetSink(tmp_path / "t.parquet", INFO)
    sink.write(RESULTS[0])
    with pytest.raises(OutputError, match="File too large"), full_disk(1000):
        sink.close()
    assert not (tmp_path / "t.parquet").exists()
