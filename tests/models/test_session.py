from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facemood.errors import ImageError, ModelError
from facemood.models import DEFAULT_MODEL, ModelCard, ModelSession, find_model
from facemood.models.session import prepare
from tests.models.made import make_model
from tests.models.test_card import identity_model

GREY = ModelCard("g", heads={"h": ("a",)}, default_head="h", input_size=(4, 4))
RGB = ModelCard(
    "c", heads={"h": ("a",)}, default_head="h", input_size=(4, 4), colour="rgb", mean=(1, 2, 3), std=(2, 2, 2)
)


@pytest.fixture(scope="module")
def session() -> ModelSession:
    return ModelSession(find_model(DEFAULT_MODEL), device="cpu", threads=1)


def test_each_head_has_logits(session: ModelSession) -> None:
    logits = session.run(np.zeros((3, 48, 48), np.uint8))
    assert {head: values.shape for head, values in logits.items()} == {"fer2013": (3, 7), "ferplus": (3, 8)}
    assert session.device == "cpu"


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_a_batch_gives_the_logits_of_single_crops(count: int, seed: int) -> None:
    session = ModelSession(find_model(DEFAULT_MODEL), device="cpu", threads=1)
    crops = np.random.default_rng(seed).integers(0, 256, (count, 48, 48), np.uint8)
    together = session.run(crops)["ferplus"]
    for crop, logits in zip(crops, together, strict=True):
        np.testing.assert_allclose(session.run(crop[None])["ferplus"][0], logits, atol=1e-3)


def test_no_crops_give_empty_logits(session: ModelSession) -> None:
    assert session.run([])["ferplus"].shape == (0, 8)


def test_light_and_contrast_change_nothing(session: ModelSession) -> None:
    crop = np.random.default_rng(0).integers(40, 100, (1, 48, 48), np.uint8)
    np.testing.assert_allclose(session.run(crop)["ferplus"], session.run(crop * 2 + 20)["ferplus"], atol=0.05)


def test_the_input_follows_the_card() -> None:
    crop = np.zeros((4, 4, 3), np.uint8)
    crop[..., 0], crop[..., 2] = 10, 30  # blue and red
    assert prepare([crop], RGB)[0, :, 0, 0].tolist() == [14.5, -1.0, 3.5]
    assert prepare([crop], GREY).shape == (1, 1, 4, 4)
    assert prepare([crop], GREY)[0, 0, 0, 0] == round(0.299 * 30 + 0.114 * 10)
    assert prepare([crop[..., 0]], RGB)[0, :, 0, 0].tolist() == [4.5, 4.0, 3.5]


def test_shrinking_averages() -> None:
    crop = np.tile(np.array([[0, 200], [200, 0]], np.uint8), (4, 4))
    assert (prepare([crop], GREY) == 100).all()


def test_a_batch_can_have_crops_of_different_sizes() -> None:
    assert prepare([np.zeros((9, 9), np.uint8), np.zeros((2, 3, 3), np.uint8)], GREY).shape == (2, 1, 4, 4)


@pytest.mark.parametrize("shape", [(4, 4, 4), (4,), (0, 4), (4, 4, 3, 1)])
def test_other_shapes_are_rejected(shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageError, match="a face crop must be"):
        prepare([np.zeros(shape, np.uint8)], GREY)
    with pytest.raises(ImageError, match="float32"):
        prepare([np.zeros((4, 4), np.float32)], GREY)


def test_a_file_that_is_not_a_model_or_has_no_card(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(ModelError, match="cannot be loaded as an ONNX model"):
        ModelSession(tmp_path / "text.onnx")
    with pytest.raises(ModelError, match="has no facemood card"):
        ModelSession(identity_model(tmp_path / "m.onnx"))


def test_a_users_model_has_its_own_labels(tmp_path: Path) -> None:
    from facemood import EmotionRecognizer

    file = make_model(tmp_path / "m.onnx", {"heads": {"out": ["glad", "grim"]}})
    assert EmotionRecognizer(file).labels == ("glad", "grim")
