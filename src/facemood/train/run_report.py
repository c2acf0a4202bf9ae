"""Write the report of a training run: learning curves, confusion matrix, samples, and a page that shows them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facemood.atomic import replacing
from facemood.datasets import ExpressionDataset
from facemood.evaluation import metrics
from facemood.evaluation.figures import draw_confusion, drawing, label_ends, label_percent
from facemood.evaluation.mistakes import explain_mistakes, write_mistakes
from facemood.evaluation.protocol import match_head, run_all
from facemood.explain import InputScorer
from facemood.models import ModelSession
from facemood.render.palette import LINE_COLOURS
from facemood.spacing import evenly_spaced
from facemood.text import exact_percent, markdown_table
from facemood.train.data.divide import prepare
from facemood.train.fit import CONTACT_SHEET
from facemood.train.run_folder import RUN_FILE, read_facts, read_history, read_recipe

SAMPLES = 24
"""Validation images on the page: half of them with right predictions, half with wrong ones, if there are as many."""

MISTAKES = "mistakes.md"
"""The page of explained mistakes."""


def write_report(run: Path, dataset: ExpressionDataset, model: Path, *, mistakes: int = 0) -> Path:
    """Write ``report.md`` and its figures on the validation images into a run's folder.

    Args:
        run: The folder of a finished run.
        dataset: The dataset that it was trained on.
        model: The exported ONNX file.
        mistakes: Number of worst mistakes that are explained, on a separate page.

    Returns:
        The page.

    Raises:
        RecipeError: The run's facts or history are missing or damaged.
        MissingExtraError: matplotlib is not installed, or the packages for explanations (extra ``explain``).
        OutputError: The folder cannot be written.
    """
    facts = read_facts(run)
    _, validation = prepare(read_recipe(run), dataset)
    session = ModelSession(model, device="cpu")
    head = match_head(session.card, validation) or session.card.default_head
    predicted = run_all(session, validation.images)[head].argmax(axis=1)
    confusion = metrics.confusion_matrix(predicted, validation.labels, len(validation.classes))
    epochs = read_history(run)
    draw_curves(epochs, run / "curves.svg", head=head)
    draw_confusion(
        validation.classes, confusion, run / "confusion.svg", title=f"Validation, {len(validation):,} images"
    )
    draw_samples(validation, predicted, run / "samples.svg")
    page = _page(facts, epochs, confusion, validation.classes, model.name)
    if mistakes:
        explained = explain_mistakes(InputScorer(session, head), validation, mistakes)
        write_mistakes(run / MISTAKES, explained)
        page += f"\n## Mistakes\n\n[{len(explained)} of the worst mistakes]({MISTAKES}), with explanations.\n"
    with replacing(run / "report.md", encoding="utf-8") as text:
        text.write(page)
    return run / "report.md"


def training_seconds(epochs: Sequence[dict[str, Any]]) -> float:
    """Add up the seconds of a run, whose clock restarts whenever it is resumed.

    Example:
        >>> training_seconds([{"seconds": 10.0}, {"seconds": 20.0}, {"seconds": 12.0}])
        32.0
    """
    seconds = [float(line["seconds"]) for line in epochs]
    return sum(now for now, then in zip(seconds, [*seconds[1:], 0.0], strict=True) if then < now)


def draw_curves(epochs: Sequence[dict[str, Any]], file: Path, *, head: str) -> None:
    """Draw loss and accuracy by epoch, on augmented training images and on validation images."""
    numbers = [line["epoch"] + 1 for line in epochs]
    panels = {
        "loss": {"training": "train_loss", "validation": f"{head}_loss"},
        "accuracy": {"training": "train_accuracy", "validation": f"{head}_accuracy"},
    }
    with drawing(file, height=4) as figure:
        for axes, (title, lines) in zip(figure.subplots(1, 2), panels.items(), strict=True):
            ends = []
            for (name, key), colour in zip(lines.items(), LINE_COLOURS, strict=False):
                values = [line.get(key, np.nan) for line in epochs]
                axes.plot(numbers, values, color=colour)
                ends.append((numbers[-1], values[-1], name, colour))
            label_ends(axes, ends)
            axes.set_title(title)
            axes.set_xlabel("epoch")
            if title == "accuracy":
                label_percent(axes.yaxis, "")


def draw_samples(validation: ExpressionDataset, predicted: NDArray[np.int64], file: Path) -> None:
    """Draw validation images with their predictions; wrong ones have the true label below."""
    right = predicted == validation.labels
    shown = np.concatenate([_some(~right), _some(right)])
    with drawing(file, height=1.75 * -(-len(shown) // 8)) as figure:
        for axes, row in zip(figure.subplots(-(-len(shown) // 8), 8, squeeze=False).flat, shown, strict=False):
            image = np.asarray(validation.images[row])
            axes.imshow(image if image.ndim == 2 else image[..., ::-1], cmap="gray", vmin=0, vmax=255)
            axes.set_title(
                validation.classes[predicted[row]], fontsize=9, color=LINE_COLOURS[0] if right[row] else LINE_COLOURS[1]
            )
            axes.set_xlabel("" if right[row] else f"is {validation.classes[validation.labels[row]]}", fontsize=8)
        for axes in figure.axes:
            axes.set_xticks([])
            axes.set_yticks([])
            axes.spines[:].set_visible(False)


def _some(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the rows of evenly spaced marked images, at most half of `SAMPLES`."""
    rows = np.flatnonzero(mask)
    return rows[evenly_spaced(len(rows), SAMPLES // 2)]


def _page(
    facts: dict[str, Any],
    epochs: Sequence[dict[str, Any]],
    confusion: NDArray[np.int64],
    classes: Sequence[str],
    model: str,
) -> str:
    """Return the page as Markdown."""
    recipe, trained = facts["recipe"], facts["trained_on"]
    precision, recall, f1 = metrics.class_scores(confusion)
    rows = [
        {
            "class": word,
            "images": int(count),
            "precision": exact_percent(p),
            "recall": exact_percent(r),
            "F1": exact_percent(f),
        }
        for word, count, p, r, f in zip(classes, confusion.sum(axis=1), precision, recall, f1, strict=True)
    ]
    left_out = f", {len(facts['unreadable'])} unusable files are left out" if facts["unreadable"] else ""
    counts = ", ".join(f"{word} {count:,}" for word, count in trained["classes"].items())
    versions = ", ".join(f"{name} {version}" for name, version in {**facts["versions"], **facts["environment"]}.items())
    parts = [
        f"# Training run: {recipe['name']}",
        recipe["description"],
        f"- Trained on {trained['images']:,} images of {facts['dataset']} ({counts}){left_out}.\n"
        f"- Validated on {facts['validated_on']['images']:,} images; the {recipe['stop']['keep']} weights are kept.\n"
        f"- {len(epochs)} epochs in {training_seconds(epochs):,.0f} seconds.\n"
        f"- Model: [{model}]({model}); recipe and environment: [{RUN_FILE}]({RUN_FILE}) ({versions}).",
        "## On the validation images",
        f"Accuracy {exact_percent(confusion.trace() / confusion.sum())}, "
        f"macro-F1 {exact_percent(metrics.macro_f1(confusion))}, "
        f"mean recall {exact_percent(metrics.mean_recall(confusion))}. They were monitored in training, so the "
        "accuracy on other images is a little lower.",
        markdown_table(rows),
        "![Confusion matrix](confusion.svg)",
        "## Curves",
        "![Loss and accuracy by epoch](curves.svg)",
        "Training uses augmentation and dropout, so its figures can be worse than those of validation.",
        "## Samples",
        "![Validation images with their predictions](samples.svg)",
        "## Augmentation",
        f"![Augmented training images]({CONTACT_SHEET})",
        "Each row is a training image: the original, then seven augmented versions.",
    ]
    return "\n\n".join(parts) + "\n"
