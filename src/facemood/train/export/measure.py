"""Measure a model for its card: figures on all splits except the training split, and the framing of detectors."""

from __future__ import annotations

import dataclasses
import logging
from pathlib import Path
from typing import Any

import numpy as np

from facemood.datasets import ExpressionDataset, Images
from facemood.datasets.splits import find_split
from facemood.evaluation import evaluate
from facemood.evaluation.crop_framing import framing_of_points, measure_framing
from facemood.models.card import ModelCard
from facemood.models.session import ModelSession
from facemood.spacing import evenly_spaced
from facemood.stages.align import LANDMARK_FRAMING
from facemood.stages.detect import Detector
from facemood.train.data.upright import find_points

logger: logging.Logger = logging.getLogger("facemood")

FRAMING_TILES = 2000
"""Largest number of training tiles on which the framing is measured, evenly spaced."""

KEPT = ("n", "accuracy", "macro_f1", "ece_before_temperature", "ece", "recall")
"""The figures of an evaluation in a card."""


def measure(file: Path, dataset: ExpressionDataset, validation: ExpressionDataset) -> dict[str, Any]:
    """Evaluate a model file on all splits except its training split, and return the figures for its card.

    If the dataset has no other split, the images that were split off for validation are evaluated.
    """
    session = ModelSession(file, device="cpu")
    trained = find_split(dataset, session.card.trained_on["split"])
    parts = [(split, dataset) for split in dataset.splits if split != trained]
    if not parts:
        name = "validation"
        parts = [(name, dataclasses.replace(validation, usage=np.full(len(validation), name)))]
    return {
        f"{split}: {found.protocol}": {key: found.to_dict()[key] for key in KEPT}
        for split, images in parts
        for found in evaluate(session, images, split=split, prior="dataset")
    }


def add_framings(card: ModelCard, images: Images, detectors: tuple[Detector, ...]) -> ModelCard:
    """Measure the crop framing of detectors and that of landmarks, and return the card with them.

    Args:
        card: The card so far; the framing of other detectors stays.
        images: (N, h, h) uint8 grey or (N, h, h, 3) BGR faces of the kind that the network was trained on.
        detectors: The detectors; if there are none, nothing is measured.

    Raises:
        DatasetError: A detector finds no face in any tile.
    """
    if not detectors:
        return card
    tiles = np.asarray(images[evenly_spaced(len(images), FRAMING_TILES)])
    framings = {detector.name: measure_framing(detector, tiles) for detector in detectors}
    points = find_points(tiles)
    if np.isfinite(points).any():
        framings[LANDMARK_FRAMING] = framing_of_points(points)
    else:
        logger.warning("no training image has landmarks, so the model reads faces that are not turned upright")
    measured = {name: dataclasses.asdict(framing) for name, framing in framings.items()}
    return dataclasses.replace(
        card,
        framing={**card.framing, **{name: framing.crop for name, framing in framings.items()}},
        metrics={**card.metrics, "framing": {**card.metrics.get("framing", {}), **measured}},
    )
