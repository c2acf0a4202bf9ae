"""Figures of event-related averages: mean curves of a group with their intervals, beside the stimuli.

They draw the table that `facemood.study.time_locked` returns.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from facemood.errors import OptionError, require
from facemood.facs import UNITS
from facemood.filenames import printable
from facemood.languages import ENGLISH
from facemood.render.palette import CHART_GREY, CHART_INK, LINE_COLOURS
from facemood.render.plots import WIDTH, drawing, plot_words
from facemood.switches import check_switches

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray
    from pandas import DataFrame

COLUMNS = ("value", "time", "n", "mean", "low", "high")
"""Columns of a table of curves. The one other column names the condition."""

PANEL_WIDTH = 3.2
"""Smallest width of a panel in inches; narrower figures have fewer panels side by side."""

PANEL_HEIGHT = 2.1
"""Height of a panel in inches."""

LINE_HEIGHT = 0.19
"""Height of a line of the legend in inches."""

CHARACTER = 0.078
"""Width of a character of the legend in inches; a little more than the mean."""

KEY_WIDTH = 0.7
"""Width of the key of an entry of the legend, with the space around it, in inches."""

DASHES = ("-", "--", "-.", ":")
"""Patterns of the lines, so that conditions are told apart in grey too."""

MOST_MARKED = 40
"""Most bins of a curve whose bins are marked with a dot."""

STIMULUS = "#dfe3e8"
"""Colour behind the time of a stimulus."""

BASELINE = "#b9bec6"
"""Colour of the lines that hatch the baseline."""

Span = tuple[float, float]
"""Start and end in seconds; a moment where they are equal."""


class Curve(NamedTuple):
    """The curve of one condition in one panel, with a gap of NaN where no participant has a value.

    Attributes:
        condition: The condition.
        times: (T,) middle of each bin in seconds, increasing.
        mean: (T,) mean over participants.
        low: (T,) lower end of the interval; NaN without one.
        high: (T,) upper end.
    """

    condition: str
    times: NDArray[np.float64]
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def plot_time_locked(
    curves: DataFrame,
    *,
    stimuli: Mapping[str, Span] | None = None,
    baseline: Span | None = None,
    same_axes: bool = True,
    width: float = WIDTH,
    language: str = ENGLISH,
) -> Figure:
    """Draw event-related averages: a panel for each value, with a curve and its interval for each condition.

    The legend has the number of participants of each condition: the fewest and the most of all bins. A curve is
    interrupted where no participant has a value, and has no band where there is no interval. 24 conditions differ in
    colour or pattern; further ones look as the first ones do.

    Args:
        curves: The table that `facemood.study.time_locked` returns.
        stimuli: Start and end of each stimulus in seconds, by its name, as times are in the table; the same number
            twice for a moment.
        baseline: Start and end of the baseline that was subtracted, to mark it.
        same_axes: Whether all panels have the same vertical axis, too; False for values of other units.
        width: Width of the figure in inches.
        language: Language of expressions; English where the font lacks characters.

    Returns:
        A figure without a window: a notebook displays it, and `savefig` writes it.

    Raises:
        MissingExtraError: matplotlib is not installed (extra ``plot``).
        OptionError: The table is empty or another one, a period is not two finite numbers in order, or there is no such
            language.

    Example:
        >>> import pandas
        >>> rows = [("happy", "funny", 0.1, 12, 0.2, 0.1, 0.3), ("happy", "funny", 0.3, 11, 0.4, 0.3, 0.5)]
        >>> curves = pandas.DataFrame(rows, columns=["value", "condition", "time", "n", "mean", "low", "high"])
        >>> figure = plot_time_locked(curves, stimuli={"joke": (0.1, 0.3)})
        >>> [text.get_text() for text in figure.legends[0].get_texts()]
        ['funny (n = 11 to 12)', '95% interval']
    """
    check_switches(same_axes=same_axes)
    by = _condition_column(curves)
    curves = curves.assign(**{by: curves[by].astype(object).where(curves[by].notna(), "")})  # as a file of it has them
    shown = {name: _period(name, one) for name, one in (stimuli or {}).items()}
    baseline = None if baseline is None else _period("baseline", baseline)
    values = list(dict.fromkeys(curves["value"]))
    rows, side_by_side = _grid(len(values), width)
    say = plot_words(language)
    handles = _handles(curves, by, width, baseline=baseline is not None)
    columns, lines = _legend_size([handle.get_label() for handle in handles], width)
    vertical = "mean of participants" if baseline is None else "mean change\nfrom the baseline"
    with drawing(width, 0.7 + LINE_HEIGHT * lines + PANEL_HEIGHT * rows) as figure:
        grid = figure.subplots(rows, side_by_side, squeeze=False, sharex=True, sharey=same_axes)
        panels: list[Axes] = list(grid.flat)
        for axes, value in zip(panels, values, strict=False):
            _draw_panel(axes, _curves_of(curves, str(value), by), shown, baseline)
            axes.set_title(_title(say(str(value))), parse_math=False)
        _label_axes(panels, len(values), side_by_side, vertical)
        _add_legend(figure, handles, columns)
    return figure


def _draw_panel(axes: Axes, curves: Iterator[Curve], stimuli: Mapping[str, Span], baseline: Span | None) -> None:
    """Draw the curves of a value before the periods, with room for the names of the stimuli."""
    _draw_periods(axes, stimuli, baseline)
    for place, curve in enumerate(curves):
        _draw_curve(axes, curve, place)
    axes.margins(x=0.02, y=0.2 if stimuli else 0.06)


def _add_legend(figure: Figure, handles: Sequence[Any], columns: int) -> None:
    """Put the legend above the panels; names are drawn as they are."""
    legend = figure.legend(handles=handles, loc="outside upper left", ncols=columns, frameon=False)
    for text in legend.get_texts():
        text.set_parse_math(False)


def _label_axes(panels: Sequence[Axes], used: int, side_by_side: int, what: str) -> None:
    """Label the lowest and the leftmost panels, and hide those that are not used."""
    for axes in panels[used:]:
        axes.set_visible(False)
    for axes in panels[max(0, used - side_by_side) : used]:
        axes.tick_params(labelbottom=True)
        axes.set_xlabel("seconds since the event")
    for axes in panels[::side_by_side]:
        axes.set_ylabel(what)


def _grid(panels: int, width: float) -> tuple[int, int]:
    """Return how many rows and columns of panels there are: as few rows as the width allows, evenly filled."""
    rows = math.ceil(panels / max(1, int(width / PANEL_WIDTH)))
    return rows, math.ceil(panels / rows)


def _condition_column(curves: DataFrame) -> str:
    """Return the column of the conditions.

    Raises:
        OptionError: The table is empty, or is not of curves.
    """
    others = [str(name) for name in curves.columns if name not in COLUMNS]
    if len(others) != 1 or len(curves.columns) != len(COLUMNS) + 1 or not len(curves):
        raise OptionError(
            f"expected the table of facemood.study.time_locked, with the columns {', '.join(COLUMNS)} and one for the "
            f"condition, and at least one row; got {len(curves)} rows of {', '.join(map(str, curves.columns))}"
        )
    return others[0]


def _period(name: str, period: object) -> Span:
    """Return start and end of a period.

    Raises:
        OptionError: It is not two finite numbers, or they are not in order.
    """
    try:
        start, end = map(float, period)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        raise OptionError(f"{name!r} is {period!r}; expected its start and end in seconds, such as (0, 2.5)") from None
    if not math.isfinite(start) or not math.isfinite(end):
        raise OptionError(f"{name!r} is from {start:g} to {end:g} s; expected two finite numbers, such as (0, 2.5)")
    if start > end:
        raise OptionError(f"{name!r} ends at {end:g} s, before it starts at {start:g} s; expected (start, end)")
    return start, end


def _curves_of(curves: DataFrame, value: str, by: str) -> Iterator[Curve]:
    """Yield the curve of each condition, in the order of the whole table."""
    step = _step(curves)
    for condition in dict.fromkeys(curves[by]):
        rows = curves[(curves["value"] == value) & (curves[by] == condition)].sort_values("time")
        numbers = rows[["time", "mean", "low", "high"]].to_numpy(float)  # (T, 4)
        gaps = np.flatnonzero(np.diff(numbers[:, 0]) > 1.5 * step) + 1
        empty = np.column_stack([numbers[gaps - 1, 0] + step, np.full((len(gaps), 3), np.nan)])
        times, mean, low, high = np.insert(numbers, gaps, empty, axis=0).T
        yield Curve(str(condition), times, mean, low, high)


def _step(curves: DataFrame) -> float:
    """Return the width of a bin: the shortest time between two of all curves."""
    steps = np.diff(np.unique(curves["time"].to_numpy(float)))
    return float(steps.min()) if len(steps) else 1.0


def _style(place: int) -> dict[str, Any]:
    """Return colour and pattern of a condition's line; a colour that comes again has another pattern."""
    turn, colour = divmod(place, len(LINE_COLOURS))
    return {"color": LINE_COLOURS[colour], "linestyle": DASHES[(place + turn) % len(DASHES)]}


def _draw_curve(axes: Axes, curve: Curve, place: int) -> None:
    """Draw one condition: the interval as a band, the mean as a line."""
    style = _style(place)
    marker = "." if len(curve.times) <= MOST_MARKED else ""
    axes.fill_between(curve.times, curve.low, curve.high, color=style["color"], alpha=0.2, linewidth=0)
    axes.plot(curve.times, curve.mean, marker=marker, linewidth=1.5, label=curve.condition, **style)


def _draw_periods(axes: Axes, stimuli: Mapping[str, Span], baseline: Span | None) -> None:
    """Draw the event, the stimuli with their names, and the baseline, behind the curves."""
    axes.axvline(0, color=CHART_GREY, linewidth=0.8, zorder=0.5)
    if baseline is not None:
        axes.axvspan(*baseline, facecolor="none", edgecolor=BASELINE, hatch="////", linewidth=0, zorder=0.3)
        axes.axhline(0, color=CHART_GREY, linewidth=0.8, linestyle=":", zorder=0.5)
    for name, (start, end) in stimuli.items():
        if start < end:
            axes.axvspan(start, end, color=STIMULUS, linewidth=0, zorder=0.2)
        else:
            axes.axvline(start, color=CHART_INK, linewidth=0.8, linestyle="--", zorder=0.5)
        axes.annotate(
            printable(name), (start, 1), (3, -3), xycoords=("data", "axes fraction"), textcoords="offset points",
            va="top", fontsize=8, color=CHART_INK, parse_math=False,
        )  # fmt: skip


def _handles(curves: DataFrame, by: str, width: float, *, baseline: bool) -> Sequence[Any]:
    """Return the entries of the legend: the conditions with their participants, the band, the baseline."""
    lines, patches = (require(f"matplotlib.{name}", extra="plot") for name in ("lines", "patches"))
    handles: list[Any] = []
    for place, (condition, rows) in enumerate(curves.groupby(by, sort=False)):
        fewest, most = int(rows["n"].min()), int(rows["n"].max())
        number = str(most) if fewest == most else f"{fewest} to {most}"
        name = f"{printable(str(condition))} (n = {number})" if str(condition) else f"n = {number}"
        name = textwrap.fill(name, max(10, int((width - KEY_WIDTH) / CHARACTER)))
        handles.append(lines.Line2D([], [], label=name, linewidth=1.5, **_style(place)))
    if curves["low"].notna().any():
        handles.append(patches.Patch(facecolor=CHART_GREY, alpha=0.2, label="95% interval"))
    if baseline:
        handles.append(patches.Patch(facecolor="none", edgecolor=BASELINE, hatch="////", linewidth=0, label="baseline"))
    return handles


def _legend_size(labels: Sequence[str], width: float) -> tuple[int, int]:
    """Return how many columns of entries the legend has, and how many lines of text they take."""
    texts = [label.split("\n") for label in labels]
    longest = max((len(line) for text in texts for line in text), default=0)
    columns = min(len(texts), max(1, int(width / (KEY_WIDTH + CHARACTER * longest))))
    per_column = math.ceil(len(texts) / columns)
    return columns, max(sum(map(len, texts[first : first + per_column])) for first in range(0, len(texts), per_column))


def _title(value: str) -> str:
    """Return the title of a panel: a value, and what an action unit is called."""
    unit = next((unit for unit in UNITS if value.startswith(unit.code)), None)
    return f"{printable(value)}, {unit.name.lower()}" if unit is not None else printable(value)
