import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from facemood.render.heat import draw_activation_map, tint


def test_evidence_for_a_label_is_green_and_against_it_red() -> None:
    face = np.full((2, 2, 3), 120, np.uint8)
    drawn = tint(face, np.array([[1, -1], [0, 9]], np.float32)).astype(int)
    assert drawn[0, 0, 1] > drawn[0, 0, 2] + 40
    assert drawn[0, 1, 2] > drawn[0, 1, 1] + 40
    assert drawn[1, 0].tolist() == [120, 120, 120]
    assert (drawn[1, 1] == drawn[0, 0]).all()


@given(st.integers(-60, 90), st.integers(-60, 90), st.integers(1, 80), st.integers(1, 80))
def test_a_map_is_drawn_only_inside_its_box_and_the_image(x: int, y: int, width: int, height: int) -> None:
    before = np.random.default_rng(0).integers(0, 256, (50, 60, 3), np.uint8)
    image = before.copy()
    draw_activation_map(image, np.array([x, y, x + width, y + height], np.float32), np.ones((3, 3), np.float32))
    inside = np.zeros((50, 60), bool)
    inside[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)] = True
    assert (image[~inside] == before[~inside]).all()
    if inside.any():
        assert (image[inside] != before[inside]).any()


def test_a_turned_map_is_drawn_inside_its_turned_box() -> None:
    image = np.full((100, 100, 3), (0, 0, 200), np.uint8)
    values = np.zeros((4, 4), np.float32)
    values[0] = 1  # evidence in the upper quarter, which is the right one after a quarter turn clockwise
    draw_activation_map(image, np.array([30, 30, 70, 70], np.float32), values, tilt=90)
    assert (image[50, 62].astype(int) - image[50, 35] > 20)[1]
    diamond = np.full((100, 100, 3), (0, 0, 200), np.uint8)
    draw_activation_map(diamond, np.array([30, 30, 70, 70], np.float32), values, tilt=45)
    assert diamond[32, 32].tolist() == [0, 0, 200]  # a corner that the turned square leaves
    assert diamond[50, 24].tolist() != [0, 0, 200]  # a corner that it reaches
