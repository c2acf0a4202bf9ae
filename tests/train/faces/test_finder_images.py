import numpy as np

from facemood.train.faces.finder_images import HARD, PLAIN, FinderSampler
from facemood.train.faces.finder_network import SIZE
from facemood.train.faces.material import Material, Place


def test_images_repeat_with_their_seed_and_differ_without(material: Material) -> None:
    sampler = FinderSampler(material)
    first, again, other = (sampler.draw(np.random.default_rng(seed)) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1].score, again[1].score)
    assert (first[0] != other[0]).any()
    assert first[0].shape == (SIZE, SIZE)
    assert first[0].dtype == np.uint8


def test_some_images_have_faces_and_some_have_none(material: Material) -> None:
    sampler = FinderSampler(material)
    targets = [sampler.draw(np.random.default_rng(seed))[1] for seed in range(120)]
    counts = np.array([(target.score == 1).any() for target in targets])
    assert 0.3 < counts.mean() < 0.95
    for target in targets:
        found = target.score == 1
        boxes = target.box[:, found]
        assert (boxes[2:] > boxes[:2]).all()
        assert (target.points[:, ~found] == 0).all()


def test_false_alarms_are_shown_as_often_as_they_should(material: Material) -> None:
    alarm = Place(0, 1.0, 90.0, 90.0, 40.0)
    dark = material.scenes[0].levels[0]
    dark[:] = 0  # so that its pieces can be told
    sampler = FinderSampler(Material(material.tiles, material.points, material.scenes), [alarm])
    grounds = [sampler.ground(np.random.default_rng(seed)).image for seed in range(400)]
    plain = np.mean([np.ptp(image[0]) == 0 or np.ptp(image[:, 0]) == 0 for image in grounds])
    black = np.mean([(image == 0).all() for image in grounds])
    assert abs(black - HARD) < 0.2  # other pieces of that scene count too
    assert plain >= black
    assert plain - black < 2 * PLAIN


def test_without_false_alarms_scenes_fill_their_share(material: Material) -> None:
    grounds = [FinderSampler(material).ground(np.random.default_rng(seed)) for seed in range(200)]
    assert 0.05 < np.mean([len(ground.points) > 0 for ground in grounds]) < 0.6
    assert all(ground.image.shape == (SIZE, SIZE) for ground in grounds)
