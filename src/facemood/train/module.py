"""The Lightning module: training step, validation step, optimizer and schedule."""

from __future__ import annotations

from typing import Any

import lightning
import torch
from torch import Tensor, nn
from torch.nn import functional

from facemood.train.data.augment import augment, mixup
from facemood.train.data.batches import Batch
from facemood.train.data.targets import VOTE_HEAD
from facemood.train.head_losses import label_loss, vote_loss
from facemood.train.networks.pixels import GREY
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
    """

    recipe: Recipe
    size: int
    label_head: str
    class_weights: Tensor | None

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

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Augment the batch, and return the sum of the heads' losses."""
        if index == 0:
            self._start_epoch()
        crop = self._crop(batch)
        images = augment(
            batch.images.float(), self.recipe.augment, size=crop, generator=self.random, upright=batch.upright
        )
        images, batch = mixup(images, batch, self.recipe.augment)
        logits = self._run(fit_input(images, self.recipe, round(self.size * crop / batch.images.shape[-1])))
        loss = sum(self._losses(logits, batch).values(), start=self._penalty())
        hits = (logits[self.label_head].argmax(1) == batch.targets.argmax(1)).float().mean()
        for name, value in (("train_loss", loss), ("train_accuracy", hits)):
            self.log(name, value, on_step=False, on_epoch=True, batch_size=len(images), prog_bar=True, sync_dist=True)
        return loss

    def validation_step(self, batch: Batch, index: int) -> None:
        """Log loss and accuracy of each head on uncropped, unchanged images."""
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

    def configure_optimizers(self) -> Any:
        """Build the recipe's optimizer and its learning-rate schedule."""
        optimizer = build_optimizer(self.network, self.recipe.train)
        schedule = build_schedule(
            optimizer,
            self.recipe.train,
            steps=int(self.trainer.estimated_stepping_batches),
            watched=self.watched,
            rises=self.recipe.stop.monitor == "accuracy",
        )
        return {"optimizer": optimizer, "lr_scheduler": schedule}

    @property
    def watched(self) -> str:
        """Name of the logged figure that decides on early stopping and the best weights."""
        return f"{self.label_head}_{self.recipe.stop.monitor}"

    def _start_epoch(self) -> None:
        """Seed by epoch, so that a resumed run repeats the random numbers; freeze or unfreeze the trunk.

        Each of several processes draws its own. A frozen trunk is in evaluation mode, so that its batch norms do not
        change either.
        """
        seed = self.recipe.train.seed * 100_003 + self.current_epoch + self.global_rank * RANKS_APART
        self.random.manual_seed(seed)
        torch.manual_seed(seed)  # dropout draws from the global generator
        frozen = self.current_epoch < self.recipe.train.freeze_epochs
        heads = self.network.heads
        assert isinstance(heads, nn.ModuleDict)
        if self.recipe.train.freeze_epochs:
            self.network.requires_grad_(not frozen).train(not frozen)
            heads.requires_grad_(True).train()

    def _run(self, images: Tensor) -> dict[str, Tensor]:
        """Return the network's logits in float32; the network runs in the recipe's precision."""
        half = self.recipe.train.precision == "bfloat16"
        with torch.autocast(images.device.type, torch.bfloat16, enabled=half):
            logits = self.network(images)
        return {head: values.float() for head, values in logits.items()}

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

    def _penalty(self) -> Tensor:
        """Return the L1 penalty of convolution and linear weights, a scalar."""
        strength = self.recipe.train.l1
        if not strength:
            return torch.zeros((), device=self.device)
        return strength * torch.stack([weight.abs().sum() for weight in self.parameters() if weight.ndim > 1]).sum()


def fit_input(images: Tensor, recipe: Recipe, size: int) -> Tensor:
    """Convert images to the network's colour and size, bilinearly as inference does.

    Args:
        images: (N, C, h, w) float, grey or red, green and blue, 0..255.
        recipe: Defines the colour.
        size: Side in pixels.
    """
    if recipe.input.colour == "rgb" and images.shape[1] == 1:
        images = images.expand(-1, 3, -1, -1)
    elif recipe.input.colour == "grey" and images.shape[1] == 3:
        weights = torch.tensor(GREY, device=images.device)[None, :, None, None]
        images = (images * weights).sum(dim=1, keepdim=True)
    if images.shape[-1] == size:
        return images
    shrink = images.shape[-1] > size
    return functional.interpolate(images, size=(size, size), mode="bilinear", align_corners=False, antialias=shrink)
