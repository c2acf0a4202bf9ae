"""Draw the figures of an evaluation as SVG files that are reproducible byte for byte."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from facemood.atomic import replacing
from facemood.errors import require
from facemood.evaluation.corruptions import CORRUPTIONS
from facemood.render.palette import CHART_GREY, CHART_INK, LINE_COLOURS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

WIDTH = 10.4
"""Width in inches: 1000 pixels at a page's 96 pixels per inch."""

PALE = "#e0e0e0"
"""Colour of the grid."""

STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib, so that all machines have the same layout
    "font.size": 10,
    "text.color": CHART_INK,
    "axes.edgecolor": CHART_GREY,
    "axes.labelcolor": CHART_INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": PALE,
    "grid.linewidth": 0.7,
    "xtick.color": CHART_GREY,
    "ytick.color": CHART_GREY,
    "xtick.labelcolor": CHART_INK,
    "ytick.labelcolor": CHART_INK,
    "legend.frameon": False,
    "svg.fonttype": "none",  # texts stay texts: small, searchable files
    "svg.hashsalt": "facemood",
}
"""Style of all figures, on top of matplotlib's defaults; a user's settings are ignored."""


def draw_confusion(
    classes: Sequence[str], confusion: NDArray[np.int64] | Sequence[Sequence[int]], file: Path, *, title: str
) -> None:
    """Draw a confusion matrix: percentages of each true class (row), with the counts below.

    Args:
        classes: K labels.
        confusion: (K, K) counts; rows are true labels, columns are predictions.
        file: The SVG file.
        title: The title.

    Raises:
        MissingExtraError: matplotlib is not installed (extra ``plot``).
        OutputError: The file cannot be written.
    """
    counts = np.asarray(confusion)
    totals = counts.sum(axis=1)
    shares = counts / np.maximum(totals, 1)[:, None]
    with drawing(file, height=1.2 + 0.6 * len(classes)) as figure:
        axes = figure.add_subplot()
        axes.grid(False)
        axes.spines[:].set_visible(False)
        axes.pcolormesh(shares, cmap="Blues", vmin=0, vmax=1, edgecolors="white", linewidth=1.5)
        axes.invert_yaxis()
        for (row, column), share in np.ndenumerate(shares):
            _write_cell(axes, column + 0.5, row + 0.5, float(share), int(counts[row, column]))
        middles = np.arange(len(classes)) + 0.5
        axes.set_xticks(middles, classes)
        axes.set_yticks(middles, [f"{word}\nn = {total:,}" for word, total in zip(classes, totals, strict=True)])
        axes.tick_params(length=0, labeltop=True, labelbottom=False)
        axes.xaxis.set_label_position("top")
        axes.set_xlabel("predicted", loc="left", color=CHART_GREY)
        axes.set_ylabel("true", loc="top", color=CHART_GREY)
        figure.suptitle(title, x=0.01, ha="left", fontsize=12)


def draw_coverage(
    curves: Mapping[str, Mapping[float, float]], file: Path, *, certain: Mapping[str, tuple[float, float]] | None
) -> None:
    """Draw risk-coverage curves: accuracy against the share of faces with a prediction, the most confident first.

    Args:
        curves: For each name, accuracies by coverage, as `metrics.accuracy_at_coverage` returns them.
        file: The SVG file.
        certain: For some of the names, the share of certain predictions and their accuracy.

    Raises:
        MissingExtraError: matplotlib is not installed (extra ``plot``).
        OutputError: The file cannot be written.
    """
    with drawing(file, height=5) as figure:
        axes = figure.add_subplot()
        ends = []
        for (name, curve), colour in zip(curves.items(), _colours(len(curves)), strict=True):
            shares = sorted(curve)
            accuracies = [curve[share] for share in shares]
            axes.plot(shares, accuracies, color=colour, marker="o", markersize=4)
            ends.append((shares[-1], accuracies[-1], f"{name} {accuracies[-1]:.1%}", colour))
            if certain and name in certain:
                share, right = certain[name]
                below = len(ends) % 2 == 0  # every second text, because curves are often close to each other
                _mark(axes, (share, right), f"certain: {share:.0%} of faces, {right:.1%} right", colour, left=below)
        label_ends(axes, ends)
        label_percent(axes.xaxis, "coverage: share of the faces with a prediction")
        label_percent(axes.yaxis, "accuracy on these")


def draw_balance(
    curves: Mapping[str, Sequence[tuple[float, float, float]]], file: Path, *, chosen: Mapping[str, float]
) -> None:
    """Draw mean recall against accuracy while the prior of the training data is removed from the predictions.

    Args:
        curves: For each name, rows of strength, accuracy and mean recall. Strength 0 keeps the dataset's prior.
        file: The SVG file.
        chosen: The strength that is used, for each name.

    Raises:
        MissingExtraError: matplotlib is not installed (extra ``plot``).
        OutputError: The file cannot be written.
    """
    with drawing(file, height=_panel_height(len(curves))) as figure:
        panels = _panels(figure, list(curves))
        for axes, (name, rows), colour in zip(panels, curves.items(), _colours(len(curves)), strict=True):
            _, accuracies, recalls = zip(*rows, strict=True)
            axes.plot(accuracies, recalls, color=colour, marker="o", markersize=4)
            _make_square(axes, accuracies, recalls)
            for strength, word in {chosen[name]: "balanced", 0.0: "dataset"}.items():
                _, *point = min(rows, key=lambda row: abs(row[0] - strength))
                inwards = point[0] > sum(axes.get_xlim()) / 2
                _mark(axes, point, f"{word} (strength {strength:g})", colour, left=inwards)
            label_percent(axes.xaxis, "accuracy")
            label_percent(axes.yaxis, "mean recall")


def draw_reliability(bins: Mapping[str, Sequence[tuple[float, float, int]]], file: Path) -> None:
    """Draw reliability diagrams: accuracy against confidence; on the diagonal the two agree.

    Args:
        bins: For each name, rows of mean confidence, accuracy and the count of faces. Bins without faces are left out.
        file: The SVG file.

    Raises:
        MissingExtraError: matplotlib is not installed (extra ``plot``).
        OutputError: The file cannot be written.
    """
    with drawing(file, height=_panel_height(len(bins))) as figure:
        panels = _panels(figure, list(bins))
        for axes, rows, colour in zip(panels, bins.values(), _colours(len(bins)), strict=True):
            filled = [row for row in rows if row[2]]
            confidences, accuracies, counts = zip(*filled, strict=True)
            axes.plot([0, 1], [0, 1], color=CHART_GREY, linewidth=1, linestyle="--")
            areas = np.maximum(600 * np.array(counts) / max(counts), 12)
            axes.scatter(confidences, accuracies, s=areas, color=colour, alpha=0.75, linewidth=0)
            axes.set(xlim=(0, 1.05), ylim=(0, 1.05), aspect="equal")
            axes.text(0.03, 0.97, "underconfident", color=CHART_GREY)
            axes.text(1.02, 0.05, "overconfident", color=CHART_GREY, ha="right")
            label_percent(axes.xaxis, f"mean confidence (area: faces, at most {max(counts):,})")
            label_percent(axes.yaxis, "accuracy")


def draw_corruptions(
    sweep: Mapping[str, Mapping[str, Sequence[float]]], clean: Mapping[str, float], file: Path
) -> None:
    """Draw accuracy against the level of corruptions: a panel for each corruption, a line for each head.

    Args:
        sweep: Accuracies of each corruption and head at its levels, mild to strong.
        clean: Accuracy of each head on the original images, the first point of each line.
        file: The SVG file.

    Raises:
        MissingExtraError: matplotlib is not installed (extra ``plot``).
        OutputError: The file cannot be written.
    """
    rows = math.ceil(len(sweep) / 5)
    with drawing(file, height=0.6 + 2.5 * rows) as figure:
        panels = figure.subplots(rows, 5, sharey=True, squeeze=False)
        for axes in panels.flat[len(sweep) :]:
            axes.set_visible(False)
        for axes, (corruption, heads) in zip(panels.flat, sweep.items(), strict=False):
            for (head, accuracies), colour in zip(heads.items(), _colours(len(heads)), strict=True):
                line = [clean[head], *accuracies]
                axes.plot(range(len(line)), line, color=colour, marker="o", markersize=4, label=head)
            _name_levels(axes, corruption, len(line))
        for axes in panels[:, 0]:
            label_percent(axes.yaxis, "accuracy")
        figure.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=len(clean))


@contextmanager
def drawing(file: Path, *, height: float, form: str = "svg") -> Iterator[Figure]:
    """Yield an empty figure with a height in inches, and write it if the block ends without an error.

    Args:
        file: The file.
        height: Its height in inches; `WIDTH` is its width.
        form: ``"svg"`` or ``"png"``, of 150 pixels an inch.
    """
    matplotlib = require("matplotlib", extra="plot")
    figures = require("matplotlib.figure", extra="plot")
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        figure = figures.Figure(figsize=(WIDTH, height), layout="constrained")
        yield figure
        with replacing(file, "wb") as out:
            figure.savefig(out, format=form, dpi=150, metadata={"Date": None} if form == "svg" else None)


def _colours(count: int) -> list[str]:
    """Return a colour for each line; colours repeat if there are more lines than colours."""
    return [LINE_COLOURS[index % len(LINE_COLOURS)] for index in range(count)]


def _panel_height(count: int) -> float:
    """Return the height in inches of a figure with square panels, two per row."""
    return WIDTH / 2 * math.ceil(count / 2)


def _panels(figure: Figure, names: Sequence[str]) -> list[Axes]:
    """Add axes with titles, two per row."""
    columns = min(2, len(names))
    panels = [figure.add_subplot(math.ceil(len(names) / 2), columns, place + 1) for place in range(len(names))]
    for axes, name in zip(panels, names, strict=True):
        axes.set_title(name)
    return panels


def label_percent(axis: Axis, label: str) -> None:
    """Format the ticks of an axis as percentages, with as many decimals as needed."""
    axis.set_major_formatter(lambda share, _: f"{100 * share:.4g}%")
    axis.set_label_text(label)


def _write_cell(axes: Axes, x: float, y: float, share: float, count: int) -> None:
    """Write one cell of a confusion matrix; the text is white on dark cells."""
    colour = "white" if share > 0.65 else CHART_INK
    axes.text(x, y - 0.1, f"{share:.0%}", color=colour, ha="center", va="center", fontsize=11)
    axes.text(x, y + 0.24, f"{count:,}", color=colour, ha="center", va="center", fontsize=7.5)


def _make_square(axes: Axes, xs: Sequence[float], ys: Sequence[float]) -> None:
    """Set square limits around some points, so that both axes have the same scale."""
    middles = [(min(values) + max(values)) / 2 for values in (xs, ys)]
    half = 0.6 * max(np.ptp(xs), np.ptp(ys), 0.01)
    axes.set_xlim(middles[0] - half, middles[0] + half)
    axes.set_ylim(middles[1] - half, middles[1] + half)
    axes.set_box_aspect(1)
    axes.locator_params(nbins=6)


def _mark(axes: Axes, point: Sequence[float], text: str, colour: str, *, left: bool = False) -> None:
    """Mark a point of a falling curve with a ring and a text: above to the right, or below to the left."""
    x, y = point
    axes.plot(x, y, color=colour, marker="o", markersize=10, markerfacecolor="white", markeredgewidth=2)
    offset, end = ((-9, -14), "right") if left else ((8, 8), "left")
    axes.annotate(text, (x, y), offset, textcoords="offset points", color=colour, ha=end)


def label_ends(axes: Axes, ends: Sequence[tuple[float, float, str, str]]) -> None:
    """Write the names of lines (x, y, text, colour) to the right of their ends, moved up if they overlap."""
    bottom, top = axes.get_ylim()
    free = bottom
    for x, y, text, colour in sorted(ends, key=lambda end: end[1]):
        place = (x, max(y, free))
        axes.annotate(text, place, (8, 0), textcoords="offset points", color=colour, va="center", annotation_clip=False)
        free = place[1] + 0.05 * (top - bottom)


def _name_levels(axes: Axes, corruption: str, count: int) -> None:
    """Set the title of a corruption's panel and label its levels, if they are known."""
    known = CORRUPTIONS.get(corruption)
    levels = [f"{level:g}" for level in known.levels] if known else [str(level) for level in range(1, count)]
    axes.set_title(corruption)
    axes.margins(x=0.1)
    axes.set_xticks(range(count), ["clean", *levels])
    axes.set_xlabel(known.unit if known else "level", fontsize=8, color=CHART_GREY)
