import json
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from facemood.errors import ModelError
from facemood.models.card import METADATA_KEY, ModelCard, write_card

CARD = ModelCard(
    name="small",
    heads={"mood": ("glad", "grim")},
    default_head="mood",
    temperature={"mood": 0.8},
    framing={"hog": (-0.1, -0.1, 1.1, 1.0)},
    metrics={"test": {"n": 3, "accuracy": 0.5, "macro_f1": 0.4, "ece": 0.1, "ece_before_temperature": 0.2}},
    limits=("It is small.",),
)


def identity_model(path: Path) -> Path:
    """An ONNX file whose output is its input."""
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 1, 2, 2]) for name in ("images", "mood")]
    graph = helper.make_graph([helper.make_node("Identity", ["images"], ["mood"])], "g", value[:1], value[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    return path


def test_a_card_survives_a_round_trip() -> None:
    assert ModelCard.from_json(CARD.to_json()) == CARD


def test_keys_of_newer_versions_are_ignored() -> None:
    text = json.dumps({**json.loads(CARD.to_json()), "from_the_future": 1})
    assert ModelCard.from_json(text) == CARD


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"name": "x"}', '{"heads": {"a": ["b"]}, "nonsense": 1}'])
def test_texts_that_are_not_cards_are_rejected(text: str) -> None:
    with pytest.raises(ModelError, match="not a facemood model card"):
        ModelCard.from_json(text)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"colour": "gray"}, "colour must be one of grey, bgr, rgb"),
        ({"default_head": "x"}, "default head 'x' is not among mood"),
        ({"colour": "rgb"}, "mean and std need 3 numbers"),
    ],
)
def test_invalid_cards_are_rejected(change: dict[str, str], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        ModelCard(**{"name": "x", "heads": {"mood": ("a",)}, "default_head": "mood", **change})  # type: ignore[arg-type]


def test_a_card_is_written_into_the_file_and_replaced_there(tmp_path: Path) -> None:
    file = identity_model(tmp_path / "m.onnx")
    for name in ("first", "second"):
        write_card(file, ModelCard(name=name, heads={"mood": ("a",)}, default_head="mood"))
    (entry,) = onnx.load(file).metadata_props
    assert entry.key == METADATA_KEY
    assert ModelCard.from_json(entry.value).name == "second"
    assert list(tmp_path.iterdir()) == [file]
