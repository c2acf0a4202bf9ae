"""Train the small network in NumPy and in PyTorch; write docs/numpy-cnn.json and the page docs/numpy-cnn.md.

    python scripts/measure_numpy_cnn.py DATA [--epochs 15] [--images N] [--only numpy | torch]

DATA is FER2013. Both engines start from the same weights and see the same images in the same order, with the same
mirroring and shifts. Only rounding, dropout and speed may differ. Figures stay in the JSON file, so you can measure one
engine at a time. ``--page`` only rewrites the page, from the figures.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from facemood.datasets import open_dataset
from facemood.datasets.fer2013 import SPLITS
from facemood.numpy_cnn import (
    Adam,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Epoch,
    GlobalAveragePool,
    Layer,
    MaxPool,
    ReLU,
    Sequential,
    Softmax,
    Standardize,
    one_hot,
    small_network,
    small_options,
)
from facemood.numpy_cnn.drawings import draw_history
from facemood.numpy_cnn.face_network import RATE
from facemood.numpy_cnn.training import FitOptions, batches
from facemood.text import exact_percent, fill_template, markdown_table

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""

FIGURES = ROOT / "docs" / "numpy-cnn.json"
"""Where the numbers are kept."""

PAGE = ROOT / "docs" / "numpy-cnn.md"
"""Where the page goes."""

TEMPLATE = ROOT / "scripts" / "numpy-cnn.template.md"
"""The page without its numbers."""

CURVES = ROOT / "docs" / "images" / "numpy-cnn.svg"
"""Where the learning curves go."""

ENGINES = ("numpy", "torch")
"""What is compared."""

Part = tuple[NDArray[np.uint8], NDArray[np.float32]]
"""Images (N, 48, 48, 1) and targets (N, K)."""


def main() -> None:
    """Train, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--images", type=int, default=None, help="train on the first so many, to try it out")
    parser.add_argument("--only", choices=ENGINES)
    parser.add_argument("--page", action="store_true")
    options = parser.parse_args()
    if options.data and not options.page:
        parts = open_parts(options.data, options.images)
        for engine in (options.only,) if options.only else ENGINES:
            found = measure(engine, parts, small_options(epochs=options.epochs))
            FIGURES.write_text(json.dumps({**read_figures(), engine: found}, indent=1) + "\n", encoding="utf-8")
    known = read_figures()
    if "numpy" in known:
        draw_history([Epoch(**epoch) for epoch in known["numpy"]["history"]], CURVES)
    PAGE.write_text(page(known), encoding="utf-8")


def read_figures() -> dict[str, Any]:
    """Return the figures so far, by engine."""
    known: dict[str, Any] = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
    return known


def open_parts(data: str, most: int | None) -> list[Part]:
    """Open training, validation and test images; near-duplicates of the last two leave the training images."""
    dataset = open_dataset(data)
    dataset = dataset.subset(~dataset.near_duplicates_of(SPLITS[1:]))
    parts = []
    for split in SPLITS:
        part = dataset.split(split)
        parts.append((part.pixels[:most, ..., None], one_hot(part.labels[:most], len(part.classes))))
    return parts


def measure(engine: str, parts: list[Part], options: FitOptions) -> dict[str, Any]:
    """Train with one engine and evaluate PrivateTest once, with the weights that validation chose."""
    training, validation, test = parts
    model = small_network(training[1].shape[1], seed=options.seed)
    began = time.perf_counter()
    if engine == "numpy":
        history = model.fit(*training, validation=validation, optimizer=Adam(RATE), options=options, on_epoch=report)
        seconds, probabilities = time.perf_counter() - began, model.predict(test[0])
    else:
        network = TorchNetwork(model)
        history = fit_torch(network, training, validation, options)
        seconds, probabilities = time.perf_counter() - began, network.predict(test[0])
    right = int((probabilities.argmax(axis=1) == test[1].argmax(axis=1)).sum())
    return {
        "images": len(training[0]),
        "epochs": len(history),
        "seconds": round(seconds),
        "right": right,
        "test": len(test[0]),
        "parameters": model.count_parameters(),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "version": np.__version__ if engine == "numpy" else torch.__version__,
        "history": [asdict(epoch) for epoch in history],
    }


def report(number: int, epoch: Epoch) -> None:
    """Format the result of an epoch."""
    print(f"epoch {number + 1}: {epoch}", file=sys.stderr)


class TorchNetwork(nn.Module):
    """A network of numpy_cnn in PyTorch, with the same weights, inputs and outputs.

    Args:
        model: Of the kinds of layers that `small_network` has.
    """

    def __init__(self, model: Sequential) -> None:
        super().__init__()
        self.layers = nn.Sequential(*(torch_layer(layer) for layer in model.layers if not isinstance(layer, Softmax)))

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (N, K) of images (N, 48, 48, 1)."""
        logits: Tensor = self.layers(images.permute(0, 3, 1, 2))
        return logits

    @torch.no_grad()
    def predict(self, images: NDArray[np.generic]) -> NDArray[np.float32]:
        """Return the probabilities (N, K)."""
        self.eval()
        parts = [images[first : first + 128].astype(np.float32) for first in range(0, len(images), 128)]
        return np.concatenate([self(torch.from_numpy(part)).softmax(dim=1).numpy() for part in parts])


class TorchStandardize(nn.Module):
    """`Standardize` in PyTorch."""

    def forward(self, images: Tensor) -> Tensor:
        """Map (N, c, h, w) to the same shape."""
        centred = images - images.mean(dim=(2, 3), keepdim=True)
        return centred / ((centred * centred).mean(dim=(2, 3), keepdim=True) + 1).sqrt()


class TorchGlobalAveragePool(nn.Module):
    """`GlobalAveragePool` in PyTorch."""

    def forward(self, images: Tensor) -> Tensor:
        """Map (N, c, h, w) to (N, c)."""
        return images.mean(dim=(2, 3))


def torch_layer(layer: Layer) -> nn.Module:
    """Return PyTorch's layer with the weights of ours."""
    simple = {Standardize: TorchStandardize, GlobalAveragePool: TorchGlobalAveragePool, ReLU: nn.ReLU}
    if type(layer) in simple:
        return simple[type(layer)]()
    if isinstance(layer, MaxPool):
        return nn.MaxPool2d(layer.size, layer.step)
    if isinstance(layer, Dropout):
        return nn.Dropout(layer.share)
    values = {name: torch.from_numpy(value.copy()) for name, value in layer.parameters.items()}
    if isinstance(layer, BatchNorm):
        return with_values(nn.BatchNorm2d(len(values["scale"])), values["scale"], values["shift"])
    if isinstance(layer, Dense):
        module: nn.Module = nn.Linear(*values["weights"].shape)
        return with_values(module, values["weights"].T.contiguous(), values["bias"])
    if isinstance(layer, Conv2D):
        weights = values["weights"].permute(3, 2, 0, 1).contiguous()
        module = nn.Conv2d(weights.shape[1], len(weights), layer.size, stride=layer.stride, padding=layer.frame)
        return with_values(module, weights, values["bias"])
    raise TypeError(f"{layer} has no PyTorch equivalent")


def with_values(module: nn.Module, weights: Tensor, bias: Tensor) -> nn.Module:
    """Give a layer its weights."""
    module.weight, module.bias = nn.Parameter(weights), nn.Parameter(bias)
    return module


def fit_torch(network: TorchNetwork, training: Part, validation: Part, options: FitOptions) -> list[Epoch]:
    """Train as `Sequential.fit` does, with the same order of images and the same augmentation."""
    torch.manual_seed(options.seed)
    random, optimizer = np.random.default_rng(options.seed), torch.optim.Adam(network.parameters(), lr=RATE)
    history: list[Epoch] = []
    best: tuple[float, dict[str, Tensor]] = (math.inf, {})
    for number in range(options.epochs):
        began = time.perf_counter()
        loss, accuracy = train_epoch(network, training, optimizer, options, random, number)
        held_loss, held_accuracy = evaluate(network, validation)
        history.append(Epoch(loss, accuracy, held_loss, held_accuracy, time.perf_counter() - began))
        report(number, history[-1])
        if held_loss < best[0]:
            best = held_loss, {name: value.clone() for name, value in network.state_dict().items()}
    network.load_state_dict(best[1])
    return history


def train_epoch(
    network: TorchNetwork,
    training: Part,
    optimizer: torch.optim.Optimizer,
    options: FitOptions,
    random: np.random.Generator,
    epoch: int,
) -> tuple[float, float]:
    """Train one epoch; return the mean loss with the penalty, and the accuracy."""
    images, targets = training
    losses, right = 0.0, 0
    network.train()
    for step, rows in enumerate(batches(len(images), options.batch_size, random)):
        done = (epoch + step / -(-len(images) // options.batch_size)) / options.epochs
        optimizer.param_groups[0]["lr"] = RATE * (options.schedule(done) if options.schedule else 1)
        batch = images[rows].astype(np.float32)
        batch = options.augment(batch, random) if options.augment else batch
        logits, truth = network(torch.from_numpy(np.ascontiguousarray(batch))), torch.from_numpy(targets[rows])
        loss = nn.functional.cross_entropy(logits, truth) + options.penalty.l2 * squares(network)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses += float(loss.detach()) * len(rows)
        right += int((logits.argmax(dim=1) == truth.argmax(dim=1)).sum())
    return losses / len(images), right / len(images)


def squares(network: TorchNetwork) -> Tensor:
    """Return the sum of the squares of all weights that `Penalty` counts: those of convolutions and dense layers."""
    counted = [layer.weight for layer in network.layers if isinstance(layer, nn.Conv2d | nn.Linear)]
    return torch.stack([(weight * weight).sum() for weight in counted]).sum()


def evaluate(network: TorchNetwork, part: Part) -> tuple[float, float]:
    """Return loss and accuracy, as `Sequential.evaluate` does."""
    probabilities, targets = network.predict(part[0]), part[1]
    loss = -float((targets * np.log(np.maximum(probabilities, 1e-30))).sum()) / len(targets)
    return loss, float((probabilities.argmax(axis=1) == targets.argmax(axis=1)).mean())


def page(known: dict[str, Any]) -> str:
    """Write the page from the template."""
    rows = [row(engine, known[engine]) for engine in ENGINES if engine in known]
    text = TEMPLATE.read_text(encoding="utf-8")
    texts = {
        "rows": markdown_table(rows) if rows else "Not measured yet.",
        "curves": f"![Loss and accuracy over the epochs](images/{CURVES.name})" if "numpy" in known else "",
    }
    return fill_template(text, texts).rstrip() + "\n"


def row(engine: str, found: dict[str, Any]) -> dict[str, Any]:
    """Write an engine's row."""
    share = found["right"] / found["test"]
    error = math.sqrt(share * (1 - share) / found["test"])
    return {
        "engine": f"{'NumPy' if engine == 'numpy' else 'PyTorch'} {found['version']}",
        "PrivateTest": f"{exact_percent(share)} (standard error {100 * error:.1f})",
        "images": f"{found['test']:,}",
        "seconds": f"{found['seconds']:,}",
        "training images": f"{found['images']:,}",
        "epochs": found["epochs"],
        "machine": found["machine"],
    }


if __name__ == "__main__":
    main()
