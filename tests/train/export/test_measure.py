import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from facemood.datasets import ExpressionDataset
from facemood.errors import DatasetError
from facemood.models import ModelSession, find_model
from facemood.schema import Face, Image
from facemood.train.export.measure import FRAMING_TILES, KEPT, add_framings, measure
from tests.evaluation.test_crop_framing import OffsetDetector
from tests.models.test_card import CARD
from tests.train.test_fit import bright_or_dark


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return Path(shutil.copy(find_model("nano"), tmp_path / "nano.onnx"))


def in_one_split(dataset: ExpressionDataset) -> ExpressionDataset:
    return dataclasses.replace(dataset, usage=np.full(len(dataset), "Training"))


def test_all_splits_except_the_training_split_are_evaluated(model: Path) -> None:
    dataset = bright_or_dark()
    found = measure(model, dataset, dataset.split("PublicTest"))
    assert {name.split(":")[0] for name in found} == {"PublicTest"}
    assert found["PublicTest: fer2013 labels"]["n"] == 16
    assert tuple(found["PublicTest: fer2013 labels"]) == KEPT


def test_images_split_off_for_validation_are_evaluated_if_there_is_no_other_split(model: Path) -> None:
    dataset = in_one_split(bright_or_dark())
    validation = dataset.subset(np.arange(len(dataset)) < 10)
    found = measure(model, dataset, validation)
    assert {name.split(":")[0] for name in found} == {"validation"}
    assert found["validation: fer2013 labels"]["n"] == 10


class Counter(OffsetDetector):
    """Records its images."""

    def __init__(self) -> None:
        super().__init__()
        self.means: list[float] = []

    def __call__(self, image: Image) -> list[Face]:
        self.means.append(float(image.mean()))
        return super().__call__(image)


def test_the_framing_is_measured_on_evenly_spaced_tiles() -> None:
    tiles = np.arange(2 * FRAMING_TILES, dtype=np.int64)[:, None, None] * np.ones((1, 4, 4), np.int64)
    detector = Counter()
    card = add_framings(CARD, (tiles * 255 // tiles.max()).astype(np.uint8), (detector,))
    assert len(detector.means) == FRAMING_TILES
    assert (detector.means[0], detector.means[-1]) == (0, 255)
    assert card.metrics["framing"]["offset"]["tiles"] == FRAMING_TILES
    assert card.framing["offset"] == card.metrics["framing"]["offset"]["crop"]


def test_the_framing_of_other_detectors_stays() -> None:
    known = dataclasses.replace(CARD, framing={"other": (0.0, 0.0, 1.0, 1.0)}, metrics={"PublicTest": {"n": 3}})
    card = add_framings(known, np.full((3, 16, 16), 128, np.uint8), (OffsetDetector(),))
    assert set(card.framing) == {"other", "offset"}
    assert card.metrics["PublicTest"] == {"n": 3}


def test_a_detector_without_detections_is_reported() -> None:
    class Blind(OffsetDetector):
        def __call__(self, image: Image) -> list[Face]:
            return []

    with pytest.raises(DatasetError, match="found no face in 3 tiles"):
        add_framings(CARD, np.full((3, 16, 16), 128, np.uint8), (Blind(),))


def test_the_measured_model_is_not_changed(model: Path) -> None:
    before = model.read_bytes()
    measure(model, bright_or_dark(), bright_or_dark().split("PublicTest"))
    assert model.read_bytes() == before
    assert ModelSession(model, device="cpu").card.name == "nano"
