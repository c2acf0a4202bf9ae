import numpy as np
import pytest

from facemood.explain import Explanation
from facemood.explain.figure import EDGE, GAP, LINE, TILE, draw_explanations, write_points
from facemood.schema import Image

FACE = np.full((48, 48, 3), (40, 90, 200), np.uint8)
"""A face of one colour, so that drawings on it can be detected."""


def quarters() -> np.ndarray:
    """Four superpixels: 0 and 1 above, 2 and 3 below."""
    return np.kron(np.array([[0, 1], [2, 3]]), np.ones((24, 24), int)).astype(np.int64)


def explained(*weights: float) -> Explanation:
    known = np.array(weights, np.float32)
    return Explanation("lime", "happy", 0.8, FACE, known[quarters()], segments=quarters(), weights=known, r2=0.9)


def mapped(values: np.ndarray, *, settings: dict[str, object] | None = None) -> Explanation:
    return Explanation("cam", "happy", 0.8, FACE, values.astype(np.float32), settings=settings or {})


def image_at(drawn: Image, number: int) -> Image:
    """The image at a position in the first row."""
    left, top = GAP + number * (TILE + GAP), GAP + LINE
    return drawn[top : top + TILE, left : left + TILE]


def count_of(drawn: Image) -> int:
    return int((drawn.shape[1] - GAP) // (TILE + GAP))


def test_only_superpixels_that_support_the_label_are_shown() -> None:
    assert count_of(draw_explanations([explained(0.3, 0.2, 0.1, -0.4)])) == 4  # face, strongest, top three, all
    assert count_of(draw_explanations([explained(0.3, -0.2, -0.1, -0.4)])) == 3  # face, strongest, all


def test_the_strongest_superpixel_stands_out_and_the_rest_is_faint() -> None:
    drawn = image_at(draw_explanations([explained(0.1, 0.5, 0.2, -0.4)]), 1)
    quarter = TILE // 4
    assert drawn[quarter, 3 * quarter].tolist() == [40, 90, 200]
    for row, column in ((1, 1), (3, 1), (3, 3)):
        blue, green, red = drawn[row * quarter, column * quarter].tolist()
        assert blue == green == red > 150  # pale grey
    edge = np.abs(drawn.astype(int) - EDGE).sum(axis=2) < 90
    assert edge[: TILE // 2, TILE // 2 - 3 : TILE // 2 + 3].any()


def test_support_of_the_label_is_green_and_contradiction_is_red() -> None:
    drawn = image_at(draw_explanations([explained(1.0, 0.0, 0.0, -1.0)]), 2)
    aside = TILE // 8  # away from the weights in the middle
    _, green, red = drawn[aside, aside].tolist()
    assert green > red + 30
    _, green, red = drawn[-aside, -aside].tolist()
    assert red > green + 30
    assert len(set(drawn[aside, -aside].tolist())) == 1  # grey: its weight is 0


def test_a_map_of_any_size_has_two_images() -> None:
    small, large = np.eye(6), np.eye(TILE)
    for values in (small, large):
        drawn = draw_explanations([mapped(values)])
        assert count_of(drawn) == 2
        assert image_at(drawn, 0)[TILE // 2, TILE // 2].tolist() == [40, 90, 200]
    flat = draw_explanations([mapped(np.zeros((6, 6)))])
    assert np.ptp(image_at(flat, 1)) == 0  # grey


def test_rows_of_different_widths_stand_below_each_other_on_white() -> None:
    wide, narrow = explained(0.3, 0.2, 0.1, 0.4), mapped(np.eye(6))
    alone = draw_explanations([wide])
    both = draw_explanations([wide, narrow])
    np.testing.assert_array_equal(both[: len(alone)], alone)
    assert both.shape[1] == alone.shape[1]
    assert (both[len(alone) :, -TILE:] == 255).all()


def test_a_long_title_stays_inside() -> None:
    settings: dict[str, object] = {f"setting_{number}": 0.123456 for number in range(4)}
    drawn = draw_explanations([mapped(np.eye(6), settings=settings)])
    line = drawn[GAP : GAP + LINE - 4]
    assert (line[:, GAP : GAP + 40] < 200).any()
    assert (line[:, -GAP // 2 :] == 255).all()


def test_an_empty_list_cannot_be_drawn() -> None:
    with pytest.raises(ValueError, match="no explanation to draw"):
        draw_explanations([])


@pytest.mark.parametrize(
    ("weight", "text"),
    [(0.0994, "+9.9"), (0.0996, "+10"), (-0.5, "-50"), (0.00096, "+0.1"), (0.00094, "+0.094"), (0.0, "+0")],
)
def test_points_have_as_many_digits_as_they_need(weight: float, text: str) -> None:
    assert write_points(weight) == text
