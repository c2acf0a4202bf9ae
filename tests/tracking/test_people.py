"""Tracks that are joined to people: by made looks whose truth is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facemood.tracking import Gallery, join_tracks
from facemood.tracking.appearance_model import COLOUR_NUMBERS
from facemood.tracking.gallery import TrackLook
from facemood.tracking.people import GREY_PENALTY, SAME

DIMENSIONS = 64


def made(owners: list[int | None], *, noise: float = 0.0, colour: bool = True, seed: int = 0) -> Gallery:
    """Tracks of known people, one after the other; None is a track that has no embedding."""
    random, gallery = np.random.default_rng(seed), Gallery()
    for place, owner in enumerate(owners):
        track = TrackLook(10.0 * place, 10.0 * place + 5, 50)
        if owner is not None:
            parts = []
            for length, size in ((DIMENSIONS, 1.0), (COLOUR_NUMBERS, 0.9 * colour)):
                part = np.eye(length)[owner] + noise * random.normal(size=length) / length**0.5
                parts.append(size * part / np.linalg.norm(part))
            track.total, track.looks = np.concatenate(parts).astype(np.float32), 1
        gallery.tracks[place + 1] = track
    return gallery


def numbers(gallery: Gallery, people: int | None = None) -> list[int]:
    return list(join_tracks(gallery, people=people).numbers.values())


@pytest.mark.parametrize("colour", [True, False])
def test_shots_of_two_people_in_turns_are_two_people(colour: bool) -> None:
    assert numbers(made([5, 9, 5, 9, 5], noise=0.3, colour=colour)) == [1, 2, 1, 2, 1]
    assert numbers(made([5, 9, 5, 9, 5], noise=0.3, colour=colour), 2) == [1, 2, 1, 2, 1]


def test_nobody_is_nobody() -> None:
    assert dict(join_tracks(Gallery()).numbers) == {}
    assert dict(join_tracks(Gallery(), people=2).seconds) == {}


def test_people_who_are_seen_together_are_never_joined() -> None:
    gallery = made([3, 3, 3])
    gallery.tracks[1].beside.add(2)
    gallery.tracks[2].beside.add(1)
    assert numbers(gallery) in ([1, 2, 1], [1, 2, 2])
    assert numbers(gallery, 1) in ([1, 2, 1], [1, 2, 2])


def test_a_known_number_joins_what_is_not_alike() -> None:
    assert numbers(made([1, 2, 3])) == [1, 2, 3]
    assert numbers(made([1, 2, 3]), 1) == [1, 1, 1]
    assert numbers(made([1, 2, 1, 3]), 3) == [1, 2, 1, 3]
    assert numbers(made([1, 2]), 5) == [1, 2]


def test_a_track_without_an_embedding_stays_alone_unless_the_number_is_known() -> None:
    assert numbers(made([1, None, 1])) == [1, 2, 1]
    assert numbers(made([1, None, 1]), 1) == [1, 1, 1]


def test_those_who_are_seen_longest_come_before_others() -> None:
    gallery = made([4, 1, 2])
    for one in (1, 2, 3):
        gallery.tracks[one].beside |= {1, 2, 3} - {one}
    gallery.tracks[1].last = gallery.tracks[1].first + 0.1  # a false alarm at the beginning
    people = join_tracks(gallery, people=2)
    assert dict(people.numbers) == {1: 3, 2: 1, 3: 2}
    assert people.seconds[3] == pytest.approx(0.1)
    assert dict(join_tracks(gallery).numbers) == {1: 1, 2: 2, 3: 3}


def test_a_grey_look_must_be_nearer() -> None:
    def pair(similar: float, colour: bool) -> Gallery:
        gallery = made([0, 0], colour=colour)
        other = gallery.tracks[2].total
        assert other is not None
        other[:2] = similar, (1 - similar**2) ** 0.5
        if colour:
            other[DIMENSIONS : DIMENSIONS + 2] = 0.9 * similar, 0.9 * (1 - similar**2) ** 0.5
        return gallery

    assert numbers(pair(SAME + 0.05, colour=True)) == [1, 1]
    assert numbers(pair(SAME + 0.05, colour=False)) == [1, 2]
    assert numbers(pair(SAME + GREY_PENALTY + 0.05, colour=False)) == [1, 1]


def test_an_unknown_track_is_somebody_else() -> None:
    people = join_tracks(made([1, 2, 1]))
    assert people.number(7) > 2


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 4) | st.none(), min_size=1, max_size=24),
    st.integers(1, 6) | st.none(),
    st.integers(0, 1000),
)
def test_every_track_is_one_person_and_nobody_is_twice_in_a_frame(
    owners: list[int | None], people: int | None, seed: int
) -> None:
    gallery, random = made(owners, noise=1.5, seed=seed), np.random.default_rng(seed)
    for one in gallery.tracks:
        for other in gallery.tracks:
            if one < other and random.random() < 0.2:
                gallery.tracks[one].beside.add(other)
                gallery.tracks[other].beside.add(one)
    found = join_tracks(gallery, people=people)
    assert list(found.numbers) == list(gallery.tracks)
    assert set(found.numbers.values()) == set(range(1, len(found.seconds) + 1))
    for one, track in gallery.tracks.items():
        assert all(found.numbers[one] != found.numbers[other] for other in track.beside)
    if people is None:
        firsts = [min(t for t, number in found.numbers.items() if number == one) for one in found.seconds]
        assert firsts == sorted(firsts)


def test_many_tracks_are_joined_in_a_moment() -> None:
    random = np.random.default_rng(0)
    owners = random.integers(0, 40, 1500).tolist()
    found = join_tracks(made(owners, noise=0.5))
    assert len(found.seconds) == 40
    pairs = {(owner, number) for owner, number in zip(owners, found.numbers.values(), strict=True)}
    assert len(pairs) == 40
