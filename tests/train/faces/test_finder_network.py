import numpy as np
import pytest
import torch

from facemood.geometry import box_of_points
from facemood.stages.detect.cells import STRIDE, decode_cells
from facemood.train.faces.finder_images import FinderSampler
from facemood.train.faces.finder_network import (
    SIZE,
    FinderNetwork,
    cell_middles,
    decode_boxes,
    finder_loss,
    five_points,
    giou,
    make_target,
)
from facemood.train.faces.material import Material
from tests.stages.points import made_points

NOTHING = np.zeros((0, 4), np.float32)


def test_the_middle_of_a_face_is_to_be_found() -> None:
    face = made_points(80, 76, 40)
    target = make_target(face[None], NOTHING)
    rows, columns = np.nonzero(target.score == 1)
    box = box_of_points(face[:68])
    middles = np.stack([columns, rows], axis=1) * STRIDE + STRIDE / 2
    assert len(rows) >= 2
    assert (np.abs(middles - (box[:2] + box[2:]) / 2) < 12).all()
    assert target.box[:, rows[0], columns[0]].tolist() == box.tolist()
    np.testing.assert_allclose(target.points[:, rows[0], columns[0]], five_points(face).reshape(10))
    assert (target.score == -1).sum() > 0
    assert target.score[0, 0] == 0


@pytest.mark.parametrize(("width", "told", "ignored"), [(5, 0, 0), (40, 1, 1), (62, 0, 1), (120, 0, 0)])
def test_only_faces_of_the_octave_are_told(width: float, told: int, ignored: int) -> None:
    target = make_target(made_points(72, 72, width)[None], NOTHING)
    assert (target.score == 1).any() == bool(told)
    assert (target.score == -1).any() == bool(ignored)


def test_every_face_of_the_octave_has_a_cell() -> None:
    random = np.random.default_rng(0)
    for _ in range(100):
        x, y = random.uniform(30, 114, 2).tolist()
        face = made_points(x, y, random.uniform(15, 46))
        assert (make_target(face[None], NOTHING).score == 1).any()


def test_what_may_be_a_face_does_not_matter() -> None:
    target = make_target(np.zeros((0, 104, 2), np.float32), np.array([[40, 40, 80, 80]], np.float32))
    assert target.score[7, 7] == -1
    assert (target.score == 1).sum() == 0
    assert (target.score == -1).sum() == 25  # five middles of cells a side, 44 to 76


def test_a_perfect_answer_has_almost_no_loss() -> None:
    target = make_target(np.stack([made_points(50, 60, 30), made_points(110, 100, 40)]), NOTHING)
    cells = perfect_cells(target.score, target.box, target.points)
    wanted = [torch.from_numpy(part)[None] for part in (target.score, target.box, target.points)]
    perfect = float(finder_loss(cells, *wanted))
    assert perfect < 1e-3
    worse = cells.clone()
    worse[:, 1] += 0.3
    assert float(finder_loss(worse, *wanted)) > perfect + 0.02
    blind = cells.clone()
    blind[:, 0] = -8
    assert float(finder_loss(blind, *wanted)) > 1


def perfect_cells(score: np.ndarray, box: np.ndarray, points: np.ndarray) -> torch.Tensor:
    """What the network would have to give."""
    grid = cell_middles(*score.shape).numpy()
    sides = np.stack([grid[0] - box[0], grid[1] - box[1], box[2] - grid[0], box[3] - grid[1]])
    logs = np.log(np.where(score == 1, sides, STRIDE) / STRIDE)
    five = np.where(score == 1, points - np.tile(grid, (5, 1, 1)), 0) / STRIDE
    cells = np.concatenate([np.where(score == 1, 12, -12)[None], logs, five])
    return torch.from_numpy(cells.astype(np.float32))[None]


def test_training_and_the_pipeline_read_cells_alike() -> None:
    target = make_target(made_points(70, 90, 44)[None], NOTHING)
    cells = perfect_cells(target.score, target.box, target.points)
    found = decode_cells(cells[0].numpy(), threshold=0.5).non_max_suppression()
    np.testing.assert_allclose(found.boxes, box_of_points(made_points(70, 90, 44)[None, :68]), atol=1e-2)
    np.testing.assert_allclose(found.points[0], five_points(made_points(70, 90, 44)), atol=1e-2)
    middles = torch.tensor([[12.0, 20.0]])
    torch.testing.assert_close(decode_boxes(torch.zeros(1, 4), middles), torch.tensor([[4.0, 12.0, 20.0, 28.0]]))


def test_giou_of_known_boxes() -> None:
    one = torch.tensor([[0.0, 0, 2, 2]] * 3)
    other = torch.tensor([[0.0, 0, 2, 2], [1, 0, 3, 2], [4, 0, 6, 2]])
    torch.testing.assert_close(giou(one, other), torch.tensor([1.0, 1 / 3, -4 / 12]))


def test_images_repeat_with_their_seed(material: Material) -> None:
    sampler = FinderSampler(material)
    for seed in range(12):
        image, target = sampler.draw(np.random.default_rng(seed))
        again, same = sampler.draw(np.random.default_rng(seed))
        assert image.shape == (SIZE, SIZE)
        np.testing.assert_array_equal(image, again)
        np.testing.assert_array_equal(target.score, same.score)
    scores = np.stack([sampler.draw(np.random.default_rng(seed))[1].score for seed in range(30)])
    assert 5 < (scores == 1).any(axis=(1, 2)).sum() < 30


def test_the_network_says_no_before_it_has_learned() -> None:
    torch.manual_seed(0)
    cells = FinderNetwork().eval()(torch.rand(1, 1, 64, 80) * 255)
    assert cells.shape == (1, 15, 8, 10)
    assert float(cells[:, 0].detach().max()) < -2
    assert sum(value.numel() for value in FinderNetwork().parameters()) * 4 < 600_000
