"""Figures of people over time, for notebooks: stacked areas of the probabilities, and each expression's share of time.

They are made from plain arrays, so that whatever has them can be drawn; `facemood.timeline.Track` has.
"""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from facemood.errors import require
from facemood.render.palette import CHART_GREY, CHART_INK, hex_of
from facemood.text import clock, share_percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 10.4
"""Inches of a figure, unless another width is asked for."""

ROW = 1.9
"""Inches of height for each person."""

DOTS = 110
"""Pixels an inch of a figure in a notebook."""

PALE = "#e4e4e4"
"""The whole bar that a share is drawn on."""

STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib, so that all machines lay out alike
    "font.size": 9,
    "text.color": CHART_INK,
    "axes.edgecolor": CHART_GREY,
    "axes.labelcolor": CHART_GREY,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": CHART_GREY,
    "ytick.color": CHART_GREY,
    "svg.fonttype": "none",
    "svg.hashsalt": "facemood",
}
"""How the figures look, over matplotlib's own defaults; a user's settings do not count."""

TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
"""Seconds from one mark of a time axis to the next; longer videos have one every so many hours."""


class Person(Protocol):
    """What is drawn of a person: when a frame begins and ends, and what it says; `facemood.timeline.Track` is one."""

    @property
    def source(self) -> str:
        """The video."""
        ...

    @property
    def track_id(self) -> int:
        """The person's number."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """The K label words."""
        ...

    @property
    def timestamps(self) -> NDArray[np.float64]:
        """(T,) seconds, rising."""
        ...

    @property
    def ends(self) -> NDArray[np.float64]:
        """(T,) seconds; where a frame ends later than the next begins, or at once, the person stays in sight."""
        ...

    @property
    def probabilities(self) -> NDArray[np.float32]:
        """(T, K); each row sums to 1."""
        ...

    @property
    def shares(self) -> Mapping[str, float]:
        """Each label's share of the time, 0..1."""
        ...


def plot_timeline(people: Sequence[Person], *, width: float = WIDTH) -> Figure:
    """Draw people over time, one below the other: their probabilities as stacked areas, and the shares of the time.

    Where a person is not seen the area is empty. The lines go straight from frame to frame; the last frame in sight is
    held until its end.

    Args:
        people: Such as `facemood.timeline.collect_tracks` gives; those of one video have one time axis.
        width: Inches.

    Returns:
        A figure that belongs to no window: a notebook shows it, and `savefig` writes it.

    Raises:
        MissingExtraError: matplotlib is not installed (extra ``plot``).
        ValueError: There is nobody to draw.

    Example:
        >>> from facemood.timeline import Track
        >>> times, sure = np.array([0.0, 0.1]), np.array([[0.9, 0.1], [0.4, 0.6]], np.float32)
        >>> track = Track("a.mp4", 1, ("happy", "sad"), times, times + 0.1, sure, sure.argmax(1), np.zeros((2, 4)))
        >>> [axes.get_title("left") for axes in plot_timeline([track]).axes]
        ['a.mp4, person 1', 'share of the time']
    """
    if not people:
        raise ValueError("there is nobody to draw: no face of these results has a person's number and a time")
    labels = tuple(dict.fromkeys(label for person in people for label in stacked(person.labels)))
    with _drawing(width, 0.7 + ROW * len(people)) as figure:
        grid = figure.subplots(len(people), 2, squeeze=False, width_ratios=(5, 1))
        for (areas, shares), person in zip(grid, people, strict=True):
            _draw_areas(areas, person, _span(person, people))
            _draw_shares(shares, person)
        colours = [hex_of(label) for label in labels]
        patches = require("matplotlib.patches", extra="plot")
        handles = [patches.Patch(color=colour, label=label) for label, colour in zip(labels, colours, strict=True)]
        figure.legend(handles=handles, loc="outside upper left", ncols=8, frameon=False, handlelength=1)
    return figure


def stacked(labels: Sequence[str]) -> tuple[str, ...]:
    """Return labels as they are stacked, from below: in their order, but neutral on top, as the ground of the others.

    Example:
        >>> stacked(("happy", "neutral", "contempt"))
        ('happy', 'contempt', 'neutral')
    """
    return tuple(sorted(labels, key=lambda label: label == "neutral"))


def in_sight(timestamps: NDArray[np.float64], ends: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return the stretches in which a person is seen without a break, as pairs of a first frame and one after the last.

    Args:
        timestamps: (T,) seconds at which frames begin, rising.
        ends: (T,) seconds at which they end.

    Example:
        >>> in_sight(np.array([0.0, 1.0, 5.0]), np.array([1.0, 2.0, 6.0]))
        [(0, 2), (2, 3)]
    """
    breaks = (np.flatnonzero(timestamps[1:] > ends[:-1] + 1e-9) + 1).tolist()
    bounds = [0, *breaks, len(timestamps)] if len(timestamps) else []
    return list(itertools.pairwise(bounds))


def time_ticks(start: float, end: float, *, most: int = 8) -> dict[float, str]:
    """Choose round times for an axis, no more than so many, with what is written at each.

    Example:
        >>> time_ticks(0, 61, most=5)
        {0.0: '0:00', 15.0: '0:15', 30.0: '0:30', 45.0: '0:45', 60.0: '1:00'}
    """
    for step in itertools.chain(TICKS, itertools.count(2 * 3600, 3600)):
        first, last = math.ceil(start / step - 1e-9), math.floor(end / step + 1e-9)
        if last - first < most:
            break
    times = [round(float(number * step), 6) for number in range(first, last + 1)]
    return {time: clock(time, decimals=int(step < 1)) for time in times}


def _span(person: Person, people: Sequence[Person]) -> tuple[float, float]:
    """Return when the first of a video's people comes and the last one goes."""
    same = [other for other in people if other.source == person.source and len(other.timestamps)]
    return min(float(one.timestamps[0]) for one in same), max(float(one.ends[-1]) for one in same)


def _draw_areas(axes: Axes, person: Person, span: tuple[float, float]) -> None:
    """Draw one person's probabilities over the video's time."""
    order = [person.labels.index(label) for label in stacked(person.labels)]
    colours = [hex_of(person.labels[column]) for column in order]
    for first, end in in_sight(person.timestamps, person.ends):
        times = np.append(person.timestamps[first:end], person.ends[end - 1])
        rows = person.probabilities[first:end, order]
        layers = np.concatenate([rows, rows[-1:]]).T  # (K, T + 1)
        axes.stackplot(times, layers, colors=colours, linewidth=0.4, edgecolor="white")
    axes.set_title(f"{person.source}, person {person.track_id}")
    axes.set(xlim=span, ylim=(0, 1))
    axes.set_yticks([0, 0.5, 1], ["0%", "50%", "100%"])
    ticks = time_ticks(*span)
    axes.set_xticks(list(ticks), list(ticks.values()))


def _draw_shares(axes: Axes, person: Person) -> None:
    """Draw each expression's share of one person's time as a bar with its number, the first label at the top."""
    places = range(len(person.labels))
    shares = [person.shares[label] for label in person.labels]
    axes.barh(places, 1, color=PALE, height=0.7)
    axes.barh(places, shares, color=[hex_of(label) for label in person.labels], height=0.7)
    for place, share in zip(places, shares, strict=True):
        axes.text(1.06, place, share_percent(share), va="center", color=CHART_INK if share else CHART_GREY, fontsize=8)
    axes.set_title("share of the time")
    axes.set_xlim(0, 1.4)
    axes.set_xticks([])
    axes.set_yticks(places, person.labels, fontsize=8)
    axes.tick_params(length=0)
    axes.invert_yaxis()
    axes.spines[:].set_visible(False)


@contextmanager
def _drawing(width: float, height: float) -> Iterator[Figure]:
    """Give an empty figure of a size in inches, in our style while the block lasts."""
    matplotlib = require("matplotlib", extra="plot")
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield _kind_of_figure()(figsize=(width, height), layout="constrained")


@lru_cache(maxsize=1)
def _kind_of_figure() -> type[Figure]:
    """Return matplotlib's figure with the method that notebooks ask for; else they show those of pyplot alone."""
    from matplotlib.figure import Figure

    class NotebookFigure(Figure):
        def _repr_png_(self) -> bytes:
            """Show the figure in a notebook."""
            with io.BytesIO() as file:
                self.savefig(file, format="png", dpi=DOTS)
                return file.getvalue()

    return NotebookFigure
