"""Read expressions with methods from before neural networks; write docs/baselines.json and the page docs/baselines.md.

    python scripts/measure_baselines.py DATA [--images N] [--only FEATURES CLASSIFIER]

DATA is FER2013. Each face becomes one vector: histograms of oriented gradients (HOG) or local binary patterns (LBP) of
6 x 6 cells. A classifier of scikit-learn learns from Training, without near-duplicates of the other splits. PublicTest
chooses its setting, and PrivateTest is evaluated once. Figures stay in the JSON file, so you can measure one pair at a
time. ``--page`` only rewrites the page, from the figures.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage import feature
from sklearn.base import ClassifierMixin
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from facemood.datasets import ExpressionDataset, open_dataset
from facemood.datasets.fer2013 import SPLITS
from facemood.evaluation import metrics
from facemood.text import exact_percent, fill_template, markdown_table, with_interval
from facemood.wilson import wilson_interval

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""

FIGURES = ROOT / "docs" / "baselines.json"
"""Where the numbers are kept."""

PAGE = ROOT / "docs" / "baselines.md"
"""Where the page goes."""

TEMPLATE = ROOT / "scripts" / "baselines.template.md"
"""The page without its numbers."""

DESCRIPTORS: Any = feature
"""The descriptors of scikit-image, which have no types."""

CELL = 8
"""Side in pixels of a cell."""

PATTERNS = 59
"""Local binary patterns of 8 neighbours with at most two changes, and one for all others."""

PRINCIPAL = 200
"""Principal components that remain of a vector where distances between vectors count."""

MOST_RBF = 10_000
"""Training images of the SVM with radial basis functions, whose time grows with their square."""

SEED = 1
"""Seed of forests, of principal components, and of the choice of images."""

Vectors = NDArray[np.float32]
"""(N, D), a vector for each face."""


def gradients(tile: NDArray[np.uint8]) -> Vectors:
    """Return the histograms of 8 directions of a grey tile: (800,), normalized in blocks of 2 x 2 cells.

    Dalal & Triggs (2005).
    """
    found = DESCRIPTORS.hog(
        tile, orientations=8, pixels_per_cell=(CELL, CELL), cells_per_block=(2, 2), block_norm="L2-Hys"
    )
    return np.asarray(found, np.float32)


def patterns(tile: NDArray[np.uint8]) -> Vectors:
    """Return the square roots of the shares of local binary patterns in each cell of a grey tile: (2124,).

    Ahonen, Hadid & Pietikäinen (2006).
    """
    codes = DESCRIPTORS.local_binary_pattern(tile, 8, 1, method="nri_uniform").astype(np.int64)
    side = tile.shape[0] // CELL
    cells = codes.reshape(side, CELL, side, CELL).swapaxes(1, 2).reshape(side * side, CELL * CELL)
    counts = np.stack([np.bincount(cell, minlength=PATTERNS) for cell in cells])
    return np.sqrt(counts / CELL**2).ravel().astype(np.float32)


FEATURES: dict[str, Callable[[NDArray[np.uint8]], Vectors]] = {"HOG": gradients, "LBP": patterns}
"""How a tile becomes a vector."""


def nearest(neighbours: float) -> ClassifierMixin:
    """Return k nearest neighbours, by the distance of the principal components."""
    return make_pipeline(PCA(PRINCIPAL, random_state=SEED), KNeighborsClassifier(int(neighbours), weights="distance"))


def forest(leaf: float) -> ClassifierMixin:
    """Return a random forest of 100 trees with so many images in a leaf at least."""
    return RandomForestClassifier(100, min_samples_leaf=int(leaf), class_weight="balanced_subsample", random_state=SEED)


def linear(penalty: float) -> ClassifierMixin:
    """Return a linear SVM with that C."""
    return make_pipeline(StandardScaler(), PCA(PRINCIPAL, random_state=SEED), LinearSVC(C=penalty, dual=False))


def radial(penalty: float) -> ClassifierMixin:
    """Return an SVM with radial basis functions and that C."""
    return make_pipeline(StandardScaler(), PCA(PRINCIPAL, random_state=SEED), SVC(C=penalty, cache_size=500))


CLASSIFIERS: dict[str, tuple[Callable[[float], ClassifierMixin], tuple[float, ...]]] = {
    "k nearest neighbours": (nearest, (5, 15, 45)),
    "random forest": (forest, (1, 4)),
    "linear SVM": (linear, (0.001, 0.01, 0.1)),
    "RBF SVM": (radial, (1, 4)),
}
"""How each classifier is made, and the settings that PublicTest chooses from."""


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?")
    parser.add_argument("--images", type=int, help="learn from the first so many, to try it out")
    parser.add_argument("--only", nargs=2, metavar=("FEATURES", "CLASSIFIER"))
    parser.add_argument("--page", action="store_true")
    options = parser.parse_args()
    pairs = [tuple(options.only)] if options.only else [(one, two) for one in FEATURES for two in CLASSIFIERS]
    if options.data and not options.page:
        parts = open_parts(options.data, options.images)
        for features in dict.fromkeys(one for one, _ in pairs):
            vectors = [vectors_of(features, part) for part in parts]
            for classifier in [two for one, two in pairs if one == features]:
                found = measure(classifier, vectors, parts)
                known = {**read_figures(), f"{features}, {classifier}": found}
                FIGURES.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
                print(features, classifier, found, file=sys.stderr)
    PAGE.write_text(page(read_figures()), encoding="utf-8")


def read_figures() -> dict[str, Any]:
    """Return the figures so far, by features and classifier."""
    known: dict[str, Any] = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
    return known


def open_parts(data: str, most: int | None) -> list[ExpressionDataset]:
    """Open training, validation and test images; near-duplicates of the last two leave the training images."""
    dataset = open_dataset(data)
    dataset = dataset.subset(~dataset.near_duplicates_of(SPLITS[1:]))
    parts = [dataset.split(split) for split in SPLITS]
    return parts if most is None else [part.subset(np.arange(len(part)) < most) for part in parts]


def vectors_of(features: str, part: ExpressionDataset) -> Vectors:
    """Return the vector of each image, (N, D)."""
    return np.stack([FEATURES[features](tile) for tile in part.pixels])


def measure(classifier: str, vectors: list[Vectors], parts: list[ExpressionDataset]) -> dict[str, Any]:
    """Learn with each setting, and evaluate PrivateTest once with the one that is best on PublicTest."""
    make, settings = CLASSIFIERS[classifier]
    learned, labels = vectors[0], parts[0].labels
    if classifier == "RBF SVM" and len(learned) > MOST_RBF:
        rows = np.random.default_rng(SEED).permutation(len(learned))[:MOST_RBF]
        learned, labels = learned[rows], labels[rows]
    began = time.process_time()
    models = {setting: make(setting).fit(learned, labels) for setting in settings}
    chosen = {setting: float(model.score(vectors[1], parts[1].labels)) for setting, model in models.items()}
    best = max(chosen, key=lambda setting: chosen[setting])
    predicted = models[best].predict(vectors[2])
    confusion = metrics.confusion_matrix(predicted, parts[2].labels, len(parts[2].classes))
    return {
        "images": len(learned),
        "settings": {str(setting): round(share, 4) for setting, share in chosen.items()},
        "setting": best,
        "test": len(predicted),
        "right": int(confusion.trace()),
        "mean_recall": round(float(metrics.mean_recall(confusion)), 4),
        "recall": {
            word: round(share, 4)
            for word, share in zip(parts[2].classes, metrics.recalls(confusion).tolist(), strict=True)
        },
        "seconds": round(time.process_time() - began),
    }


def page(known: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the page from the figures."""
    rows = [
        {
            "features, classifier": name,
            "learned from": f"{found['images']:,}",
            "setting": f"{found['setting']:g}",
            "PublicTest": exact_percent(max(found["settings"].values())),
            "PrivateTest": with_interval(
                found["right"] / found["test"], wilson_interval(found["right"] / found["test"], found["test"])
            ),
            "mean recall": exact_percent(found["mean_recall"]),
            "CPU seconds": f"{found['seconds']:,}",
        }
        for name, found in sorted(known.items(), key=lambda entry: -entry[1]["right"])
    ]
    recalls = [
        {"features, classifier": name, **{word: exact_percent(share) for word, share in found["recall"].items()}}
        for name, found in sorted(known.items(), key=lambda entry: -entry[1]["right"])
    ]
    return fill_template(
        TEMPLATE.read_text(encoding="utf-8"), {"rows": markdown_table(rows), "recalls": markdown_table(recalls)}
    )


if __name__ == "__main__":
    main()
