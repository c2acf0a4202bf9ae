"""Action units over time: noise is smoothed, changes and blinks are not, and what is briefly hidden keeps its value."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from facemood import Face
from facemood.facs import ACTIVE, KEYS
from facemood.stages.action_units.estimate import intensities_by_key, spreads_by_key
from facemood.tracking.unit_smooth import HOLD, UnitSmoother

AU06, AU43 = KEYS.index("AU06"), KEYS.index("AU43")


def followed(rows: NDArray[np.float64], *, rate: float = 25.0, seconds: float = 0.4) -> NDArray[np.float64]:
    """The smoothed spreads (T, K) of a person, of (T, K) spreads; NaN is hidden."""
    smoother, found = UnitSmoother(seconds), []
    for place, row in enumerate(rows):
        face = Face(np.zeros(4, np.float32), 0.9, track_id=1, action_units=intensities_by_key(row))
        found.append(spreads_by_key(smoother.update([face], place / rate)[0].action_units))
    return np.array(found)


def level(value: float, count: int) -> NDArray[np.float64]:
    return np.full((count, len(KEYS)), value)


def test_noise_about_the_middle_does_not_switch_a_unit_on_and_off() -> None:
    random = np.random.default_rng(5)
    rows = level(1.6, 500) + random.normal(0, 0.15, (500, len(KEYS)))
    before, after = (int(np.diff(one[:, AU06] >= 1.5).sum()) for one in (rows, followed(rows)))
    assert before > 100
    assert after < before / 20
    assert np.std(followed(rows)[50:, AU06]) < 0.15 / 3


@pytest.mark.parametrize("rate", [10.0, 25.0, 50.0])
def test_an_onset_stays_sharp_at_any_frame_rate(rate: float) -> None:
    length = round(rate)
    found = followed(np.concatenate([level(0.0, length), level(4.0, length)]), rate=rate)[:, AU06]
    assert np.abs(found[:length]).max() < 1e-6
    passed = np.arange(length) / rate
    assert found[length:][passed >= 0.1].min() > 3.0  # within a tenth of a second
    assert found[-1] == pytest.approx(4.0, abs=0.1)


def test_a_blink_is_not_smoothed() -> None:
    rows = level(0.0, 20)
    rows[8:11, AU43] = 4.0
    assert followed(rows)[:, AU43] == pytest.approx(rows[:, AU43], abs=1e-6)


def test_a_unit_that_is_briefly_hidden_keeps_its_value_and_one_that_is_hidden_for_long_does_not() -> None:
    rows = level(3.0, 60)
    rows[20:26, AU06] = np.nan  # 0.24 s
    rows[40:52, AU06] = np.nan
    found = followed(rows)[:, AU06]
    assert found[:40] == pytest.approx(3.0, abs=1e-6)
    held = int(HOLD * 25)
    assert np.isnan(found[40:52]).tolist() == [place + 1 > held for place in range(12)]
    assert found[52:] == pytest.approx(3.0, abs=1e-6)


def test_a_unit_that_comes_back_after_long_begins_anew() -> None:
    rows = np.concatenate([level(0.0, 10), level(np.nan, 10), level(5.0, 2)])
    assert followed(rows)[20, AU06] == pytest.approx(5.0, abs=1e-6)


def test_zero_seconds_smooth_and_hold_nothing() -> None:
    rows = np.random.default_rng(1).normal(1, 1, (20, len(KEYS)))
    rows[5, AU06] = np.nan
    np.testing.assert_allclose(followed(rows, seconds=0), rows, atol=1e-6)


def test_each_person_is_smoothed_alone_and_others_stay_as_they_are() -> None:
    smoother, box = UnitSmoother(), np.zeros(4, np.float32)
    one, other, stranger, bare = (
        Face(box, 0.9, track_id=number, action_units=units)
        for number, units in ((1, {"AU04": 0.2}), (2, {"AU04": 0.9}), (None, {"AU04": 0.4}), (3, {}))
    )
    for place in range(5):
        found = smoother.update([one, other, stranger, bare], place / 25)
    assert [face.action_units.get("AU04") for face in found[:3]] == pytest.approx([0.2, 0.9, 0.4])
    assert found[2] is stranger
    assert found[3] is bare
    (back,) = smoother.update([dataclasses.replace(one, action_units={"AU04": 0.8})], 9.0)
    assert back.action_units["AU04"] == pytest.approx(0.8)


def test_a_flicker_of_one_frame_activates_nothing() -> None:
    rows = level(0.5, 40)
    rows[20, AU06] = 2.2
    found = followed(rows)[:, AU06]
    assert intensities_by_key(level(float(found.max()), 1)[0])["AU06"] < ACTIVE
