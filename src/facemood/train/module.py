"""The Lightning module: training step, validation step, optimizer and schedule."""

from __future__ import annotations

from typing import Any

import lightning
import torch
from torch import Tensor, nn

from facemood.train.augment_config import AugmentConfig
from facemood.train.cached_features import CachedFeatures
from facemood.train.data.augment import augment, mixup
from facemood.train.data.batches import Batch
from facemood.train.data.fit_input import fit_input
from facemood.train.data.targets import VOTE_HEAD
from facemood.train.half_precision import computes_in_half
from facemood.train.head_losses import consistency_loss, label_loss, vote_loss
from facemood.train.networks.frozen_part import FrozenPart
from facemood.train.networks.zoo import build_network
from facemood.train.parameter_groups import build_optimizer
from facemood.train.recipe import Recipe
from facemood.train.schedule import build_schedule

RANKS_APART = 1_000_000_007
"""Difference of the seeds of two processes that train together; a prime beyond all seeds of epochs that are near."""


class ExpressionModule(lightning.LightningModule):
    """A network in training. All heads learn from the same batch.

    Args:
        recipe: The recipe of the run.
        heads: Number of classes of each head. The first learns the labels. If the dataset also has votes, a second head
            learns them.
        size: Side of the network's input in pixels.
        class_weights: (K,) float, the weight of each class in the label head's loss; None for 1.
        pretrained: False if the weights will be loaded from a run.

    Attributes:
        part: What is frozen in the first epochs; None for all but the heads.
        cache: The features of that part, if the recipe has them computed once.
    """

    recipe: Recipe
    size: int
    label_head: str
    class_weights: Tensor | None
    part: FrozenPart | None = None
    cache: CachedFeatures | None = None

    def __init__(
        self,
        recipe: Recipe,
        heads: dict[str, int],
        *,
        size: int,
        class_weights: Tensor | None = None,
        pretrained: bool = True,
    ) -> None:
        super().__init__()
        self.recipe, self.size = recipe, size
        self.label_head, *others = heads
        self.has_votes: bool = others == [VOTE_HEAD]
        network = build_network(recipe, heads, size=size, pretrained=pretrained)
        self.network: nn.Module = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.register_buffer("class_weights", class_weights, persistent=False)
        self.random: torch.Generator = torch.Generator()
        self.recalls: Tensor = torch.zeros(2, heads[self.label_head])

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Augment the batch, and return the sum of the heads' losses, and of those of a second view if there is one."""
        if index == 0:
            self._start_epoch()
        loss = self._penalty()
        if self.cache is not None and self._frozen():
            logits = self._run_from(self.cache.training(self.current_epoch, batch.rows))
        elif self.recipe.train.consistency:
            logits, degraded = self._run_both(batch)
            loss = loss + self._agreement(degraded, logits, batch)
        else:
            images, batch = mixup(self._view(batch, self.recipe.augment), batch, self.recipe.augment)
            logits = self._run(self._fit(images, batch))
        loss = sum(self._losses(logits, batch).values(), start=loss)
        hits = (logits[self.label_head].argmax(1) == batch.targets.argmax(1)).float()
        for name, value in (("train_loss", loss), ("train_accuracy", hits.mean())):
            self.log(name, value, on_step=False, on_epoch=True, batch_size=len(hits), prog_bar=True, sync_dist=True)
        return loss

    def validation_step(self, batch: Batch, index: int) -> None:
        """Log loss and accuracy of each head on uncropped, unchanged images, or on their cached features."""
        if self.cache is not None and self._frozen():
            logits = self._run_from(self.cache.validation(batch.rows))
        else:
            logits = self.network(fit_input(batch.images.float(), self.recipe, self.size))
        losses = self._losses(logits, batch)
        right = {self.label_head: (logits[self.label_head].argmax(1) == batch.labels).float()}
        if self.has_votes:
            voted = batch.majority >= 0
            right[VOTE_HEAD] = (logits[VOTE_HEAD].argmax(1) == batch.majority)[voted].float()
        for head, hits in right.items():
            self.log(f"{head}_loss", losses[head], batch_size=len(batch.images), sync_dist=True)
            if len(hits):
                self.log(f"{head}_accuracy", hits.mean(), batch_size=len(hits), prog_bar=True, sync_dist=True)
        for row, weights in enumerate((right[self.label_head].cpu(), None)):
            self.recalls[row] += torch.bincount(batch.labels.cpu(), weights, minlength=self.recalls.shape[1])

    def on_validation_epoch_start(self) -> None:
        """Begin to count hits and images of each class."""
        self.recalls.zero_()

    def on_validation_epoch_end(self) -> None:
        """Log the mean of the recalls of the classes that have images."""
        hits, images = self.recalls[:, self.recalls[1] > 0]
        self.log(f"{self.label_head}_recall", (hits / images).mean().to(self.device), sync_dist=True)

    def configure_optimizers(self) -> Any:
        """Build the recipe's optimizer and its learning-rate schedule."""
        optimizer = build_optimizer(self.network, self.recipe.train)
        schedule = build_schedule(
            optimizer,
            self.recipe.train,
            steps=int(self.trainer.estimated_stepping_batches),
            watched=self.watched,
            rises=self.recipe.stop.monitor != "loss",
        )
        return {"optimizer": optimizer, "lr_scheduler": schedule}

    @property
    def watched(self) -> str:
        """Name of the logged figure that decides on early stopping and the best weights."""
        return f"{self.label_head}_{self.recipe.stop.monitor}"

    def _start_epoch(self) -> None:
        """Seed by epoch, so that a resumed run repeats the random numbers; freeze or unfreeze a part of the network.

        Each of several processes draws its own. What is frozen is in evaluation mode, so that its batch norms do not
        change either.
        """
        seed = self.recipe.train.seed * 100_003 + self.current_epoch + self.global_rank * RANKS_APART
        self.random.manual_seed(seed)
        torch.manual_seed(seed)  # dropout draws from the global generator
        if self.recipe.train.freeze_epochs:
            self.network.requires_grad_(True).train()
        if self._frozen() and self.part is not None:
            self.part.freeze()
        elif self._frozen():
            heads = self.network.heads
            assert isinstance(heads, nn.ModuleDict)
            self.network.requires_grad_(False).eval()
            heads.requires_grad_(True).train()

    def _frozen(self) -> bool:
        """Return whether a part of the network is frozen in this epoch."""
        return self.current_epoch < self.recipe.train.freeze_epochs

    def _view(self, batch: Batch, config: AugmentConfig) -> Tensor:
        """Return the augmented images of a batch, (N, C, crop, crop)."""
        return augment(
            batch.images.float(), config, size=self._crop(batch), generator=self.random, upright=batch.upright
        )

    def _fit(self, images: Tensor, batch: Batch) -> Tensor:
        """Return augmented images of a batch as the network's input."""
        return fit_input(images, self.recipe, round(self.size * images.shape[-1] / batch.images.shape[-1]))

    def _run_from(self, features: Tensor) -> dict[str, Tensor]:
        """Return what `_run` returns, from the features (N, ...) of the frozen part."""
        assert self.part is not None
        features = features.to(self.device)
        if features.ndim == 4:
            features = features.contiguous(memory_format=torch.channels_last)
        with self.part.given(features):
            return self._run(self.part.placeholder(features))

    def _run(self, images: Tensor) -> dict[str, Tensor]:
        """Return the network's logits in float32; the network runs in the recipe's precision."""
        half = computes_in_half(self.recipe.train.precision, images.device)
        with torch.autocast(images.device.type, torch.bfloat16, enabled=half):
            logits = self.network(images)
        return {head: values.float() for head, values in logits.items()}

    def _run_both(self, batch: Batch) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return the logits for the usual and the degraded view; the batch norms see both views together."""
        views = [self._view(batch, config) for config in (self.recipe.augment, self.recipe.degraded)]
        logits = self._run(self._fit(torch.cat(views), batch))
        usual, degraded = zip(*(values.chunk(2) for values in logits.values()), strict=True)
        return dict(zip(logits, usual, strict=True)), dict(zip(logits, degraded, strict=True))

    def _crop(self, batch: Batch) -> int:
        """Return the side of this epoch's training crops in pixels of the dataset's images."""
        config, whole = self.recipe.train, int(batch.images.shape[-1])
        early = self.current_epoch < config.epochs - config.fine_epochs
        return min(config.crop, whole) if early and config.crop else whole

    def _losses(self, logits: dict[str, Tensor], batch: Batch) -> dict[str, Tensor]:
        """Return the loss of each head, weighted by the recipe."""
        loss = self.recipe.loss
        gamma = loss.gamma if loss.kind == "focal" else 0.0
        own = label_loss(logits[self.label_head], batch.targets, weights=self.class_weights, gamma=gamma)
        if not self.has_votes:
            return {self.label_head: own}
        voted = vote_loss(logits[VOTE_HEAD], batch.votes, batch.share)
        return {self.label_head: own, VOTE_HEAD: self.recipe.train.ferplus_weight * voted}

    def _agreement(self, degraded: dict[str, Tensor], usual: dict[str, Tensor], batch: Batch) -> Tensor:
        """Return the loss of the degraded view, whose targets are partly the answer to the usual view."""
        share, weights = self.recipe.train.consistency, {VOTE_HEAD: self.recipe.train.ferplus_weight}
        told = sum(self._losses(degraded, batch).values(), start=torch.zeros((), device=self.device))
        given = [weights.get(head, 1.0) * consistency_loss(degraded[head], usual[head]) for head in degraded]
        return torch.lerp(told, torch.stack(given).sum(), share)

    def _penalty(self) -> Tensor:
        """Return the L1 penalty of convolution and linear weights, a scalar."""
        strength = self.recipe.train.l1
        if not strength:
            return torch.zeros((), device=self.device)
        return strength * torch.stack([weight.abs().sum() for weight in self.parameters() if weight.ndim > 1]).sum()
