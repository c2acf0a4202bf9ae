"""Changes of display labels: one for each that lasts, for each person."""

from __future__ import annotations

import dataclasses

from facemood import Result
from facemood.expression_changes import FORGET, ChangeWatcher
from facemood.schema import Face
from tests.conftest import make_face


def shown(person: int | None, label: str) -> Face:
    return dataclasses.replace(make_face(), track_id=person, display_label=label)


def changes_of(frames: list[tuple[Face, ...]], *, step: float = 1.0) -> list[tuple[float, int, str, str]]:
    watcher = ChangeWatcher()
    return [
        (change.time, change.person, change.before, change.label)
        for place, faces in enumerate(frames)
        for change in watcher.update(Result("camera:0", place, place * step, faces=faces))
    ]


def test_each_person_has_changes_of_their_own() -> None:
    one, other, sad = shown(1, "happy"), shown(2, "happy"), shown(1, "sad")
    assert changes_of([(one,), (one, other), (sad, other), (other,), (sad, other), (one,)]) == [
        (0.0, 1, "", "happy"), (1.0, 2, "", "happy"), (2.0, 1, "happy", "sad"), (5.0, 1, "sad", "happy")]  # fmt: skip


def test_faces_without_a_number_or_a_label_have_none() -> None:
    bare = Face(make_face().box, 0.9, track_id=1)
    assert changes_of([(shown(None, "happy"), bare)]) == []


def test_without_hysteresis_the_most_probable_label_counts() -> None:
    assert changes_of([(shown(1, ""),)]) == [(0.0, 1, "", "happy")]


def test_those_who_left_are_forgotten() -> None:
    watcher = ChangeWatcher()
    for number in range(1000):
        watcher.update(Result("camera:0", number, number * FORGET / 10, faces=(shown(number, "happy"),)))
    assert len(watcher._labels) == len(watcher._seen) <= 12


def test_a_change_is_plain_json() -> None:
    (change,) = ChangeWatcher().update(Result("camera:0", 3, 0.123456, faces=(shown(7, "sad"),)))
    assert change.to_dict() == {
        "source": "camera:0", "time": 0.123, "person": 7, "before": "", "label": "sad", "confidence": 0.04}  # fmt: skip
