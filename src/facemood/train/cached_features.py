"""Cached features of a run: what the frozen part of its network gives for its images, computed once."""

from __future__ import annotations

import dataclasses
import hashlib
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from facemood.spacing import evenly_spaced
from facemood.train.data.augment import augment
from facemood.train.data.batches import BatchDataset
from facemood.train.data.feature_store import FeatureStore
from facemood.train.data.fit_input import fit_input
from facemood.train.half_precision import computes_in_half
from facemood.train.networks.frozen_part import FrozenPart
from facemood.train.recipe import Recipe

FEATURES = "features"
"""Folder of cached features in a run's folder."""

VALIDATION = "validation"
"""The version of the validation images, which are not augmented."""

SAMPLE = 256
"""Images whose pixels tell whether features are of the same images."""


class CachedFeatures:
    """Features of the training images in several augmented versions, and of the validation images.

    A version is computed when it is first needed.

    Args:
        recipe: The recipe.
        size: Side of the network's input in pixels.
        part: The frozen part of the network.
        training: The training images.
        validation: The validation images.
        folder: Where the features are kept. Several runs may share it if their frozen parts and images are the same.
    """

    recipe: Recipe
    size: int
    part: FrozenPart
    folder: Path

    def __init__(
        self,
        recipe: Recipe,
        size: int,
        part: FrozenPart,
        *,
        training: BatchDataset,
        validation: BatchDataset,
        folder: Path,
    ) -> None:
        self.recipe, self.size, self.part, self.folder = recipe, size, part, folder
        self.images: tuple[BatchDataset, BatchDataset] = (training, validation)

    def training(self, epoch: int, rows: Tensor) -> Tensor:
        """Return the features (N, ...) float32 of training images in the version of an epoch.

        Raises:
            RecipeError: The folder holds other features, or they do not fit into float16.
            OutputError: The folder cannot be written to, or the disk is too small.
        """
        version = epoch % self.recipe.train.cached_versions
        self.store.fill(str(version), lambda start, stop: self._augmented(version, start, stop))
        return self.store.read(str(version), rows)

    def validation(self, rows: Tensor) -> Tensor:
        """Return the features (N, ...) float32 of validation images. It raises what `training` does."""
        self.store.fill(VALIDATION, self._plain)
        return self.store.read(VALIDATION, rows)

    @cached_property
    def store(self) -> FeatureStore:
        """The features on disk. They belong to the frozen part's weights, which are known once training has begun."""
        training, validation = self.images
        versions = {str(version): len(training) for version in range(self.recipe.train.cached_versions)}
        return FeatureStore(self.folder, {**versions, VALIDATION: len(validation)}, self.part.shape, self._origin())

    def _augmented(self, version: int, start: int, stop: int) -> Tensor:
        """Compute the features of training images in a version; the augmentation depends on these numbers only."""
        generator = torch.Generator().manual_seed((self.recipe.train.seed * 1_009 + version) * 10_000_019 + start)
        batch = self.images[0][torch.arange(start, stop)]
        images = batch.images.float()
        images = augment(images, self.recipe.augment, size=images.shape[-1], generator=generator, upright=batch.upright)
        return self._features(images, precision=self.recipe.train.precision)

    def _plain(self, start: int, stop: int) -> Tensor:
        """Compute the features of validation images."""
        return self._features(self.images[1][torch.arange(start, stop)].images.float(), precision="float32")

    @torch.no_grad()
    def _features(self, images: Tensor, *, precision: str) -> Tensor:
        """Run the frozen part on images (N, C, h, w), 0..255."""
        device = next(self.part.network.parameters()).device
        inputs = fit_input(images, self.recipe, self.size).to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=computes_in_half(precision, device)):
            return self.part.features(inputs).float().cpu()

    def _origin(self) -> dict[str, Any]:
        """Return what the features are computed from."""
        recipe = self.recipe
        return {
            "network": recipe.network.kind,
            "module": self.part.name,
            "weights": self._digest_of_weights(),
            "images": [self._digest_of_images(images) for images in self.images],
            "input": {**dataclasses.asdict(recipe.input), "size": self.size},
            "augment": {**dataclasses.asdict(recipe.augment), "scale": list(recipe.augment.scale)},
            "precision": recipe.train.precision,
            "seed": recipe.train.seed,
        }

    def _digest_of_weights(self) -> str:
        """Return the SHA-256 of the frozen part's weights and of its batch norms."""
        digest = hashlib.sha256()
        buffers = [value for module in self.part.modules for value in module.buffers()]
        for value in (*self.part.parameters, *buffers):
            digest.update(np.ascontiguousarray(value.detach().cpu().numpy()).tobytes())
        return digest.hexdigest()

    @staticmethod
    def _digest_of_images(images: BatchDataset) -> str:
        """Return the SHA-256 of labels, and of the pixels of evenly spaced images."""
        digest = hashlib.sha256(images.columns[0].numpy().tobytes())
        digest.update(np.asarray(images.images[evenly_spaced(len(images), SAMPLE)]).tobytes())
        return digest.hexdigest()
