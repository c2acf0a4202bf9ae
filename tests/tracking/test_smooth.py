from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from facemood.labels import EXPRESSIONS
from facemood.schema import Face
from facemood.tracking.smooth import FORGET_SECONDS, Smoother, SmoothOptions
from tests.conftest import make_face

Shares = NDArray[np.float32]

RATES = st.floats(5, 60)
"""Frames per second."""


def shares_of(values: list[float]) -> Shares:
    """Probabilities of some values."""
    powers = np.exp(np.array(values, np.float32))
    return np.asarray(powers / powers.sum(), np.float32)


READINGS = st.lists(st.floats(-4, 4), min_size=8, max_size=8).map(shares_of)


def mostly(label: str, share: float = 0.8) -> Shares:
    """A prediction with one dominant label."""
    prediction = np.full(8, (1 - share) / 7, np.float32)
    prediction[EXPRESSIONS.index(label)] = share
    return prediction


def prediction(probabilities: Shares, person: int = 1) -> Face:
    """A face of a person with a prediction."""
    face = make_face(probabilities=probabilities)
    return Face(face.box, face.score, labels=face.labels, probabilities=probabilities, track_id=person)


def run(predictions: list[Shares], rate: float, options: SmoothOptions | None = None) -> list[Face]:
    """The faces of one person, smoothed at a frame rate."""
    smoother = Smoother(options)
    return [smoother.update([prediction(one)], index / rate)[0] for index, one in enumerate(predictions)]


@settings(max_examples=50, deadline=None)
@given(st.lists(READINGS, min_size=1, max_size=12), RATES)
def test_they_sum_to_one_and_the_raw_ones_stay(predictions: list[Shares], rate: float) -> None:
    for face, raw in zip(run(predictions, rate), predictions, strict=True):
        assert face.labels == EXPRESSIONS
        assert face.probabilities.dtype == np.float32
        assert float(face.probabilities.sum()) == pytest.approx(1, abs=1e-5)
        assert (face.probabilities >= 0).all()
        np.testing.assert_array_equal(face.raw_probabilities, raw)
        assert face.display_label in EXPRESSIONS


@settings(max_examples=50, deadline=None)
@given(READINGS, st.lists(st.floats(0, 0.5), min_size=1, max_size=20))
def test_constant_predictions_stay_constant(shares: Shares, steps: list[float]) -> None:
    smoother = Smoother()
    for time in [0.0, *np.cumsum(steps).tolist()]:
        (face,) = smoother.update([prediction(shares)], time)
        np.testing.assert_allclose(face.probabilities, shares, atol=2e-3)
        assert face.display_label == face.labels[int(shares.argmax())]


def test_certain_is_kept() -> None:
    for face in run([np.eye(8, dtype=np.float32)[3]] * 5, 30):
        assert face.probabilities[3] > 0.999


@settings(max_examples=60, deadline=None)
@given(READINGS, READINGS, RATES)
def test_a_step_is_followed_at_any_frame_rate(before: Shares, after: Shares, rate: float) -> None:
    """Within 0.2 s at most 0.2 of the probability differs, and after 1 s almost nothing."""
    first = round(rate)
    faces = run([before] * first + [after] * round(2 * rate), rate)
    late = [np.abs(face.probabilities - after).sum() / 2 for face in faces[first:]]
    assert late[int(np.ceil(0.2 * rate))] < 0.2
    assert late[-1] < 0.05


def test_an_onset_is_reported_within_a_sixth_of_a_second() -> None:
    for rate in (5, 10, 15, 25, 30, 60):
        faces = run([mostly("neutral")] * 2 * rate + [mostly("happy")] * rate, rate)
        onset = next(index for index, face in enumerate(faces) if face.emotion == "happy") - 2 * rate
        assert onset / rate <= 0.16
        shown = next(index for index, face in enumerate(faces) if face.display_label == "happy") - 2 * rate
        assert shown / rate <= 0.35


@settings(max_examples=30, deadline=None)
@given(READINGS, READINGS, st.floats(20, 60))
def test_the_frame_rate_hardly_matters(before: Shares, after: Shares, rate: float) -> None:
    """Half a second of one prediction, then 0.3 s of another: the same at 120 frames per second and at fewer."""

    def end(rate: float) -> Shares:
        return run([before] * round(0.5 * rate) + [after] * round(0.3 * rate), rate)[-1].probabilities

    assert np.abs(end(rate) - end(120)).sum() / 2 < 0.1


@settings(max_examples=60, deadline=None)
@given(READINGS, READINGS, RATES, st.floats(0.1, 0.5), st.floats(0.5, 1))
def test_one_frame_never_changes_the_display_label(
    steady: Shares, flicker: Shares, rate: float, margin: float, hold: float
) -> None:
    options = SmoothOptions(margin=margin, hold=hold)
    first, label = round(rate), EXPRESSIONS[int(steady.argmax())]
    faces = run([steady] * first + [flicker] + [steady] * first, rate, options)
    assert {face.display_label for face in faces} == {label}


@settings(max_examples=60, deadline=None)
@given(st.lists(READINGS, min_size=2, max_size=60), st.floats(0.7, 60), st.floats(0, 0.5), st.floats(0.1, 1))
def test_a_label_is_not_displayed_for_longer_than_the_hold_while_another_leads(
    predictions: list[Shares], rate: float, margin: float, hold: float
) -> None:
    behind, step = 0.0, 1 / rate
    for face in run(predictions, rate, SmoothOptions(margin=margin, hold=hold)):
        lead = face.confidence - face.reported[1]
        behind = behind + step if lead >= max(margin, 1e-6) else 0.0
        assert behind <= hold + step * 1e-3


def made_of(spans: list[tuple[int, float]], rate: float) -> list[Shares]:
    """The predictions of a video whose expression changes: noisy, at a frame rate."""
    random = np.random.default_rng(5)
    found = []
    for label, seconds in spans:
        logs = np.log(mostly(EXPRESSIONS[label], 0.7))
        found += [shares_of((logs + random.normal(0, 0.5, 8)).tolist()) for _ in range(round(seconds * rate))]
    return found


def test_shares_of_ten_minutes_hardly_depend_on_how_often_they_are_read() -> None:
    random = np.random.default_rng(6)
    spans = [(int(random.integers(8)), float(random.uniform(0.4, 6))) for _ in range(190)]
    predictions = made_of(spans, 20)
    assert 550 < len(predictions) / 20 < 650
    smoothed, displayed = [], []
    for step in (1, 4, 10, 20):  # every frame, 0.2, 0.5 and 1 s
        faces = run(predictions[::step], 20 / step)
        smoothed.append([sum(face.emotion == label for face in faces) / len(faces) for label in EXPRESSIONS])
        displayed.append([sum(face.display_label == label for face in faces) / len(faces) for label in EXPRESSIONS])
    assert np.ptp(smoothed, axis=0).max() <= 0.03
    assert np.ptp(displayed, axis=0).max() <= 0.03


def test_a_sparse_frame_counts_for_the_time_since_the_last_one() -> None:
    predictions = [mostly("happy"), mostly("happy"), mostly("sad"), mostly("sad")]
    for rate in (1, 2):
        assert [face.display_label for face in run(predictions, rate)] == ["happy", "happy", "sad", "sad"]


def test_certain_speaks_of_the_display_label() -> None:
    smoother = Smoother()
    found = []
    for step, label in enumerate(["happy"] * 5 + ["sad"]):
        face = replace(prediction(mostly(label)), certain=True)
        found.append(smoother.update([face], step / 30)[0])
    assert [(face.display_label, face.certain) for face in found] == [("happy", True)] * 5 + [("happy", False)]
    assert run([mostly("happy")], 30)[0].certain is None


@settings(max_examples=60, deadline=None)
@given(st.lists(READINGS, min_size=2, max_size=40), st.floats(0.7, 60))
def test_a_certain_label_is_the_most_probable_and_the_displayed_one(predictions: list[Shares], rate: float) -> None:
    smoother = Smoother()
    for step, row in enumerate(predictions):
        (face,) = smoother.update([replace(prediction(row), certain=True)], step / rate)
        assert face.raw_probabilities is not None
        single = face.labels[int(face.raw_probabilities.argmax())]
        assert face.certain == (face.emotion == face.display_label == single)


def test_a_flicker_is_damped_and_noise_more() -> None:
    faces = run([mostly("neutral")] * 30 + [mostly("happy")] + [mostly("neutral")] * 30, 30)
    assert {face.emotion for face in faces} == {"neutral"}
    random = np.random.default_rng(2)
    noisy = [shares_of((np.log(mostly("sad", 0.5)) + random.normal(0, 0.4, 8)).tolist()) for _ in range(300)]
    raw, smoothed = np.stack(noisy), np.stack([face.probabilities for face in run(noisy, 30)])
    assert np.abs(np.diff(smoothed, axis=0)).mean() < 0.3 * np.abs(np.diff(raw, axis=0)).mean()


def test_a_narrow_lead_does_not_change_the_display_label() -> None:
    near = mostly("happy", 0.4)
    near[EXPRESSIONS.index("neutral")] = 0.35
    faces = run([mostly("neutral")] * 30 + [near / near.sum()] * 90, 30)
    assert faces[-1].emotion == "happy"
    assert {face.display_label for face in faces} == {"neutral"}


def test_no_smoothing_leaves_predictions_as_they_are() -> None:
    predictions = [mostly("happy"), mostly("sad"), mostly("happy"), mostly("sad"), mostly("sad"), mostly("sad")]
    faces = run(predictions, 10, SmoothOptions(seconds=0))
    for face, raw in zip(faces, predictions, strict=True):
        np.testing.assert_array_equal(face.probabilities, raw)
        np.testing.assert_array_equal(face.raw_probabilities, raw)
    assert [face.display_label for face in faces] == ["happy"] * 5 + ["sad"]


def test_people_do_not_mix() -> None:
    smoother = Smoother()
    for step in range(30):
        pair = [prediction(mostly("happy"), 1), prediction(mostly("sad"), 2)]
        one, other = smoother.update(pair[:: 1 if step % 2 else -1], step / 30)[:: 1 if step % 2 else -1]
        assert (one.emotion, one.track_id, other.emotion, other.track_id) == ("happy", 1, "sad", 2)
        np.testing.assert_allclose(one.probabilities, mostly("happy"), atol=1e-3)


def test_the_state_of_a_person_is_dropped_in_time() -> None:
    smoother = Smoother(SmoothOptions(seconds=60))
    smoother.update([prediction(mostly("happy"))], 0)
    (soon,) = smoother.update([prediction(mostly("happy", 0.7))], FORGET_SECONDS - 0.1)
    assert soon.probabilities.max() > 0.75
    (late,) = smoother.update([prediction(mostly("sad"))], 2 * FORGET_SECONDS + 0.1)
    np.testing.assert_allclose(late.probabilities, mostly("sad"), atol=1e-3)
    assert late.display_label == "sad"


def test_the_clock_stands_still_if_timestamps_go_back() -> None:
    smoother = Smoother()
    for time in (9.0, 9.1, 0.0, 0.1):
        (face,) = smoother.update([prediction(mostly("happy"))], time)
    (same,) = smoother.update([prediction(mostly("sad"))], 0.05)
    np.testing.assert_allclose(same.probabilities, face.probabilities)


def test_other_labels_start_a_new_state() -> None:
    smoother = Smoother()
    smoother.update([prediction(mostly("happy"))], 0)
    two = Face(
        np.zeros(4, np.float32), 0.9, labels=("yes", "no"), probabilities=np.array([0.2, 0.8], np.float32), track_id=1
    )
    (face,) = smoother.update([two], 0.03)
    assert face.display_label == "no"
    np.testing.assert_allclose(face.probabilities, [0.2, 0.8], atol=1e-3)


def test_faces_without_predictions_pass_and_faces_without_track_id_are_rejected() -> None:
    bare = Face(np.zeros(4, np.float32), 0.9, track_id=1)
    assert Smoother().update([bare], 0) == [bare]
    assert Smoother().update([], 0) == []
    with pytest.raises(ValueError, match="faces with a track_id can be smoothed, but one has none; run the Tracker"):
        Smoother().update([make_face()], 0)


@pytest.mark.parametrize(
    "wrong", [{"seconds": -1}, {"margin": 1.5}, {"hold": -0.1}, {"quick": -1}, {"seconds": float("nan")}]
)
def test_invalid_options_are_rejected(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected seconds >= 0, margin 0..1, quick >= 0 and hold >= 0, but got"):
        SmoothOptions(**wrong)
