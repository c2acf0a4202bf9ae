import base64

import cv2
import numpy as np

from facemood.schema import Face, Image
from facemood.sinks.report.portraits import BETTER, SIDE, BestPortraits, cut_portrait

GREY = np.full((90, 120, 3), 128, np.uint8)


def decoded(jpeg: bytes) -> Image:
    return np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def face(probability: float, *, label: str = "happy", certain: bool | None = None) -> Face:
    other = "sad" if label == "happy" else "happy"
    read = np.array([probability, 1 - probability], np.float32)
    box = np.array([10, 10, 60, 70], np.float32)
    return Face(box, 0.9, labels=(label, other), probabilities=read, certain=certain)


def test_the_face_is_in_the_middle_of_a_square() -> None:
    image = np.zeros((200, 200, 3), np.uint8)
    image[60:100, 110:150] = 255
    picture = decoded(cut_portrait(image, Face(np.array([110, 60, 150, 100], np.float32), 0.9)))
    assert picture.shape == (SIDE, SIDE, 3)
    rows, columns = np.nonzero(picture[..., 0] > 128)
    for places in (rows, columns):
        assert abs((places.min() + places.max()) / 2 - SIDE / 2) < 2
        assert abs(np.ptp(places) / SIDE - 1 / 1.44) < 0.03  # room on both sides


def test_beyond_the_frame_the_pixels_of_its_edge_are_repeated() -> None:
    image = np.full((50, 50, 3), 30, np.uint8)
    image[:, 0] = 220
    picture = decoded(cut_portrait(image, Face(np.array([-20, 0, 30, 50], np.float32), 0.9)))
    assert (picture[:, : SIDE // 4, 0] > 200).all()


def test_certain_faces_come_before_probable_ones() -> None:
    best = BestPortraits()
    best.add(GREY, face(0.95, certain=False), "uncertain")
    best.add(GREY, face(0.7, certain=True), "certain")
    best.add(GREY, face(0.99, certain=False), "late")
    assert best.kept["happy"].place == "certain"
    best.add(GREY, face(0.8, certain=True), "better")
    assert best.kept["happy"].place == "better"


def test_a_hardly_better_portrait_is_not_replaced() -> None:
    best = BestPortraits()
    best.add(GREY, face(0.8), "first")
    best.add(GREY, face(0.8 + BETTER / 2), "hardly better")
    assert best.kept["happy"].place == "first"


def test_each_expression_has_a_portrait_and_faces_without_a_prediction_have_none() -> None:
    best = BestPortraits()
    best.add(GREY, face(0.8), "smile")
    best.add(GREY, face(0.6, label="sad"), "tear")
    best.add(GREY, Face(np.array([10, 10, 60, 70], np.float32), 0.9), "unread")
    assert {label: portrait.place for label, portrait in best.kept.items()} == {"happy": "smile", "sad": "tear"}


def test_the_address_contains_the_whole_image() -> None:
    best = BestPortraits()
    best.add(GREY, face(0.8), "here")
    kind, _, text = best.kept["happy"].address.partition(",")
    assert kind == "data:image/jpeg;base64"
    assert base64.b64decode(text) == best.kept["happy"].jpeg
