import sys

import numpy as np
import pytest

from facemood.schema import Face
from facemood.tracking import Gallery
from facemood.tracking.appearance_model import COLOUR_NUMBERS
from facemood.tracking.gallery import LEAST_COLOUR


def faces(*numbers: int) -> list[Face]:
    return [Face(np.zeros(4, np.float32), 0.9, track_id=number) for number in numbers]


def look(shape: tuple[float, float], colour: float = 0.0) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    colours = np.zeros(COLOUR_NUMBERS)
    colours[0] = colour
    return np.concatenate([shape, colours]).astype(np.float32)


def test_who_is_in_a_frame_with_whom_is_remembered() -> None:
    gallery = Gallery()
    for now, numbers in enumerate([(1, 2), (2, 3), (), (4,)]):
        gallery.add(faces(*numbers), float(now))
    assert {number: track.beside for number, track in gallery.tracks.items()} == {1: {2}, 2: {1, 3}, 3: {2}, 4: set()}
    assert [(track.first, track.last, track.frames) for track in gallery.tracks.values()] == [
        (0, 0, 1), (0, 1, 2), (1, 1, 1), (3, 3, 1),
    ]  # fmt: skip


def test_a_track_wants_an_embedding_every_now_and_then() -> None:
    gallery, asked = Gallery(), 0
    for frame in range(31):
        gallery.add(faces(1), frame / 30)
        if gallery.due(1, frame / 30):
            asked += 1
            gallery.look(1, look((1, 0)), frame / 30)
    assert asked == gallery.tracks[1].looks == 5
    assert gallery.due(1, 0.0)  # times that go back


def test_a_look_is_the_mean_of_its_embeddings() -> None:
    gallery = Gallery()
    gallery.add(faces(1, 2), 0.0)
    assert gallery.tracks[1].shape is None
    assert gallery.tracks[1].colours is None
    for place in ((1, 0), (0, 1)):
        gallery.look(1, look(place, 0.9), 0.0)
    shape, colours = gallery.tracks[1].shape, gallery.tracks[1].colours
    assert shape is not None
    assert colours is not None
    assert shape == pytest.approx([0.5**0.5, 0.5**0.5])
    assert colours[0] == pytest.approx(1)
    gallery.look(2, look((1, 0), LEAST_COLOUR - 0.05), 0.0)
    assert gallery.tracks[2].shape is not None
    assert gallery.tracks[2].colours is None  # as good as grey


def test_memory_does_not_grow_with_the_frames() -> None:
    gallery = Gallery()
    sizes = []
    for frame in range(2000):
        gallery.add(faces(1, 2), frame / 25)
        for number in (1, 2):
            if gallery.due(number, frame / 25):
                gallery.look(number, look((1, 0), 0.9), frame / 25)
        track = gallery.tracks[1]
        assert track.total is not None
        sizes.append(track.total.nbytes + sys.getsizeof(track.beside) + sys.getsizeof(gallery.tracks))
    assert len(set(sizes)) == 1
    assert 300 < gallery.tracks[1].looks <= 400  # one in 0.2 s of 80
