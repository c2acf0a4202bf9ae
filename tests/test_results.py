import csv
import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from facemood import Analysis, OutputError, Result
from facemood.labels import EXPRESSIONS
from facemood.render.overlay import POINT
from facemood.results import COLUMNS, Failure, columns_for
from tests.conftest import make_face

GOLDEN = """\
source,frame,timestamp,face,track_id,x1,y1,x2,y2,score,emotion,confidence,certain,angry,disgust,fear,happy,sad,surprise,neutral,contempt,AU01,AU02,AU04,AU05,AU06,AU07,AU09,AU10,AU12,AU14,AU15,AU16,AU17,AU20,AU23,AU24,AU25,AU26,AU27,AU43,yaw,pitch,roll
a.jpg,0,,0,,10.0,20.0,50.0,70.0,0.9,happy,0.7,1,0.02,0.01,0.03,0.7,0.04,0.05,0.14,0.01,,,0.25,,,,,,0.877,,,,,,,,,,,,12.3,-4.0,0.0
a.jpg,0,,1,,60.5,20.2,80.0,40.0,0.9,sad,0.6,,0.1,,,0.3,0.6,,,,,,,,,,,,,,,,,,,,,,,,,,
b.jpg,0,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,
"""


def few_labels() -> Result:
    """A result of a model that knows three labels only, one of them its own."""
    face = make_face()
    return Result("a.jpg", faces=(face,), labels=("happy", "bored"), image=np.zeros((90, 120, 3), np.uint8))


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


def test_the_table_is_this(analysis: Analysis, tmp_path: Path) -> None:
    path = analysis.to_csv(tmp_path / "t.csv")
    assert path.read_text().replace("\r\n", "\n") == GOLDEN


def test_labels_that_a_model_does_not_know_are_empty_and_its_own_follow(tmp_path: Path) -> None:
    assert columns_for(("happy", "bored")) == [*COLUMNS, "bored"]
    Analysis((Result("x.jpg", labels=("happy", "bored")),)).to_csv(tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="") as file:
        row = next(csv.DictReader(file))
    assert (row["source"], row["bored"], row["angry"]) == ("x.jpg", "", "")


def test_a_dataframe_has_missing_values_for_empty_cells(analysis: Analysis) -> None:
    pytest.importorskip("pandas", reason="needs the extra data")
    table = analysis.to_dataframe()
    assert list(table.columns) == list(COLUMNS)
    assert len(table) == 3
    assert table["happy"].sum() == pytest.approx(1.0)
    assert table.loc[2, "emotion"] is None or table.isna().loc[2, "emotion"]


def test_json_comes_back_as_it_went(analysis: Analysis, tmp_path: Path) -> None:
    text = analysis.to_json(tmp_path / "r.json")
    known = json.loads(text)
    assert json.loads((tmp_path / "r.json").read_text()) == known
    assert known["info"] == {"model": "baseline"}
    assert [len(result["faces"]) for result in known["results"]] == [2, 0]
    assert known["results"][1]["speed"] == {"detect": 1.23, "total": 1.23}
    assert known["failures"] == [{"source": "c.jpg", "message": "empty"}]


def test_the_summary_counts_and_shares(analysis: Analysis) -> None:
    analysis = Analysis((Result("a.jpg", faces=(make_face(), make_face()), labels=EXPRESSIONS), analysis.results[1]))
    summary = analysis.summary()
    assert (summary["frames"], summary["frames_without_a_face"], summary["faces"]) == (2, 1, 2)
    assert summary["share"]["happy"] == 1.0
    assert summary["mean_probability"]["neutral"] == 0.14


def test_an_empty_analysis_has_a_summary_and_an_empty_table(tmp_path: Path) -> None:
    empty = Analysis(())
    assert empty.summary()["faces"] == 0
    assert empty.to_csv(tmp_path / "t.csv").read_text().strip() == ",".join(COLUMNS)


def test_a_result_is_a_sequence_of_faces() -> None:
    result = few_labels()
    assert len(result) == 1
    assert [face.emotion for face in result] == ["happy"]


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp"])
def test_saving_a_picture_writes_that_format(tmp_path: Path, name: str) -> None:
    from PIL import Image

    path = few_labels().save(tmp_path / name)
    with Image.open(path) as picture:
        assert picture.size == (120, 90)


def test_saving_json_and_csv(tmp_path: Path) -> None:
    result = few_labels()
    assert json.loads(result.save(tmp_path / "a.json").read_text())["source"] == "a.jpg"
    assert result.save(tmp_path / "a.csv").read_text().startswith("source,")


def test_an_unknown_ending_says_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"end the name in \.png"):
        few_labels().save(tmp_path / "a.xyz")


def test_a_saved_picture_shows_the_layers_that_were_asked_for(tmp_path: Path) -> None:
    face = dataclasses.replace(make_face(), landmarks=np.full((68, 2), 30, np.float32))
    result = dataclasses.replace(few_labels(), faces=(face,))
    plain, dotted = result.draw(), result.draw(layers=["points"])
    assert plain[30, 30].tolist() == [0, 0, 0]
    np.testing.assert_allclose(dotted[30, 30], POINT, atol=2)
    saved = cv2.imread(str(result.save(tmp_path / "a.png", layers="points")))
    np.testing.assert_array_equal(saved, dotted)
    with pytest.raises(OutputError, match=r"'point' is nothing that can be drawn.*Did you mean 'points'\?"):
        result.save(tmp_path / "b.png", layers=["point"])
    assert not (tmp_path / "b.png").exists()


def test_drawing_without_an_image_says_how_to_get_one() -> None:
    with pytest.raises(ValueError, match="keep_images=True"):
        Result("a.jpg").draw()


def test_notebooks_show_picture_and_table(analysis: Analysis) -> None:
    png = few_labels()._repr_png_()
    assert png is not None
    assert png.startswith(b"\x89PNG")
    assert Result("a.jpg")._repr_png_() is None
    page = Analysis((Result("<b>.jpg", faces=(make_face(),), labels=EXPRESSIONS),))._repr_html_()
    assert "&lt;b&gt;.jpg" in page
    assert "<td>happy</td>" in page
