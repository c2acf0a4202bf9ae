"""The worst mistakes of a model, explained: what it saw that spoke for the wrong label, and for the right one."""

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
    """An image that was read wrong.

    Attributes:
        row: Its place in the dataset.
        truth: Its label.
        read: Why it was read as something else.
        missed: What spoke for the truth, and against it.
    """

    row: int
    truth: str
    read: Explanation
    missed: Explanation


def explain_mistakes(
    scorer: InputScorer, dataset: ExpressionDataset, count: int, options: ExplainOptions | None = None
) -> list[Mistake]:
    """Explain the images that a model reads wrong and is surest of.

    Args:
        scorer: The model; its head must know the dataset's classes.
        dataset: Labelled faces.
        count: How many at most, the surest first.
        options: How; None takes LIME with its usual settings.

    Raises:
        ModelError: The head does not know a class.
        ExplanationError: An option is impossible.
        MissingExtraError: LIME's packages are not installed (extra ``explain``).
    """
    probabilities = scorer.calibrate(run_all(scorer.session, dataset.images)[scorer.head])
    columns = np.array([scorer.column(word) for word in dataset.classes])
    made = []
    for row in worst_rows(probabilities, columns[dataset.labels], count):
        image, truth = np.asarray(dataset.images[row]), dataset.classes[int(dataset.labels[row])]
        read = explain_crop(scorer, image, options)
        made.append(Mistake(row, truth, read, explain_crop(scorer, image, options, label=truth)))
    return made


def worst_rows(probabilities: NDArray[np.float32], labels: NDArray[np.int64], count: int) -> list[int]:
    """Return the rows that are read wrong, the surest first.

    Args:
        probabilities: (N, K), as they were read.
        labels: (N,) the true columns.
        count: How many at most.

    Example:
        >>> read = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]], np.float32)
        >>> worst_rows(read, np.array([1, 1, 1]), 5)
        [0, 1]
    """
    wrong = np.flatnonzero(probabilities.argmax(axis=1) != labels)
    surest = np.argsort(-probabilities[wrong].max(axis=1), kind="stable")[:count]
    return [int(row) for row in wrong[surest]]


def write_mistakes(page: Path, mistakes: list[Mistake]) -> Path:
    """Write a page about mistakes, and a picture for each, in a folder of the page's name.

    Raises:
        OutputError: The place cannot be written to.
    """
    parts = [
        "# The worst mistakes",
        "The images that were read wrong with the most confidence. Above, what spoke for the label that was read; "
        "below, what spoke for the true one. Green speaks for the label, red against it; the numbers are points of "
        "probability.",
    ]
    for number, mistake in enumerate(mistakes, start=1):
        name = f"{page.stem}/{number:02}.png"
        write_image(page.parent / name, draw_explanations([mistake.read, mistake.missed]))
        told = f"{mistake.truth}, read as {mistake.read.label} ({exact_percent(mistake.read.probability)})"
        parts += [f"## Image {mistake.row}: {told}", f"![{told}]({name})"]
    if not mistakes:
        parts.append("There is none: every image was read right.")
    with replacing(page, encoding="utf-8") as text:
        text.write("\n\n".join(parts) + "\n")
    return page
