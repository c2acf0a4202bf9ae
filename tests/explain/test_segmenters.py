import sys

import numpy as np
import pytest

from facemood.errors import ExplanationError, MissingExtraError
from facemood.explain.explain_faces import view_of
from facemood.explain.segmenters import SEGMENTERS, check_parameters, masks_of, segment_face
from facemood.schema import Image


@pytest.fixture(scope="module")
def view(crop: Image) -> Image:
    pytest.importorskip("skimage", reason="needs the extra explain")
    return view_of(crop)


@pytest.mark.parametrize("segmenter", SEGMENTERS)
def test_each_segmenter_divides_a_face_into_numbered_segments(segmenter: str, view: Image) -> None:
    segments = segment_face(view, segmenter)
    assert segments.shape == view.shape[:2]
    assert np.unique(segments).tolist() == list(range(segments.max() + 1))
    assert 10 <= segments.max() + 1 <= 80
    assert (segment_face(view, segmenter) == segments).all()


@pytest.mark.parametrize(
    ("segmenter", "parameters"),
    [("slic", {"n_segments": 12}), ("quickshift", {"max_dist": 30.0}), ("felzenszwalb", {"min_size": 900})],
)
def test_parameters_make_fewer_segments(segmenter: str, parameters: dict[str, float], view: Image) -> None:
    fewer = segment_face(view, segmenter, parameters)
    assert 2 <= fewer.max() + 1 < segment_face(view, segmenter).max() + 1


def test_integers_stay_integers() -> None:
    assert check_parameters("slic", {"n_segments": 30.0}) == {"n_segments": 30, "compactness": 10.0, "sigma": 1.0}
    assert isinstance(check_parameters("slic", {"n_segments": 30.0})["n_segments"], int)


def test_a_face_of_one_segment_is_rejected() -> None:
    pytest.importorskip("skimage", reason="needs the extra explain")
    with pytest.raises(ExplanationError, match=r"felzenszwalb with scale 60, .* one segment of the whole face"):
        segment_face(np.full((160, 160, 3), 90, np.uint8), "felzenszwalb")


@pytest.mark.parametrize(
    ("segmenter", "parameters", "message"),
    [
        ("slick", {}, r"unknown segmenter 'slick'; expected one of .*\. Did you mean 'slic'\?"),
        ("slic", {"n_segment": 3}, r"slic has no parameter 'n_segment'; it has .*\. Did you mean 'n_segments'\?"),
        ("slic", {"n_segments": 0}, r"n_segments of slic must be above 0, but is 0"),
        ("quickshift", {"ratio": float("nan")}, r"ratio of quickshift must be above 0, but is nan"),
        ("quickshift", {"kernel_size": 0.5}, r"quickshift does not accept kernel_size 0\.5, max_dist 12"),
    ],
)
def test_messages_for_wrong_requests_say_what_was_expected(
    segmenter: str, parameters: dict[str, float], message: str, view: Image
) -> None:
    with pytest.raises(ExplanationError, match=message):
        segment_face(view, segmenter, parameters)


def test_without_scikit_image_the_extra_is_named(view: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    class Missing:
        """Finds no scikit-image, as if it were not installed."""

        @staticmethod
        def find_spec(name: str, *_: object) -> None:
            if name == "skimage":
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    for name in [name for name in sys.modules if name.partition(".")[0] == "skimage"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Missing, *sys.meta_path])
    with pytest.raises(MissingExtraError, match=r"'skimage\.segmentation' is not installed.*extra 'explain'"):
        segment_face(view)


@pytest.mark.parametrize("size", [(48, 48), (160, 160), (224, 224)])
def test_the_shares_of_each_input_pixel_sum_to_one(size: tuple[int, int], view: Image) -> None:
    masks = masks_of(segment_face(view), size)
    assert masks.shape[1:] == size[::-1]
    np.testing.assert_allclose(masks.sum(axis=0), 1, atol=1e-4)
