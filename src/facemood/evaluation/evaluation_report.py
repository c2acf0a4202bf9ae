"""Reports of evaluations: as plain data, JSON and Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facemood.atomic import replacing
from facemood.datasets import ExpressionDataset
from facemood.evaluation.crop_framing import evaluate_end_to_end
from facemood.evaluation.groups import FEW, recall_table, score_groups, share_table
from facemood.evaluation.protocol import evaluate, match_head, predict_split
from facemood.evaluation.run_images import count_parts, describe_parts
from facemood.loading import open_recognizer
from facemood.models import ModelSession, find_model
from facemood.stages.classify import choose_prior, probabilities_of
from facemood.text import exact_percent, markdown_table, with_interval


def make_report(
    model: str,
    dataset: ExpressionDataset,
    *,
    split: str,
    detector: str | None = None,
    views: int = 1,
    prior: str | None = None,
    groups: NDArray[np.str_] | None = None,
) -> dict[str, Any]:
    """Evaluate a model on a split, with the versions of what was used.

    Args:
        model: A model's name or file.
        dataset: The dataset with all its splits.
        split: The split to evaluate.
        detector: If given, the images are also evaluated end to end with this detector.
        views: Number of views of each image (test-time augmentation): 1, 2 or 10.
        prior: The prior over expressions; None for the default, which `EmotionRecognizer` uses.
        groups: (N,) group of each image of the whole dataset, to report each group (`read_groups`).

    Returns:
        Plain numbers, texts, lists and dicts.

    Raises:
        DatasetError: There is no such split, or the model does not know the labels.
        ModelError: The model is unknown or damaged, or does not take pixels.
    """
    from facemood import __version__

    file = find_model(model)
    session = ModelSession(file, device="cpu")
    report: dict[str, Any] = {
        "facemood": __version__,
        "model": session.card.name,
        "model_version": session.card.version,
        "dataset": dataset.name,
        "split": split,
        "left_out": len(dataset.unreadable),
        "run_images": count_parts(file, session.card, dataset.split(split)),
        "evaluations": [found.to_dict() for found in evaluate(session, dataset, split=split, views=views, prior=prior)],
    }
    if groups is not None:
        report["groups"] = _measure_groups(session, dataset, groups, split=split, views=views, prior=prior)
    if detector is not None:
        part = dataset.split(split)
        recognizer = open_recognizer(
            model, head=match_head(session.card, part), detector=detector, views=views, prior=prior
        )
        report["end_to_end"] = evaluate_end_to_end(recognizer, part)
    return report


def _measure_groups(
    session: ModelSession,
    dataset: ExpressionDataset,
    groups: NDArray[np.str_],
    *,
    split: str,
    views: int,
    prior: str | None,
) -> list[dict[str, Any]]:
    """Return the rows of `score_groups` for the labels of the dataset."""
    card, outcome = session.card, predict_split(session, dataset, split=split, views=views)[0]
    chosen = choose_prior(card, outcome.head, prior)
    predicted = probabilities_of(card, outcome.head, outcome.all_logits, prior=chosen).argmax(axis=1)
    return score_groups(predicted, outcome.labels, groups[dataset.usage == split], card.heads[outcome.head])


def write_report(folder: Path, report: dict[str, Any]) -> None:
    """Write ``report.json`` and ``report.md`` into a folder.

    Raises:
        OutputError: A file cannot be written.
    """
    with replacing(folder / "report.json", encoding="utf-8") as file:
        json.dump(report, file, ensure_ascii=False, indent=1)
    with replacing(folder / "report.md", encoding="utf-8") as file:
        file.write(to_markdown(report))


def to_markdown(report: dict[str, Any]) -> str:
    """Write a report as a Markdown page."""
    evaluations = report["evaluations"]
    rows = [
        {
            "labels": found["protocol"],
            "prior": found["prior"],
            "n": found["n"],
            "accuracy": with_interval(found["accuracy"], found["interval"]),
            "macro-F1": with_interval(found["macro_f1"], found["macro_f1_interval"]),
            "mean recall": exact_percent(found["mean_recall"]),
        }
        for found in evaluations
    ]
    views = evaluations[0]["views"]
    augmentation = "Single view" if views == 1 else f"Mean of {views} views"
    parts = [
        f"# {report['model']} on {report['dataset']}, {report['split']}",
        f"{augmentation}; in brackets: 95% confidence interval (bootstrap).",
        markdown_table(rows),
        *filter(None, [describe_parts(report.get("run_images", {}))]),
        *only_duplicates(evaluations),
        *_left_out(report),
        "## Probabilities",
        markdown_table([_probabilities(found) for found in evaluations]),
        "ECE with the card's temperature and without; votes: mean Jensen-Shannon distance to people's votes, 0..1.",
        "## Accuracy on the most confident predictions",
        markdown_table([_coverage(found) for found in evaluations]),
        "Risk-coverage: the accuracy if only this share of the images, the most confident, gets a prediction.",
        "## Recall of each expression",
        markdown_table(_recall_rows(evaluations)),
    ]
    if "groups" in report:
        parts += ["## Groups", *_groups(report["groups"])]
    if "end_to_end" in report:
        parts += ["## End to end", _end_to_end(report["end_to_end"])]
    return "\n\n".join(parts) + "\n"


def _groups(rows: list[dict[str, Any]]) -> list[str]:
    """Return the tables of the groups, and how to read them."""
    return [
        share_table(rows),
        recall_table(rows),
        "Recall of each expression, with the number of its images. In brackets: 95% confidence interval (Wilson; that "
        "of a mean recall follows from those of the recalls). "
        f"Groups of fewer than {FEW} images say little. The accuracy of groups differs, too, where they show other "
        "expressions, so compare recalls.",
    ]


def _left_out(report: dict[str, Any]) -> list[str]:
    """Say how many files of the whole dataset were left out, if any."""
    count = report.get("left_out", 0)
    return [f"Files left out, because they have no face or cannot be read: {count:,}."] if count else []


def only_duplicates(evaluations: Iterable[dict[str, Any]]) -> list[str]:
    """Name the label sets without a de-duplicated row, because no image would be left.

    Args:
        evaluations: Evaluations as plain data (`Evaluation.to_dict`).
    """
    return [
        f"{found['protocol']}: all {found['n']} images have a near-duplicate in Training, so there is no "
        "de-duplicated row."
        for found in evaluations
        if found.get("near_duplicates") == found["n"]
    ]


def _probabilities(found: dict[str, Any]) -> dict[str, Any]:
    """Return the row on the calibration of one evaluation."""
    distance = found["vote_distance"]
    return {
        "labels": found["protocol"],
        "ECE": exact_percent(found["ece"]),
        "without": exact_percent(found["ece_before_temperature"]),
        "NLL": found["nll"],
        "Brier": found["brier"],
        "votes": "-" if distance is None else distance,
    }


def _coverage(found: dict[str, Any]) -> dict[str, str]:
    """Return the row on the accuracy at each coverage."""
    shares = {f"{float(share):.0%}": exact_percent(value) for share, value in found["coverage"].items()}
    return {"labels": found["protocol"], **shares}


def _recall_rows(evaluations: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Return the rows on the recall of each class, with a column for each label of any head."""
    labels = list(dict.fromkeys(label for found in evaluations for label in found["recall"]))
    return [
        {"labels": found["protocol"], **{label: exact_percent(found["recall"].get(label)) for label in labels}}
        for found in evaluations
    ]


def _end_to_end(found: dict[str, Any]) -> str:
    """Describe the loss of accuracy of the whole pipeline against the given crop."""
    return (
        f"The detector {found['detector']} found {found['found']} of {found['n']} faces "
        f"({exact_percent(found['detection_rate'])}), "
        f"each enlarged four times on a canvas twice as wide. On those, the accuracy is "
        f"{exact_percent(found['accuracy_of_given_crop'])} with the given crop and "
        f"{exact_percent(found['accuracy_end_to_end'])} with the pipeline's crop: a loss of "
        f"{100 * found['loss']:.1f} points."
    )
