import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from facemood.train.data import batches
from facemood.train.data.batches import EpochSampler, training_batches, validation_batches
from facemood.train.data.targets import make_targets
from tests.evaluation.test_protocol import made


@given(st.integers(1, 60), st.integers(2, 20), st.integers(0, 5))
def test_an_epoch_has_every_image_once_except_a_single_last_one(count: int, size: int, epoch: int) -> None:
    drawn = list(EpochSampler(count, size, seed=1, epoch=epoch))
    seen = torch.cat(drawn).tolist() if drawn else []
    assert len(set(seen)) == len(seen) == count - (count % size == 1)
    assert len(EpochSampler(count, size, seed=1)) == len(drawn)
    assert torch.cat(list(EpochSampler(count, size, seed=None))).tolist() == list(range(count))


def test_processes_share_the_shuffled_batches_and_see_all_in_validation(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    for rank in range(3):
        monkeypatch.setattr(batches, "_place", lambda rank=rank: (rank, 3))
        sampler = EpochSampler(100, 10, seed=1, epoch=2)
        seen.append(torch.cat(list(sampler)).tolist())
        assert len(sampler) == 3
        assert torch.cat(list(EpochSampler(100, 10, seed=None))).tolist() == list(range(100))
    assert len({index for part in seen for index in part}) == 90  # the tenth batch has no three to share it


def test_the_order_follows_from_seed_and_epoch() -> None:
    def order(seed: int, epoch: int) -> list[int]:
        sampler = EpochSampler(30, 10, seed=seed)
        sampler.set_epoch(epoch)
        return torch.cat(list(sampler)).tolist()

    assert order(1, 2) == order(1, 2)
    assert order(1, 2) != order(1, 3)
    assert order(1, 2) != order(2, 2)


def test_a_batch_holds_images_labels_and_votes() -> None:
    dataset = made()
    batch = next(iter(validation_batches(dataset)))
    np.testing.assert_array_equal(batch.images[:, 0].numpy(), dataset.images)
    assert batch.images.dtype == torch.uint8
    assert batch.labels.tolist() == dataset.labels.tolist()
    assert batch.targets.argmax(1).tolist() == dataset.labels.tolist()
    assert batch.majority.tolist() == [3] * 11 + [-1]
    assert batch.votes[0].tolist() == [0, 0, 0, 1, 0, 0, 0, 0]
    assert batch.share.tolist() == [1.0] * 11 + [0.0]


def test_a_dataset_without_votes_has_none_in_its_batches() -> None:
    dataset = made(votes=None)
    (batch,) = training_batches(dataset, make_targets(dataset), batch_size=12, seed=0)
    assert batch.share.sum() == 0
    assert (batch.majority == -1).all()
