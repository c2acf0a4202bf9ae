from pathlib import Path

import numpy as np
import pytest

from facemood.errors import ModelError, OptionError
from facemood.models import DEFAULT_MODEL, LANDMARKS, ModelSession, find_model, list_models, list_parts
from facemood.models.registry import INT8, PRECISIONS


def test_the_default_is_in_the_package() -> None:
    assert DEFAULT_MODEL in list_models()
    assert find_model(DEFAULT_MODEL).is_file()


@pytest.mark.parametrize("name", list_models())
def test_every_model_has_a_complete_card_and_a_limited_size(name: str) -> None:
    card = ModelSession(find_model(name), device="cpu").card
    assert card.name == name
    assert set(card.temperature) == set(card.heads)
    assert {"finder", "hog"} <= set(card.framing)
    assert card.task == "expression"
    assert card.description
    assert card.limits
    assert card.trained_on["split"] == "Training"
    assert any(key.startswith("PrivateTest") for key in card.metrics)
    assert find_model(name).stat().st_size <= 5_000_000


@pytest.mark.parametrize("name", list_models())
@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_model_takes_two_faces_at_once_and_gives_a_number_per_label(name: str, precision: str) -> None:
    try:
        session = ModelSession(find_model(name, precision=precision), device="cpu")
    except ModelError:
        assert precision == INT8  # not every model has such a file
        return
    logits = session.run(np.zeros((2, 48, 48), np.uint8))
    assert {head: values.shape for head, values in logits.items()} == {
        head: (2, len(labels)) for head, labels in session.card.heads.items()
    }


@pytest.mark.parametrize(
    ("name", "task", "most", "script"),
    [
        ("finder", "detection", 600_000, "detection"),
        ("landmarks", "landmarks", 2_000_000, "detection"),
        ("mask", "mask", 250_000, "ferc"),
        ("ferc", "vector", 30_000, "ferc"),
        ("appearance", "appearance", 500_000, "people"),
    ],
)
def test_the_parts_have_complete_cards_and_a_limited_size(name: str, task: str, most: int, script: str) -> None:
    assert name in list_parts()
    assert name not in list_models()
    card = ModelSession(find_model(name), device="cpu").card
    assert (card.name, card.task) == (name, task)
    assert card.metrics["script"] == f"scripts/measure_{script}.py"
    assert card.limits
    assert find_model(name).stat().st_size <= most


def test_a_path_is_returned_unchanged(tmp_path: Path) -> None:
    file = tmp_path / "own.onnx"
    file.write_bytes(b"")
    assert find_model(file) == file
    with pytest.raises(ModelError, match=r"or the path of an \.onnx file"):
        find_model(tmp_path / "other.onnx")


def test_int8_is_a_file_next_to_the_other() -> None:
    for name in ("default", LANDMARKS):
        assert find_model(name, precision="int8") == find_model(name).with_name(f"{name}.int8.onnx")
        assert f"{name}.int8" not in [*list_models(), *list_parts()]


@pytest.mark.parametrize("name", ["nano", "steady"])
def test_a_model_without_int8_says_so(name: str) -> None:
    message = rf"'{name}' has no int8 file {name}\.int8\.onnx next to it; use precision 'fp32'"
    with pytest.raises(ModelError, match=message):
        find_model(name, precision="int8")


def test_an_unknown_precision_is_refused() -> None:
    with pytest.raises(OptionError, match="precision must be 'fp32' or 'int8', but is 'int4'"):
        find_model("default", precision="int4")
