"""Batches for training: a dataset, divided into batches of tensors without worker processes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from facemood.datasets import ExpressionDataset, Images, ferplus
from facemood.train.data.targets import Targets, make_targets


class Batch(NamedTuple):
    """The data of one step.

    Attributes:
        images: (N, 1, h, w) uint8 grey, or (N, 3, h, w) red, green and blue.
        labels: (N,) int64.
        majority: (N,) int64, official FER+ label, or -1.
        targets: (N, K) float32 targets of the label head: a distribution over the classes.
        votes: (N, 8) float32 targets of the vote head: a distribution over the expressions, or zero.
        share: (N,) float32, weight of the votes 0..1.
        upright: (N, 2, 3) float32, where the upright crop of each image lies in it (`upright_matrices`).
        rows: (N,) int64, the place of each image in its dataset.
    """

    images: Tensor
    labels: Tensor
    majority: Tensor
    targets: Tensor
    votes: Tensor
    share: Tensor
    upright: Tensor
    rows: Tensor


class BatchDataset(Dataset[Batch]):
    """An `ExpressionDataset` and its targets as tensors that are indexed by whole batches."""

    def __init__(self, dataset: ExpressionDataset, targets: Targets, upright: Tensor | None = None) -> None:
        majority = np.full(len(dataset), -1, np.int64) if dataset.votes is None else ferplus.majority(dataset.votes)
        columns = (dataset.labels, majority, *targets)
        self.images: Images = dataset.images
        tensors = (torch.from_numpy(np.ascontiguousarray(column)) for column in columns)
        places = as_they_are(len(dataset)) if upright is None else upright
        self.columns: tuple[Tensor, ...] = (*tensors, places, torch.arange(len(dataset)))

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: Tensor) -> Batch:
        return Batch(as_tensor(np.asarray(self.images[index.numpy()])), *(column[index] for column in self.columns))


def as_they_are(count: int) -> Tensor:
    """Return the matrices (N, 2, 3) of images that are not turned."""
    return torch.eye(2, 3).repeat(count, 1, 1)


def as_tensor(images: NDArray[np.uint8]) -> Tensor:
    """Turn images (N, h, w) grey or (N, h, w, 3) BGR into (N, 1, h, w), or (N, 3, h, w) red, green and blue; uint8."""
    if images.ndim == 3:
        return torch.from_numpy(np.ascontiguousarray(images))[:, None]
    return torch.from_numpy(np.ascontiguousarray(images[..., ::-1].transpose(0, 3, 1, 2)))


class EpochSampler(Sampler[Tensor]):
    """Yields the indices of each batch; the order depends only on seed and epoch, so that a resumed run repeats it.

    Lightning calls `set_epoch` before each epoch. In training, a last batch of fewer than two images is left out. If
    several processes train together, each gets its share of the shuffled batches.
    """

    count: int
    batch_size: int
    seed: int | None
    epoch: int

    def __init__(self, count: int, batch_size: int, *, seed: int | None, epoch: int = 0) -> None:
        self.count, self.batch_size, self.seed, self.epoch = count, batch_size, seed, epoch

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch, which decides the order."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[Tensor]:
        order = torch.arange(self.count)
        if self.seed is not None:
            generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
            order = torch.randperm(self.count, generator=generator)
        batches = torch.split(order, self.batch_size)
        yield from (batches[number] for number in self._share())

    def __len__(self) -> int:
        return len(self._share())

    def _share(self) -> range:
        """Return the numbers of this process's batches: in training an equal share, in validation all of them."""
        whole, remainder = divmod(self.count, self.batch_size)
        if self.seed is None:
            return range(whole + (remainder > 0))
        rank, world = _place()
        return range(rank, (whole + (remainder > 1)) // world * world, world)


def _place() -> tuple[int, int]:
    """Return the rank of this process and the number of processes; they are known once training has begun."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1


def training_batches(
    dataset: ExpressionDataset,
    targets: Targets,
    *,
    batch_size: int,
    seed: int,
    epoch: int = 0,
    upright: Tensor | None = None,
) -> DataLoader[Batch]:
    """Return shuffled batches of a dataset, in a new order for each epoch from the given one on.

    Args:
        dataset: The images.
        targets: Their targets.
        batch_size: Images per batch.
        seed: Seed of the order.
        epoch: The first epoch.
        upright: (N, 2, 3) matrices of the upright crops; None if the images are not turned.
    """
    return _loader(
        BatchDataset(dataset, targets, upright), EpochSampler(len(dataset), batch_size, seed=seed, epoch=epoch)
    )


def validation_batches(dataset: ExpressionDataset, *, batch_size: int = 512) -> DataLoader[Batch]:
    """Return batches of a dataset in its order; the targets are its labels and votes, unchanged."""
    return _loader(BatchDataset(dataset, make_targets(dataset)), EpochSampler(len(dataset), batch_size, seed=None))


def _loader(dataset: BatchDataset, sampler: EpochSampler) -> DataLoader[Batch]:
    """Return a loader in which each item of the sampler is one batch."""
    return DataLoader(dataset, sampler=sampler, batch_size=None)
