"""The full study of models on a split, as plain data; docs/benchmarks.md is made from it.

All models are evaluated with 1, 2 and 10 views. The first model of each recipe is studied in detail: calibration,
selective prediction, balance, and robustness to degraded images. Other models of the same recipe, trained with other
seeds, give the spread of the figures.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facemood.datasets import ExpressionDataset
from facemood.evaluation import metrics
from facemood.evaluation.calibration import balance_curve
from facemood.evaluation.corruptions import CORRUPTIONS, corrupt
from facemood.evaluation.protocol import Outcome, compare_all, evaluate, run_all
from facemood.models import SHIFTS, ModelCard, ModelSession, find_model
from facemood.models.card_markdown import origin_of, table_at
from facemood.stages.classify import calibrate

SHARES = tuple(round(0.05 * step, 2) for step in range(2, 21))
"""Shares of the images, the most confident first, at which the accuracy is measured (risk-coverage)."""


def make_study(models: Sequence[str], dataset: ExpressionDataset, *, split: str) -> dict[str, Any]:
    """Evaluate models on a split, with all figures of the page.

    Args:
        models: Names or files; the first of each recipe is studied in detail.
        dataset: The dataset with all its splits.
        split: The split to evaluate.

    Returns:
        Plain numbers, texts, lists and dicts.

    Raises:
        ModelError: A model is unknown.
        DatasetError: There is no such split, or a model does not know the labels.
    """
    from facemood import __version__

    dataset = dataset.with_clusters()  # near-duplicates are needed for each number of views
    recipes: set[str] = set()
    rows = []
    for name in models:
        file = find_model(name)
        session = ModelSession(file, device="cpu")
        row = {**describe(session.card), "bytes": file.stat().st_size, **measure_views(session, dataset, split=split)}
        if row["recipe"] not in recipes:
            recipes.add(row["recipe"])
            row["close"] = study_in_detail(session, dataset, split=split)
        rows.append(row)
    return {"facemood": __version__, "dataset": dataset.name, "split": split, "models": rows}


def describe(card: ModelCard) -> dict[str, Any]:
    """Return a model's name, version, recipe and training data."""
    recipe, mean = table_at(card.trained_on, "recipe"), card.trained_on.get("averaged_with", ())
    name = recipe.get("name", card.name)
    return {
        "model": card.name,
        "version": card.version,
        "recipe": " + ".join([name, *(settings.get("name", name) for settings in mean)]),
        "seed": table_at(recipe, "train").get("seed"),
        "origin": origin_of(card.trained_on),
        "trained_on": {key: card.trained_on.get(key) for key in ("split", "images", "epochs")},
    }


def measure_views(session: ModelSession, dataset: ExpressionDataset, *, split: str) -> dict[str, Any]:
    """Evaluate a model by all protocols with each number of views."""
    views = {}
    for count in SHIFTS:
        found = evaluate(session, dataset, split=split, views=count, prior="dataset")
        views[str(count)] = {evaluation.protocol: evaluation.to_dict() for evaluation in found}
    return {"views": views}


def study_in_detail(session: ModelSession, dataset: ExpressionDataset, *, split: str) -> dict[str, Any]:
    """Measure selective prediction, balance and robustness of a model, with a single view."""
    part = dataset.split(split)
    outcomes = compare_all(session.card, part, run_all(session, part.images))
    return {
        "certainty": {outcome.protocol: measure_certainty(session.card, outcome) for outcome in outcomes},
        "balance": {outcome.protocol: measure_balance(session.card, outcome) for outcome in outcomes},
        "corruptions": measure_corruptions(session, part),
    }


def measure_certainty(card: ModelCard, outcome: Outcome) -> dict[str, Any]:
    """Measure selective prediction: accuracy by coverage, by confidence, and with the card's threshold."""
    probabilities = calibrate(card, outcome.head, outcome.logits)
    found: dict[str, Any] = {
        "coverage": _rounded(metrics.accuracy_at_coverage(probabilities, outcome.labels, SHARES).items()),
        "reliability": _rounded(metrics.reliability(probabilities, outcome.labels)),
    }
    if outcome.head in card.certain:
        kept = probabilities.max(axis=1) >= card.certain[outcome.head]
        right = (probabilities.argmax(axis=1) == outcome.labels)[kept]
        found["rule"] = {
            "confidence": card.certain[outcome.head],
            "coverage": round(float(kept.mean()), 4),
            "accuracy": round(float(right.mean()), 4) if len(right) else None,
        }
    return found


def measure_balance(card: ModelCard, outcome: Outcome) -> dict[str, Any]:
    """Measure the effect of removing the prior, at all strengths and at the card's strength."""
    head = outcome.head
    if head not in card.prior:
        return {}
    strength = card.balance[head]
    predicted = calibrate(card, head, outcome.logits, strength=strength).argmax(axis=1)
    confusion = metrics.confusion_matrix(predicted, outcome.labels, len(card.heads[head]))
    recall = dict(zip(card.heads[head], np.round(metrics.recalls(confusion), 4).tolist(), strict=True))
    return {
        "curve": _rounded(balance_curve(card, head, outcome.logits, outcome.labels)),
        "strength": strength,
        "accuracy": round(metrics.accuracy(predicted, outcome.labels), 4),
        "mean_recall": round(metrics.mean_recall(confusion), 4),
        "mean_recall_interval": _rounded([metrics.bootstrap_interval(confusion, metrics.mean_recall)])[0],
        "recall": {label: None if np.isnan(value) else value for label, value in recall.items()},
    }


def measure_corruptions(session: ModelSession, part: ExpressionDataset) -> dict[str, Any]:
    """Measure the accuracy by all protocols on degraded images: unit, levels and accuracies of each corruption."""
    found: dict[str, Any] = {}
    for name, kind in CORRUPTIONS.items():
        accuracies: dict[str, list[float]] = {}
        for level in kind.levels:
            for protocol, value in _accuracies(session, part, corrupt(part.pixels, name, level)).items():
                accuracies.setdefault(protocol, []).append(value)
        found[name] = {"unit": kind.unit, "levels": list(kind.levels), "accuracy": accuracies}
    return found


def _accuracies(session: ModelSession, part: ExpressionDataset, images: NDArray[np.uint8]) -> dict[str, float]:
    """Return the accuracy by each protocol on changed images of a split."""
    changed = dataclasses.replace(part, images=images)
    outcomes = compare_all(session.card, changed, run_all(session, images))
    return {found.protocol: round(metrics.accuracy(found.logits.argmax(axis=1), found.labels), 4) for found in outcomes}


def _rounded(rows: Any) -> list[list[float]]:
    """Return rows of numbers, rounded to 4 decimals, as lists."""
    return [[round(float(value), 4) for value in row] for row in rows]
