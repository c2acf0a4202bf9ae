from pathlib import Path

import numpy as np
import pytest

from facemood.schema import Face
from facemood.sources import load_image
from facemood.tracking.appearance import appearance_of

PORTRAIT = Face(np.array([179, 63, 272, 175], np.float32), 0.9)
"""Box of the astronaut's face."""


def test_appearance_depends_on_the_person_and_hardly_on_light_and_position(astronaut: Path) -> None:
    photo = load_image(astronaut)
    hopper = load_image(astronaut.with_name("grace_hopper.jpg"))
    own = appearance_of(photo, PORTRAIT)
    assert np.linalg.norm(own) == pytest.approx(1, abs=1e-3)
    dark = appearance_of(np.asarray(photo * 0.7, np.uint8), PORTRAIT)
    moved = appearance_of(photo, Face(PORTRAIT.box + 3, 0.9))
    other = appearance_of(hopper, Face(np.array([168, 119, 356, 332], np.float32), 0.9))
    assert min(own @ dark, own @ moved) > 0.95
    assert own @ other < 0.8


def test_a_face_outside_of_the_frame_has_no_appearance(astronaut: Path) -> None:
    outside = appearance_of(load_image(astronaut), Face(PORTRAIT.box + 900, 0.9))
    assert outside.shape == appearance_of(load_image(astronaut), PORTRAIT).shape
    assert not outside.any()
