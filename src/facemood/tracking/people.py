"""People: join the tracks of one person in a video, over cuts and absences, by how they look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from facemood.geometry import Floats
from facemood.tracking.gallery import Gallery

SAME = 0.54
"""Similarity, -1..1, from which two groups of tracks are one person: the lowest one, in steps of 0.02, that joins no
two people of the first photos of `scripts/measure_people.py` wrongly."""

NEVER = -np.inf
"""Similarity of tracks that are different people for sure."""

GREY_PENALTY = 0.25
"""What is subtracted from the similarity of two faces where there are no colours to compare: by faces alone, other
people are more similar."""

UNKNOWN = -1.0
"""Similarity of a track without an embedding to any other one."""

MOST_LOOKS = 25
"""Most embeddings for which a track counts, so that one long track does not decide for a person alone."""


@dataclass(frozen=True, slots=True)
class People:
    """Who the tracks of one video are.

    Attributes:
        numbers: The person's number, from 1, of each track by its ID.
        seconds: Seconds from the first to the last sight of each person, summed over the tracks, by number.
        total: Number of people in all videos, if people are numbered across videos; 0 if not.

    Example:
        >>> People({1: 1, 2: 2, 3: 1}, {1: 4.0, 2: 2.0}).number(3)
        1
    """

    numbers: Mapping[int, int] = field(default_factory=dict)
    seconds: Mapping[int, float] = field(default_factory=dict)
    total: int = 0

    def number(self, track_id: int) -> int:
        """Return the person's number of a track; an unknown track is somebody else."""
        return self.numbers.get(track_id, max(self.total, len(self.seconds)) + track_id)


def join_tracks(gallery: Gallery, *, people: int | None = None, same: float = SAME) -> People:
    """Join the tracks of each person: average-linkage clustering of their looks (agglomerative).

    Tracks that are in one frame are never joined. A track without an embedding stays alone, unless the number of people
    is known.

    Args:
        gallery: The looks of the tracks.
        people: How many people there are, if that is known: the most similar groups are joined until so many are left,
            or until all others are seen together.
        same: Similarity from which groups are joined, if the number of people is not known.

    Returns:
        Who the tracks are. People are numbered by their first sight; if their number is known, those who are seen for
        the longest time come before others.

    Example:
        >>> gallery = Gallery()
        >>> from facemood.tracking.gallery import TrackLook
        >>> grey = [0] * 132  # no colours
        >>> for track, (now, look) in enumerate([(0.0, (1, 0)), (5.0, (0, 1)), (9.0, (0.9, 0.4))], 1):
        ...     gallery.tracks[track] = TrackLook(now, now + 1, 9, 1, np.float32([*look, *grey]))
        >>> dict(join_tracks(gallery).numbers), dict(join_tracks(gallery, people=1).numbers)
        ({1: 1, 2: 2, 3: 1}, {1: 1, 2: 1, 3: 1})
    """
    tracks = list(gallery.tracks)
    groups = _cluster(_similarities(gallery), _weights(gallery), people or 1, same if people is None else NEVER)
    members: dict[int, list[int]] = {}
    for track, group in zip(tracks, groups, strict=True):
        members.setdefault(group, []).append(track)
    ordered = sorted(members.values(), key=lambda group: min(gallery.tracks[one].first for one in group))
    lengths = [sum(gallery.tracks[one].last - gallery.tracks[one].first for one in group) for group in ordered]
    if people is not None and len(ordered) > people:
        longest = sorted(range(len(ordered)), key=lambda place: -lengths[place])[:people]
        order = [*sorted(longest), *(place for place in range(len(ordered)) if place not in longest)]
        ordered, lengths = [ordered[place] for place in order], [lengths[place] for place in order]
    numbers = {track: number for number, group in enumerate(ordered, 1) for track in group}
    return People({track: numbers[track] for track in tracks}, dict(enumerate(lengths, 1)))


def _similarities(gallery: Gallery) -> NDArray[np.float32]:
    """Return the similarity of each two tracks, (T, T) float32: -1..1, or `NEVER`."""
    shapes, known = _table([track.shape for track in gallery.tracks.values()])
    colours, coloured = _table([track.colours for track in gallery.tracks.values()])
    shape = shapes @ shapes.T
    both = (shape + colours @ colours.T) / 2
    similar = np.where(coloured[:, None] & coloured, both, shape - GREY_PENALTY)
    similar = np.where(known[:, None] & known, similar, UNKNOWN).astype(np.float32)
    rows = {track: row for row, track in enumerate(gallery.tracks)}
    for track, row in rows.items():
        similar[row, [rows[other] for other in gallery.tracks[track].beside]] = NEVER
    np.fill_diagonal(similar, NEVER)
    return similar


def _table(looks: list[Floats | None]) -> tuple[Floats, NDArray[np.bool_]]:
    """Return looks as rows, (T, L) float32, zeros for None; and which of them are known, (T,)."""
    length = max((len(look) for look in looks if look is not None), default=1)
    nothing = np.zeros(length, np.float32)
    table = np.array([nothing if look is None else look for look in looks], np.float32).reshape(-1, length)
    return table, np.array([look is not None for look in looks], bool)


def _weights(gallery: Gallery) -> NDArray[np.float64]:
    """Return how much each track counts in its group, (T,)."""
    return np.array([min(max(track.looks, 1), MOST_LOOKS) for track in gallery.tracks.values()], np.float64)


def _cluster(similar: NDArray[np.float32], weights: NDArray[np.float64], least: int, limit: float) -> NDArray[np.int64]:
    """Merge the most similar groups until `least` are left, or no two are above a limit; changes both arrays.

    Args:
        similar: (T, T) similarities; `NEVER` on the diagonal, and for those that are not merged.
        weights: (T,) weight of each row in the mean similarity of its group.
        least: Number of groups at which it ends.
        limit: Similarity that two groups must exceed.

    Returns:
        (T,) the group of each row.
    """
    count = len(weights)
    groups = np.arange(count)
    best = similar.max(axis=1, initial=NEVER)
    for _ in range(count - least):
        one = int(best.argmax())
        if not best[one] > limit:
            break
        other = int(similar[one].argmax())
        share = np.float32(weights[one] / (weights[one] + weights[other]))
        merged = share * similar[one] + (1 - share) * similar[other]  # an infinite one stays infinite
        merged[[one, other]] = NEVER
        touched = (similar[:, one] == best) | (similar[:, other] == best)
        similar[one], similar[:, one] = merged, merged
        similar[other], similar[:, other] = NEVER, NEVER
        weights[one] += weights[other]
        groups[groups == other] = one
        touched[[one, other]] = True
        best = np.maximum(best, merged)
        best[touched] = similar[touched].max(axis=1, initial=NEVER)
    return groups
