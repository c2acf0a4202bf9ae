import numpy as np
import torch

from facemood.geometry import box_of_points
from facemood.stages.landmarks import ROOM, frame_squares
from facemood.train.faces.landmark_network import (
    SIZE,
    LandmarkNetwork,
    LandmarkSampler,
    fitting_scale,
    landmark_loss,
)
from facemood.train.faces.material import Material, Place


def test_crops_are_framed_as_the_pipeline_frames_them(material: Material) -> None:
    sampler, sides, middles = LandmarkSampler(material), [], []
    for seed in range(200):
        crop = sampler.draw(np.random.default_rng(seed))
        if crop.present:
            box = box_of_points((crop.points + 0.5) * SIZE)
            sides.append((box[2:] - box[:2]).max() * ROOM / SIZE)
            middles.append((box[:2] + box[2:]) / 2 / SIZE - 0.5)
    assert 0.9 < np.median(sides) < 1.1
    assert np.abs(np.mean(middles, axis=0)).max() < 0.02
    assert np.std(sides) > 0.05


def test_the_scale_of_a_training_crop_is_that_of_the_pipelines() -> None:
    for box in np.array([[0, 0, 40, 40], [3, 5, 33, 65]], np.float32):
        upright = frame_squares(box[None], np.zeros(1, np.float32), SIZE)
        across = upright[0, 0, 0]  # pixels of the image for one of the crop
        np.testing.assert_allclose(fitting_scale(box), 1 / across, rtol=1e-6)


def test_faces_and_none_come_in_turn_and_repeat_with_their_seed(material: Material) -> None:
    sampler = LandmarkSampler(material, [Place(0, 0.5, 60, 60, 40)])
    made = [sampler.draw(np.random.default_rng(seed)) for seed in range(200)]
    assert 0.6 < np.mean([crop.present for crop in made]) < 0.85
    assert all(crop.image.shape == (SIZE, SIZE) for crop in made)
    assert all(not crop.points.any() for crop in made if not crop.present)
    np.testing.assert_array_equal(sampler.draw(np.random.default_rng(7)).image, made[7].image)


def test_the_loss_counts_points_of_faces_only() -> None:
    wanted, present = torch.zeros(2, 136), torch.tensor([1.0, 0.0])
    sure = torch.tensor([[12.0], [-12.0]])
    right = landmark_loss(torch.zeros(2, 136), sure, wanted, present)
    assert float(right) < 1e-3
    beside = torch.zeros(2, 136)
    beside[1] = 0.3  # of the crop without a face
    torch.testing.assert_close(landmark_loss(beside, sure, wanted, present), right)
    beside[0, 0] = 0.3
    assert float(landmark_loss(beside, sure, wanted, present)) > float(right) + 0.01
    assert float(landmark_loss(torch.zeros(2, 136), -sure, wanted, present)) > 40


def test_the_wing_is_steeper_near_the_mark() -> None:
    present, sure = torch.ones(1), torch.tensor([[12.0]])

    def loss(apart: float) -> float:
        return float(landmark_loss(torch.full((1, 136), apart), sure, torch.zeros(1, 136), present))

    assert loss(0.01) - loss(0.0) > loss(0.11) - loss(0.10) > 0
    assert loss(0.0801) - loss(0.0799) < 0.1  # the two halves meet


def test_the_network_is_small_enough() -> None:
    points, presence = LandmarkNetwork().eval()(torch.rand(3, 1, SIZE, SIZE))
    assert (points.shape, presence.shape) == ((3, 136), (3, 1))
    assert sum(value.numel() for value in LandmarkNetwork().parameters()) * 4 < 2_000_000
