"""Cast: which face of a frame is which participant of a study."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from facemood.participants import LARGEST, LEFT, RIGHT, Segment
from facemood.schema import Face

LARGER = 1.5
"""Ratio of the areas of two faces from which the larger one replaces the other as the largest person, so that faces of
about the same size do not take turns."""


class Cast:
    """Says for each frame of a video which face is which participant.

    A track's number means that track. The largest person is the one with the largest face; another one takes the place
    if the face is larger by `LARGER`. Left and right are places in the upright image: of several faces, the outermost
    ones; of a single face, the side where its track was last, or else the half of the image. So participants stay who
    they are over cuts, where tracks get new numbers.

    Args:
        segments: The segments of the video.

    Example:
        >>> import numpy as np
        >>> cast = Cast([Segment("a.mp4", "p01", "left"), Segment("a.mp4", "p02", "right")])
        >>> faces = [Face(np.float32([x, 0, x + 50, 50]), 0.9, track_id=x) for x in (400, 20)]
        >>> [face.segment.participant for face in cast.update(faces, width=640, now=0.0)[0]]
        ['p02', 'p01']
    """

    segments: tuple[Segment, ...]

    def __init__(self, segments: Sequence[Segment]) -> None:
        self.segments = tuple(segments)
        self._sides: dict[int, str] = {}
        self._largest: int | None = None

    def update(
        self, faces: Sequence[Face], *, width: int, now: float | None
    ) -> tuple[list[Face], list[tuple[int, str]]]:
        """Find the participants among the faces of the next frame.

        Args:
            faces: The faces of the frame.
            width: Width of the frame in pixels.
            now: Its time in seconds; None for a photo.

        Returns:
            The faces, each with the segment that it belongs to at this time. And all participants that they may be, in
            any segment, each with the index of the face: outside of its segments a person is still the same one.
        """
        if not self.segments or not faces:
            return list(faces), []
        owners = self._find_persons(faces, width)
        present = {one.person: one for one in self.segments if one.person in owners and one.covers(now)}
        segments = {owners[person]: one for person, one in present.items()}
        known = [
            dataclasses.replace(face, segment=segments[place]) if place in segments else face
            for place, face in enumerate(faces)
        ]
        likely = [present.get(one.person, one) for one in self.segments if one.person in owners]
        return known, list(dict.fromkeys((owners[one.person], one.participant) for one in likely))

    def _find_persons(self, faces: Sequence[Face], width: int) -> dict[str, int]:
        """Return the index of the face of each person: of tracks by number, of the largest, the left and the right."""
        owners = {str(face.track_id): place for place, face in enumerate(faces) if face.track_id is not None}
        return {**owners, LARGEST: self._find_largest(faces), **self._find_sides(faces, width)}

    def _find_largest(self, faces: Sequence[Face]) -> int:
        """Return the index of the largest person."""
        best = max(range(len(faces)), key=lambda place: faces[place].area)
        for place, face in enumerate(faces):
            if face.track_id is not None and face.track_id == self._largest and face.area * LARGER > faces[best].area:
                best = place
        self._largest = faces[best].track_id
        return best

    def _find_sides(self, faces: Sequence[Face], width: int) -> dict[str, int]:
        """Return the index of the person on the left, and of the one on the right."""
        middles = [float(face.box[0] + face.box[2]) / 2 for face in faces]
        order = sorted(range(len(faces)), key=middles.__getitem__)
        sides = {LEFT: order[0], RIGHT: order[-1]}
        if len(faces) == 1:
            half = LEFT if middles[0] < width / 2 else RIGHT
            track = faces[0].track_id
            sides = {half if track is None else self._sides.get(track, half): 0}
        for side, place in sides.items():
            track = faces[place].track_id
            if track is not None:
                self._sides[track] = side
        return sides
