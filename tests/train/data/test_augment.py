from dataclasses import replace

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Generator, Tensor

from facemood.train.augment_config import AugmentConfig
from facemood.train.data.augment import augment, mixup
from facemood.train.data.batches import Batch, as_they_are

STILL = AugmentConfig(
    mirror=0, rotation=0, scale=(1, 1), shift=0, shear=0, gamma=1, overexpose=0, blur=0, noise=0, erase=0
)  # nothing is varied


def batch(count: int = 4, side: int = 48) -> Tensor:
    return torch.rand(count, 1, side, side, generator=seeded(1)) * 255


def seeded(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


def test_without_variation_an_image_stays_as_it_is() -> None:
    images = batch()
    torch.testing.assert_close(augment(images, STILL, size=48, generator=seeded()), images, atol=1e-2, rtol=0)


def test_a_crop_is_a_window_at_the_same_scale() -> None:
    images = torch.arange(48.0).repeat(2, 1, 48, 1)  # a ramp to the right
    crops = augment(images, STILL, size=40, generator=seeded())
    steps = crops[:, 0, 20, 5:-5].diff(dim=1)
    torch.testing.assert_close(steps, torch.ones_like(steps), atol=1e-3, rtol=0)


def test_always_mirrored_is_the_mirror_image() -> None:
    images = batch()
    mirrored = augment(images, replace(STILL, mirror=1.0), size=48, generator=seeded())
    torch.testing.assert_close(mirrored, images.flip(-1), atol=1e-2, rtol=0)


def quarter_turn(count: int = 4) -> Tensor:
    """Matrices of crops that are the whole image, turned clockwise by 90 degrees."""
    return torch.tensor([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0]]).repeat(count, 1, 1)


def test_upright_crops_replace_the_share_of_the_images_that_is_asked_for() -> None:
    images = batch(64)
    turned = torch.rot90(images, 1, dims=(2, 3))
    config = replace(STILL, upright=1.0)
    whole = augment(images, config, size=48, generator=seeded(), upright=quarter_turn(64))
    torch.testing.assert_close(whole, turned, atol=1e-2, rtol=0)
    some = augment(images, replace(STILL, upright=0.5), size=48, generator=seeded(), upright=quarter_turn(64))
    as_turned = (some - turned).abs().amax(dim=(1, 2, 3)) < 0.1
    as_given = (some - images).abs().amax(dim=(1, 2, 3)) < 0.1
    assert (as_turned ^ as_given).all()
    assert 16 < int(as_turned.sum()) < 48
    none = augment(images, STILL, size=48, generator=seeded(), upright=quarter_turn(64))
    torch.testing.assert_close(none, images, atol=1e-2, rtol=0)


def test_the_augmentation_comes_after_turning_upright() -> None:
    images = batch()
    config = replace(STILL, upright=1.0, mirror=1.0)
    both = augment(images, config, size=48, generator=seeded(), upright=quarter_turn())
    torch.testing.assert_close(both, torch.rot90(images, 1, dims=(2, 3)).flip(-1), atol=1e-2, rtol=0)


def test_low_resolution_removes_detail_and_keeps_the_mean() -> None:
    images = batch(32)
    small = augment(images, replace(STILL, low_resolution=1.0), size=48, generator=seeded(5))
    assert (small.std(dim=(1, 2, 3)) < 0.8 * images.std(dim=(1, 2, 3))).all()
    torch.testing.assert_close(small.mean(dim=(1, 2, 3)), images.mean(dim=(1, 2, 3)), atol=4, rtol=0)


def test_erasing_covers_a_rectangle_of_one_grey() -> None:
    images = batch(8)
    erased = augment(images, replace(STILL, erase=1.0), size=48, generator=seeded())
    for before, after in zip(images, erased, strict=True):
        covered = (after - before).abs() > 0.05
        assert 0.01 < covered.float().mean() < 0.25
        assert after[covered].std() < 1e-3


def test_overexposed_images_are_brighter_and_cut_off_at_white() -> None:
    images = batch(16)
    bright = augment(images, replace(STILL, overexpose=1.0), size=48, generator=seeded())
    assert (bright >= images - 1e-2).all()
    assert float(bright.max()) <= 255
    dim = images < 100  # stays below white at any gain
    gains = (bright * dim).sum(dim=(1, 2, 3)) / (images * dim).sum(dim=(1, 2, 3))
    assert 1.0 <= float(gains.min()) < float(gains.max()) <= 2.2
    assert (
        float(
            augment(images, replace(STILL, overexpose=1.0, overexposure=1.0), size=48, generator=seeded())
            .sub(images)
            .abs()
            .max()
        )
        < 1e-2
    )


def test_noise_is_as_strong_as_its_level_at_most() -> None:
    images = torch.full((64, 1, 48, 48), 128.0)
    noisy = augment(images, replace(STILL, noise=1.0, noise_level=20.0), size=48, generator=seeded())
    spread = noisy.std(dim=(1, 2, 3))
    assert 10 < float(spread.max()) < 21


def test_the_share_of_images_that_is_asked_for_is_compressed() -> None:
    images = batch(64)
    some = augment(images, replace(STILL, jpeg=0.5), size=48, generator=seeded())
    changed = (some - images).abs().amax(dim=(1, 2, 3)) > 0.1
    assert 16 < int(changed.sum()) < 48
    fine, coarse = (
        augment(images, replace(STILL, jpeg=1.0, jpeg_quality=lowest), size=48, generator=seeded()) - images
        for lowest in (90.0, 1.0)
    )
    assert fine.abs().mean() < 0.5 * coarse.abs().mean()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([24, 40, 48]))
def test_pixels_stay_in_range_and_seeds_repeat(seed: int, size: int) -> None:
    images, config = batch(), AugmentConfig(blur=0.5, noise=0.5, jpeg=0.5, erase=0.5)
    first = augment(images, config, size=size, generator=seeded(seed))
    assert first.shape == (4, 1, size, size)
    assert float(first.min()) >= 0
    assert float(first.max()) <= 255
    torch.testing.assert_close(first, augment(images, config, size=size, generator=seeded(seed)))


def test_every_image_is_varied_on_its_own() -> None:
    images = batch(1).repeat(6, 1, 1, 1)
    varied = augment(images, AugmentConfig(), size=48, generator=seeded())
    assert len({float(image.mean()) for image in varied}) == 6


def made_batch() -> Batch:
    """Four images, the last without votes."""
    eye, share = torch.eye(7)[:4], torch.tensor([1.0, 0.5, 1.0, 0.0])
    votes = torch.eye(8)[:4] * (share > 0)[:, None]
    rows = torch.arange(4)
    return Batch(batch().to(torch.uint8), rows, rows, eye, votes, share, as_they_are(4), rows)


def test_mixup_mixes_images_and_targets_equally() -> None:
    torch.manual_seed(3)
    before = made_batch()
    images, after = mixup(before.images.float(), before, AugmentConfig(mixup=1.0))
    part = after.targets.max(dim=1).values  # 1 where an image was mixed with itself
    for index, target in enumerate(after.targets):
        other = int((target * (torch.arange(7) != index)).argmax())
        expected = torch.lerp(before.images[other].float(), before.images[index].float(), target[index])
        torch.testing.assert_close(images[index], expected if target[index] < 1 else before.images[index].float())
    assert (part < 1).any()
    torch.testing.assert_close(after.targets.sum(dim=1), torch.ones(4))
    torch.testing.assert_close(after.votes.sum(dim=1), (after.share > 0).float())
    assert after.labels.tolist() == before.labels.tolist()


def test_votes_are_weighted_by_their_share_in_mixup() -> None:
    torch.manual_seed(0)
    before = made_batch()
    _, after = mixup(before.images.float(), before, AugmentConfig(mixup=1.0, mixup_alpha=50.0))
    weighted = after.votes * after.share[:, None]  # what the loss sums up
    for index, target in enumerate(after.targets):
        expected = (target[:4, None] * (before.votes * before.share[:, None])).sum(dim=0)
        torch.testing.assert_close(weighted[index], expected)


def test_no_batch_is_mixed_unless_asked() -> None:
    before = made_batch()
    images = before.images.float()
    assert mixup(images, before, AugmentConfig()) == (images, before)
