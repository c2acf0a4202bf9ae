import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facemood.errors import OutputError
from facemood.render import encode_png, write_picture

BLUE = np.zeros((4, 6, 3), np.uint8)
BLUE[..., 0] = 255


def test_bgr_becomes_a_blue_picture(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.png", BLUE)
    for source in (tmp_path / "a.png", io.BytesIO(encode_png(BLUE))):
        with Image.open(source) as picture:
            assert picture.size == (6, 4)
            assert picture.getpixel((0, 0)) == (0, 0, 255)


def test_an_unknown_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="unknown kind of picture"):
        write_picture(tmp_path / "a.xyz", BLUE)


def test_a_picture_that_a_format_cannot_hold_is_said(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"20000 x 1 pixels cannot be written as \.webp"):
        write_picture(tmp_path / "a.webp", np.zeros((1, 20000, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []
