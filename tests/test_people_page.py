"""The page of people across cuts says what was measured, and what was measured is what was promised."""

from __future__ import annotations

import doctest
import json

import numpy as np
import pytest

from facemood.tracking import VideoPeople
from facemood.tracking.across_videos import SAME_ACROSS
from facemood.tracking.people import SAME
from scripts import measure_people, people_across
from scripts.made_shots import Shot
from tests.conftest import ROOT
from tests.tracking.test_people import made

KNOWN = json.loads((ROOT / "docs" / "people.json").read_text())


def test_the_page_is_made_of_the_figures() -> None:
    assert measure_people.page(KNOWN) == (ROOT / "docs" / "people.md").read_text()


def test_the_thresholds_are_those_that_were_measured() -> None:
    assert KNOWN["same"] == SAME
    across = KNOWN["across"]
    assert across["same"] == people_across.choose(across["thresholds"]) == SAME_ACROSS
    assert across["thresholds"][f"{SAME_ACROSS:.2f}"] == across["kinds"]["photos of the choice"]


@pytest.mark.parametrize("kind", KNOWN["videos"])
def test_few_different_people_are_joined(kind: str) -> None:
    joined = KNOWN["videos"][kind]["joined"]
    assert joined["wrong"] <= 0.02 * joined["pairs"]
    assert joined["idf1"] >= KNOWN["videos"][kind]["tracks"]["idf1"] - 0.01


def test_enough_pairs_were_made() -> None:
    assert KNOWN["videos"]["two shots"]["joined"]["pairs"] >= 200


def test_five_shots_of_two_clips_are_two_people() -> None:
    found = KNOWN["videos"]["both clips in turns, five shots"]["joined"]
    assert found["right"] == found["videos"]
    assert found["switches"] == 0


def test_the_network_helps() -> None:
    parts = KNOWN["parts"]
    assert parts["both"]["a"] > max(parts["network"]["a"], parts["colours of head and clothes"]["a"])


@pytest.mark.parametrize("kind", KNOWN["across"]["kinds"])
def test_few_different_people_of_two_videos_are_joined(kind: str) -> None:
    found = KNOWN["across"]["kinds"][kind]
    assert found["different"] >= 200
    assert found["wrong"] <= 0.02 * found["different"]
    assert found["right"] >= 0.8 * found["same"]


def test_the_examples_of_the_script_hold() -> None:
    assert doctest.testmod(people_across) == (0, 2)


def test_the_same_seed_makes_the_same_video_of_another_camera() -> None:
    image = np.random.default_rng(0).integers(0, 256, (24, 32, 3)).astype(np.uint8)
    shot = Shot([image] * 3, [{}] * 3, of=1)
    one, same, other = (people_across.through_camera(shot, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert all(picture is one.images[0] for picture in one.images)
    np.testing.assert_array_equal(one.images[0], same.images[0])
    assert (one.images[0] != other.images[0]).mean() > 0.5
    assert (one.images[0] != image).mean() > 0.5


def test_pairs_of_two_videos_are_counted() -> None:
    """Person 5 and person 9 in the first video; person 5 and somebody who looks like 9 in the second one."""
    videos = [
        people_across.MadeVideo(5, tracks, VideoPeople.of(made([5, 9])))
        for tracks in ({50: {1}, 90: {2}}, {50: {1}, 91: {2}})
    ]
    assert people_across.compare(videos) == (1, 3, 1, 1)
    assert people_across.compare(videos, same=1.1) == (0, 3, 0, 1)
    assert people_across.total([videos, videos[:1]]) == (1, 3, 1, 1)
