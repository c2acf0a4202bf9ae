import numpy as np
import pytest

from facemood.models import DEFAULT_MODEL, ModelSession, check_views, find_model, run_views
from facemood.models.session import prepare
from facemood.models.test_time_augmentation import make_views


@pytest.fixture(scope="module")
def session() -> ModelSession:
    return ModelSession(find_model(DEFAULT_MODEL), device="cpu", threads=1)


def crops(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 48, 48), np.uint8)


def test_one_view_is_the_plain_run(session: ModelSession) -> None:
    for head, logits in run_views(session, crops(3), views=1).items():
        np.testing.assert_array_equal(logits, session.run(crops(3))[head])


def test_two_views_are_the_mean_of_a_crop_and_its_mirror_image(session: ModelSession) -> None:
    plain, mirrored = session.run(crops(3)), session.run(crops(3)[:, :, ::-1])
    for head, logits in run_views(session, crops(3), views=2).items():
        assert logits.dtype == np.float32
        np.testing.assert_allclose(logits, (plain[head] + mirrored[head]) / 2, atol=1e-5)


@pytest.mark.parametrize("views", [2, 10])
def test_a_mirrored_face_has_the_same_logits_in_several_views(session: ModelSession, views: int) -> None:
    one, other = (run_views(session, part, views=views) for part in (crops(2), crops(2)[:, :, ::-1]))
    for head in one:
        np.testing.assert_allclose(one[head], other[head], atol=1e-4)
    single = [session.run(part)["ferplus"] for part in (crops(2), crops(2)[:, :, ::-1])]
    assert np.abs(single[0] - single[1]).max() > 0.01


def test_ten_views_are_five_shifts_and_their_mirror_images(session: ModelSession) -> None:
    batch = prepare(crops(1), session.card)
    views = list(make_views(batch, 10))
    assert len(views) == 10
    np.testing.assert_array_equal(views[0], batch)
    np.testing.assert_array_equal(views[1], batch[..., ::-1])
    np.testing.assert_array_equal(views[2][:, :, :-3, :-3], batch[:, :, 3:, 3:])  # moved up and to the left by three
    np.testing.assert_array_equal(views[2][0, 0, -1, :-3], batch[0, 0, -1, 3:])  # the edge goes on
    assert len({view.tobytes() for view in views}) == 10


def test_no_crops_give_no_logits(session: ModelSession) -> None:
    assert run_views(session, [], views=10)["ferplus"].shape == (0, 8)


def test_other_numbers_of_views_are_rejected() -> None:
    with pytest.raises(ValueError, match="views must be one of 1, 2, 10, but is 3"):
        check_views(3)
