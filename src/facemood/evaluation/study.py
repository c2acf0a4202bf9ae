"""The whole study of models on a split: what docs/benchmarks.md is made of, as plain data.

Every model is read in 1, 2 and 10 views. The first of each recipe is looked at closely: how sure it is, what abstaining
and balance bring, and how it bears worse pictures. Further models of the same recipe, trained from other seeds, say how
far the figures spread.
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
"""Shares of the images, the surest first, at which the accuracy is measured (risk-coverage)."""


def make_study(models: Sequence[str], dataset: ExpressionDataset, *, split: str) -> dict[str, Any]:
    """Measure models on a split, in every way that the page tells.

    Args:
        models: Names or files; the first of each recipe is looked at closely.
        dataset: All of the dataset.
        split: Which images are measured.

    Returns:
        Plain numbers, texts, lists and dicts.

    Raises:
        ModelError: A model is unknown.
        DatasetError: There is no such split, or a model does not know the labels.
    """
    from facemood import __version__

    dataset = dataset.with_clusters()  # each view asks for near-duplicates
    seen: set[str] = set()
    rows = []
    for name in models:
        file = find_model(name)
        session = ModelSession(file, device="cpu")
        row = {**describe(session.card), "bytes": file.stat().st_size, **measure_views(session, dataset, split=split)}
        if row["recipe"] not in seen:
            seen.add(row["recipe"])
            row["close"] = look_closely(session, dataset, split=split)
        rows.append(row)
    return {"facemood": __version__, "dataset": dataset.name, "split": split, "models": rows}


def describe(card: ModelCard) -> dict[str, Any]:
    """Say what a model is and what it was trained by."""
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
    """Measure a model by every protocol with every number of views."""
    views = {}
    for count in SHIFTS:
        found = evaluate(session, dataset, split=split, views=count)
        views[str(count)] = {evaluation.protocol: evaluation.to_dict() for evaluation in found}
    return {"views": views}


def look_closely(session: ModelSession, dataset: ExpressionDataset, *, split: str) -> dict[str, Any]:
    """Measure what a single view's probabilities are good for, and how a model bears worse pictures."""
    part = dataset.split(split)
    outcomes = compare_all(session.card, part, run_all(session, part.images))
    return {
        "certainty": {outcome.protocol: measure_certainty(session.card, outcome) for outcome in outcomes},
        "balance": {outcome.protocol: measure_balance(session.card, outcome) for outcome in outcomes},
        "corruptions": measure_corruptions(session, part),
    }


def measure_certainty(card: ModelCard, outcome: Outcome) -> dict[str, Any]:
    """Say what abstaining brings: accuracy by share read, by confidence, and under the card's own rule."""
    read = calibrate(card, outcome.head, outcome.logits)
    found: dict[str, Any] = {
        "coverage": _rounded(metrics.accuracy_at_coverage(read, outcome.labels, SHARES).items()),
        "reliability": _rounded(metrics.reliability(read, outcome.labels)),
    }
    if outcome.head in card.certain:
        kept = read.max(axis=1) >= card.certain[outcome.head]
        right = (read.argmax(axis=1) == outcome.labels)[kept]
        found["rule"] = {
            "confidence": card.certain[outcome.head],
            "coverage": round(float(kept.mean()), 4),
            "accuracy": round(float(right.mean()), 4) if len(right) else None,
        }
    return found


def measure_balance(card: ModelCard, outcome: Outcome) -> dict[str, Any]:
    """Say what taking the prior out brings, at every strength, and at the one that the card chose."""
    head = outcome.head
    if head not in card.prior:
        return {}
    strength = card.balance[head]
    read = calibrate(card, head, outcome.logits, strength=strength).argmax(axis=1)
    confusion = metrics.confusion_matrix(read, outcome.labels, len(card.heads[head]))
    recall = dict(zip(card.heads[head], np.round(metrics.recalls(confusion), 4).tolist(), strict=True))
    return {
        "curve": _rounded(balance_curve(card, head, outcome.logits, outcome.labels)),
        "strength": strength,
        "accuracy": round(metrics.accuracy(read, outcome.labels), 4),
        "mean_recall": round(metrics.mean_recall(confusion), 4),
        "mean_recall_interval": _rounded([metrics.bootstrap_interval(confusion, metrics.mean_recall)])[0],
        "recall": {label: None if np.isnan(value) else value for label, value in recall.items()},
    }


def measure_corruptions(session: ModelSession, part: ExpressionDataset) -> dict[str, Any]:
    """Measure the accuracy by every protocol on worse pictures: for each kind its unit, levels and accuracies."""
    found: dict[str, Any] = {}
    for name, kind in CORRUPTIONS.items():
        accuracies: dict[str, list[float]] = {}
        for level in kind.levels:
            for protocol, value in _accuracies(session, part, corrupt(part.pixels, name, level)).items():
                accuracies.setdefault(protocol, []).append(value)
        found[name] = {"unit": kind.unit, "levels": list(kind.levels), "accuracy": accuracies}
    return found


def _accuracies(session: ModelSession, part: ExpressionDataset, images: NDArray[np.uint8]) -> dict[str, float]:
    """Return the accuracy by each protocol on a split's images in another form."""
    changed = dataclasses.replace(part, images=images)
    outcomes = compare_all(session.card, changed, run_all(session, images))
    return {found.protocol: round(metrics.accuracy(found.logits.argmax(axis=1), found.labels), 4) for found in outcomes}


def _rounded(rows: Any) -> list[list[float]]:
    """Return rows of numbers with 4 decimals, as lists."""
    return [[round(float(value), 4) for value in row] for row in rows]
