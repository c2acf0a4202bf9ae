from pathlib import Path

import cv2
import numpy as np
import pytest

from facemood.errors import OutputError
from facemood.train.data.contact_sheet import CELL, COLUMNS, GAP, lay_out, write_contact_sheet
from tests.train.test_fit import bright_or_dark, small_recipe


def test_images_are_in_order_with_white_gaps() -> None:
    cells = np.arange(6, dtype=np.uint8).reshape(2, 3, 1, 1, 1) * np.ones((1, 1, 1, 4, 4), np.uint8) * 40
    sheet = lay_out(cells)
    assert sheet.shape == (2 * (CELL + GAP) + GAP, 3 * (CELL + GAP) + GAP, 3)
    for row in range(2):
        for column in range(3):
            top, left = GAP + row * (CELL + GAP), GAP + column * (CELL + GAP)
            assert (sheet[top : top + CELL, left : left + CELL] == 40 * (3 * row + column)).all()
    assert (sheet[:GAP] == 255).all()
    assert (sheet[:, CELL + GAP : CELL + 2 * GAP] == 255).all()


def test_colours_come_out_as_they_went_in() -> None:
    red = np.zeros((1, 1, 3, 4, 4), np.uint8)
    red[:, :, 0] = 255
    assert lay_out(red)[GAP, GAP].tolist() == [0, 0, 255]  # BGR


def test_a_class_has_a_row_and_its_first_image_is_unchanged(tmp_path: Path) -> None:
    training = bright_or_dark()
    for name in ("one.png", "two.png"):
        write_contact_sheet(tmp_path / name, training, small_recipe())
    sheet = np.asarray(cv2.imread(str(tmp_path / "one.png")))
    assert sheet.shape[:2] == (2 * (CELL + GAP) + GAP, COLUMNS * (CELL + GAP) + GAP)  # happy and sad
    rows = [sheet[GAP + row * (CELL + GAP) :][:CELL] for row in range(2)]
    assert rows[0][: CELL // 4, GAP : GAP + CELL].mean() > rows[0][-CELL // 4 :, GAP : GAP + CELL].mean() + 100
    assert rows[1][-CELL // 4 :, GAP : GAP + CELL].mean() > rows[1][: CELL // 4, GAP : GAP + CELL].mean() + 100
    pictures = [rows[0][:, GAP + column * (CELL + GAP) :][:, :CELL] for column in range(COLUMNS)]
    assert all(np.abs(pictures[0].astype(int) - other).mean() > 2 for other in pictures[1:])
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()  # the recipe's seed


def test_both_views_are_shown_if_the_recipe_has_two(tmp_path: Path) -> None:
    noisy = ("degraded.erase=0.0", "degraded.noise=1.0", "degraded.noise_level=90")
    write_contact_sheet(tmp_path / "both.png", bright_or_dark(), small_recipe("train.consistency=0.5", *noisy))
    write_contact_sheet(tmp_path / "usual.png", bright_or_dark(), small_recipe())
    both, usual = (np.asarray(cv2.imread(str(tmp_path / name))).astype(int) for name in ("both.png", "usual.png"))
    assert (both[:, : CELL + GAP] == usual[:, : CELL + GAP]).all()  # the images themselves
    cells = [both[:, GAP + column * (CELL + GAP) :][:, :CELL] for column in range(COLUMNS)]
    rough = [np.abs(np.diff(cell, axis=1)).mean() for cell in cells]
    assert min(rough[2::2]) > max(rough[1::2])


def test_a_file_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        write_contact_sheet(tmp_path / "file" / "sheet.png", bright_or_dark(), small_recipe())
