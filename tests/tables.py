"""Results with a value in every column of the table, and functions that read the table back from outputs."""

from __future__ import annotations

import csv
import dataclasses
import functools
import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from facemood import Analysis, Face, Result
from facemood.facs import KEYS
from facemood.labels import EXPRESSIONS
from facemood.table import BOOLEAN, CHANGE, INTEGER, RAW, STRING, Column
from tests.conftest import make_face

NASTY = (
    "score", "happy", "raw_happy", "change_happy", "label_score", "AU12", "face", "source", "yaw", "display_label",
    'so "so"', "a, b", "a|b", "müde", "__proto__", "x1", "emotions", "=1+1", "Score", "constructor",
)  # fmt: skip
"""Labels of a custom model that are easily confused with other things."""

Rows = list[dict[str, Any]]


def known_face(labels: tuple[str, ...]) -> Face:
    """A face with all properties; no two of its values are equal."""
    count = len(labels)
    shares = np.arange(1, count + 1, dtype=np.float32)
    return dataclasses.replace(
        make_face((10.04, 20.26, 50.5, 70.75)),
        labels=labels,
        probabilities=shares / shares.sum(),
        raw_probabilities=shares[::-1] / shares.sum(),
        change=np.linspace(-2, 3, count, dtype=np.float32),
        display_label=labels[0],
        certain=True,
        track_id=3,
        pose=np.array([12.34, -4, -0.04], np.float32),
        landmarks=np.full((68, 2), 167.9, np.float32),
        action_units={key: (place + 0.1234) / 100 for place, key in enumerate(KEYS)},
    )


def made_analysis(labels: tuple[str, ...] = EXPRESSIONS) -> Analysis:
    """Photos and a video: faces with all, some and no properties, and frames without a face."""
    known = known_face(labels)
    still = dataclasses.replace(known, raw_probabilities=None, change=None, display_label="", track_id=None)
    photo = Result("a, b.jpg", size=(120, 90), faces=(still, make_face((60, 20, 80, 40))), labels=labels)
    unread = Face(np.array([1, 2, 3, 4], np.float32), 0.5, track_id=4)
    new = dataclasses.replace(known, change=None, certain=False)
    video = [
        Result("talk.mp4", index, 0.04 * index, (120, 90), faces, labels, (RAW, CHANGE))
        for index, faces in enumerate([(known, unread), (), (new,)])
    ]
    return Analysis(
        (photo, dataclasses.replace(photo, source="nobody.jpg", faces=()), *video), {"labels": list(labels)}
    )


def from_csv(text: str, columns: Sequence[Column]) -> Rows:
    """The typed rows of a CSV text, whose header must have the columns."""
    header, *lines = csv.reader(io.StringIO(text, newline=""))
    assert header == [column.name for column in columns]
    assert {len(line) for line in lines} == {len(header)}
    return [{one.name: _typed(cell, one.type) for one, cell in zip(columns, line, strict=True)} for line in lines]


def from_json(results: list[dict[str, Any]], columns: Sequence[Column]) -> Rows:
    """The rows in the JSON of results, by the paths of the columns."""
    return [
        {one.name: functools.reduce(_step, one.path, {**result, "faces": face}) for one in columns}
        for result in results
        for face in result["faces"] or [None]
    ]


def _typed(cell: str, kind: str) -> Any:
    """A cell of CSV in the type of its column."""
    types: dict[str, Any] = {STRING: str, INTEGER: int, BOOLEAN: {"0": False, "1": True}.__getitem__}
    return None if cell == "" else types.get(kind, float)(cell)


def _step(place: Any, key: str | int) -> Any:
    """The value under a key; None if there is none."""
    if isinstance(place, list):
        return place[int(key)]
    return None if place is None else place.get(key)
