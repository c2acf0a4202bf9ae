"""The page on limits says what the script measured."""

import json
from types import ModuleType

import numpy as np
import pytest

from facemood.schema import Face
from tests.conftest import ROOT, load_script


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_script("measure_limits")


def test_the_page_is_made_from_the_figures(script: ModuleType) -> None:
    known = json.loads((ROOT / "docs" / "limits.json").read_text())
    page = (ROOT / "docs" / "limits.md").read_text()
    assert page == script.page(known), "run: python scripts/measure_limits.py --page"
    assert "{{" not in page
    assert {row["n"] for name in ("size", "tilt") for row in known[name].values()} == {script.FACES}


def test_the_figures_are_those_of_the_shipped_models(script: ModuleType) -> None:
    known = json.loads((ROOT / "docs" / "limits.json").read_text())
    assert known["models"] == known["photos"]["models"] == script.digests(), "run: python scripts/measure_limits.py"


def test_what_the_page_says_of_groups_is_so(script: ModuleType) -> None:
    found = json.loads((ROOT / "docs" / "limits.json").read_text())["photos"]["groups"]
    for one in found.values():
        low, high = one["interval"]
        assert low <= -0.1 < one["difference"] < 0 < high
        loss = [one["rows"][-1]["recall"][name]["share"] - one["rows"][0]["recall"][name]["share"]
                for name in one["expressions"]]  # fmt: skip
        assert one["expressions"][int(np.argmin(loss))] == "surprise"
    assert found["beard"]["rows"][-1]["recall"]["sad"]["n"] == 2


def test_a_missed_face_counts_as_wrong(script: ModuleType) -> None:
    box, labels = np.zeros(4, np.float32), ("happy", "sad")
    happy = Face(box, 0.9, labels=labels, probabilities=np.array([0.9, 0.1], np.float32), pose=np.array([-20.0, 0, 0]))
    found = script.figures_of([happy, None, happy, happy], np.array(["happy", "happy", "sad", "happy"]))
    assert (found["n"], found["found"], found["right"]) == (4, 3, 0.5)
    by_yaw = script.by_yaw([happy, None], np.array(["happy", "happy"]))
    assert list(by_yaw) == ["15 to 30"]
    assert by_yaw["15 to 30"]["n"] == 1


def test_pictures_keep_their_size_when_rotated_and_the_faces_side_is_as_asked(script: ModuleType) -> None:
    image = np.random.default_rng(0).integers(0, 256, (384, 384, 3), np.uint8)
    assert script.rotate(image, 30).shape == image.shape
    assert script.shrink(image, 12).shape == (24 + 2 * script.MARGIN, 24 + 2 * script.MARGIN, 3)
