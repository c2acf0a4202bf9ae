import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from facemood import OptionError, OutputConflictError, OutputError, Result
from facemood.render.overlay import POINT
from tests.conftest import make_face


def few_labels() -> Result:
    """A result of a model with three labels, one of them custom."""
    face = make_face()
    return Result("a.jpg", faces=(face,), labels=("happy", "bored"), image=np.zeros((90, 120, 3), np.uint8))


def test_a_result_is_a_sequence_of_faces() -> None:
    result = few_labels()
    assert len(result) == 1
    assert [face.emotion for face in result] == ["happy"]


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp"])
def test_an_image_is_saved_in_the_format_of_its_suffix(tmp_path: Path, name: str) -> None:
    from PIL import Image

    path = few_labels().save(tmp_path / name)
    with Image.open(path) as picture:
        assert picture.size == (120, 90)


def test_saving_json_and_csv(tmp_path: Path) -> None:
    result = few_labels()
    assert json.loads(result.save(tmp_path / "a.json").read_text())["source"] == "a.jpg"
    table = result.save(tmp_path / "a.csv").read_text()
    beside = json.loads((tmp_path / "a.csv.json").read_text())
    assert (beside["table"], beside["settings"]) == ("a.csv", {"labels": list(result.labels)})
    assert ",".join(column["name"] for column in beside["codebook"]) == table.splitlines()[0]


def test_the_codebook_of_a_result_replaces_no_other_file(tmp_path: Path) -> None:
    notes = tmp_path / "a.csv.json"
    notes.write_text("my notes")
    with pytest.raises(OutputConflictError, match="needed for the codebook"):
        few_labels().save(tmp_path / "a.csv")
    with pytest.raises(OutputConflictError, match="write over the input"):
        dataclasses.replace(few_labels(), source=str(notes)).save(tmp_path / "a.csv")
    assert (notes.read_text(), list(tmp_path.iterdir())) == ("my notes", [notes])


def test_an_unknown_suffix_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"use a name that ends in \.png"):
        few_labels().save(tmp_path / "a.xyz")


def test_a_saved_image_shows_the_requested_layers(tmp_path: Path) -> None:
    face = dataclasses.replace(make_face(), landmarks=np.full((68, 2), 30, np.float32))
    result = dataclasses.replace(few_labels(), faces=(face,))
    plain, dotted = result.draw(), result.draw(layers=["points"])
    assert plain[30, 30].tolist() == [0, 0, 0]
    np.testing.assert_allclose(dotted[30, 30], POINT, atol=2)
    saved = cv2.imread(str(result.save(tmp_path / "a.png", layers="points")))
    np.testing.assert_array_equal(saved, dotted)
    with pytest.raises(OutputError, match=r"'point' is no layer that can be drawn.*Did you mean 'points'\?"):
        result.save(tmp_path / "b.png", layers=["point"])
    assert not (tmp_path / "b.png").exists()


def test_drawing_without_an_image_is_an_error() -> None:
    with pytest.raises(ValueError, match="keep_images=True"):
        Result("a.jpg").draw()


def test_a_notebook_displays_the_annotated_image() -> None:
    png = few_labels()._repr_png_()
    assert png is not None
    assert png.startswith(b"\x89PNG")
    assert Result("a.jpg")._repr_png_() is None


def test_a_result_is_one_line_and_indexed_like_a_sequence() -> None:
    face = make_face()
    result = dataclasses.replace(few_labels(), size=(120, 90))
    assert repr(result) == "<Result: 'a.jpg', 120 x 90, happy 70%>"
    assert repr(Result("v.mp4", timestamp=1.5, size=(8, 6))) == "<Result: 'v.mp4' at 1.50 s, 8 x 6, no face>"
    many = dataclasses.replace(result, faces=(face,) * 5)
    assert repr(many).endswith("happy 70%, happy 70%, happy 70% and 2 more>")
    assert (result[0], result[-1], many[3:]) == (result.faces[0], result.faces[0], (face, face))
    with pytest.raises(IndexError):
        result[1]


def test_a_frame_of_one_result_has_typed_columns() -> None:
    pytest.importorskip("pandas", reason="needs the extra data")
    table = few_labels().to_dataframe()
    assert (table["emotion"][0], str(table["face"].dtype), table["happy"][0]) == ("happy", "Int64", 0.7)


def test_the_arguments_of_supervision() -> None:
    given = few_labels().to_supervision()
    assert list(given) == ["xyxy", "confidence", "class_id", "tracker_id", "data"]
    assert (given["xyxy"].shape, given["class_id"].tolist(), given["tracker_id"]) == ((1, 4), [0], None)
    assert given["confidence"].tolist() == pytest.approx([0.7])
    assert given["data"]["class_name"].tolist() == ["happy"]
    tracked = [dataclasses.replace(make_face(), track_id=number) for number in (4, 2)]
    assert Result("a", faces=tuple(tracked), labels=("happy",)).to_supervision()["tracker_id"].tolist() == [4, 2]
    bare = Result("a", faces=(dataclasses.replace(make_face(), labels=(), probabilities=np.zeros(0, np.float32)),))
    assert bare.to_supervision()["class_id"].tolist() == [-1]
    assert Result("a").to_supervision()["xyxy"].shape == (0, 4)


def test_a_result_is_plotted_beside_the_bars_of_its_first_faces() -> None:
    pytest.importorskip("matplotlib", reason="needs the extra plot")
    result = dataclasses.replace(few_labels(), faces=(make_face(),) * 6)
    picture, *bars = result.plot().axes
    drawn = picture.get_images()[0].get_array()
    assert drawn is not None
    assert drawn.shape == (90, 120, 3)
    assert [axes.get_title("left") for axes in bars] == ["face 0", "face 1", "face 2", "face 3"]
    bold = [text.get_text() for text in bars[0].get_yticklabels() if text.get_fontweight() == "bold"]
    assert bold == ["happy"]
    assert len(dataclasses.replace(result, faces=()).plot().axes) == 1
    with pytest.raises(OptionError, match="keep_images=True"):
        Result("a.jpg").plot()
