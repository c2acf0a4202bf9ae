"""Which videos of an archive show alike: their mean curves and shares are compared, searched and grouped.

A video's profile is the mean probability of each label in ten equal parts of its length, and the share of the frames in
which each label is the most probable. Two videos are as far apart as the root of the mean squared difference of their
curves plus that of their shares. Groups are found by Ward's method, and their number by the mean silhouette (Rousseeuw
1987); both are scikit-learn's.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facemood.archive.archive_status import open_archive
from facemood.archive.collecting import gather, row_tables
from facemood.errors import OptionError, SourceError, did_you_mean, require
from facemood.table import column_name, distinct_names

BINS = 10
"""Parts of a video in its curve."""

MOST_GROUPS = 8
"""Most groups that are tried, where their number is not given."""

CLEAR = 0.25
"""Mean silhouette from which videos count as grouped; below, there is no structure (Kaufman & Rousseeuw 1990)."""


@dataclass(frozen=True, slots=True, eq=False)
class VideoProfile:
    """What a video shows.

    Attributes:
        source: The video.
        seconds: Time of its last frame in seconds.
        faces: Number of faces with a prediction.
        labels: The K labels.
        curve: (`BINS`, K) float64 mean probability of each label in each part of the video; a part without a face is
            filled in between its neighbours.
        shares: (K,) float64 share of the faces of which each label is the most probable.
    """

    source: str
    seconds: float
    faces: int
    labels: tuple[str, ...]
    curve: NDArray[np.float64]
    shares: NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class AlikeVideos:
    """The videos of an archive, and how alike they are.

    Attributes:
        profiles: The N videos with a face, sorted by name.
        groups: (N,) int64 group of each video, from 1; the largest group is 1.
        left_out: Number of videos without a face that was read.
    """

    profiles: tuple[VideoProfile, ...]
    groups: NDArray[np.int64]
    left_out: int

    def nearest(self, source: str, *, count: int = 3) -> list[tuple[VideoProfile, float]]:
        """Return the videos that are most alike to one, the nearest first, each with its distance.

        Args:
            source: The video: its name as in the archive, or its file name if that is unique.
            count: Most videos that are returned.

        Raises:
            OptionError: There is no such video, or there are several.
            MissingExtraError: scikit-learn is not installed (extra ``study``).
        """
        place = self._place_of(source)
        if len(self.profiles) < 2:
            return []
        rows = features_of(self.profiles)
        search = require("sklearn.neighbors", extra="study").NearestNeighbors(
            n_neighbors=min(count + 1, len(rows)), algorithm="brute"
        )
        distances, places = search.fit(rows).kneighbors(rows[place : place + 1])
        found = [
            (self.profiles[other], float(distance))
            for other, distance in zip(places[0].tolist(), distances[0].tolist(), strict=True)
            if other != place
        ]
        return found[:count]

    def _place_of(self, source: str) -> int:
        """Return where a video stands in `profiles`."""
        names = [profile.source for profile in self.profiles]
        same = [place for place, name in enumerate(names) if name == source]
        same = same or [place for place, name in enumerate(names) if Path(name).name == source]
        if len(same) == 1:
            return same[0]
        what = f"{len(same)} videos are called {source!r}; give the path" if same else f"no video is called {source!r}"
        raise OptionError(f"{what}.{did_you_mean(source, [*names, *(Path(name).name for name in names)])}")


def find_alike(folder: str | Path, *, groups: int | None = None, mixed: bool = False) -> AlikeVideos:
    """Compare the videos of an archive.

    Only the profiles are held in memory, and the rows of one video at a time.

    Args:
        folder: The folder of the archive, or its address.
        groups: Number of groups; None finds it.
        mixed: As for `facemood.archive.collect`.

    Raises:
        SourceError: The folder is no archive, or has no video with a face.
        OptionError: There are fewer videos than groups.
        OutputConflictError: The parts are mixed, and `mixed` is not set.
        MissingExtraError: scikit-learn or pyarrow is not installed (extras ``study`` and ``data``).
    """
    collection = gather(open_archive(folder), mixed=mixed)
    labels = tuple(collection.info.get("labels", ()))
    videos = list(profiles_of(row_tables(collection.spans), labels))
    profiles = tuple(profile for profile in videos if profile.faces)
    if not profiles:
        raise SourceError(f"{folder}: no video in this archive shows a face; only videos can be compared")
    return AlikeVideos(profiles, group(profiles, groups), len(videos) - len(profiles))


def profiles_of(tables: Iterable[Any], labels: tuple[str, ...]) -> Iterator[VideoProfile]:
    """Yield the profile of each video in some Arrow tables of rows, input by input; photos are skipped.

    Args:
        tables: Tables with the columns of an archive.
        labels: The model's labels.
    """
    names = distinct_names(labels)
    columns = [column_name(names[label]) for label in labels]
    source, times, shares = "", list[Any](), list[Any]()
    for table in tables:
        sources = table["source"].to_pylist()
        stamps = np.asarray(table["timestamp"].to_numpy(zero_copy_only=False), np.float64)
        values = np.column_stack([table[name].to_numpy(zero_copy_only=False) for name in columns]).astype(np.float64)
        edges = [0, *(place for place in range(1, len(sources)) if sources[place] != sources[place - 1]), len(sources)]
        for first, end in itertools.pairwise(edges):
            if first < end and sources[first] != source:
                yield from _profile(source, times, shares, labels)
                source, times, shares = sources[first], [], []
            times.append(stamps[first:end])
            shares.append(values[first:end])
    yield from _profile(source, times, shares, labels)


def _profile(
    source: str, times: Sequence[NDArray[np.float64]], shares: Sequence[NDArray[np.float64]], labels: tuple[str, ...]
) -> Iterator[VideoProfile]:
    """Yield the profile of one video; nothing for a photo."""
    stamps = np.concatenate(times) if times else np.zeros(0)
    if not len(stamps) or np.isnan(stamps).all():
        return
    values, end = np.concatenate(shares), float(np.nanmax(stamps))
    known = ~np.isnan(values).any(axis=1)
    bins = np.minimum((stamps[known] / max(end, 1e-9) * BINS).astype(int), BINS - 1)
    faces, best = int(known.sum()), values[known].argmax(axis=1)
    yield VideoProfile(
        source,
        end,
        faces,
        labels,
        _curve(values[known], bins) if faces else np.zeros((BINS, len(labels))),
        np.bincount(best, minlength=len(labels)) / max(faces, 1),
    )


def _curve(values: NDArray[np.float64], bins: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the means of (N, K) values in each of `BINS` bins; those without a value are filled in by neighbours."""
    counts = np.bincount(bins, minlength=BINS)
    sums = np.stack([np.bincount(bins, row, minlength=BINS) for row in values.T], axis=1)
    filled = np.flatnonzero(counts)
    means = sums[filled] / counts[filled, None]
    return np.stack([np.interp(np.arange(BINS), filled, row) for row in means.T], axis=1)


def features_of(profiles: Sequence[VideoProfile]) -> NDArray[np.float64]:
    """Return what videos are compared by, (N, (`BINS` + 1) K) float64, so that distances are Euclidean."""
    return np.stack([np.concatenate([one.curve.ravel() / np.sqrt(BINS), one.shares]) for one in profiles])


def group(profiles: Sequence[VideoProfile], groups: int | None = None) -> NDArray[np.int64]:
    """Return the group of each of N videos, (N,) int64 from 1, the largest first.

    Args:
        profiles: The videos.
        groups: Number of groups. None takes the one of 2 to `MOST_GROUPS` with the highest mean silhouette; a single
            group where that is below `CLEAR`, and of fewer than three videos.

    Raises:
        OptionError: There are fewer videos than groups.
        MissingExtraError: scikit-learn is not installed (extra ``study``).
    """
    number = len(profiles)
    if groups is not None and not 1 <= groups <= number:
        raise OptionError(f"{number} videos cannot be put into {groups} groups; expected 1 to {number}")
    if groups == 1 or number < 3:
        return np.arange(number) + 1 if groups == number else np.ones(number, np.int64)
    clusters = require("sklearn.cluster", extra="study").AgglomerativeClustering
    rows = features_of(profiles)
    if groups is not None:
        return _by_size(clusters(n_clusters=groups).fit_predict(rows))
    silhouette = require("sklearn.metrics", extra="study").silhouette_score
    best, clearest = np.ones(number, np.int64), CLEAR
    for count in range(2, min(MOST_GROUPS, number - 1) + 1):
        found = clusters(n_clusters=count).fit_predict(rows)
        clear = float(silhouette(rows, found))
        if clear > clearest:
            best, clearest = _by_size(found), clear
    return best


def _by_size(found: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number (N,) groups from 1 by their size, and groups of one size by their first video."""
    names, firsts, counts = np.unique(found, return_index=True, return_counts=True)
    order = sorted(range(len(names)), key=lambda place: (-counts[place], firsts[place]))
    numbers = {int(names[place]): rank for rank, place in enumerate(order, 1)}
    return np.array([numbers[one] for one in found.tolist()], np.int64)
