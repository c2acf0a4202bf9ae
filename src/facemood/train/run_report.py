"""Write the report of a training run: learning curves, confusion matrix, samples, and a page that shows them."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facemood.atomic import replacing
from facemood.datasets import ExpressionDataset
from facemood.errors import require
from facemood.evaluation import metrics
from facemood.evaluation.figures import draw_confusion, drawing, label_ends, label_percent
from facemood.evaluation.mistakes import explain_mistakes, write_mistakes
from facemood.evaluation.protocol import match_head, run_all
from facemood.explain import InputScorer
from facemood.models import ModelSession
from facemood.render.palette import CHART_INK, LINE_COLOURS
from facemood.spacing import evenly_spaced
from facemood.text import exact_percent, markdown_table, with_interval
from facemood.train.data.divide import prepare, test_images
from facemood.train.fit import CONTACT_SHEET
from facemood.train.run_folder import RUN_FILE, read_facts, read_history, read_recipe
from facemood.wilson import wilson_interval

SAMPLES = 24
"""Images on the page: half of them with right predictions, half with wrong ones, if there are as many."""

MISTAKES = "mistakes.md"
"""The page of explained mistakes."""

UNSEEN = "Nothing was learned from these images or chosen by them."
"""What the figures on test images are worth."""

WATCHED = "They were monitored in training, so the accuracy on other images is a little lower."
"""What the figures on validation images are worth."""

CSS = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 1000px; margin: 2rem auto; padding: 0 1rem; color: #1b1f24 }
img { max-width: 100%; height: auto }
table { border-collapse: collapse }
th, td { padding: .25rem .75rem; border-bottom: 1px solid #d0d7de; text-align: left }
"""
"""Style of the page in HTML, also on paper."""

HTML = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>{style}</style></head>
<body>
{body}</body></html>
"""
"""The page in HTML around its body."""


def write_report(run: Path, dataset: ExpressionDataset, model: Path, *, mistakes: int = 0) -> Path:
    """Write the report of a run into its folder: ``report.md`` with its figures, ``report.html`` and ``report.png``.

    It reports on the images that were kept aside for the test; if there are none, on the validation images.

    Args:
        run: The folder of a finished run.
        dataset: The dataset that it was trained on.
        model: The exported ONNX file.
        mistakes: Number of worst mistakes that are explained, on a separate page.

    Returns:
        The page ``report.md``.

    Raises:
        RecipeError: The run's facts or history are missing or damaged.
        MissingExtraError: matplotlib is not installed, or the packages for explanations (extra ``explain``).
        OutputError: The folder cannot be written.
    """
    facts, epochs = read_facts(run), read_history(run)
    test = test_images(dataset)
    shown = prepare(read_recipe(run), dataset)[1] if test is None else test
    session = ModelSession(model, device="cpu")
    head = match_head(session.card, shown) or session.card.default_head
    predicted = run_all(session, shown.images)[head].argmax(axis=1)
    confusion = metrics.confusion_matrix(predicted, shown.labels, len(shown.classes))
    title = f"{'Validation' if test is None else 'Test'}, {len(shown):,} images"
    draw_curves(epochs, run / "curves.svg", head=head)
    draw_confusion(shown.classes, confusion, run / "confusion.svg", title=title)
    draw_samples(shown, predicted, run / "samples.svg")
    page = _page(facts, epochs, confusion, shown.classes, model.name, kept_aside=test is not None)
    if mistakes:
        explained = explain_mistakes(InputScorer(session, head), shown, mistakes)
        write_mistakes(run / MISTAKES, explained)
        page += f"\n## Mistakes\n\n[{len(explained)} of the worst mistakes]({MISTAKES}), with explanations.\n"
    with replacing(run / "report.md", encoding="utf-8") as text:
        text.write(page)
    write_html(run / "report.html", page)
    draw_summary(run / "report.png", facts["recipe"]["name"], shown.classes, confusion, kept_aside=test is not None)
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


def draw_summary(
    file: Path, name: str, classes: Sequence[str], confusion: NDArray[np.int64], *, kept_aside: bool
) -> None:
    """Draw one picture to send: the accuracy, and the recall of each class, both with their intervals.

    Args:
        file: The PNG file.
        name: The name of the recipe.
        classes: K labels.
        confusion: (K, K) counts; rows are true labels, columns are predictions.
        kept_aside: Whether the images were kept aside; otherwise they are those of the validation.
    """
    counts = confusion.sum(axis=1)
    seen = [row for row, count in enumerate(counts) if count]
    with drawing(file, height=1.4 + 0.42 * len(seen), form="png") as figure:
        axes = figure.add_subplot()
        for place, row in enumerate(seen):
            recall = float(confusion[row, row] / counts[row])
            low, high = wilson_interval(recall, int(counts[row]))
            axes.barh(place, recall, height=0.55, color=LINE_COLOURS[0])
            axes.plot([low, high], [place, place], color=CHART_INK, linewidth=1.2)
            axes.text(1.02, place, f"{exact_percent(recall)} of {int(counts[row])}", va="center")
        axes.set_yticks(range(len(seen)), [classes[row] for row in seen])
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        axes.grid(False, axis="y")
        axes.tick_params(length=0)
        label_percent(axes.xaxis, f"found, of the images with this label ({_kind(kept_aside)})")
        figure.suptitle(f"{name}: {_accuracy(confusion)} right", x=0.01, ha="left", fontsize=14)


def write_html(file: Path, page: str) -> None:
    """Write a page in Markdown as one HTML file, which holds the figures that lie next to it.

    Args:
        file: The file.
        page: The page. Its figures are SVG or PNG files of the same folder.

    Raises:
        MissingExtraError: markdown-it-py is not installed (extra ``train``).
        OutputError: The file cannot be written.
    """
    markdown = require("markdown_it", extra="train").MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(page)
    for image in [part for token in tokens for part in token.children or () if part.type == "image"]:
        figure = file.parent / str(image.attrs["src"])
        kind = "svg+xml" if figure.suffix == ".svg" else "png"
        image.attrs["src"] = f"data:image/{kind};base64,{base64.b64encode(figure.read_bytes()).decode()}"
    body = markdown.renderer.render(tokens, markdown.options, {})
    title = html.escape(page.partition("\n")[0].lstrip("# "))
    with replacing(file, encoding="utf-8") as text:
        text.write(HTML.format(title=title, style=CSS, body=body))


def _kind(kept_aside: bool) -> str:
    """Name the images of the report."""
    return "test images, kept aside" if kept_aside else "validation images"


def _accuracy(confusion: NDArray[np.int64]) -> str:
    """Return the accuracy with its 95% interval (Wilson)."""
    right, total = int(confusion.trace()), int(confusion.sum())
    return with_interval(right / total, wilson_interval(right / total, total))


def _page(
    facts: dict[str, Any],
    epochs: Sequence[dict[str, Any]],
    confusion: NDArray[np.int64],
    classes: Sequence[str],
    model: str,
    *,
    kept_aside: bool,
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
        f"## On the {_kind(kept_aside)}",
        f"Accuracy {_accuracy(confusion)} of {confusion.sum():,} images, "
        f"macro-F1 {exact_percent(metrics.macro_f1(confusion))}, "
        f"mean recall {exact_percent(metrics.mean_recall(confusion))}. In brackets: 95% confidence interval (Wilson). "
        + (UNSEEN if kept_aside else WATCHED),
        markdown_table(rows),
        "![Confusion matrix](confusion.svg)",
        "## Curves",
        "![Loss and accuracy by epoch](curves.svg)",
        "Training uses augmentation and dropout, so its figures can be worse than those of validation.",
        "## Samples",
        "![Images with their predictions](samples.svg)",
        "## Augmentation",
        f"![Augmented training images]({CONTACT_SHEET})",
        "Each row is a training image: the original, then seven augmented versions.",
    ]
    return "\n\n".join(parts) + "\n"
