"""Baselines of several periods of one video."""

from __future__ import annotations

import dataclasses

import numpy as np

from facemood import Face
from facemood.tracking import Baselines
from facemood.tracking.baseline import log_odds
from tests.conftest import make_face


def face(happy: float) -> Face:
    row = np.array([happy, *[(1 - happy) / 7] * 7], np.float32)
    return dataclasses.replace(make_face(probabilities=row), action_units={"AU12": happy})


def test_a_face_is_compared_with_the_baseline_of_its_period() -> None:
    calm, glad, later = face(0.2), face(0.6), face(0.8)
    baselines = Baselines([(2.0, 3.0), (0.0, 1.0), (2.0, 3.0)])
    assert (baselines.periods, baselines.end) == (((0.0, 1.0), (2.0, 3.0)), 3.0)
    for now, one in ((0.0, calm), (1.0, later), (2.0, glad), (3.0, later)):
        baselines.learn([one], ["p01"], now=now, seconds=0.1)
    assert baselines.people((0.0, 1.0)) == baselines.people((2.0, 3.0)) == ("p01",)
    known = baselines.compare([later] * 3, ["p01"] * 3, [(0.0, 1.0), (2.0, 3.0), None], seconds=0.1)
    for compared, neutral in zip(known, (calm, glad), strict=False):
        assert compared.change is not None
        expected = log_odds(later.probabilities) - log_odds(neutral.probabilities)
        np.testing.assert_allclose(compared.change, expected, atol=1e-5)
    assert known[2].change is None
    assert known[0].action_units["AU12"] > known[1].action_units["AU12"]
    assert known[2].action_units["AU12"] < later.action_units["AU12"]  # the running mean


def test_without_periods_there_is_only_the_running_mean() -> None:
    baselines = Baselines()
    baselines.learn([face(0.5)], [1], now=0.0, seconds=1.0)
    assert (baselines.periods, baselines.end) == ((), 0.0)
    assert baselines.compare([face(0.5)], [1], [None], seconds=1.0)[0].change is None
