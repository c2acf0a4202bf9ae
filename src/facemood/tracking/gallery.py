"""Gallery: how the tracks of one video look, so that those of one person can be joined after it was read."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from facemood.geometry import TINY, Floats
from facemood.schema import Face
from facemood.tracking.appearance_model import COLOUR_NUMBERS

LEAST_COLOUR = 0.4
"""Length of the mean of the colours, 0..1, below which a track counts as grey."""


@dataclass(slots=True)
class TrackLook:
    """The look of one track: a sum over its faces, never the faces themselves.

    Attributes:
        first: Second at which it is first seen.
        last: Second at which it is last seen.
        frames: Number of its frames.
        looks: Number of faces in the sum.
        total: (L,) float32 sum of embeddings, as `AppearanceModel.embed` returns them.
        beside: Tracks that are in a frame with it, so they are other people.
    """

    first: float
    last: float
    frames: int = 0
    looks: int = 0
    total: Floats | None = None
    beside: set[int] = field(default_factory=set)

    @property
    def shape(self) -> Floats | None:
        """How the face looks, (D,) float32 of length 1; None if no face of the track has an embedding."""
        return None if self.total is None else _of_length_one(self.total[:-COLOUR_NUMBERS])

    @property
    def colours(self) -> Floats | None:
        """The colours of head and clothes, (`COLOUR_NUMBERS`,) float32 of length 1; None where there are none."""
        if self.total is None:
            return None
        colours = self.total[-COLOUR_NUMBERS:]
        return _of_length_one(colours) if np.linalg.norm(colours) >= LEAST_COLOUR * self.looks else None


class Gallery:
    """The looks of the tracks of one video. It needs about a kilobyte per track, however long the video is.

    Attributes:
        tracks: The look of each track by its ID.

    Example:
        >>> gallery, box = Gallery(), np.zeros(4, np.float32)
        >>> gallery.add([Face(box, 0.9, track_id=1), Face(box, 0.9, track_id=2)], 0.0)
        >>> gallery.due(1, 0.0), gallery.tracks[1].beside
        (True, {2})
    """

    EVERY = 0.2
    """Seconds between two embeddings of a track: neighbouring frames add little."""

    tracks: dict[int, TrackLook]

    def __init__(self) -> None:
        self.tracks = {}
        self._looked: dict[int, float] = {}

    def add(self, faces: Sequence[Face], now: float) -> None:
        """Take note of the faces of one frame.

        Args:
            faces: The faces, each with its track ID.
            now: Time of the frame in seconds.
        """
        present = [face.track_id for face in faces if face.track_id is not None]
        for number in present:
            track = self.tracks.setdefault(number, TrackLook(now, now))
            track.last = now
            track.frames += 1
        for one, other in itertools.permutations(present, 2):
            self.tracks[one].beside.add(other)

    def due(self, track_id: int, now: float) -> bool:
        """Return whether another embedding of a track is wanted at a time."""
        looked = self._looked.get(track_id)
        return looked is None or not 0 <= now - looked < self.EVERY

    def look(self, track_id: int, embedding: Floats, now: float) -> None:
        """Add an embedding to the look of a track.

        Args:
            track_id: The track, of a face that was added.
            embedding: (L,) float32, as `AppearanceModel.embed` returns it.
            now: Time of the frame in seconds.
        """
        track = self.tracks[track_id]
        track.total = embedding.copy() if track.total is None else track.total + embedding
        track.looks += 1
        self._looked[track_id] = now


def _of_length_one(values: Floats) -> Floats:
    """Return (L,) values scaled to length 1."""
    return np.asarray(values / max(float(np.linalg.norm(values)), TINY), np.float32)
