import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facemood.errors import OutputError
from facemood.render import encode_png, write_image

BLUE = np.zeros((4, 6, 3), np.uint8)
BLUE[..., 0] = 255


def test_bgr_is_written_with_the_right_colours(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", BLUE)
    for source in (tmp_path / "a.png", io.BytesIO(encode_png(BLUE))):
        with Image.open(source) as picture:
            assert picture.size == (6, 4)
            assert picture.getpixel((0, 0)) == (0, 0, 255)


def test_an_unknown_suffix_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="unknown image format"):
        write_image(tmp_path / "a.xyz", BLUE)


def test_an_image_too_large_for_a_format_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"20000 x 1 pixels cannot be written as \.webp"):
        write_image(tmp_path / "a.webp", np.zeros((1, 20000, 3), np.uint8))
    assert list(tmp_path.iterdir()) == []
