import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemood.datasets.csv_rows import read_table, whole_number
from facemood.errors import DatasetError


def test_rows_have_columns_and_a_line_number(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text('a,b,c\n1,"x\ny",3\n\n4,5,6\n')
    assert list(read_table(file, ("a", "c"))) == [
        (f"{file}, line 3", {"a": "1", "b": "x\ny", "c": "3"}),
        (f"{file}, line 5", {"a": "4", "b": "5", "c": "6"}),
    ]


def test_a_table_saved_by_a_spreadsheet_is_read(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_bytes(b"\xef\xbb\xbfa, b\r\n1,2\r\n")
    assert [row for _, row in read_table(file, ("a", "b"))] == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_commas_semicolons_or_tabs_separate_cells(tmp_path: Path, delimiter: str) -> None:
    file = tmp_path / "t.csv"
    lines = [["file", "glasses"], ["happy/a, b; c.jpg", "yes"], ["d.jpg", "1,5"]]
    with file.open("w", encoding="utf-8-sig", newline="") as text:
        csv.writer(text, delimiter=delimiter).writerows(lines)
    assert [list(row.values()) for _, row in read_table(file, ("file",))] == lines[1:]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "but found an empty file"),
        (b"a,c\n1,2\n", "expected the columns a,b, but found a,c"),
        (b"a,b\n1\n", "line 2: expected 2 fields, but found 1; the file is cut off or damaged"),
        (b"a,b\n1,2,3\n", "line 2: expected 2 fields, but found 3"),
        (b"a,b\n\xff\xfe,2\n", "this is not a CSV text"),
    ],
)
def test_damage_is_reported(tmp_path: Path, data: bytes, message: str) -> None:
    file = tmp_path / "t.csv"
    file.write_bytes(data)
    with pytest.raises(DatasetError, match=message) as raised:
        list(read_table(file, ("a", "b")))
    assert str(file) in str(raised.value)


@given(st.text(max_size=6))
def test_a_cell_is_an_integer_or_an_error_with_its_position(text: str) -> None:
    try:
        assert 0 <= whole_number({"x": text}, "x", "t.csv, line 2", most=99) <= 99
    except DatasetError as error:
        assert "t.csv, line 2: x must be 0..99" in str(error)
