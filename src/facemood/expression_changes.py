"""Changes of people's display labels while a source is read, for programs that react to them."""

from __future__ import annotations

from typing import Any, NamedTuple

from facemood.results import Result
from facemood.table import SHARE_DECIMALS

FORGET = 60.0
"""Seconds after which a person who is out of sight is forgotten; track IDs are not given again."""


class ExpressionChange(NamedTuple):
    """A person's display label has changed, or a person has come into sight.

    Attributes:
        source: Name of the source.
        time: Time of the frame in seconds since the source began.
        person: The person's track ID.
        before: The label before; empty for a person who is new.
        label: The label now.
        confidence: Its probability, 0..1.
    """

    source: str
    time: float
    person: int
    before: str
    label: str
    confidence: float

    def to_dict(self) -> dict[str, Any]:
        """Return the change as strings and rounded numbers."""
        rounded = {"time": round(self.time, 3), "confidence": round(self.confidence, SHARE_DECIMALS)}
        return {**self._asdict(), **rounded}


class ChangeWatcher:
    """Finds the changes of the people of one video, camera or screen, frame by frame.

    The display label has a hysteresis, so a flicker is no change.

    Example:
        >>> import dataclasses, numpy as np
        >>> from facemood import Face
        >>> watcher, shares = ChangeWatcher(), np.array([0.75, 0.25])
        >>> face = Face(np.zeros(4), 0.9, labels=("happy", "sad"), probabilities=shares, track_id=1)
        >>> for place, label in enumerate(["happy", "happy", "sad"]):
        ...     shown = dataclasses.replace(face, display_label=label)
        ...     for change in watcher.update(Result("camera:0", place, float(place), faces=(shown,))):
        ...         print(change.time, change.person, change.before or "-", change.label, change.confidence)
        0.0 1 - happy 0.75
        2.0 1 happy sad 0.25
    """

    def __init__(self) -> None:
        self._labels: dict[int, str] = {}
        self._seen: dict[int, float] = {}

    def update(self, result: Result) -> list[ExpressionChange]:
        """Return the changes since the last result; faces without a track ID or a label have none.

        Args:
            result: The result of the next frame.
        """
        now, changes = result.timestamp or 0.0, []
        for face in result.faces:
            label, share = face.reported
            if face.track_id is None or not label:
                continue
            before = self._labels.get(face.track_id, "")
            if label != before:
                changes.append(ExpressionChange(result.source, now, face.track_id, before, label, share))
            self._labels[face.track_id], self._seen[face.track_id] = label, now
        for person in [person for person, seen in self._seen.items() if now - seen > FORGET]:
            del self._labels[person], self._seen[person]
        return changes
