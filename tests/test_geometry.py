import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from facemood.geometry import MIRRORED, box_of_points, corner_and_size, iom, iou, non_max_suppression

CORNERS = arrays(np.float32, (7, 2), elements=st.integers(0, 60).map(np.float32))


def boxes_from(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Boxes of at least one pixel."""
    return np.concatenate([np.minimum(first, second), np.maximum(first, second) + 1], axis=1)


def test_the_box_of_points_is_extended_upwards_by_a_quarter_of_their_height() -> None:
    points = np.stack(
        [np.array([[10, 40], [30, 80], [20, 60]], np.float32), np.array([[0, 0], [4, 8], [2, 2]], np.float32)]
    )
    assert box_of_points(points).tolist() == [[10, 30, 30, 80], [0, -2, 4, 8]]


def test_corner_and_size_come_from_rounded_edges() -> None:
    assert corner_and_size(np.array([-0.6, 1.4, 3.6, 2.6], np.float32)) == [-1, 1, 5, 2]


def test_iou_of_known_boxes() -> None:
    one = np.array([[0, 0, 10, 10]], np.float32)
    other = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [10, 0, 20, 10], [2, 2, 4, 4]], np.float32)
    np.testing.assert_allclose(iou(one, other)[0], [1, 1 / 3, 0, 0.04], atol=1e-6)
    assert iou(one, np.zeros((0, 4), np.float32)).shape == (1, 0)


def test_a_box_inside_another_is_a_part_of_it() -> None:
    boxes = np.array([[0, 0, 10, 10], [2, 2, 4, 6], [8, 8, 12, 12]], np.float32)
    np.testing.assert_allclose(iom(boxes[:1], boxes)[0], [1, 1, 0.25], atol=1e-6)
    scores = np.array([0.9, 0.8, 0.7], np.float32)
    assert non_max_suppression(boxes, scores, iou_from=0.4).tolist() == [0, 1, 2]
    assert non_max_suppression(boxes, scores, iou_from=0.4, iom_from=0.7).tolist() == [0, 2]


@given(CORNERS, CORNERS)
def test_iou_is_a_symmetric_share(first: np.ndarray, second: np.ndarray) -> None:
    boxes = boxes_from(first, second)
    shared = iou(boxes, boxes)
    assert ((shared >= 0) & (shared <= 1 + 1e-6)).all()
    np.testing.assert_allclose(shared, shared.T, atol=1e-6)
    np.testing.assert_allclose(np.diag(shared), 1, atol=1e-6)


@given(CORNERS, CORNERS, arrays(np.float32, 7, elements=st.integers(0, 100).map(lambda value: np.float32(value / 100))))
def test_suppression_keeps_the_best_box_and_none_that_overlaps_it(
    first: np.ndarray, second: np.ndarray, scores: np.ndarray
) -> None:
    boxes = boxes_from(first, second)
    kept = non_max_suppression(boxes, scores, iou_from=0.4)
    assert scores[kept[0]] == scores.max()
    assert (np.diff(scores[kept]) <= 0).all()
    shared = iou(boxes, boxes[kept])
    assert (shared[kept] - np.eye(len(kept)) < 0.4).all()
    gone = np.setdiff1d(np.arange(7), kept)
    assert (shared[gone].max(axis=1, initial=0) >= 0.4).all()


def test_suppression_of_no_boxes() -> None:
    assert non_max_suppression(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), iou_from=0.4).tolist() == []


def test_mirroring_twice_changes_nothing() -> None:
    assert MIRRORED[MIRRORED].tolist() == list(range(68))
    assert MIRRORED[[0, 17, 36, 37, 31, 48, 60, 67, 58]].tolist() == [16, 26, 45, 44, 35, 54, 64, 65, 56]
    assert MIRRORED[[8, 27, 30, 33, 51, 57, 62, 66]].tolist() == [8, 27, 30, 33, 51, 57, 62, 66]
