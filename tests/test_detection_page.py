"""The page on detection says what the script measured, of the networks that are shipped."""

import json
from types import ModuleType

import pytest

from facemood.stages.detect.finder import CANDIDATE
from tests.conftest import ROOT, load_script


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_script("measure_detection")


def test_the_page_is_made_from_the_figures(script: ModuleType) -> None:
    known = json.loads((ROOT / "docs" / "detection.json").read_text())
    page = (ROOT / "docs" / "detection.md").read_text()
    assert page == script.page(known), "run: python scripts/measure_detection.py --page"
    assert "{{" not in page


def test_the_figures_are_of_the_shipped_networks(script: ModuleType) -> None:
    known = json.loads((ROOT / "docs" / "detection.json").read_text())
    for name in ("finder", "landmarks"):
        assert known["with"][name] == script.digest(name)


def test_the_readme_says_what_was_measured() -> None:
    known = json.loads((ROOT / "docs" / "detection.json").read_text())
    readme = " ".join((ROOT / "README.md").read_text().split())
    photos = known["detectors"]["finder"]["photos"]
    assert f"{photos['found']} of {photos['faces']} annotated faces with no false box" in readme
    assert photos["false"] == 0


def test_no_higher_score_of_a_candidate_finds_all_annotated_faces() -> None:
    tried = {row["score"]: row["photos"] for row in json.loads((ROOT / "docs" / "candidates.json").read_text())}
    assert max(score for score, (found, faces) in tried.items() if found == faces) == CANDIDATE
    assert max(tried) > CANDIDATE
