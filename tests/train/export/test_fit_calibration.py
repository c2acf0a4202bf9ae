import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from facemood.evaluation.calibration import WEIGHT, fit_temperature
from facemood.evaluation.protocol import run_all
from facemood.labels import BASIC_EXPRESSIONS, EXPRESSIONS
from facemood.models import ModelSession, find_model
from facemood.models.card import write_card
from facemood.train.export.fit_calibration import calibrate, refit_operating_point
from tests.train.test_fit import bright_or_dark


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model file that may be changed."""
    return Path(shutil.copy(find_model("nano"), tmp_path / "nano.onnx"))


def test_priors_are_the_shares_of_training_labels_and_not_zero(model: Path) -> None:
    dataset = bright_or_dark()
    card = calibrate(model, dataset.split("Training"), dataset.split("PublicTest"))
    counts = {"happy": 24, "sad": 24}
    for head, labels in (("fer2013", BASIC_EXPRESSIONS), ("ferplus", EXPRESSIONS)):
        expected = np.array([counts.get(label, 1) for label in labels])
        np.testing.assert_allclose(card.prior[head], expected / expected.sum(), atol=1e-5)


def test_the_temperature_is_fitted_on_validation_images_and_written(model: Path) -> None:
    dataset = bright_or_dark()
    validation = dataset.split("PublicTest")
    logits = run_all(ModelSession(model, device="cpu"), validation.images)["fer2013"]
    card = calibrate(model, dataset.split("Training"), validation)
    assert card.temperature["fer2013"] == fit_temperature(logits, validation.labels)
    assert set(card.certain) == set(card.balance) == {"fer2013", "ferplus"}
    assert ModelSession(model, device="cpu").card == card


def test_a_head_that_the_dataset_has_no_labels_for_stays_as_it_was(model: Path) -> None:
    before = ModelSession(model, device="cpu").card
    dataset = dataclasses.replace(bright_or_dark(), votes=None)
    write_card(model, dataclasses.replace(before, operating_point={}))
    card = calibrate(model, dataset.split("Training"), dataset.split("PublicTest"))
    assert card.temperature["ferplus"] == before.temperature["ferplus"]
    assert list(card.prior) == ["fer2013"]
    assert card.operating_point == {}


def test_the_operating_point_pools_both_heads_and_can_be_fitted_alone(model: Path) -> None:
    dataset = bright_or_dark()
    validation = dataset.split("PublicTest")
    card = calibrate(model, dataset.split("Training"), validation)
    (head, point), *others = card.operating_point.items()
    assert (head, point["second"], point["weight"], others) == ("ferplus", "fer2013", WEIGHT, [])
    write_card(model, dataclasses.replace(card, operating_point={}))
    assert refit_operating_point(model, validation) == card == ModelSession(model, device="cpu").card
