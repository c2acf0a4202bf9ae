"""What Lightning runs: a training step, a validation step, the optimizer and its schedule."""

from __future__ import annotations

import math
from typing import Any

import lightning
import torch
from torch import Tensor

from facemood.train.augment import augment, mixup
from facemood.train.batches import Batch
from facemood.train.losses import label_loss, vote_loss
from facemood.train.networks import ExpressionNetwork
from facemood.train.recipe import OptimizeConfig, Recipe
from facemood.train.targets import LABEL_HEAD, VOTE_HEAD


class ExpressionModule(lightning.LightningModule):
    """A network in training. Both heads learn from the same batch.

    Args:
        recipe: The whole run.
        heads: Number of classes of each head; the vote head is there only where the dataset has votes.
    """

    def __init__(self, recipe: Recipe, heads: dict[str, int]) -> None:
        super().__init__()
        self.recipe = recipe
        shape = recipe.network
        network = ExpressionNetwork(heads, widths=shape.widths, blocks=shape.blocks, dropout=shape.dropout)
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.random = torch.Generator()

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Augment the batch, and return the sum of the heads' losses."""
        if index == 0:
            self._seed_epoch()
        images = augment(batch.images.float(), self.recipe.augment, size=self._side(batch), generator=self.random)
        images, batch = mixup(images, batch, self.recipe.augment)
        losses = self._losses(self._run(images), batch)
        loss = losses[LABEL_HEAD] + self.recipe.train.ferplus_weight * losses.get(VOTE_HEAD, 0.0)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(images), prog_bar=True)
        return loss

    def validation_step(self, batch: Batch, index: int) -> None:
        """Log loss and accuracy of each head on whole, unchanged images."""
        logits = self.network(batch.images.float())
        losses = self._losses(logits, batch)
        right = {LABEL_HEAD: (logits[LABEL_HEAD].argmax(1) == batch.labels).float()}
        if VOTE_HEAD in logits:
            voted = batch.majority >= 0
            right[VOTE_HEAD] = (logits[VOTE_HEAD].argmax(1) == batch.majority)[voted].float()
        for head, hits in right.items():
            self.log(f"{head}_loss", losses[head], batch_size=len(batch.images))
            if len(hits):
                self.log(f"{head}_accuracy", hits.mean(), batch_size=len(hits), prog_bar=True)

    def configure_optimizers(self) -> Any:
        """SGD with Nesterov momentum; the rate changes every step."""
        config = self.recipe.train
        decayed = [weight for weight in self.parameters() if weight.ndim > 1]
        plain = [weight for weight in self.parameters() if weight.ndim <= 1]  # biases and batch norm
        optimizer = torch.optim.SGD(
            [{"params": decayed, "weight_decay": config.weight_decay}, {"params": plain, "weight_decay": 0.0}],
            lr=config.learning_rate,
            momentum=config.momentum,
            nesterov=True,
        )
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: learning_rate(step, steps, config))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _run(self, images: Tensor) -> dict[str, Tensor]:
        """Return the network's float32 logits; the network itself works in the recipe's precision."""
        half = self.recipe.train.precision == "bfloat16"
        with torch.autocast(images.device.type, torch.bfloat16, enabled=half):
            logits = self.network(images)
        return {head: values.float() for head, values in logits.items()}

    def _seed_epoch(self) -> None:
        """Seed by epoch, so that a resumed run draws what the whole run would have drawn."""
        seed = self.recipe.train.seed * 100_003 + self.current_epoch
        self.random.manual_seed(seed)
        torch.manual_seed(seed)  # dropout draws from the global generator

    def _side(self, batch: Batch) -> int:
        """Return the side of this epoch's training crops in pixels."""
        config = self.recipe.train
        whole = int(batch.images.shape[-1])
        return whole if self.current_epoch >= config.epochs - config.fine_epochs else min(config.crop, whole)

    def _losses(self, logits: dict[str, Tensor], batch: Batch) -> dict[str, Tensor]:
        """Return the loss of each head."""
        losses = {LABEL_HEAD: label_loss(logits[LABEL_HEAD], batch.targets)}
        if VOTE_HEAD in logits:
            losses[VOTE_HEAD] = vote_loss(logits[VOTE_HEAD], batch.votes, batch.share)
        return losses


def learning_rate(step: int, steps: int, config: OptimizeConfig) -> float:
    """Return the share of the highest rate at a step: a straight rise, then half a cosine down to 0."""
    warmup = config.warmup / config.epochs * steps
    if step < warmup:
        return (step + 1) / (warmup + 1)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - warmup) / max(1.0, steps - warmup))))
