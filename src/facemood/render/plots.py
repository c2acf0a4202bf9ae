"""Figures of people over time, for notebooks: stacked areas of the probabilities, and bars of the time shares.

They draw any object with the arrays of `Person`, such as `facemood.timeline.Track`.
"""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from facemood.errors import OptionError, require
from facemood.filenames import printable
from facemood.languages import ENGLISH, Say, check_language, word_of
from facemood.render.draw import numbers_of
from facemood.render.palette import CHART_GREY, CHART_INK, hex_of
from facemood.schema import Face, Image
from facemood.text import clock, percent, share_percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 10.4
"""Default width of a figure in inches."""

ROW = 1.9
"""Height of a figure for each person, in inches."""

DPI = 110
"""Pixels per inch of a figure in a notebook."""

PICTURE = 7.0
"""Width of an annotated picture in inches."""

PROFILE = 1.8
"""Smallest height of the bars of a face, in inches."""

MOST_FACES = 4
"""Most faces whose bars stand beside a picture."""

PALE = "#e4e4e4"
"""Colour behind the bar of a share: the full 100%."""

STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # included in matplotlib, so the layout is the same on all machines
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
"""Style of the figures, on top of matplotlib's defaults; the user's own settings are ignored."""

TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600)
"""Possible seconds between two ticks of a time axis; longer videos have whole hours between ticks."""


class Person(Protocol):
    """A person over time, as it is drawn: frame times and probabilities; `facemood.timeline.Track` is one."""

    @property
    def source(self) -> str:
        """The video."""
        ...

    @property
    def track_id(self) -> int:
        """The person's track ID."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """The K labels."""
        ...

    @property
    def timestamps(self) -> NDArray[np.float64]:
        """(T,) start of each frame in seconds, increasing."""
        ...

    @property
    def ends(self) -> NDArray[np.float64]:
        """(T,) end of each frame in seconds. The person is out of sight from an end to a later start."""
        ...

    @property
    def probabilities(self) -> NDArray[np.float32]:
        """(T, K); each row sums to 1."""
        ...

    @property
    def shares(self) -> Mapping[str, float]:
        """Each label's share of the time, 0..1."""
        ...

    @property
    def share_intervals(self) -> Mapping[str, tuple[float, float]]:
        """The sampling interval of each share, 0..1."""
        ...


def plot_timeline(people: Sequence[Person], *, width: float = WIDTH, language: str = ENGLISH) -> Figure:
    """Draw people over time, one below the other: probabilities as stacked areas, and time shares as bars.

    The areas are empty while a person is out of sight. Lines are straight from frame to frame; the last frame before a
    gap is held until its end.

    Args:
        people: Tracks, for example from `facemood.timeline.collect_tracks`. People of one video share a time axis.
        width: Width of the figure in inches.
        language: Language of the labels; English where `STYLE`'s font lacks characters.

    Returns:
        A figure without a window: a notebook displays it, and `savefig` writes it.

    Raises:
        MissingExtraError: matplotlib is not installed (extra ``plot``).
        OptionError: `people` is empty, or there is no such language.

    Example:
        >>> from facemood.timeline import Track
        >>> times, rows = np.array([0.0, 0.1]), np.array([[0.9, 0.1], [0.4, 0.6]], np.float32)
        >>> track = Track("a.mp4", 1, ("happy", "sad"), times, times + 0.1, rows, rows.argmax(1), np.zeros((2, 4)))
        >>> [axes.get_title("left") for axes in plot_timeline([track]).axes]
        ['a.mp4, person 1', 'share, 95% interval']
    """
    if not people:
        raise OptionError(
            "there are no tracks to draw: no face in these results has a track ID and a timestamp; analyze a video"
        )
    labels = tuple(dict.fromkeys(label for person in people for label in stacking_order(person.labels)))
    say = plot_words(language)
    with drawing(width, 0.7 + ROW * len(people)) as figure:
        grid = figure.subplots(len(people), 2, squeeze=False, width_ratios=(5, 1))
        for (areas, shares), person in zip(grid, people, strict=True):
            _draw_areas(areas, person, _span(person, people))
            _draw_shares(shares, person, say)
        colours = [hex_of(label) for label in labels]
        patches = require("matplotlib.patches", extra="plot")
        handles = [patches.Patch(color=colour, label=say(label)) for label, colour in zip(labels, colours, strict=True)]
        figure.legend(handles=handles, loc="outside upper left", ncols=8, frameon=False, handlelength=1)
    return figure


def plot_faces(drawn: Image, faces: Sequence[Face], *, language: str = ENGLISH) -> Figure:
    """Draw an annotated picture, and the probabilities of its first faces as bars beside it.

    Args:
        drawn: The picture as `draw_faces` returns it, (H, W, 3) uint8 BGR.
        faces: Its faces.
        language: Language of the labels; English where `STYLE`'s font lacks characters.

    Returns:
        A figure without a window: a notebook displays it, and `savefig` writes it.

    Raises:
        MissingExtraError: matplotlib is not installed (extra ``plot``).
    """
    say = plot_words(language)
    shown = [(face, number) for face, number in zip(faces, numbers_of(faces), strict=True) if face.labels][:MOST_FACES]
    height = max(PICTURE * min(drawn.shape[0] / drawn.shape[1], 1.0), PROFILE * len(shown), 1.0)
    with drawing(PICTURE + (3.2 if shown else 0.0), height) as figure:
        grid = figure.add_gridspec(
            max(len(shown), int(height / PROFILE), 1), 2 if shown else 1, width_ratios=(5, 2) if shown else (1,)
        )
        picture = figure.add_subplot(grid[:, 0])
        picture.imshow(drawn[:, :, ::-1])
        picture.set_axis_off()
        picture.set_anchor("N")
        for row, (face, number) in enumerate(shown):
            _draw_profile(figure.add_subplot(grid[row, 1]), face, number, say)
    return figure


def _draw_profile(axes: Axes, face: Face, number: str, say: Say) -> None:
    """Draw the probabilities of a face as bars, the label that is reported in bold."""
    label, _ = face.reported
    places = range(len(face.labels))
    axes.barh(places, np.ones(len(places)), color=PALE, height=0.62)
    axes.barh(places, face.probabilities, color=[hex_of(name) for name in face.labels], height=0.62)
    for place, probability in zip(places, face.probabilities.tolist(), strict=True):
        axes.text(1.04, place, percent(probability), va="center", fontsize=8)
    axes.set_yticks(list(places), list(map(say, face.labels)), fontsize=8)
    for text in axes.get_yticklabels():
        text.set_fontweight("bold" if text.get_text() == say(label) else "normal")
    axes.set_title(" ".join(["face", number]).strip())
    axes.set_xlim(0, 1.3)
    axes.set_xticks([])
    axes.tick_params(length=0)
    axes.invert_yaxis()
    axes.spines[:].set_visible(False)


def stacking_order(labels: Sequence[str]) -> tuple[str, ...]:
    """Return the labels in the order in which areas are stacked, from the bottom: as they are, but neutral on top.

    Example:
        >>> stacking_order(("happy", "neutral", "contempt"))
        ('happy', 'contempt', 'neutral')
    """
    return tuple(sorted(labels, key=lambda label: label == "neutral"))


def visible_spans(timestamps: NDArray[np.float64], ends: NDArray[np.float64]) -> list[tuple[int, int]]:
    """Return the spans in which a person is visible without a gap, as index of the first frame and end (exclusive).

    Args:
        timestamps: (T,) start of each frame in seconds, increasing.
        ends: (T,) end of each frame in seconds.

    Example:
        >>> visible_spans(np.array([0.0, 1.0, 5.0]), np.array([1.0, 2.0, 6.0]))
        [(0, 2), (2, 3)]
    """
    breaks = (np.flatnonzero(timestamps[1:] > ends[:-1] + 1e-9) + 1).tolist()
    bounds = [0, *breaks, len(timestamps)] if len(timestamps) else []
    return list(itertools.pairwise(bounds))


def time_ticks(start: float, end: float, *, most: int = 8) -> dict[float, str]:
    """Return at most `most` round times in seconds for a time axis, each with its text.

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
    """Return the start of the first frame and the end of the last frame of all people in a person's video."""
    same = [other for other in people if other.source == person.source and len(other.timestamps)]
    return min(float(one.timestamps[0]) for one in same), max(float(one.ends[-1]) for one in same)


def _draw_areas(axes: Axes, person: Person, span: tuple[float, float]) -> None:
    """Draw one person's probabilities over time."""
    order = [person.labels.index(label) for label in stacking_order(person.labels)]
    colours = [hex_of(person.labels[column]) for column in order]
    for first, end in visible_spans(person.timestamps, person.ends):
        times = np.append(person.timestamps[first:end], person.ends[end - 1])
        rows = person.probabilities[first:end, order]
        layers = np.concatenate([rows, rows[-1:]]).T  # (K, T + 1)
        axes.stackplot(times, layers, colors=colours, linewidth=0.4, edgecolor="white")
    axes.set_title(f"{printable(person.source)}, person {person.track_id}", parse_math=False)
    axes.set(xlim=span, ylim=(0, 1))
    axes.set_yticks([0, 0.5, 1], ["0%", "50%", "100%"])
    ticks = time_ticks(*span)
    axes.set_xticks(list(ticks), list(ticks.values()))


def _draw_shares(axes: Axes, person: Person, say: Say) -> None:
    """Draw the time share of each expression as a bar with its percentage and its interval, the first label on top."""
    places = range(len(person.labels))
    shares = [person.shares[label] for label in person.labels]
    axes.barh(places, 1, color=PALE, height=0.7)
    axes.barh(places, shares, color=[hex_of(label) for label in person.labels], height=0.7)
    for place, (low, high) in zip(places, (person.share_intervals[label] for label in person.labels), strict=True):
        axes.plot([low, high], [place, place], color=CHART_INK, linewidth=0.8, solid_capstyle="butt")
    for place, share in zip(places, shares, strict=True):
        axes.text(1.06, place, share_percent(share), va="center", color=CHART_INK if share else CHART_GREY, fontsize=8)
    axes.set_title("share, 95% interval")
    axes.set_xlim(0, 1.4)
    axes.set_xticks([])
    axes.set_yticks(places, list(map(say, person.labels)), fontsize=8)
    axes.tick_params(length=0)
    axes.invert_yaxis()
    axes.spines[:].set_visible(False)


def plot_words(language: str) -> Say:
    """Return the function that says labels in a language, in English where matplotlib's own font lacks characters."""
    return partial(_plot_word, language=check_language(language))


@lru_cache(maxsize=256)
def _plot_word(label: str, language: str) -> str:
    """Return the word for a label in a language, or the label if a character of the word is missing in the font."""
    word = word_of(label, language)
    if word.isascii():
        return word
    fonts = require("matplotlib.font_manager", extra="plot")
    known = fonts.get_font(fonts.findfont(STYLE["font.sans-serif"][0])).get_charmap()
    return word if all(ord(character) in known for character in word) else label


@contextmanager
def drawing(width: float, height: float) -> Iterator[Figure]:
    """Yield an empty figure of a size in inches, and apply our style within the block."""
    matplotlib = require("matplotlib", extra="plot")
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(STYLE)
        yield _notebook_figure()(figsize=(width, height), layout="constrained")


@lru_cache(maxsize=1)
def _notebook_figure() -> type[Figure]:
    """Return matplotlib's Figure class with `_repr_png_`; without it, notebooks display only figures of pyplot."""
    from matplotlib.figure import Figure

    class NotebookFigure(Figure):
        def _repr_png_(self) -> bytes:
            """Display the figure in a notebook."""
            with io.BytesIO() as file:
                self.savefig(file, format="png", dpi=DPI)
                return file.getvalue()

    return NotebookFigure
