"""Lists of inputs as spreadsheet programs save them."""

import csv
from pathlib import Path

import pytest

from facemood.sources import read_input_list


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_commas_semicolons_or_tabs_separate_cells(tmp_path: Path, delimiter: str) -> None:
    file = tmp_path / "list.csv"
    with file.open("w", encoding="utf-8-sig", newline="") as text:
        csv.writer(text, delimiter=delimiter).writerows([["person", "path"], ["Ada; L, B", "a,b;c.jpg"]])
    assert read_input_list(file).carried == {"a,b;c.jpg": {"person": "Ada; L, B"}}


@pytest.mark.parametrize(("name", "head"), [("list.txt", ""), ("list.csv", "path\n")])
def test_only_line_breaks_end_a_name(tmp_path: Path, name: str, head: str) -> None:
    (tmp_path / name).write_bytes(f"{head}a\u2028b.jpg\nc\x0cd.jpg\n".replace("\n", "\r\n").encode())
    assert read_input_list(tmp_path / name).names == ["a\u2028b.jpg", "c\x0cd.jpg"]
