import numpy as np
import pytest

from facemood.stages.detect.cells import concatenate, decode_cells


def cells_with(row: int, column: int, *, logit: float = 2.0) -> np.ndarray:
    """4x6 cells, one of which has a face from 2 cells left to 1 right and from 1 above to 3 below."""
    cells = np.zeros((15, 4, 6), np.float32)
    cells[0] = -9
    cells[0, row, column] = logit
    cells[1:5, row, column] = np.log([2, 1, 1, 3])
    cells[5:, row, column] = [-1, -0.5, 1, -0.5, 0, 0, -1, 1, 1, 1]
    return cells


def test_a_cell_becomes_a_box_a_score_and_five_points() -> None:
    found = decode_cells(cells_with(2, 3), threshold=0.5)
    np.testing.assert_allclose(found.boxes, [[12, 12, 36, 44]], atol=1e-4)  # the cell's middle is at (28, 20)
    assert found.scores.tolist() == pytest.approx([1 / (1 + np.exp(-2))])
    assert found.points[0].tolist() == [[20, 16], [36, 16], [28, 20], [20, 28], [36, 28]]


def test_the_threshold_decides() -> None:
    assert len(decode_cells(cells_with(0, 0, logit=0.1), threshold=0.5).scores) == 1
    assert len(decode_cells(cells_with(0, 0, logit=-0.1), threshold=0.5).scores) == 0


def test_candidates_are_concatenated_and_suppression_keeps_the_best() -> None:
    weak, strong = (
        decode_cells(cells_with(2, column, logit=logit), threshold=0.1) for column, logit in ((3, 1), (2, 3))
    )
    best = concatenate([weak, strong]).non_max_suppression()
    assert len(best.scores) == 1
    assert best.boxes.tolist() == strong.boxes.tolist()
    assert concatenate([]).boxes.shape == (0, 4)


def test_extreme_outputs_stay_finite() -> None:
    found = decode_cells(np.full((15, 2, 2), 1e9, np.float32), threshold=0.5)
    assert np.isfinite(found.boxes).all()
    assert (found.scores <= 1).all()
