"""The parts of the engine for the browser compute what those of the package do."""

import base64
import dataclasses
import json
import math
from typing import Any

import cv2
import numpy as np
import pytest

from facemood import EmotionRecognizer
from facemood.facs import KEYS
from facemood.geometry import Floats, box_of_points, iom, iou, non_max_suppression
from facemood.labels import EXPRESSIONS
from facemood.models import FINDER, LANDMARKS, find_model, list_models
from facemood.models.card import ModelCard
from facemood.models.session import ModelSession
from facemood.render.anonymize import anonymize
from facemood.schema import Face, Frame, Image
from facemood.stages.action_units import predict_units
from facemood.stages.classify import PRIORS, predictions_of
from facemood.stages.detect.finder import bounded_scale, combine_scores, tiles
from facemood.stages.orientation import turn_back, turn_frame
from facemood.stages.pose import estimate_pose
from facemood.tracking.appearance import appearance_of
from facemood.tracking.baselines import Baselines
from facemood.tracking.least_cost import assign
from facemood.tracking.scene import LONGEST_FRAME
from facemood.tracking.smooth import Smoother, SmoothOptions
from facemood.tracking.unit_smooth import UnitSmoother
from facemood.web.engine_files import split_lanes
from facemood.web.unit_files import unit_parameters
from tests.conftest import make_face
from tests.moving_faces import read_photo
from tests.web.in_node import in_javascript, packed, unpacked

RANDOM = np.random.default_rng(5)


def as_json(card: ModelCard) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(card.to_json())
    return values


@pytest.mark.parametrize("name", [FINDER, LANDMARKS, *list_models()])
def test_the_card_of_every_network_is_read(name: str) -> None:
    file = find_model(name)
    (card,) = in_javascript([{"call": "card", "data": base64.b64encode(file.read_bytes()).decode()}])
    assert card == as_json(ModelSession(file, threads=1).card)


def test_damaged_and_other_files_are_refused() -> None:
    whole = find_model(LANDMARKS).read_bytes()
    cases = [
        b"",
        b"\x08",
        whole[: len(whole) // 2],
        b"<!doctype html><title>404</title>",
        bytes(range(256)),
        b"\xff" * 99,
    ]
    tasks = [{"call": "card", "data": base64.b64encode(data).decode()} for data in cases]
    for answer in in_javascript(tasks):
        assert "not an ONNX model" in answer["error"] or "no facemood card" in answer["error"]


@pytest.mark.parametrize("lanes", [1, 4])
def test_files_are_unpacked_from_their_lanes(lanes: int) -> None:
    whole = [RANDOM.bytes(length) for length in (0, 1, 3, 4, 10, 4001)]
    packed_by_lanes = [base64.b64encode(split_lanes(data, lanes)).decode() for data in whole]
    answers = in_javascript([{"call": "join", "data": data, "lanes": lanes} for data in packed_by_lanes])
    assert [base64.b64decode(answer) for answer in answers] == whole


def test_probabilities_are_those_of_python() -> None:
    cards = [ModelSession(find_model(name), threads=1).card for name in list_models()]
    tasks, expected = [], []
    for card in cards:
        rows = {head: RANDOM.normal(0, 4, (6, len(labels))).astype(np.float32) for head, labels in card.heads.items()}
        for head, prior in [(head, prior) for head in card.heads for prior in PRIORS]:
            if prior == "tuned" and head not in card.operating_point:
                continue
            predictions = predictions_of(card, head, rows, prior=prior)
            for row in range(6):
                logits = {name: values[row].tolist() for name, values in rows.items()}
                tasks.append({"call": "predict", "card": as_json(card), "head": head, "logits": logits, "prior": prior})
                expected.append(predictions.part(row, row + 1))
    bare = dataclasses.replace(cards[0], temperature={}, certain={}, operating_point={})
    logits = {name: [1.0] * len(labels) for name, labels in bare.heads.items()}
    tasks.append(
        {"call": "predict", "card": as_json(bare), "head": bare.default_head, "logits": logits, "prior": "dataset"}
    )
    *answers, uncertain = in_javascript(tasks)
    for answer, prediction in zip(answers, expected, strict=True):
        np.testing.assert_allclose(answer["probabilities"], prediction.probabilities[0], rtol=1e-4, atol=1e-6)
        assert prediction.certain is not None
        assert answer["certain"] == prediction.certain[0]
    assert uncertain["certain"] is None


def random_boxes(count: int) -> Floats:
    corners = RANDOM.uniform(0, 60, (count, 2))
    boxes = np.concatenate([corners, corners + RANDOM.uniform(5, 50, (count, 2))], axis=1)
    return np.asarray(boxes, np.float32)


def test_overlaps_and_suppression_are_those_of_python() -> None:
    one, other = random_boxes(20), random_boxes(20)
    tasks: list[dict[str, Any]] = [
        {"call": "overlaps", "one": first.tolist(), "other": second.tolist()}
        for first, second in zip(one, other, strict=True)
    ]
    for row, answer in enumerate(in_javascript(tasks)):
        expected = [
            iou(one[row : row + 1], other[row : row + 1])[0, 0],
            iom(one[row : row + 1], other[row : row + 1])[0, 0],
        ]
        np.testing.assert_allclose(answer, expected, rtol=1e-5)
    boxes, scores = random_boxes(60), np.asarray(RANDOM.permutation(60) / 60, np.float32)
    for limit in (math.inf, 0.7):
        task = {"call": "suppress", "boxes": boxes.tolist(), "scores": scores.tolist(), "iouFrom": 0.4}
        (kept,) = in_javascript([task if limit == math.inf else {**task, "iomFrom": limit}])
        assert kept == non_max_suppression(boxes, scores, iou_from=0.4, iom_from=limit).tolist()


def test_boxes_of_landmarks_are_those_of_python() -> None:
    points = RANDOM.normal(200, 60, (5, 68, 2)).astype(np.float32)
    boxes = in_javascript([{"call": "boxOfPoints", "points": one.ravel().tolist()} for one in points])
    np.testing.assert_allclose(boxes, box_of_points(points), rtol=1e-6)


@pytest.mark.parametrize(("width", "height"), [(40, 30), (992, 500), (993, 20), (1900, 1100)])
def test_tiles_are_those_of_python(width: int, height: int) -> None:
    level = RANDOM.integers(0, 256, (height, width), np.uint8)
    (answer,) = in_javascript([{"call": "tiles", "image": packed(level)}])
    for (tile, corner), seen in zip(tiles(level), answer, strict=True):
        assert [seen["x"], seen["y"]] == corner.tolist()
        np.testing.assert_array_equal(unpacked(seen["data"], tile), tile)


def test_scales_and_scores_are_those_of_python() -> None:
    sizes = [(640, 480), (40_000_000, 1), (1, 8_500_000), (60_000, 60_000)]
    tasks = [{"call": "scale", "width": width, "height": height, "scale": 0.9} for width, height in sizes]
    expected = [bounded_scale((height, width), 0.9) for width, height in sizes]
    np.testing.assert_allclose(in_javascript(tasks), expected, rtol=1e-12)
    scores, presence = RANDOM.uniform(0, 1, (2, 50)).astype(np.float32)
    scores[:2], presence[:2] = (0, 1), (1, 1)
    (combined,) = in_javascript([{"call": "combine", "scores": scores.tolist(), "presence": presence.tolist()}])
    np.testing.assert_allclose(combined, combine_scores(scores, presence), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (6, 2), (4, 0)])
def test_faces_are_matched_as_in_python(shape: tuple[int, int]) -> None:
    for _ in range(5):
        costs = RANDOM.uniform(0, 2, shape).astype(np.float32)
        (pairs,) = in_javascript([{"call": "assign", "costs": costs.tolist(), "limit": 1.5}])
        assert sorted(map(tuple, pairs)) == assign(costs, 1.5)


@pytest.mark.parametrize("seconds", [0.4, 0.0])
def test_smoothing_and_the_display_label_are_those_of_python(seconds: float) -> None:
    times = np.cumsum(RANDOM.uniform(0, 0.2, 80)).tolist()
    drift = np.cumsum(RANDOM.normal(0, 0.9, (80, len(EXPRESSIONS))), axis=0)
    rows = np.exp(drift - drift.max(axis=1, keepdims=True))
    rows = (rows / rows.sum(axis=1, keepdims=True)).astype(np.float32)
    (answers,) = in_javascript([{"call": "smooth", "seconds": seconds, "times": times, "rows": rows.tolist()}])
    smoother = Smoother(SmoothOptions(seconds=seconds))
    for row, time, answer in zip(rows, times, answers, strict=True):
        face = dataclasses.replace(make_face(probabilities=row), track_id=1)
        (smoothed,) = smoother.update([face], time)
        np.testing.assert_allclose(answer["probabilities"], smoothed.probabilities, rtol=1e-4, atol=1e-6)
        assert EXPRESSIONS[answer["displayed"]] == smoothed.display_label


def test_appearances_are_those_of_python() -> None:
    photo = read_photo("astronaut.png")
    boxes = [(179, 63, 272, 175), (-20, 10, 40, 90), (400, 300, 530, 600), (600, 600, 700, 700), (10, 10, 28, 30)]
    tasks = [{"call": "appearance", "image": packed(photo), "box": box} for box in boxes]
    for box, answer in zip(boxes, in_javascript(tasks), strict=True):
        expected = appearance_of(photo, Face(np.array(box, np.float32), 1.0))
        assert float(np.dot(answer, expected)) == pytest.approx(float(expected.any()), abs=0.01)


@pytest.mark.parametrize(
    "box", [(179, 63, 272, 175), (-20.4, 10.5, 40.5, 90.2), (480, 440, 530, 600), (10, 10, 13, 14)]
)
def test_faces_are_hidden_as_in_python(box: tuple[float, ...]) -> None:
    photo = read_photo("astronaut.png")
    (answer,) = in_javascript([{"call": "hide", "image": packed(photo), "box": box}])
    expected = anonymize(photo, [Face(np.array(box, np.float32), 1.0)])
    hidden = photo.copy()
    x, y, width, height = (answer[key] for key in ("x", "y", "width", "height"))
    hidden[y : y + height, x : x + width] = unpacked(answer["data"], hidden[y : y + height, x : x + width])
    np.testing.assert_array_equal(hidden, expected)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_pictures_are_turned_and_faces_turned_back_as_in_python(degrees: int) -> None:
    image = np.asarray(cv2.resize(read_photo("astronaut.png"), (70, 41)), np.uint8)
    points = RANDOM.uniform(0, 40, (68, 2)).astype(np.float32)
    face = Face(np.array([3, 4, 20, 31], np.float32), 1.0, landmarks=points)
    task = {"call": "turn", "image": packed(image), "degrees": degrees}
    (answer,) = in_javascript([{**task, "box": face.box.tolist(), "points": points.ravel().tolist()}])
    turned = turn_frame(Frame(image), degrees)
    (back,) = turn_back([face], degrees, (70, 41))
    np.testing.assert_array_equal(unpacked(answer["image"], turned.image), turned.image)
    np.testing.assert_allclose(answer["box"], back.box)
    assert back.landmarks is not None
    np.testing.assert_allclose(answer["points"], back.landmarks.ravel())


def test_polygons_are_filled_as_by_opencv() -> None:
    for count in (1, 2, 3, 12, 31):
        points = RANDOM.integers(0, 60, (count, 2))
        (filled,) = in_javascript([{"call": "fill", "points": points.tolist(), "size": 60}])
        expected = np.zeros((60, 60), np.uint8)
        cv2.fillConvexPoly(expected, cv2.convexHull(points.astype(np.float32)).astype(np.int32), 1)
        np.testing.assert_array_equal(np.reshape(filled, (60, 60)), expected)


def varied_faces(recognizer: EmotionRecognizer, name: str) -> tuple[Image, list[Face]]:
    """The faces of a photo, and versions of each: moved to the edge, small, scored low, and with a twisted mouth."""
    image = read_photo(name)
    found = list(recognizer.analyze_image(image))
    faces = []
    for face in found:
        assert face.landmarks is not None
        centre = face.landmarks.mean(axis=0)
        twisted = face.landmarks.copy()
        twisted[48:] += RANDOM.normal(0, 2, (20, 2))
        shapes = [face.landmarks, twisted, face.landmarks - centre, (face.landmarks - centre) * 0.08 + centre]
        shapes += [face.landmarks + RANDOM.normal(0, 1.5, (68, 2)), (face.landmarks - centre) * (0.6, 1) + centre]
        faces += [Face(face.box, face.score, landmarks=shape.astype(np.float32)) for shape in shapes]
        faces.append(Face(face.box, 0.5, landmarks=face.landmarks))
    return image, faces


@pytest.mark.parametrize("name", ["astronaut.png", "grace_hopper.jpg"])
@pytest.mark.parametrize("masked", [False, True])
def test_poses_and_action_units_are_those_of_python(recognizer: EmotionRecognizer, name: str, *, masked: bool) -> None:
    image, faces = varied_faces(recognizer, name)
    if masked:
        assert faces[0].landmarks is not None
        x1, y1 = faces[0].landmarks[[3, 31]].min(axis=0).astype(int)
        image = image.copy()
        image[y1 : y1 + 200, x1 : x1 + 250] = (200, 160, 90)
    size = (image.shape[1], image.shape[0])
    told = [
        {"points": face.landmarks.ravel().tolist(), "score": face.score} for face in faces if face.landmarks is not None
    ]
    task = {"call": "units", "parameters": json.loads(unit_parameters()), "image": packed(image), "faces": told}
    (answers,) = in_javascript([task])
    counts = set()
    for face, answer in zip(faces, answers, strict=True):
        assert face.landmarks is not None
        pose = estimate_pose(face.landmarks, size)
        assert pose is not None
        np.testing.assert_allclose(answer["pose"], pose, rtol=0, atol=1e-3)
        expected = predict_units(image, dataclasses.replace(face, pose=pose)).units
        assert list(answer["units"]) == list(expected)
        np.testing.assert_allclose(list(answer["units"].values()), list(expected.values()), rtol=0, atol=1e-3)
        counts.add(len(expected))
    assert len(counts) > 1


def test_flat_landmarks_have_no_pose() -> None:
    parameters = json.loads(unit_parameters())
    line = np.stack([np.arange(68), np.arange(68)], axis=1)
    shapes = [np.zeros((68, 2)), line, np.full((68, 2), 1e9)]
    told = [{"points": shape.ravel().tolist(), "score": 1.0} for shape in shapes]
    image = packed(np.zeros((90, 120, 3), np.uint8))
    (answers,) = in_javascript([{"call": "units", "parameters": parameters, "image": image, "faces": told}])
    assert [estimate_pose(shape.astype(np.float32), (120, 90)) for shape in shapes] == [None, None, None]
    assert answers == [{"pose": None, "units": {}}] * 3


@pytest.mark.parametrize("seconds", [0.4, 0.0])
def test_units_smoothed_and_relative_to_a_person_are_those_of_python(seconds: float) -> None:
    times = np.cumsum(RANDOM.exponential(0.15, 90)).tolist()
    drift = np.cumsum(RANDOM.normal(0, 0.8, (90, len(KEYS))), axis=0)
    rows = [dict(zip(KEYS, (0.5 + 0.5 * np.tanh(row)).tolist(), strict=True)) for row in drift]
    for row in [row for row, hidden in zip(rows, RANDOM.random(90) < 0.3, strict=True) if hidden]:
        del row["AU12"], row["AU43L"]
    shown: list[dict[str, float] | None] = [None if place in (40, 41, 60) else row for place, row in enumerate(rows)]
    shown[70] = {}
    task = {"call": "relative", "parameters": json.loads(unit_parameters()), "seconds": seconds}
    (answers,) = in_javascript([{**task, "times": times, "rows": shown}])
    smoother, baselines, last = UnitSmoother(seconds), Baselines(), times[0]
    for units, time, answer in zip(shown, times, answers, strict=True):
        faces = [] if units is None else [dataclasses.replace(make_face(), track_id=1, action_units=units)]
        smoothed = smoother.update(faces, time)
        passed, last = min(time - last, LONGEST_FRAME), time
        for face in baselines.compare(smoothed, [1] * len(faces), [None] * len(faces), seconds=passed):
            assert list(answer) == list(face.action_units)
            assert answer == pytest.approx(dict(face.action_units), abs=1e-7)
