import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from facemood import Analysis, OutputError, Result
from facemood.labels import EXPRESSIONS
from facemood.results import Failure
from facemood.table import columns_for
from facemood.wilson import wilson_interval
from tests.conftest import make_face

GOLDEN = """\
source,frame,timestamp,face,track_id,x1,y1,x2,y2,score,emotion,confidence,certain,angry,disgust,fear,happy,sad,surprise,neutral,contempt,AU01,AU02,AU04,AU05,AU06,AU07,AU09,AU10,AU12,AU14,AU15,AU16,AU17,AU20,AU23,AU24,AU25,AU26,AU27,AU43,yaw,pitch,roll
a.jpg,0,,0,,10.0,20.0,50.0,70.0,0.9,happy,0.7,1,0.02,0.01,0.03,0.7,0.04,0.05,0.14,0.01,,,0.25,,,,,,0.877,,,,,,,,,,,,12.3,-4.0,0.0
a.jpg,0,,1,,60.5,20.2,80.0,40.0,0.9,sad,0.6,,0.1,,,0.3,0.6,,,,,,,,,,,,,,,,,,,,,,,,,,
b.jpg,0,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,
"""

FIXED = GOLDEN.splitlines()[0].split(",")
"""The columns of every table."""


@pytest.fixture
def analysis() -> Analysis:
    partial = make_face((60.5, 20.25, 80, 40), np.array([0.1, 0.3, 0.6], np.float32))
    partial = type(partial)(partial.box, 0.9, labels=("angry", "happy", "sad"), probabilities=partial.probabilities)
    units = {"AU04": 0.25, "AU12": 0.87654, "AU12R": 0.9, "AU12L": 0.8}
    pose = np.array([12.34, -4, -0.04], np.float32)
    turned = dataclasses.replace(make_face(), pose=pose, certain=True, action_units=units)
    first = Result("a.jpg", size=(120, 90), faces=(turned, partial), labels=EXPRESSIONS)
    second = Result("b.jpg", size=(120, 90), labels=EXPRESSIONS, speed={"detect": 1.234, "total": 1.234})
    return Analysis((first, second), {"model": "baseline"}, (Failure("c.jpg", "empty"),))


def test_the_table_has_these_rows(analysis: Analysis, tmp_path: Path) -> None:
    path = analysis.to_csv(tmp_path / "t.csv")
    assert path.read_text().replace("\r\n", "\n") == GOLDEN


def test_missing_labels_are_empty_and_custom_labels_follow(tmp_path: Path) -> None:
    assert [column.name for column in columns_for(("happy", "bored"))] == [*FIXED, "bored"]
    Analysis((Result("x.jpg", labels=("happy", "bored")),)).to_csv(tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="") as file:
        row = next(csv.DictReader(file))
    assert (row["source"], row["bored"], row["angry"]) == ("x.jpg", "", "")


def test_a_dataframe_has_missing_values_for_empty_cells(analysis: Analysis) -> None:
    pytest.importorskip("pandas", reason="needs the extra data")
    table = analysis.to_dataframe()
    assert list(table.columns) == FIXED
    assert len(table) == 3
    assert table["happy"].sum() == pytest.approx(1.0)
    assert table.loc[2, "emotion"] is None or table.isna().loc[2, "emotion"]


@pytest.mark.parametrize("results", ["analysis", "photos", "none"])
def test_the_types_of_a_dataframe_do_not_depend_on_the_data(analysis: Analysis, results: str) -> None:
    pytest.importorskip("pandas", reason="needs the extra data")
    chosen = {"analysis": analysis.results, "photos": analysis.results[:1], "none": ()}[results]
    table = Analysis(chosen).to_dataframe()
    kinds = {"string": "string", "integer": "Int64", "number": "float64", "boolean": "boolean"}
    assert {name: str(kind) for name, kind in table.dtypes.items()} == {
        column.name: kinds[column.type] for column in Analysis(chosen).columns
    }
    assert len(table) == sum(max(1, len(result)) for result in chosen)


def test_json_has_the_content_of_to_dict(analysis: Analysis, tmp_path: Path) -> None:
    text = analysis.to_json(tmp_path / "r.json")
    known = json.loads(text)
    assert json.loads((tmp_path / "r.json").read_text()) == known
    assert known["info"] == {"model": "baseline"}
    assert [len(result["faces"]) for result in known["results"]] == [2, 0]
    assert known["results"][1]["speed"] == {"detect": 1.23, "total": 1.23}
    assert known["failures"] == [{"source": "c.jpg", "message": "empty"}]


def test_the_summary_has_counts_and_shares(analysis: Analysis) -> None:
    analysis = Analysis((Result("a.jpg", faces=(make_face(), make_face()), labels=EXPRESSIONS), analysis.results[1]))
    summary = analysis.summary()
    assert (summary["frames"], summary["frames_without_a_face"], summary["faces"]) == (2, 1, 2)
    assert summary["share"]["happy"] == 1.0
    assert summary["share_interval"]["happy"] == [round(end, 4) for end in wilson_interval(1.0, 2)]
    assert summary["mean_probability"]["neutral"] == 0.14


def test_frames_of_a_person_are_no_independent_samples() -> None:
    faces = [dataclasses.replace(make_face(), track_id=1) for _ in range(50)]
    results = tuple(Result("a.mp4", i, i / 10, faces=(face,), labels=EXPRESSIONS) for i, face in enumerate(faces))
    low, high = Analysis(results).summary()["share_interval"]["happy"]
    assert (low, high) == tuple(round(end, 4) for end in wilson_interval(1.0, 1))  # one run


def test_an_empty_analysis_has_a_summary_and_an_empty_table(tmp_path: Path) -> None:
    empty = Analysis(())
    assert empty.summary()["faces"] == 0
    assert empty.to_csv(tmp_path / "t.csv").read_text().strip() == ",".join(FIXED)


def test_a_notebook_displays_the_first_rows() -> None:
    page = Analysis((Result("<b>.jpg", faces=(make_face(),), labels=EXPRESSIONS),))._repr_html_()
    assert "&lt;b&gt;.jpg" in page
    assert "<td>happy</td>" in page


def test_an_analysis_is_one_line_and_indexed_like_a_sequence(analysis: Analysis) -> None:
    assert repr(analysis) == "<Analysis: 2 frames of 2 sources, 2 faces, 1 failure>"
    assert repr(analysis[:1]) == "<Analysis: 1 frame of 'a.jpg', 2 faces, 1 failure>"
    assert repr(Analysis(())) == "<Analysis: 0 frames, 0 faces>"
    assert analysis[-1].source == "b.jpg"
    assert (analysis[1:].results, analysis[1:].info) == (analysis.results[1:], analysis.info)


def test_a_name_of_another_format_is_refused(analysis: Analysis, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"to_csv does not write \.xlsx; use to_excel, or give a name that ends in"):
        analysis.to_csv(tmp_path / "t.xlsx")
    with pytest.raises(OutputError, match=r"to_json does not write \.csv; use to_csv"):
        analysis.to_json(tmp_path / "t.csv")
    with pytest.raises(OutputError, match=r"use a name that ends in \.xlsx"):
        analysis.to_excel(tmp_path / "t.xls")
    assert list(tmp_path.iterdir()) == []
    assert analysis.to_csv(tmp_path / "t.tsv").exists()


def test_an_excel_file_has_the_table_the_codebook_and_the_settings(analysis: Analysis, tmp_path: Path) -> None:
    pytest.importorskip("xlsxwriter", reason="needs the extra study")
    openpyxl = pytest.importorskip("openpyxl", reason="needs the extra dev")
    book = openpyxl.load_workbook(analysis.to_excel(tmp_path / "t.xlsx"))
    assert book.sheetnames == ["table", "codebook", "settings"]
    head, first, *_ = book["table"].iter_rows(values_only=True)
    assert (first[head.index("source")], first[head.index("emotion")], first[head.index("happy")]) == (
        "a.jpg",
        "happy",
        0.7,
    )
