"""Arousal over time: the mean of the last seconds, against a plain computation over all frames."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from facemood import Face
from facemood.affect import AROUSAL_UNITS, activations_of, arousal_of
from facemood.tracking.recent_past import STEP, RecentPast


def face_with(units: dict[str, float]) -> Face:
    return Face(np.zeros(4, np.float32), 0.9, track_id=1, action_units=units)


def random_faces(count: int, seed: int = 3) -> list[Face]:
    random = np.random.default_rng(seed)
    rows = random.uniform(0, 1, (count, len(AROUSAL_UNITS)))
    return [face_with(dict(zip(AROUSAL_UNITS, row.tolist(), strict=True))) for row in rows]


def measured(past: RecentPast, faces: list[Face], seconds: float) -> list[float]:
    found = [
        past.update([face], [1], now=place * seconds, seconds=seconds)[0].measures["arousal"]
        for place, face in enumerate(faces)
    ]
    assert all(0 <= value <= 1 for value in found)
    return found


def test_it_is_the_formula_over_the_last_seconds() -> None:
    faces, seconds = random_faces(120), STEP
    found = measured(RecentPast(seconds=10), faces, seconds)
    rows = np.array([activations_of(face.action_units) for face in faces])
    length = round(10 / seconds) + 1  # the frame that is just 10 s old still counts
    for place, value in enumerate(found):
        usual = rows[max(place + 1 - length, 0) : place + 1].mean(axis=0)
        assert value == pytest.approx(arousal_of(rows[place], usual), abs=1e-9)


def test_the_frame_rate_hardly_matters() -> None:
    often = measured(RecentPast(), [face for face in random_faces(60) for _ in range(10)], 0.1)
    seldom = measured(RecentPast(), random_faces(60), 1.0)
    assert np.abs(np.array(often[9::10]) - seldom)[5:].max() < 0.03


def test_the_first_frame_has_none_and_a_lasting_face_loses_it() -> None:
    still, smile = dict.fromkeys(AROUSAL_UNITS, 0.1), dict.fromkeys(AROUSAL_UNITS[:-1], 0.9)
    found = measured(RecentPast(), [face_with(still)] * 30 + [face_with(smile)] * 200, 0.5)
    assert found[:30] == pytest.approx([0.0] * 30)
    assert found[30] > 0.7
    assert found[-1] == pytest.approx(0, abs=1e-9)  # the smile lasts longer than the past


def test_each_person_has_a_past_of_their_own_which_is_forgotten() -> None:
    past = RecentPast(seconds=5)
    calm, lively = (face_with(dict.fromkeys(AROUSAL_UNITS, value)) for value in (0.1, 0.9))
    for second in range(5):
        past.update([calm, lively], ["a", "b"], now=float(second), seconds=1.0)
    one, other = past.update([lively, lively], ["a", "b"], now=5.0, seconds=1.0)
    assert one.measures["arousal"] > 0.5
    assert other.measures["arousal"] == 0.0
    (again,) = past.update([lively], ["a"], now=60.0, seconds=1.0)
    assert again.measures["arousal"] == 0.0


def test_a_face_without_units_or_a_name_has_no_arousal() -> None:
    past, units = RecentPast(), dict.fromkeys(AROUSAL_UNITS, 0.5)
    unnamed, unmeasured = past.update([face_with(units), face_with({})], [None, 1], now=0.0, seconds=0.0)
    assert not unnamed.measures
    assert not unmeasured.measures
    (covered,) = past.update([face_with({"AU43": 0.5})], [1], now=0.1, seconds=0.1)
    assert not covered.measures


def test_the_memory_does_not_grow() -> None:
    past, face = RecentPast(seconds=2), random_faces(1)[0]
    sizes = set()
    for place in range(4000):
        past.update([dataclasses.replace(face, track_id=place // 100)], [place // 100], now=place / 100, seconds=0.01)
        sizes.add(sum(len(person.steps) for person in past._people.values()))
    assert max(sizes) <= 2 / STEP + 4


def test_a_time_that_goes_back_stops_the_clock() -> None:
    past, (face,) = RecentPast(), random_faces(1)
    for now in (5.0, 6.0, 0.0, 1.0):
        (found,) = past.update([face], [1], now=now, seconds=1.0)
        assert found.measures["arousal"] == pytest.approx(0, abs=1e-12)
