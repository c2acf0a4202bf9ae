import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from facemood.errors import ExplanationError
from facemood.explain import InputScorer
from facemood.explain.fill import hide_parts
from facemood.explain.lime import distances, draw_samples, fit_lime
from facemood.explain.segmenters import masks_of
from facemood.models.session import prepare
from facemood.schema import Image

lime_image = pytest.importorskip("lime.lime_image", reason="needs the extra explain")

QUARTERS = np.arange(4).reshape(2, 2).repeat(24, axis=0).repeat(24, axis=1)
"""(48, 48): four segments."""


def test_weights_are_those_of_the_package_lime(scorer: InputScorer, crop: Image) -> None:
    tile = prepare([crop], scorer.session.card)[0, 0]  # (48, 48), grey
    face = hide_parts(tile[None], masks_of(QUARTERS, (48, 48)))
    ours = fit_lime(face, scorer, scorer.column("neutral"), samples=60, seed=3)

    def predict(images: NDArray[np.float64]) -> NDArray[np.float32]:
        return scorer.predict(images[..., 0][:, None].astype(np.float32))

    explainer = lime_image.LimeImageExplainer(feature_selection="none", random_state=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = explainer.explain_instance(
            tile.repeat(3).reshape(48, 48, 3).astype(np.float64), predict, labels=(scorer.column("neutral"),),
            top_labels=None, num_samples=60, segmentation_fn=lambda _: QUARTERS, random_seed=3,
        )  # fmt: skip
    weights = dict(theirs.local_exp[scorer.column("neutral")])
    np.testing.assert_allclose(ours.weights, [weights[number] for number in range(4)], atol=2e-4)
    assert ours.r2 == pytest.approx(theirs.score, abs=2e-3)


def test_a_model_that_is_a_sum_of_superpixels_is_found_exactly(scorer: InputScorer) -> None:
    class Sum(InputScorer):
        """Predicts 0.3 times the mean brightness of the upper left quarter plus 0.1 times that of the lower right."""

        def predict(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
            quarters = inputs[:, 0].reshape(-1, 2, 24, 2, 24).mean(axis=(2, 4))
            value = 0.3 * quarters[:, 0, 0] + 0.1 * quarters[:, 1, 1]
            return np.stack([value, 1 - value], axis=1).astype(np.float32)

    rng = np.random.default_rng(0)
    bright = (np.ones((1, 48, 48)) + rng.normal(0, 0.01, (1, 48, 48))).astype(np.float32)
    masks = masks_of(QUARTERS, (48, 48))
    face = hide_parts(bright, masks, how="mean")
    dark = type(face)(np.zeros_like(face.ground), (masks[:, None] * bright).reshape(4, -1))  # hidden is black
    fit = fit_lime(dark, Sum(scorer.session, scorer.head), 0, samples=400)
    np.testing.assert_allclose(fit.weights, [0.3, 0, 0, 0.1], atol=0.01)
    assert fit.r2 > 0.99
    assert fit.probability == pytest.approx(0.4, abs=0.01)


def test_the_same_seed_gives_the_same_weights_and_another_gives_others(scorer: InputScorer, crop: Image) -> None:
    face = hide_parts(scorer.prepare(crop), masks_of(QUARTERS, (48, 48)))
    one, again, other = (fit_lime(face, scorer, 0, samples=40, seed=seed).weights for seed in (1, 1, 2))
    assert (one == again).all()
    assert (one != other).any()


def test_too_few_samples_are_rejected(scorer: InputScorer, crop: Image) -> None:
    face = hide_parts(scorer.prepare(crop), masks_of(QUARTERS, (48, 48)))
    with pytest.raises(ExplanationError, match="LIME needs at least 10 samples, but got 9"):
        fit_lime(face, scorer, 0, samples=9)


@given(st.integers(2, 40), st.integers(1, 50), st.integers(0, 99))
def test_the_first_sample_shows_all_and_is_nearest(segments: int, samples: int, seed: int) -> None:
    shown = draw_samples(segments, samples, seed)
    assert shown.shape == (samples, segments)
    assert shown[0].all()
    assert distances(shown)[0] == 0
    assert ((distances(shown) >= 0) & (distances(shown) <= 1)).all()
