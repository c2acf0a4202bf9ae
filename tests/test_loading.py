"""`open_recognizer`: the task on the card selects the recognizer, not the file's name or folder."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest
from onnx import helper, numpy_helper

from facemood import DeviceError, EmotionRecognizer, ModelError, open_recognizer
from facemood.ferc import FERC
from facemood.models import ModelSession, find_model
from facemood.models.card import write_card
from tests.models.made import make_model


def test_names_open_their_models() -> None:
    assert type(open_recognizer("ferc")) is FERC
    assert type(open_recognizer(find_model("ferc"))) is FERC
    assert type(open_recognizer("nano")) is EmotionRecognizer
    assert open_recognizer().card.name == "default"
    with pytest.raises(ModelError, match="Did you mean 'ferc'"):
        open_recognizer("ferk")


@pytest.mark.parametrize(("model", "kind"), [("ferc", FERC), ("nano", EmotionRecognizer)])
def test_a_copy_under_another_name_is_opened_by_its_card(
    model: str, kind: type[EmotionRecognizer], astronaut: Path, tmp_path: Path
) -> None:
    other = {"ferc": "nano", "nano": "ferc"}[model]
    copy = Path(shutil.copy(find_model(model), tmp_path / f"{other}.onnx"))
    opened = open_recognizer(copy, threads=1)
    assert type(opened) is kind
    (face,), (expected,) = opened.analyze_image(astronaut), open_recognizer(model, threads=1).analyze_image(astronaut)
    np.testing.assert_array_equal(face.probabilities, expected.probabilities)
    assert (face.parts is not None) == (model == "ferc")


def test_options_reach_the_recognizer() -> None:
    opened = open_recognizer("nano", head="fer2013", views=2, prior="balanced", min_face=40, device="cpu", threads=1)
    assert opened.info() == {
        **EmotionRecognizer("nano").info(),
        "head": "fer2013",
        "labels": list(opened.labels),
        "views": 2,
        "prior": "balanced",
        "min_face": 40,
    }
    assert open_recognizer("ferc", head="ferplus").labels[-1] == "contempt"
    with pytest.raises(ValueError, match="views must be 1, but is 2"):
        open_recognizer("ferc", views=2)
    with pytest.raises(TypeError, match="headd"):
        open_recognizer("nano", headd="fer2013")


def test_a_model_for_another_task_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"finder\.onnx: the card's task is 'detection', .* 'expression' or 'vector'"):
        open_recognizer("finder")
    file = Path(shutil.copy(find_model("nano"), tmp_path / "own.onnx"))
    write_card(file, dataclasses.replace(ModelSession(file).card, task="ages"))
    with pytest.raises(ModelError, match=r"own\.onnx: the card's task is 'ages'"):
        open_recognizer(file)
    with pytest.raises(
        ModelError, match="is for the task 'ages', but expected 'expression'; use facemood.open_recognizer"
    ):
        EmotionRecognizer(file)


def test_an_open_session_is_not_opened_again() -> None:
    session = ModelSession(find_model("nano"), device="cpu", threads=1)
    assert EmotionRecognizer(session).session is session


def test_a_perceptron_for_other_vectors_is_rejected(tmp_path: Path) -> None:
    file = make_model(
        tmp_path / "own.onnx",
        {"task": "vector", "input_size": [30, 1]},
        nodes=[helper.make_node("MatMul", ["x", "W"], ["out"])],
        inputs={"x": ["n", 30]},
        weights=numpy_helper.from_array(np.zeros((30, 2), np.float32), "W"),
    )
    assert ModelSession(file).run_batch(np.zeros((3, 30), np.float32))["out"].shape == (3, 2)
    with pytest.raises(ModelError, match=r"own\.onnx: input_size must be 24 x 1, .* but is 30 x 1"):
        open_recognizer(file)


def test_a_card_without_framing_takes_crops_as_they_are(tmp_path: Path) -> None:
    file = Path(shutil.copy(find_model("ferc"), tmp_path / "own.onnx"))
    write_card(file, dataclasses.replace(ModelSession(file).card, framing={}))
    assert np.isnan(open_recognizer(file).classify(np.full((2, 48, 48), 128, np.uint8))).all()


@pytest.mark.parametrize("kind", [EmotionRecognizer, FERC])
def test_an_open_session_runs_on_the_device_that_is_asked_for(kind: type[EmotionRecognizer]) -> None:
    session = ModelSession(find_model("ferc" if kind is FERC else "nano"), device="cpu", threads=1)
    assert kind(session, device="cpu").session is session
    with pytest.raises(DeviceError, match="runs on 'cpu', but device is 'cuda'; open it with ModelSession"):
        kind(session, device="cuda")
