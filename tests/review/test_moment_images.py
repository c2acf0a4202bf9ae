"""What raters see is the frame that facemood read, with a frame around the right face."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from facemood.errors import SourceError
from facemood.review.moment_images import SIDE, SMALLEST, cut_around, read_moment, show_moment
from facemood.review.moments import Moment, Origin
from facemood.schema import Image
from tests.videos import make_video, number_of, numbered_images


def moment_in(path: Path, *, frame: int = 0, timestamp: float | None = None, **more: object) -> Moment:
    known = Moment(str(path), Origin(str(path)), frame, timestamp, 0, (20, 10, 40, 34), 0, "happy", 0.9)
    return replace(known, **more)  # type: ignore[arg-type]


def shown(moment: Moment, path: Path) -> Image:
    image = cv2.imdecode(np.frombuffer(show_moment(moment, path), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image, np.uint8)


@pytest.mark.parametrize("frame", [0, 1, 37, 99])
def test_it_is_the_frame_that_was_read(tmp_path: Path, frame: int) -> None:
    path = make_video(tmp_path / "a.mp4", numbered_images(100), fps=24)
    moment = moment_in(path, frame=frame, timestamp=round(frame / 24, 3))  # as the table rounds it
    assert number_of(read_moment(moment, path)) == frame


def test_another_video_of_that_name_is_told(tmp_path: Path) -> None:
    path = make_video(tmp_path / "a.mp4", numbered_images(10), fps=10)
    for frame, timestamp in ((30, 3.0), (3, 0.5)):
        with pytest.raises(SourceError, match=rf"has no frame {frame} any more; read it again"):
            read_moment(moment_in(path, frame=frame, timestamp=timestamp), path)


def test_the_face_is_framed_where_it_is(tmp_path: Path) -> None:
    photo = np.full((200, 300, 3), 60, np.uint8)
    photo[50:90, 100:140] = (0, 0, 255)  # the face: a red square
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), photo)
    image = shown(moment_in(path, box=(100, 50, 140, 90)), path)
    assert max(image.shape[:2]) == SMALLEST
    red = np.argwhere((image[..., 2] > 200) & (image[..., 1] < 60))
    white = np.argwhere((image > 200).all(axis=2))
    assert (white.min(axis=0) < red.min(axis=0)).all()
    assert (white.max(axis=0) > red.max(axis=0)).all()
    assert np.abs(white.min(axis=0) + white.max(axis=0) - red.min(axis=0) - red.max(axis=0)).max() < 6


def test_a_large_face_is_reduced_and_a_sideways_one_is_turned_upright(tmp_path: Path) -> None:
    photo = np.zeros((900, 1200, 3), np.uint8)
    photo[:, :600] = 250  # the left half is bright
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), photo)
    large = moment_in(path, box=(300, 150, 900, 750))
    image = shown(large, path)
    assert max(image.shape[:2]) == SIDE
    assert image[5, 5].mean() > 200 > image[5, -5].mean()
    turned = shown(replace(large, roll=88.0), path)  # its head lies to the right: the image is turned to the left
    assert turned[-5, 5].mean() > 200 > turned[5, 5].mean()


def test_a_face_at_the_edge_is_cut_there_and_one_outside_is_told() -> None:
    image = np.zeros((100, 80, 3), np.uint8)
    crop, corner = cut_around(image, (-10, 60, 30, 110), margin=1)
    assert (crop.shape, corner) == ((90, 80, 3), (0, 10))
    with pytest.raises(SourceError, match="outside of an image of 80 x 100 pixels"):
        cut_around(image, (300, 300, 340, 350), margin=0.1)
