from typing import Any

import numpy as np
import pytest

from facemood.errors import ModelError
from facemood.schema import Face
from facemood.stages.detect import DetectOptions, FinderDetector, HogDetector, open_detector, select_faces


def face(side: float, score: float = 0.9) -> Face:
    return Face(np.array([0, 0, side, side], np.float32), score=score)


def test_selected_faces_are_sorted_by_size() -> None:
    faces = [face(40), face(90), face(20), face(60, score=0.3), face(50)]
    kept = select_faces(faces, DetectOptions(min_size=30, threshold=0.5))
    assert [found.size[0] for found in kept] == [90, 50, 40]
    assert len(select_faces(faces, DetectOptions(max_faces=1))) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        *[
            ({"min_size": value}, "min_face must be a number of pixels above 0")
            for value in (0, -3, "24", np.nan, True)
        ],
        *[
            ({"threshold": value}, "threshold must be a number from 0 to 1 or None")
            for value in (1.5, -0.1, "x", np.nan)
        ],
        *[({"max_faces": value}, "max_faces must be a whole number from 1 on or None") for value in (0, -1, 1.5, "2")],
    ],
)
def test_an_invalid_option_is_named_as_users_know_it(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"{message}, but is {next(iter(options.values()))!r}"):
        DetectOptions(**options)


def test_numbers_of_numpy_are_options_too() -> None:
    assert DetectOptions(np.float32(30), np.float64(0.5), np.int64(2)).max_faces == 2  # type: ignore[arg-type]


def test_without_a_threshold_the_detectors_default_counts() -> None:
    assert len(select_faces([face(40, score=0.01)], DetectOptions())) == 1
    assert DetectOptions().threshold_or(0.3) == 0.3
    assert DetectOptions(threshold=0.0).threshold_or(0.3) == 0.0


def test_an_unknown_detector_is_named() -> None:
    with pytest.raises(ModelError, match="unknown detector 'haar'"):
        open_detector("haar", DetectOptions())
    with pytest.raises(ModelError, match="needs its file; write yunet:FILE.onnx"):
        open_detector("yunet", DetectOptions())


def test_detectors_are_opened_by_name() -> None:
    options = DetectOptions(min_size=50)
    for name, kind in (("finder", FinderDetector), ("hog", HogDetector)):
        detector = open_detector(name, options, threads=1)
        assert isinstance(detector, kind)
        assert (detector.name, detector.options) == (name, options)
