"""Train FERC's perceptron: one hidden layer on the expressional vector, and a layer of logits for each set of labels.

    python -m facemood.train.perceptron --data DATA --vectors vectors.npz --output ferc.onnx

DATA is FER2013 with FER+ votes. The vectors of its tiles are measured by FERC's networks first, which takes some
minutes. They are stored in the file and read from it the next time.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from facemood.array_files import check_array, read_arrays
from facemood.atomic import replacing
from facemood.datasets import ExpressionDataset, ferplus, open_dataset
from facemood.errors import DatasetError
from facemood.ferc.parts import MAX_YAW, PartsModel
from facemood.ferc.vector import MIRRORED_PAIRS, PAIRS, expressional_vector
from facemood.geometry import Floats
from facemood.labels import BASIC_EXPRESSIONS, EXPRESSIONS
from facemood.models import DEFAULT_MODEL, ModelCard, ModelSession, find_model
from facemood.schema import Face
from facemood.stages.landmarks import LandmarkModel, landmarks_of
from facemood.train.onnx_file import save_onnx

logger: logging.Logger = logging.getLogger("facemood")

FIVE = ("angry", "happy", "sad", "surprise", "neutral")
"""The expressions of the published network."""

HEADS: dict[str, tuple[str, ...]] = {
    "ferplus-five": FIVE,
    "ferplus": EXPRESSIONS,
    "fer2013-five": FIVE,
    "fer2013": BASIC_EXPRESSIONS,
}
"""Labels of each head: FER+ votes and FER2013 labels, of five expressions or of all."""

HIDDEN = 64
"""Units of the hidden layer."""

EPOCHS = 60
"""Passes over the training faces."""

BATCH = 256
"""Faces per step."""

RATE = 3e-3
"""Highest learning rate."""

DECAY = 1e-3
"""Weight decay (Loshchilov & Hutter 2019)."""

SEED = 1
"""Seed of the random numbers."""

BLOCK = 2000
"""Images whose vectors are stored at once; an interruption loses no more."""


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Vectors and their targets.

    Attributes:
        vectors: (N, D) float32.
        targets: Distribution over the labels of each head, (N, K) float32; zero for images without such a label.
    """

    vectors: Floats
    targets: dict[str, Floats]


class Perceptron(nn.Module):
    """Returns the logits of each head for a vector, which is standardized inside by the training data.

    Example:
        >>> [tuple(logits.shape) for logits in Perceptron()(torch.zeros(2, 24))]
        [(2, 5), (2, 8), (2, 5), (2, 7)]
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, inputs: int = len(PAIRS), hidden: int = HIDDEN) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("deviation", torch.ones(inputs))
        self.hidden: nn.Linear = nn.Linear(inputs, hidden)
        self.heads: nn.ModuleList = nn.ModuleList(nn.Linear(hidden, len(labels)) for labels in HEADS.values())

    def forward(self, vectors: Tensor) -> tuple[Tensor, ...]:
        """Return logits (N, K) of each head, in the order of `HEADS`, from (N, D) vectors."""
        inside = torch.relu(self.hidden((vectors - self.mean) / self.deviation))
        return tuple(head(inside) for head in self.heads)


def targets_of(dataset: ExpressionDataset) -> dict[str, Floats]:
    """Return the targets of each head for the images of a dataset.

    Args:
        dataset: FER2013 with FER+ votes.

    Returns:
        (N, K) float32 for each head. Rows sum to 1, or to 0 for images without such a label: the FER2013 label, and the
        votes of images whose majority label is one of the head's labels.
    """
    labels = np.eye(len(BASIC_EXPRESSIONS), dtype=np.float32)[dataset.labels]
    votes = np.zeros((len(dataset), len(EXPRESSIONS)), np.float32)
    majority = np.full(len(dataset), -1)
    if dataset.votes is not None:
        votes, majority = ferplus.distribution(dataset.votes)[0], ferplus.majority(dataset.votes)
    votes[majority < 0] = 0
    own = [EXPRESSIONS.index(label) for label in FIVE]
    few = votes[:, own] * np.isin(majority, own)[:, None]
    return {
        "ferplus-five": few / np.maximum(few.sum(axis=1, keepdims=True), 1e-6),
        "ferplus": votes,
        "fer2013-five": labels[:, own],
        "fer2013": labels,
    }


def train_perceptron(
    training: TrainingSet,
    *,
    hidden: int = HIDDEN,
    epochs: int = EPOCHS,
    mirror: NDArray[np.int64] | None = MIRRORED_PAIRS,
) -> Perceptron:
    """Train a perceptron: AdamW with a cosine schedule, half of the faces mirrored in each epoch.

    Args:
        training: The training set.
        hidden: Units of the hidden layer.
        epochs: Passes over the training faces.
        mirror: Index of each number's counterpart in the vector of the mirrored face; None for no mirroring.
    """
    torch.manual_seed(SEED)
    network = Perceptron(training.vectors.shape[1], hidden)
    vectors = torch.from_numpy(training.vectors)
    network.mean.copy_(vectors.mean(dim=0))
    network.deviation.copy_(vectors.std(dim=0) + 1e-6)
    wanted = [torch.from_numpy(training.targets[head]) for head in HEADS]
    optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=epochs * -(-len(vectors) // BATCH))
    for _ in range(epochs):
        for rows in torch.split(torch.randperm(len(vectors)), BATCH):
            batch = vectors[rows]
            if mirror is not None:
                batch = torch.where(torch.rand(len(rows), 1) < 0.5, batch[:, mirror], batch)
            loss = _loss(network(batch), [target[rows] for target in wanted])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return network.eval()


def _loss(outputs: tuple[Tensor, ...], wanted: list[Tensor]) -> Tensor:
    """Return the sum over the heads of the mean cross-entropy of the faces with a target."""
    parts = []
    for logits, target in zip(outputs, wanted, strict=True):
        cross = -(target * functional.log_softmax(logits, dim=1)).sum(dim=1)
        parts.append(cross.sum() / target.sum().clamp(min=1))
    return torch.stack(parts).sum()


def measure_vectors(images: NDArray[np.uint8]) -> dict[str, Floats]:
    """Measure the vectors of FER2013's tiles, with and without background removal, and their landmarks.

    Args:
        images: (N, 48, 48) uint8 grey.

    Returns:
        By name, with NaN in the rows of tiles that cannot be measured: ``"masked"`` (N, 24), the input of FERC;
        ``"plain"`` (N, 24), from the landmarks of the whole tile and the jaw; ``"points"`` (N, 136), the landmarks,
        centred, upright and in units of the face's size.
    """
    parts_model, framing = PartsModel(LandmarkModel(threads=1)), default_framing()["finder"]
    rows = [_vectors_of(parts_model.face_in_crop(image, framing)) for image in images]
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def _vectors_of(face: Face) -> dict[str, Floats]:
    """Return the vectors of a measured face; NaN for those that are not known."""
    points, size = landmarks_of(face), len(PAIRS)
    unknown = {"masked": size, "plain": size, "points": 136}
    made = {name: np.full(length, np.nan, np.float32) for name, length in unknown.items()}
    if points is not None:
        made["plain"] = expressional_vector(points)
        made["points"] = upright(points).ravel()
    if face.parts is not None:
        made["masked"] = face.parts.vector
    return made


def upright(points: Floats) -> Floats:
    """Move, rotate and scale (68, 2) points so that their centroid is 0, the eyes are level and their size is 1."""
    across = points[45] - points[36]
    cosine, sine = across / max(float(np.linalg.norm(across)), 1e-6)
    centred = (points - points.mean(axis=0)) @ np.array([[cosine, -sine], [sine, cosine]])
    return np.asarray(centred / max(float(np.sqrt((centred**2).sum(axis=1).mean())), 1e-6), np.float32)


def default_framing() -> dict[str, tuple[float, float, float, float]]:
    """Return the framing of the default model, which is that of FER2013's tiles."""
    return dict(ModelSession(find_model(DEFAULT_MODEL), device="cpu").card.framing)


def training_set_of(dataset: ExpressionDataset, vectors: Floats) -> TrainingSet:
    """Return the training images with a vector and without a near-duplicate in another split."""
    chosen = (dataset.usage == "Training") & np.isfinite(vectors).all(axis=1)
    chosen &= ~dataset.near_duplicates_of(["PublicTest", "PrivateTest"])
    targets = targets_of(dataset.subset(chosen))
    return TrainingSet(vectors[chosen], targets)


def load_vectors(file: Path, dataset: ExpressionDataset) -> dict[str, Floats]:
    """Read the vectors of a dataset from a file; missing ones are measured and stored there."""
    known: dict[str, Floats] = {}
    if file.is_file():
        known = _read_known(file, len(dataset.images))
    images = dataset.pixels
    while (done := len(known["masked"]) if known else 0) < len(images):
        made = measure_vectors(images[done : done + BLOCK])
        known = {name: np.concatenate([known[name], rows]) if known else rows for name, rows in made.items()}
        with replacing(file, "wb") as handle:
            np.savez(handle, **known)  # type: ignore[arg-type]
        logger.info("measured %d of %d", len(known["masked"]), len(images))
    return known


def _read_known(file: Path, most: int) -> dict[str, Floats]:
    """Read the vectors that a file has, of so many images at most."""
    try:
        known = read_arrays(file, needed=["masked"])
        count = len(known["masked"]) if known["masked"].ndim else 0
        for name, rows in known.items():
            check_array(name, rows, kind=np.floating, shape=(count, None))
        if count > most:
            raise ValueError(f"it has the vectors of {count} images, but the dataset has {most}")
    except (OSError, ValueError) as error:
        raise DatasetError(f"{file}: is not a file of vectors, or is damaged: {error}") from error
    return known


def export_perceptron(network: Perceptron, file: Path, images: int) -> None:
    """Write a perceptron as ONNX for any batch size, with its card.

    Args:
        network: The trained network.
        file: The ONNX file.
        images: Number of training images.
    """
    card = ModelCard(
        name="ferc",
        task="vector",
        description="It predicts expressions from 24 distances between facial parts, after the background is removed",
        heads=HEADS,
        default_head="ferplus-five",
        input_size=(len(PAIRS), 1),
        framing=default_framing(),
        trained_on={"dataset": "FER2013 with FER+ votes", "split": "Training", "images": images, "epochs": EPOCHS},
        limits=(
            "It is much less accurate than the networks that take pixels; docs/ferc.md has the figures.",
            "It takes 24 distances: it does not see brows, lids, wrinkles, teeth, or how far the mouth is open.",
            f"Faces turned by more than {MAX_YAW:.0f} degrees or partly outside of the image get no prediction.",
            "Faces with covered eyes or mouth get no prediction. A few coverings are missed, with poor landmarks.",
        ),
    )
    batch = torch.export.Dim("batch", min=1, max=4096)
    save_onnx(network, file, card, example=torch.zeros(2, len(PAIRS)), free={0: batch})


def main() -> None:
    """Measure the vectors, train the perceptron, and write it."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    parser = argparse.ArgumentParser(prog="python -m facemood.train.perceptron", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="FER2013 with FER+ votes")
    parser.add_argument("--vectors", type=Path, required=True, help="where the tiles' vectors are kept")
    parser.add_argument("--output", type=Path, required=True, help="ferc.onnx")
    options = parser.parse_args()
    dataset = open_dataset(options.data)
    training = training_set_of(dataset, load_vectors(options.vectors, dataset)["masked"])
    export_perceptron(train_perceptron(training), options.output, len(training.vectors))


if __name__ == "__main__":
    main()
