"""Findings of a study: means of conditions, paired differences and time-locked averages, as functions on data frames.

The participant is the unit of all of them: values of one participant are averaged first, so that neither many segments
nor many frames of one person count as many people. Intervals are 95% percentile bootstrap intervals over participants,
by ``scipy.stats.bootstrap``. Nothing here has a p-value without n and an interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from facemood.errors import OptionError, did_you_mean, require
from facemood.render.curve_plots import plot_time_locked as plot_time_locked

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame, Series

SAMPLES = 5000
"""Bootstrap samples. The ends of an interval vary by about 1% of its width from seed to seed."""

LEVEL = 0.95
"""Confidence level of all intervals."""

FEWEST = 3
"""Fewest participants for an interval; of fewer, a bootstrap says nothing."""


def condition_means(
    summary: DataFrame,
    value: str | Sequence[str],
    *,
    by: str = "condition",
    participant: str = "participant",
    samples: int = SAMPLES,
    seed: int = 0,
) -> DataFrame:
    """Return the mean of a value in each condition, with an interval over participants.

    Args:
        summary: A table of summaries, such as ``summary.csv`` or `Analysis.summary_dataframe`.
        value: One or more of its columns, such as ``"share_happy"``.
        by: Column of the conditions.
        participant: Column of the participants.
        samples: Bootstrap samples.
        seed: Seed of the samples.

    Returns:
        A row for each value and condition, in the order of the table: ``value``, `by`, ``n`` (participants with a
        value), ``mean``, ``low``, ``high`` and ``sd`` (standard deviation over participants). The interval is NaN below
        `FEWEST` participants.

    Raises:
        OptionError: A column does not exist, or has no numbers.
        MissingExtraError: scipy or pandas is not installed (extra ``study``).

    Example:
        >>> import pandas
        >>> table = pandas.DataFrame({"participant": [1, 2, 3, 3], "condition": ["a"] * 4, "mean_happy": [1, 2, 2, 4]})
        >>> condition_means(table, "mean_happy")[["condition", "n", "mean"]].values.tolist()
        [['a', 3, 2.0]]
    """
    pandas = require("pandas", extra="study")
    rows = []
    for column in _listed(value):
        people = _per_participant(summary, column, by, participant)
        for condition, values in people.groupby(level=0, sort=False):
            known: NDArray[np.float64] = np.asarray(values, np.float64)
            low, high = _interval(known, samples, seed)
            spread = float(known.std(ddof=1)) if len(known) > 1 else np.nan
            rows.append((column, condition, len(known), known.mean(), low, high, spread))
    means: DataFrame = pandas.DataFrame(rows, columns=["value", by, "n", "mean", "low", "high", "sd"])
    return means


def paired_differences(
    summary: DataFrame,
    value: str | Sequence[str],
    conditions: tuple[Any, Any],
    *,
    by: str = "condition",
    participant: str = "participant",
    samples: int = SAMPLES,
    seed: int = 0,
) -> DataFrame:
    """Return how much a value differs between two conditions within participants.

    Only participants with a value in both conditions count. The effect size is Cohen's d_z, the mean of the differences
    divided by their standard deviation (Cohen 1988), with Hedges' correction for few participants (Hedges 1981). The
    p-values are of the paired t-test (``scipy.stats.ttest_rel``) and of Wilcoxon's signed-rank test
    (``scipy.stats.wilcoxon``). With several values, they are not corrected for multiple tests.

    Args:
        summary: A table of summaries.
        value: One or more of its columns.
        conditions: Two conditions; the difference is the second minus the first. The condition 1 may be given as
            ``1`` or ``"1"``.
        by: Column of the conditions.
        participant: Column of the participants.
        samples: Bootstrap samples.
        seed: Seed of the samples.

    Returns:
        A row for each value: ``value``, ``n``, ``left_out`` (participants with one of the conditions only),
        ``difference``, ``low``, ``high``, ``effect_size``, ``effect_low``, ``effect_high``, ``p_t`` and ``p_wilcoxon``.
        All but the difference is NaN below `FEWEST` participants.

    Raises:
        OptionError: A column or condition does not exist, a column has no numbers, or there are not two conditions.
        MissingExtraError: scipy or pandas is not installed (extra ``study``).
    """
    pandas = require("pandas", extra="study")
    if len(conditions) != 2:
        raise OptionError(f"expected two conditions, such as ('calm', 'funny'), but got {conditions!r}")
    rows = []
    for column in _listed(value):
        people = _per_participant(summary, column, by, participant)
        stated = people.index.get_level_values(0).unique()
        known = {_word(name): name for name in stated}
        if len(known) < len(stated):
            raise OptionError(f"a {by} stands both as a number and as text; write one of them")
        for condition in map(_word, conditions):
            if condition not in known:
                raise OptionError(
                    f"no row of condition {condition!r} has a {column}; expected two of {', '.join(known)}."
                    f"{did_you_mean(condition, known)}"
                )
        both = pandas.concat([people[known[_word(condition)]] for condition in conditions], axis=1)
        pairs = both.dropna().to_numpy(float)
        rows.append((column, len(pairs), len(both) - len(pairs), *_compare(pairs, samples, seed)))
    names = ["difference", "low", "high", "effect_size", "effect_low", "effect_high", "p_t", "p_wilcoxon"]
    table: DataFrame = pandas.DataFrame(rows, columns=["value", "n", "left_out", *names])
    return table


def time_locked(
    rows: DataFrame,
    value: str | Sequence[str],
    *,
    step: float = 0.2,
    onset: float | str = 0.0,
    end: float | None = None,
    baseline: tuple[float, float] | None = None,
    by: str = "condition",
    participant: str = "participant",
    samples: int = 1000,
    seed: int = 0,
) -> DataFrame:
    """Return the mean curve of a value around an event in the segments: an event-related average over participants.

    Each segment is averaged in bins of time, then each participant, then the group. `plot_time_locked` draws the table.

    Args:
        rows: The table of faces of a study, such as ``rows.csv`` or `Analysis.to_dataframe`, with ``segment_time``.
        value: One or more of its columns, such as ``"happy"`` or ``"AU12"``.
        step: Width of a bin in seconds. It should hold one frame or more of each video.
        onset: When the event is, in seconds since the start of the segment: one number for all segments, or the column
            that has it, such as an own column of the plan. Times before the event are negative.
        end: Seconds since the event after which the curves end; None for the longest segment.
        baseline: Start and end, in seconds since the event, of a period whose mean is subtracted from each segment.
        by: Column of the conditions.
        participant: Column of the participants.
        samples: Bootstrap samples.
        seed: Seed of the samples.

    Returns:
        A row for each value, condition and bin, in the order of `value` and of the rows: ``value``, `by`, ``time``
        (middle of the bin, in seconds since the event), ``n`` (participants with a value there), ``mean``, ``low``,
        ``high``. Intervals are for each bin alone.

    Raises:
        OptionError: A column does not exist or has no numbers, no row is in a segment, a time is out of its range, or a
            segment has no event or no value in the baseline.
        MissingExtraError: scipy or pandas is not installed (extra ``study``).
    """
    pandas = require("pandas", extra="study")
    keys = ["source", participant, by, "session", "segment"]
    if not step > 0 or (end is not None and not end > 0):
        raise OptionError(f"step and end must be above 0 s, but are {step} and {end}")
    known = _since_event(rows, keys, onset)
    known["bin"] = np.floor(known["segment_time"].to_numpy(float) / step + 1e-6).astype(int)
    known = known if end is None else known[known["segment_time"] < end - 1e-9]
    found = []
    for column in _listed(value):
        _check(rows, [column])
        curves = known[[*keys, "segment_time", "bin", column]].dropna(subset=[column])
        curves = curves.assign(**{column: _numbers(curves, column)})
        if baseline is not None:
            curves = _subtract(curves, column, keys, baseline)
        segments = curves.groupby([*keys, "bin"], sort=False)[column].mean()
        people: Any = segments.groupby(level=[by, participant, "bin"], sort=False).mean()
        for (condition, number), values in people.groupby(level=[by, "bin"], sort=False):
            low, high = _interval(values.to_numpy(float), samples, seed)
            found.append((column, condition, (number + 0.5) * step, len(values), float(values.mean()), low, high))
    table: DataFrame = pandas.DataFrame(found, columns=["value", by, "time", "n", "mean", "low", "high"])
    return _in_order(table, ["value", by], "time")


def _since_event(rows: DataFrame, keys: Sequence[str], onset: float | str) -> DataFrame:
    """Return the rows of participants in segments, with the time since the event as ``segment_time``."""
    _check(rows, [*keys, "segment_time"])
    participant = keys[1]
    known = rows[rows[participant].notna() & rows["segment_time"].notna()].copy()
    if not len(known):
        raise OptionError(
            f"no row has a {participant} and a time in a segment; check the plan, and that there is a video"
        )
    known[keys] = known[keys].astype(object).where(known[keys].notna(), "")
    known["segment_time"] -= _onsets(known, onset, keys)
    return known


def _in_order(table: DataFrame, names: Sequence[str], last: str) -> DataFrame:
    """Return a table sorted by columns, each in the order in which its values come, then by numbers of the last one."""
    ranks: list[Any] = [
        table[name].map({one: place for place, one in enumerate(table[name].unique())}) for name in names
    ]
    places = np.lexsort((table[last].to_numpy(float), *ranks[::-1]))
    return table.iloc[places].reset_index(drop=True)


def _onsets(known: DataFrame, onset: float | str, keys: Sequence[str]) -> Any:
    """Return when the event of each row's segment is, in seconds since its start: a number, or one for each row."""
    if not isinstance(onset, str):
        if not (isinstance(onset, Real) and math.isfinite(onset)):
            raise OptionError(f"onset must be a number of seconds or a column, but is {onset!r}")
        return float(onset)
    _check(known, [onset])
    numbers = require("pandas", extra="study").to_numeric(known[onset], errors="coerce")
    missing = known[~np.isfinite(numbers.to_numpy(float, na_value=np.nan))]
    if len(missing):
        first = _named(missing.iloc[0][keys])
        raise OptionError(f"{onset} of the segment {first} is no number of seconds; write it into the plan")
    return numbers


def _subtract(curves: DataFrame, column: str, keys: list[str], baseline: tuple[float, float]) -> DataFrame:
    """Subtract from each segment its mean in a period."""
    start, end = baseline
    inside = curves[(curves["segment_time"] >= start) & (curves["segment_time"] < end)]
    means = inside.groupby(keys)[column].mean().rename("before")
    joined = curves.join(means, on=keys)
    missing = joined[joined["before"].isna()]
    if len(missing):
        first = _named(missing.iloc[0][keys])
        raise OptionError(f"no {column} from {start:g} to {end:g} s in the segment {first}; choose another baseline")
    return joined.assign(**{column: joined[column] - joined["before"]}).drop(columns="before")


def _per_participant(table: DataFrame, value: str, by: str, participant: str) -> Series[float]:
    """Return the mean of a value by condition and participant, without missing ones, in the order of the table."""
    _check(table, [value, by, participant])
    known = table[[by, participant, value]].dropna()
    if not len(known):
        raise OptionError(f"no row has a {value}, a {by} and a {participant}; check the plan of the study")
    numbers = known.assign(**{value: _numbers(known, value)})
    means: Series[float] = numbers.groupby([by, participant], sort=False)[value].mean()
    return means


def _check(table: DataFrame, columns: Sequence[str]) -> None:
    """Refuse columns that a table does not have."""
    for column in columns:
        if column not in table.columns:
            names = [str(name) for name in table.columns]
            raise OptionError(f"the table has no column {column!r}.{did_you_mean(column, names)}")


def _numbers(table: DataFrame, column: str) -> Series[float]:
    """Return the values of a column as numbers."""
    try:
        return table[column].astype(float)
    except (TypeError, ValueError):
        raise OptionError(f"the column {column!r} has no numbers, so it has no mean; choose another one") from None


def _named(row: Series[Any]) -> str:
    """Return the name of a segment for a message: the cells that are not empty."""
    return " ".join(_word(cell) for cell in row if cell != "")


def _word(value: Any) -> str:
    """Return a value as a plan has it: ``1`` also where a table has 1.0, because other cells are empty."""
    return str(int(value)) if isinstance(value, (float, np.floating)) and value.is_integer() else str(value)


def _listed(value: str | Sequence[str]) -> list[str]:
    """Return one or more names as a list."""
    return [value] if isinstance(value, str) else list(value)


def _interval(values: NDArray[np.float64], samples: int, seed: int, statistic: Any = np.mean) -> tuple[float, float]:
    """Return the bootstrap interval of a statistic of (N,) values; NaN below `FEWEST` values."""
    if len(values) < FEWEST:
        return np.nan, np.nan
    stats = require("scipy.stats", extra="study")
    found = stats.bootstrap(
        (values,), statistic, n_resamples=samples, confidence_level=LEVEL, method="percentile",
        rng=np.random.default_rng(seed),
    )  # fmt: skip
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def _compare(pairs: NDArray[np.float64], samples: int, seed: int) -> tuple[float, ...]:
    """Return difference, interval, effect size with interval, and two p-values of (N, 2) pairs."""
    differences = pairs[:, 1] - pairs[:, 0]
    if not len(pairs):
        return (np.nan,) * 8
    mean = float(differences.mean())
    if len(pairs) < FEWEST or np.ptp(differences) < 1e-12:  # equal differences have no effect size, and no test
        low, high = _interval(differences, samples, seed)
        return (mean, low, high, *[np.nan] * 5)
    stats = require("scipy.stats", extra="study")
    ends = (*_interval(differences, samples, seed), effect_size(differences))
    effect = _interval(differences, samples, seed, effect_size)
    p_t = float(stats.ttest_rel(pairs[:, 1], pairs[:, 0]).pvalue)
    return (mean, *ends, *effect, p_t, float(stats.wilcoxon(differences).pvalue))


def effect_size(differences: NDArray[np.float64], axis: int = -1) -> Any:
    """Return Cohen's d_z of paired differences with Hedges' correction.

    Args:
        differences: (..., N) differences of N participants.
        axis: The axis of the participants.

    Returns:
        The effect sizes, (...); 0 where all differences are equal.

    Example:
        >>> round(float(effect_size(np.array([0.1, 0.2, 0.3, 0.4]))), 3)
        1.408
    """
    number = differences.shape[axis]
    spread = differences.std(axis=axis, ddof=1)
    correction = 1 - 3 / (4 * (number - 1) - 1)
    means = differences.mean(axis=axis)
    return correction * np.divide(means, spread, out=np.zeros_like(means), where=spread > 1e-12)
