"""Join the people of a video that is read in segments: tracks that overlap around a seam are the same person."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from facemood.geometry import iou
from facemood.schema import Face

WARM_UP = 2.0
"""Seconds that a segment reads before its first frame, so that detector, tracks and smoothing have settled there."""

SAME_PERSON = 0.5
"""Intersection over union from which two faces of one frame vote for one person."""

EDGE_DECIMALS = 1
"""Decimals of the boxes that are compared, in pixels, so that a file of them is small."""


class EdgeFace(NamedTuple):
    """A face near a seam.

    Attributes:
        frame: Number of its frame in the video.
        track_id: Its track ID.
        box: x1 y1 x2 y2 in pixels.
    """

    frame: int
    track_id: int
    box: tuple[float, float, float, float]


def edge_faces(frame: int, faces: Iterable[Face]) -> list[EdgeFace]:
    """Return the faces of one frame as they are compared over a seam.

    Example:
        >>> edge_faces(7, [Face(np.array([1, 2, 3.04, 4], np.float32), 0.9, track_id=1)])
        [EdgeFace(frame=7, track_id=1, box=(1.0, 2.0, 3.0, 4.0))]
    """
    edges = []
    for face in faces:
        if face.track_id is not None:
            x1, y1, x2, y2 = (round(float(value), EDGE_DECIMALS) for value in face.box)
            edges.append(EdgeFace(frame, face.track_id, (x1, y1, x2, y2)))
    return edges


def match_tracks(before: Sequence[EdgeFace], after: Sequence[EdgeFace]) -> dict[int, int]:
    """Match the tracks of two segments that both read the frames before their seam.

    Each frame in which two faces overlap is a vote. Pairs of most votes come first, and each track is matched once.

    Args:
        before: Faces that the segment before the seam found.
        after: Faces that the segment after it found while it warmed up.

    Returns:
        The track before the seam of each matched track after it.

    Example:
        >>> box, other = (0.0, 0.0, 9.0, 9.0), (50.0, 0.0, 59.0, 9.0)
        >>> match_tracks([EdgeFace(1, 4, box), EdgeFace(1, 5, other)], [EdgeFace(1, 1, other), EdgeFace(2, 2, box)])
        {1: 5}
    """
    earlier, votes = _by_frame(before), Counter[tuple[int, int]]()
    for frame, faces in _by_frame(after).items():
        others = earlier.get(frame, [])
        if others:
            overlaps = iou(_boxes(faces), _boxes(others))
            for row, column in np.argwhere(overlaps > SAME_PERSON).tolist():
                votes[faces[row].track_id, others[column].track_id] += 1
    matches: dict[int, int] = {}
    taken = set[int]()
    for (new, old), _ in sorted(votes.items(), key=lambda vote: (-vote[1], vote[0])):
        if new not in matches and old not in taken:
            matches[new] = old
            taken.add(old)
    return matches


class TrackNames:
    """The track IDs of a whole video, while its segments have their own.

    Example:
        >>> names, box = TrackNames(), (0.0, 0.0, 9.0, 9.0)
        >>> first = [names.name(track) for track in (1, 2)]
        >>> names.pass_seam([EdgeFace(40, 2, box)], [EdgeFace(40, 1, box)])
        >>> first, [names.name(track) for track in (1, 2)]
        ([1, 2], [2, 3])
    """

    def __init__(self) -> None:
        self._names: dict[int, int] = {}
        self._count = 0

    def name(self, track: int) -> int:
        """Return the ID in the whole video of a track in the current segment; new ones get the next number."""
        if track not in self._names:
            self._count += 1
            self._names[track] = self._count
        return self._names[track]

    def pass_seam(self, before: Sequence[EdgeFace], after: Sequence[EdgeFace]) -> None:
        """Begin the next segment, whose tracks go on from those that they match; see `match_tracks`."""
        known: Mapping[int, int] = self._names
        self._names = {new: known[old] for new, old in match_tracks(before, after).items() if old in known}


def _by_frame(edges: Sequence[EdgeFace]) -> dict[int, list[EdgeFace]]:
    """Return faces by the number of their frame."""
    frames = defaultdict[int, list[EdgeFace]](list)
    for edge in edges:
        frames[edge.frame].append(edge)
    return frames


def _boxes(edges: Sequence[EdgeFace]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    """Return the boxes of faces, (N, 4) float32."""
    return np.array([edge.box for edge in edges], np.float32).reshape(-1, 4)
