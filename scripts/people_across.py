"""How well people are joined across videos: made videos of known people, joined two by two and several together.

`scripts/measure_people.py DATA --same-people` runs this, and writes figures and page.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

import cv2
import numpy as np

from facemood.schema import Image
from facemood.text import exact_percent
from facemood.tracking import Gallery, VideoPeople, join_videos
from facemood.tracking.across_videos import SAME_ACROSS
from scripts.made_shots import Shot, Shown, make_video

LOOKS = 4
"""Videos of each person of the photos, and of each part of a clip."""

PARTS = (3, 8)
"""Parts of each clip; they have no frame in common."""

STEP = 0.02
"""Steps in which thresholds are compared."""

LOWEST, HIGHEST = 0.40, 0.70
"""First and last threshold of the comparison."""

WRONG_LIMIT = 1 / 2000
"""Share of the pairs of different people that the chosen threshold may join."""

RUNS = 40
"""Runs of several videos."""

RUN_VIDEOS = 8
"""Videos of a run: half of the photos, half of the clips."""

Thing = TypeVar("Thing")
"""What is drawn."""

Sights = list[tuple[dict[int, int], int]]
"""Of each frame: the track of each person who was found, and how many faces were found in all."""

Read = Callable[[Sequence[Shown]], tuple[Sights, Gallery]]
"""Tracks a made video."""


@dataclasses.dataclass(frozen=True)
class MadeVideo:
    """A made video that was tracked.

    Attributes:
        of: The person whom it shows in the middle.
        tracks: The tracks of each annotated person.
        people: Its people, as they are joined across videos.
    """

    of: int
    tracks: dict[int, set[int]]
    people: VideoPeople


class Count(NamedTuple):
    """Pairs of people in two videos.

    Attributes:
        wrong: Different people who have a number in common.
        different: Different people.
        right: The same person, who has a number in common.
        same: The same person.
    """

    wrong: int = 0
    different: int = 0
    right: int = 0
    same: int = 0

    def __add__(self, other: object) -> Count:
        """Return the sum of both."""
        assert isinstance(other, Count)
        return Count(*(one + more for one, more in zip(self, other, strict=True)))

    @property
    def figures(self) -> dict[str, int]:
        """The counts by name."""
        return self._asdict()


def through_camera(shot: Shot, random: np.random.Generator) -> Shot:
    """Return a shot as another camera shows it: white balance, tone curve and compression."""
    cast = np.exp(random.normal(0, 0.1, 3))
    exponent, quality = float(np.exp(random.uniform(-0.3, 0.3))), int(random.integers(40, 95))

    def take(image: Image) -> Image:
        toned = np.clip(255 * (image / 255.0) ** exponent * cast, 0, 255).astype(np.uint8)
        packed = cv2.imencode(".jpg", toned, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)

    known = {id(image): take(image) for image in shot.images}  # a photo is the same image in all frames
    return dataclasses.replace(shot, images=[known[id(image)] for image in shot.images])


def track(shot: Shot, seed: Sequence[int], read: Read) -> MadeVideo:
    """Make a video of a shot, and track it."""
    random = np.random.default_rng(seed)
    sights, gallery = read(make_video([through_camera(shot, random)], random))
    tracks = defaultdict[int, set[int]](set)
    for found, _ in sights:
        for person, number in found.items():
            tracks[person].add(number)
    return MadeVideo(shot.of, dict(tracks), VideoPeople.of(gallery))


def compare(videos: Sequence[MadeVideo], same: float = SAME_ACROSS) -> Count:
    """Join the people of some videos, and count the pairs of people in each two of them."""
    joined = join_videos([video.people for video in videos], same=same)
    numbers = [
        {person: {people.number(track) for track in tracks} for person, tracks in video.tracks.items()}
        for video, people in zip(videos, joined, strict=True)
    ]
    count = Count()
    for one, other in itertools.combinations(numbers, 2):
        for (left, mine), (right, others) in itertools.product(one.items(), other.items()):
            alike = bool(mine & others)
            count += Count(0, 0, alike, 1) if left == right else Count(alike, 1, 0, 0)
    return count


def total(groups: Iterable[Sequence[MadeVideo]], same: float = SAME_ACROSS) -> Count:
    """Return the sum of what is counted in groups of videos."""
    return sum((compare(group, same) for group in groups), Count())


def thresholds(videos: Sequence[MadeVideo]) -> dict[str, dict[str, int]]:
    """Count wrong and right joins of each two videos for each threshold."""
    steps = np.arange(round(LOWEST / STEP), round(HIGHEST / STEP) + 1) * STEP
    pairs = list(itertools.combinations(videos, 2))
    return {f"{same:.2f}": total(pairs, float(same)).figures for same in steps}


def choose(found: dict[str, dict[str, int]]) -> float:
    """Return the lowest threshold from which at most `WRONG_LIMIT` of the different people are joined.

    Example:
        >>> counts = {"0.50": {"wrong": 6, "different": 4000}, "0.52": {"wrong": 2, "different": 4000}}
        >>> choose(counts)
        0.52
    """
    wrong = [float(same) for same, counts in found.items() if counts["wrong"] > WRONG_LIMIT * counts["different"]]
    return min(float(same) for same in found if float(same) > max(wrong, default=-1.0))


def row_of(name: str, found: dict[str, int]) -> dict[str, str]:
    """Return the row of a kind of pairs for the page."""
    wrong, different, right, same = (found[part] for part in Count._fields)
    return {
        "videos": name,
        "different people": f"{different:,}",
        "joined wrongly": f"{wrong} ({wrong / different:.2%})",
        "the same person": f"{same:,}" if same else "-",
        "joined": f"{right} ({exact_percent(right / same)})" if same else "-",
    }


def measure_across(choice: Sequence[Shot], others: Sequence[Shot], clips: Sequence[Shot], read: Read) -> dict[str, Any]:
    """Measure everything.

    Args:
        choice: A shot of each person of the photos on which the threshold is chosen.
        others: A shot of each person of the other photos.
        clips: Parts of clips.
        read: Tracks a made video.
    """
    chosen = [track(shot, [one, look, 1], read) for one, shot in enumerate(choice) for look in range(LOOKS)]
    photos = [track(shot, [one, look, 2], read) for one, shot in enumerate(others) for look in range(LOOKS)]
    parts = [[track(shot, [one, look, 3], read) for look in range(LOOKS)] for one, shot in enumerate(clips)]
    moving = list(itertools.chain(*parts))
    random = np.random.default_rng(len(chosen))
    runs = [_draw(random, photos) + [one[0] for one in _draw(random, parts)] for _ in range(RUNS)]
    kinds = {
        "photos of the choice": itertools.combinations(chosen, 2),
        "other photos": itertools.combinations(photos, 2),
        "parts of clips": itertools.chain(*(itertools.product(*pair) for pair in itertools.combinations(parts, 2))),
        "a part of a clip, and another photo": itertools.product(moving, photos),
        f"{RUN_VIDEOS} videos together": runs,
    }
    return {
        "same": SAME_ACROSS,
        "videos": len(chosen) + len(photos) + len(moving),
        "thresholds": thresholds(chosen),
        "kinds": {name: total(map(list, groups)).figures for name, groups in kinds.items()},
    }


def _draw(random: np.random.Generator, things: Sequence[Thing]) -> list[Thing]:
    """Draw half of what a run has."""
    return [things[row] for row in random.choice(len(things), RUN_VIDEOS // 2, replace=False)]
