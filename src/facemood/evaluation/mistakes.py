"""Explain the worst mistakes of a model: what supports the wrong prediction, and what supports the true label."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facemood.atomic import replacing
from facemood.datasets import ExpressionDataset
from facemood.evaluation.protocol import run_all
from facemood.explain import ExplainOptions, Explanation, InputScorer, explain_crop
from facemood.explain.figure import draw_explanations
from facemood.render import write_image
from facemood.text import exact_percent


class Mistake(NamedTuple):
    """An image with a wrong prediction.

    Attributes:
        row: Its index in the dataset.
        truth: Its true label.
        predicted: Explanation of the predicted label.
        missed: Explanation of the true label.
    """

    row: int
    truth: str
    predicted: Explanation
    missed: Explanation


def explain_mistakes(
    scorer: InputScorer, dataset: ExpressionDataset, count: int, options: ExplainOptions | None = None
) -> list[Mistake]:
    """Explain the wrong predictions of a model, the most confident first.

    Args:
        scorer: The model; its head must know the dataset's classes.
        dataset: Labelled faces.
        count: Largest number of mistakes.
        options: How they are explained; None for LIME with its defaults.

    Raises:
        ModelError: The head does not know a class.
        ExplanationError: An option is invalid.
        MissingExtraError: LIME's packages are not installed (extra ``explain``).
    """
    probabilities = scorer.calibrate(run_all(scorer.session, dataset.images))
    columns = np.array([scorer.column(word) for word in dataset.classes])
    mistakes = []
    for row in worst_rows(probabilities, columns[dataset.labels], count):
        image, truth = np.asarray(dataset.images[row]), dataset.classes[int(dataset.labels[row])]
        predicted = explain_crop(scorer, image, options)
        mistakes.append(Mistake(row, truth, predicted, explain_crop(scorer, image, options, label=truth)))
    return mistakes


def worst_rows(probabilities: NDArray[np.float32], labels: NDArray[np.int64], count: int) -> list[int]:
    """Return the rows with wrong predictions, the most confident first.

    Args:
        probabilities: (N, K).
        labels: (N,) true columns.
        count: Largest number of rows.

    Example:
        >>> probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]], np.float32)
        >>> worst_rows(probabilities, np.array([1, 1, 1]), 5)
        [0, 1]
    """
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    order = np.argsort(-probabilities[wrong].max(axis=1), kind="stable")[:count]
    return [int(row) for row in wrong[order]]


def write_mistakes(page: Path, mistakes: list[Mistake]) -> Path:
    """Write a page on mistakes, with an image for each in a folder of the page's name.

    Raises:
        OutputError: A file cannot be written.
    """
    parts = [
        "# The worst mistakes",
        "The wrong predictions with the highest confidence. The upper row explains the predicted label, the lower row "
        "the true label. Green parts support the label, red parts contradict it. The numbers are percentage points of "
        "probability.",
    ]
    for number, mistake in enumerate(mistakes, start=1):
        name = f"{page.stem}/{number:02}.png"
        write_image(page.parent / name, draw_explanations([mistake.predicted, mistake.missed]))
        found = f"{mistake.predicted.label} ({exact_percent(mistake.predicted.probability)})"
        title = f"{mistake.truth}, predicted {found}"
        parts += [f"## Image {mistake.row}: {title}", f"![{title}]({name})"]
    if not mistakes:
        parts.append("There are none: all predictions are right.")
    with replacing(page, encoding="utf-8") as text:
        text.write("\n\n".join(parts) + "\n")
    return page
