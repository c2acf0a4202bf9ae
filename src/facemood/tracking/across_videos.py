"""People across videos: join the people of several videos, by how they look on average in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from facemood.tracking.gallery import Gallery, TrackLook
from facemood.tracking.people import People, join_tracks

SAME_ACROSS = 0.60
"""Similarity, -1..1, from which people of two videos are one person: the lowest one, in steps of 0.02, that joins at
most one in 2,000 pairs of different people of the first photos of `scripts/measure_people.py`. It is higher than within
a video, because several videos have many pairs of people."""


@dataclass(frozen=True, slots=True)
class VideoPeople:
    """The people of one video: their tracks, and how each person looks on average.

    Attributes:
        people: Who the tracks of the video are.
        looks: The look of each person by number: the sum of the looks of their tracks.
    """

    people: People
    looks: dict[int, TrackLook]

    @classmethod
    def of(cls, gallery: Gallery, *, most: int | None = None) -> VideoPeople:
        """Join the tracks of a video, and sum up the look of each person.

        Args:
            gallery: The looks of the tracks.
            most: Most people that there can be, if that is known.

        Example:
            >>> gallery = Gallery()
            >>> gallery.tracks |= {1: TrackLook(0.0, 4.0, 9), 2: TrackLook(5.0, 6.0, 9)}
            >>> VideoPeople.of(gallery, most=1).looks[1].frames
            18
        """
        people = join_tracks(gallery)
        if most is not None and len(people.seconds) > most:
            people = join_tracks(gallery, people=most)
        looks: dict[int, TrackLook] = {}
        for track, number in people.numbers.items():
            known, look = looks.get(number), gallery.tracks[track]
            looks[number] = replace(look, beside=set()) if known is None else _sum(known, look)
        return cls(people, looks)


def join_videos(videos: Sequence[VideoPeople], *, people: int | None = None, same: float = SAME_ACROSS) -> list[People]:
    """Join the people of several videos by average-linkage clustering, as `join_tracks` joins tracks.

    Two people of one video are never joined.

    Args:
        videos: The people of each video, in the order of the videos.
        people: How many people there are in all videos, if that is known.
        same: Similarity from which people are joined, if their number is not known.

    Returns:
        For each video, who its tracks are: the number of a person is the same in all videos. People are numbered by
        their first sight, video after video; if their number is known, those who are seen for the longest time come
        before others.

    Example:
        >>> def video(*looks):
        ...     gallery = Gallery()
        ...     for track, look in enumerate(looks, 1):
        ...         total = np.float32([*look, *[0] * 132])  # no colours
        ...         gallery.tracks[track] = TrackLook(4.0 * track, 4.0 * track + 2, 9, 1, total)
        ...     return VideoPeople.of(gallery)
        >>> [dict(one.numbers) for one in join_videos([video((1, 0), (0, 1)), video((0.1, 0.99))])]
        [{1: 1, 2: 2}, {1: 2}]
    """
    gathered, keys, start = Gallery(), [], 0.0
    for video in videos:
        first = len(gathered.tracks) + 1
        own = {number: first + place for place, number in enumerate(video.looks)}
        for number, look in video.looks.items():
            begin, others = start + look.first, set(own.values()) - {own[number]}
            end = begin + video.people.seconds[number]
            gathered.tracks[own[number]] = replace(look, first=begin, last=end, beside=others)
        keys.append(own)
        start += max((look.last for look in video.looks.values()), default=0.0)
    joined = join_tracks(gathered, people=people, same=same)
    return [_renumbered(video.people, own, joined) for video, own in zip(videos, keys, strict=True)]


def _sum(one: TrackLook, other: TrackLook) -> TrackLook:
    """Return the look of two tracks of one person."""
    totals = [look.total for look in (one, other) if look.total is not None]
    return TrackLook(
        min(one.first, other.first),
        max(one.last, other.last),
        one.frames + other.frames,
        one.looks + other.looks,
        np.sum(totals, axis=0, dtype=np.float32) if totals else None,
    )


def _renumbered(people: People, own: dict[int, int], joined: People) -> People:
    """Return the people of a video with the numbers that they have in all videos."""
    numbers = {number: joined.numbers[key] for number, key in own.items()}
    return People(
        {track: numbers[number] for track, number in people.numbers.items()},
        {numbers[number]: seconds for number, seconds in people.seconds.items()},
        total=len(joined.seconds),
    )
