import numpy as np

from facemood.geometry import box_of_points
from facemood.stages.detect.finder import PADDING, PADDING_GREY
from facemood.train.faces.finder_images import FRAMED, HARD, PLAIN, FinderSampler, faces_in_frame
from facemood.train.faces.finder_network import SIZE
from facemood.train.faces.material import Material, Place
from tests.stages.points import made_points


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


def test_some_pictures_end_inside_the_image_as_in_the_search(material: Material) -> None:
    images = [FinderSampler(material).draw(np.random.default_rng(seed))[0] for seed in range(150)]
    sides = [(image[:PADDING], image[:, :PADDING], image[-PADDING:], image[:, -PADDING:]) for image in images]
    padded = np.mean([any((side == PADDING_GREY).all() for side in four) for four in sides])
    assert abs(padded - FRAMED) < 0.12


def test_a_face_at_the_edge_is_a_target_if_enough_of_it_shows() -> None:
    """The frame ends at different shares of a face's box: half with eyes and nose counts, less is ignored."""
    face = made_points(70, 60, 40)
    x1, y1, x2, y2 = box_of_points(face[:68]).tolist()
    found = {}
    for share in (1.0, 0.6, 0.45, 0.2, 0.05):
        below = round(y1 + share * (y2 - y1))
        beside = round(x1 + share * (x2 - x1))
        for side, frame in (("below", [0, 0, SIZE, below]), ("beside", [0, 0, beside, SIZE])):
            kept, ignored = faces_in_frame(np.array(frame), [face], [])
            found[side, share] = (len(kept), len(ignored))
    assert found["below", 1.0] == found["beside", 1.0] == (1, 0)
    assert found["below", 0.6] == found["beside", 0.6] == (1, 0)
    assert found["beside", 0.45] == (0, 1)  # one of the eyes is outside
    assert found["below", 0.2] == found["beside", 0.2] == (0, 1)
    assert found["below", 0.05] == found["beside", 0.05] == (0, 0)
    box = np.array([1, 2, 3, 4], np.float32)
    assert faces_in_frame(np.array([0, 0, SIZE, SIZE]), [], [box])[1] == [box]
