import dataclasses

import numpy as np
import pytest

from facemood import Face
from facemood.stages.action_units.estimate import intensity_of
from facemood.tracking.unit_baseline import UnitBaseline
from tests.conftest import make_face


def known_face(strong: float, *, codes: tuple[str, ...] = ("AU04", "AU12")) -> Face:
    """A face of a person with one intensity for all units."""
    return dataclasses.replace(make_face(), action_units=dict.fromkeys(codes, strong))


def test_units_are_relative_to_the_persons_baseline() -> None:
    baseline = UnitBaseline()
    baseline.learn([known_face(0.6)], [1], seconds=2)
    assert baseline.people == (1,)
    same, more, stranger = baseline.compare([known_face(0.6), known_face(0.9), known_face(0.6)], [1, 1, 2])
    assert same.action_units["AU12"] == pytest.approx(float(intensity_of(np.array(0.0))), abs=1e-6)
    assert 0.3 < more.action_units["AU12"] < 0.9
    assert stranger.action_units["AU12"] == pytest.approx(0.6)


def test_a_running_baseline_grows_with_time_but_does_not_absorb_a_long_smile() -> None:
    baseline, reported = UnitBaseline(), []
    for _ in range(40):
        baseline.follow([known_face(0.4)], [1], seconds=1)
        reported.append(baseline.compare([known_face(0.4)], [1])[0].action_units["AU12"])
    assert reported == sorted(reported, reverse=True)
    assert reported[-1] < 0.2 < reported[0]
    smiling = UnitBaseline()
    for _ in range(600):
        smiling.follow([known_face(0.999)], [1], seconds=1)
    assert smiling.compare([known_face(0.999)], [1])[0].action_units["AU12"] > 0.95


def test_faces_without_units_or_a_key_stay_as_they_are() -> None:
    baseline = UnitBaseline()
    faces: list[Face] = [known_face(0.5), dataclasses.replace(known_face(0.5), action_units={})]
    keys = [None, 1]
    baseline.learn(faces, keys, seconds=1)
    baseline.follow(faces, keys, seconds=1)
    assert baseline.people == ()
    assert [one is other for one, other in zip(baseline.compare(faces, keys), faces, strict=True)] == [True, True]


def test_units_that_are_hidden_at_times_keep_their_baseline() -> None:
    baseline = UnitBaseline()
    baseline.learn([known_face(0.7), known_face(0.2, codes=("AU04",))], [1, 1], seconds=1)
    (later,) = baseline.compare([known_face(0.7, codes=("AU12",))], [1])
    assert later.action_units == {"AU12": pytest.approx(float(intensity_of(np.array(0.0))), abs=1e-6)}


def test_a_baseline_can_use_the_running_mean_of_another() -> None:
    running = UnitBaseline()
    running.follow([known_face(0.4)], [1], seconds=20)
    own = UnitBaseline(running)
    first, second = (one.compare([known_face(0.4)], [1])[0] for one in (own, running))
    assert first.action_units == second.action_units
    own.learn([known_face(0.9)], [1], seconds=1)
    assert own.compare([known_face(0.9)], [1])[0].action_units["AU12"] < 0.2
