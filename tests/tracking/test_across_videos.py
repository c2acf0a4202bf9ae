"""People who are joined across videos: by made looks whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facemood.tracking import VideoPeople, join_tracks, join_videos
from tests.tracking.test_people import made


def videos(owners: Sequence[Sequence[int | None]], *, noise: float = 0.3, most: int | None = None) -> list[VideoPeople]:
    """Videos of known people, one track after the other in each."""
    galleries = [made(list(own), noise=noise, seed=place) for place, own in enumerate(owners)]
    return [VideoPeople.of(gallery, most=most) for gallery in galleries]


def numbers(found: list[VideoPeople], people: int | None = None) -> list[list[int]]:
    return [list(video.numbers.values()) for video in join_videos(found, people=people)]


def test_a_person_has_the_same_number_in_all_videos() -> None:
    assert numbers(videos([[5, 9, 5], [9, 5], [2], [5, 2]])) == [[1, 2, 1], [2, 1], [3], [1, 3]]


def test_one_video_has_the_numbers_that_it_has_alone() -> None:
    gallery = made([3, 1, 3, 2, 1])
    (alone,) = join_videos([VideoPeople.of(gallery)])
    assert alone.numbers == join_tracks(gallery).numbers
    assert alone.seconds == join_tracks(gallery).seconds


def test_nothing_is_nothing() -> None:
    assert join_videos([]) == []
    assert numbers(videos([[], [1]])) == [[], [1]]


def test_two_people_of_one_video_stay_different() -> None:
    twins = videos([[4], [4], [4, 4]], noise=0.0)
    gallery = made([4, 4])
    gallery.tracks[1].beside.add(2)
    gallery.tracks[2].beside.add(1)
    twins[2] = VideoPeople.of(gallery)
    found = numbers(twins)
    assert found[0] == found[1] == [1]
    assert sorted(found[2]) == [1, 2]
    assert sorted(numbers(twins, people=1)[2]) == [1, 2]


def test_a_known_number_is_that_of_all_videos() -> None:
    found = videos([[1, 2], [3, 1], [2]], most=3)
    assert numbers(found, people=3) == [[1, 2], [3, 1], [2]]
    joined = join_videos(videos([[1, 2], [3, 4]], most=2), people=2)
    assert [sorted(video.seconds) for video in joined] == [[1, 2], [1, 2]]
    assert joined[0].total == 2


def test_no_video_has_more_people_than_there_are() -> None:
    (video,) = videos([[1, 2, 3]], most=2)
    assert sorted(video.looks) == [1, 2]
    (video,) = videos([[1, 2, 1]], most=3)
    assert sorted(video.looks) == [1, 2]


def test_the_look_of_a_person_is_the_sum_of_their_tracks() -> None:
    gallery = made([7, 7, None], noise=0.2)
    video = VideoPeople.of(gallery)
    one, other = gallery.tracks[1], gallery.tracks[2]
    assert one.total is not None
    assert other.total is not None
    assert video.looks[1].total is not None
    np.testing.assert_allclose(video.looks[1].total, one.total + other.total, rtol=1e-6)
    assert (video.looks[1].first, video.looks[1].last) == (one.first, other.last)
    assert (video.looks[1].frames, video.looks[1].looks) == (100, 2)
    assert video.looks[2].total is None
    assert gallery.tracks[1].looks == 1  # the tracks stay as they are


def test_an_unknown_track_is_nobody_of_any_video() -> None:
    first, second = join_videos(videos([[1], [2, 3, 4]]))
    assert first.number(1) == 1
    assert first.number(9) > 4
    assert second.number(9) > 4


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.integers(0, 4) | st.none(), max_size=6), min_size=1, max_size=5),
    st.integers(1, 6) | st.none(),
)
def test_every_person_has_one_number_and_no_video_has_one_twice(
    owners: list[list[int | None]], people: int | None
) -> None:
    found = videos(owners, noise=1.5, most=people)
    joined = join_videos(found, people=people)
    seen: set[int] = set()
    for video, known in zip(joined, found, strict=True):
        pairs = {(known.people.numbers[track], number) for track, number in video.numbers.items()}
        assert len(pairs) == len(known.looks) == len(video.seconds)
        assert set(video.numbers.values()) == set(video.seconds)
        assert video.total == joined[0].total
        seen |= set(video.seconds)
    assert seen == set(range(1, joined[0].total + 1))
    if people is None:
        firsts = [number for video in joined for number in dict.fromkeys(video.numbers.values())]
        assert list(dict.fromkeys(firsts)) == sorted(seen)


@pytest.mark.parametrize("people", [None, 40])
def test_many_videos_are_joined_in_a_moment(people: int | None) -> None:
    random = np.random.default_rng(0)
    owners = [random.permutation(40)[:6].tolist() for _ in range(200)]
    found = numbers(videos(owners, most=people), people)
    pairs = {
        (owner, number)
        for own, known in zip(owners, found, strict=True)
        for owner, number in zip(own, known, strict=True)
    }
    assert len(pairs) == 40
