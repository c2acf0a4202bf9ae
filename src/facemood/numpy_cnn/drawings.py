"""Figures of a network: the outputs of all layers for a face, classic filters, and learning curves."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from facemood.atomic import replacing
from facemood.errors import OutputError, require
from facemood.numpy_cnn.filters import FILTERS, apply_filter
from facemood.numpy_cnn.layer import Floats, walk
from facemood.numpy_cnn.sequential import Sequential
from facemood.numpy_cnn.training import Epoch

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KINDS = (".png", ".svg", ".pdf")
"""Supported file name extensions of figures."""

WIDTH = 11.0
"""Width of figures in inches."""

COLUMNS = 3
"""Columns of layers in the figure."""

MAPS = 10
"""Largest number of maps that are shown of each layer."""

BLUE = "#0072B2"
"""Colour of the first line of a chart; colour-blind readers can distinguish it from `ORANGE` (Okabe and Ito 2008)."""

ORANGE = "#D55E00"
"""Colour of the second line of a chart."""

GREY = "#666666"
"""Colour of secondary text."""

STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib, so that all machines have the same layout
    "font.size": 8,
    "axes.titlelocation": "left",
    "axes.titlesize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "svg.hashsalt": "facemood",
}
"""Style of the figures, on top of matplotlib's defaults."""


@contextmanager
def drawing(file: Path, *, height: float) -> Iterator[Figure]:
    """Yield an empty figure in this style, 11 inches wide, and write it if the block ends without an error.

    Args:
        file: .png, .svg or .pdf.
        height: Height of the figure in inches.

    Raises:
        MissingExtraError: matplotlib is not installed (extra ``plot``).
        OutputError: The file cannot be written, or its ending is unknown.
    """
    if file.suffix.lower() not in KINDS:
        raise OutputError(f"{file}: unknown kind of figure; expected one of {', '.join(KINDS)}")
    matplotlib, figures = (require(name, extra="plot") for name in ("matplotlib", "matplotlib.figure"))
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        figure = figures.Figure(figsize=(WIDTH, height), layout="constrained")
        yield figure
        undated: dict[str, Any] = {} if file.suffix.lower() == ".png" else {"metadata": {"Date": None}}
        if file.suffix.lower() == ".pdf":
            undated = {"metadata": {"CreationDate": None}}
        with replacing(file, "wb") as out:
            figure.savefig(out, format=file.suffix[1:].lower(), dpi=100, **undated)


def draw_layers(model: Sequential, image: NDArray[np.generic], labels: Sequence[str], file: Path) -> None:
    """Draw the outputs of all layers for one face, from pixels to probabilities, in the order of the forward pass.

    The first ten maps of a layer are shown, from black for its lowest number to white for its highest. Rows of numbers
    go from blue to yellow. Layer 4.0 is the first one inside layer 4.

    Args:
        model: A model with grey input.
        image: (h, w) of any type, of the size of the model's input.
        labels: Labels of its outputs.
        file: .png, .svg or .pdf.

    Raises:
        MissingExtraError: matplotlib is not installed (extra ``plot``).
        OutputError: The file cannot be written, or its ending is unknown.
    """
    probabilities = model.predict(image[None, :, :, None])[0]
    steps = [("pixels", image[:, :, None].astype(np.float32))]
    steps += [(f"{name} {type(layer).__name__}", layer.output[0]) for name, layer in walk(model.layers)]
    rows = math.ceil(len(steps) / COLUMNS)
    with drawing(file, height=0.62 * rows + 2.2) as figure:
        above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=(0.62 * rows, 2.2))[:, 0]
        grid = above.subplots(rows, COLUMNS, squeeze=False).T.ravel()  # read down, then to the right
        for axes in grid:
            axes.set_axis_off()
        for axes, (name, output) in zip(grid, steps, strict=False):
            maps = output.ndim == 3
            axes.imshow(montage(output), cmap="gray" if maps else "viridis", aspect="equal" if maps else "auto")
            axes.set_anchor("W")
            axes.set_title(f"{name}   {' x '.join(map(str, output.shape))}", color=GREY)
        _draw_bars(below.subplots(), labels, probabilities)


def draw_filters(image: NDArray[np.generic], file: Path) -> None:
    """Draw a grey face (h, w) after each of the classic filters, with the weights of the filters below.

    Raises:
        MissingExtraError: matplotlib is not installed (extra ``plot``).
        OutputError: The file cannot be written, or its ending is unknown.
    """
    with drawing(file, height=4.0) as figure:
        grid = figure.subplots(2, len(FILTERS), height_ratios=(2.4, 1))
        for (filtered, numbers), (name, weights) in zip(grid.T, FILTERS.items(), strict=True):
            filtered.imshow(np.clip(apply_filter(image, weights), 0, 255), cmap="gray", vmin=0, vmax=255)
            filtered.set_title(name)
            numbers.imshow(weights, cmap="RdBu_r", vmin=-12, vmax=12)
            for (row, column), weight in np.ndenumerate(weights):
                numbers.text(column, row, f"{weight:.3g}", ha="center", va="center", fontsize=7)
            filtered.set_axis_off()
            numbers.set_axis_off()


def draw_history(history: Sequence[Epoch], file: Path) -> None:
    """Draw loss and accuracy by epoch, on training and validation examples.

    Raises:
        MissingExtraError: matplotlib is not installed (extra ``plot``).
        OutputError: The file cannot be written, or its ending is unknown.
    """
    epochs = np.arange(1, len(history) + 1)
    with drawing(file, height=3.6) as figure:
        for axes, name in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
            axes.plot(epochs, [getattr(epoch, name) for epoch in history], "o-", color=BLUE, ms=3, label="training")
            held = [getattr(epoch, f"validation_{name}") for epoch in history]
            if None not in held:
                axes.plot(epochs, held, "o-", color=ORANGE, ms=3, label="validation")
            axes.set_title(name)
            axes.set_xlabel("epoch", color=GREY)
            axes.legend()


def montage(output: Floats) -> NDArray[np.float32]:
    """Arrange the first maps of a layer side by side.

    Args:
        output: (h, w, c) or (d,).

    Returns:
        (h, columns) of 0..1, NaN in the gaps between maps; (1, d) for a row of numbers.

    Example:
        >>> montage(np.zeros((6, 6, 24))).shape, montage(np.zeros(96)).shape
        ((6, 69), (1, 96))
    """
    lowest, highest = float(output.min()), float(output.max())
    shades = (output - lowest) / max(highest - lowest, 1e-12)
    if output.ndim == 1:
        return shades[None].astype(np.float32)
    maps = [shades[:, :, channel] for channel in range(min(MAPS, output.shape[2]))]
    gap = np.full((len(output), 1), np.nan)
    parts = [part for shade in maps for part in (gap, shade)][1:]
    return np.concatenate(parts, axis=1).astype(np.float32)


def _draw_bars(axes: Axes, labels: Sequence[str], probabilities: NDArray[np.float32]) -> None:
    """Draw the probabilities as bars with their values, the first label at the top."""
    places = range(len(labels))
    axes.barh(places, probabilities, color=BLUE, height=0.7)
    for place, probability in zip(places, probabilities.tolist(), strict=True):
        axes.text(probability + 0.01, place, f"{probability:.3f}", va="center", fontsize=7, color=GREY)
    axes.set_yticks(places, labels)
    axes.set_xlim(0, 1.08)
    axes.set_title("probabilities")
    axes.invert_yaxis()
