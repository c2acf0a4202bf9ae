"""The columns of a table of summaries: one row for each participant, condition and segment, or for each person."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from facemood.facs import UNITS, ActionUnit
from facemood.filenames import escape_name
from facemood.labels import check_labels
from facemood.table.column import INTEGER, NUMBER, SHARE_DECIMALS, STRING, UNIT_DECIMALS, Column, Value
from facemood.table.fixed_columns import describe_measure, range_of_measure
from facemood.table.label_columns import CHANGE, Design, Measures, column_name, distinct_names, further_columns

TIME_DECIMALS = 3
"""Decimals of times in seconds."""

Read = Callable[[Any], Value]
"""Reads a value from a `facemood.timeline.Summary`."""


def _share(name: str, meaning: str, read: Read, **more: Any) -> Column:
    """Return a column of a share or probability."""
    return Column(name, NUMBER, meaning, read, **{"range": "0..1", "decimals": SHARE_DECIMALS, **more})


def _seconds(name: str, meaning: str, read: Read) -> Column:
    """Return a column of seconds."""
    return Column(name, NUMBER, meaning, read, unit="s", range="0..", decimals=TIME_DECIMALS)


def _count(name: str, meaning: str, read: Read) -> Column:
    """Return a column of a number of things."""
    return Column(name, INTEGER, meaning, read, range="0..")


def _of_plan(name: str, meaning: str) -> Column:
    """Return a column of the segment."""
    return Column(name, STRING, meaning, lambda one: getattr(one.segment, name, None) or None)


def _mean(values: Sequence[float]) -> float | None:
    """Return the mean of numbers; None without any."""
    return sum(values) / len(values) if values else None


PLAN_COLUMNS = (
    _of_plan("participant", "Participant, by the plan of the study"),
    _of_plan("condition", "Condition of the segment"),
    _of_plan("session", "Session of the segment"),
    _of_plan("segment", "Name of the segment, or its number in participant, condition and session"),
)
"""Columns of summaries of a study."""

PERSON_COLUMN = Column(
    "track_id", INTEGER, "Number of the person in the video; empty for photos",
    lambda one: None if one.photos else one.track.track_id, range="1..",
)  # fmt: skip
"""Column of summaries without a plan."""

TIME_COLUMNS = (
    _seconds(
        "start", "Start of the segment in the input; empty for photos", lambda one: None if one.photos else one.start
    ),
    _seconds(
        "seconds",
        "Length of the segment as far as it was read; empty for photos",
        lambda one: None if one.photos else one.seconds,
    ),
    _seconds(
        "seconds_seen",
        "Seconds with a prediction for the person; empty for photos",
        lambda one: None if one.photos else one.track.seconds,
    ),
    _count(
        "frames",
        "Frames of the segment that were read; for photos, the faces and the photos without a face",
        lambda one: one.frames,
    ),
    _share("missing", "Share of the time without a prediction for the person", lambda one: one.missing),
    _share(
        "certain",
        "Share of the time in sight with a certain prediction; empty if the model has no such level",
        lambda one: one.certain,
    ),
    _count(
        "blinks",
        "Number of blinks; empty below 15 frames per second",
        lambda one: len(one.blinking.blinks) if one.blinking else None,
    ),
    Column(
        "blink_rate",
        NUMBER,
        "Blinks per minute with visible eyes",
        lambda one: one.blinking.rate if one.blinking else None,
        unit="1/min",
        range="0..",
        decimals=1,
    ),
)
"""Columns of times and of the whole."""


def _label_columns(label: str, name: str) -> list[Column]:
    """Return the columns of a label."""

    def bound(place: int) -> Read:
        return lambda one: one.share_intervals[label][place] if one.share_intervals else None

    def peak(place: int) -> Read:
        return lambda one: None if (found := one.peak(label)) is None or (place and one.photos) else found[place]

    def episodes(read: Callable[[list[Any], Any], Value]) -> Read:
        return lambda one: read(one.episodes[label], one) if one.episodes else None

    return [
        _share(
            f"share_{name}",
            f"Share of the time in sight with {label} as the most probable label",
            lambda one: one.shares.get(label),
        ),
        _share(f"share_low_{name}", f"Lower end of the 95% sampling interval of share_{name}", bound(0)),
        _share(f"share_high_{name}", f"Upper end of the 95% sampling interval of share_{name}", bound(1)),
        _share(f"mean_{name}", f"Mean probability of the label {label}", lambda one: one.means.get(label)),
        _count(
            f"episodes_{name}",
            f"Number of episodes of {label} of 0.3 s or longer; empty for photos",
            episodes(lambda found, _: len(found)),
        ),
        _seconds(
            f"episode_seconds_{name}",
            "Mean length of these episodes; empty without one",
            episodes(lambda found, _: _mean([one.seconds for one in found])),
        ),
        _seconds(
            f"onset_{name}",
            "Start of the first of them since the start of the segment; empty without one",
            episodes(lambda found, of: found[0].start - of.start if found else None),
        ),
        _share(f"peak_{name}", f"Highest probability of the label {label}", peak(0)),
        _seconds(f"peak_time_{name}", "Time of that since the start of the segment", peak(1)),
    ]


def _change_column(label: str, name: str) -> Column:
    """Return the column of the mean change of a label."""
    return Column(
        f"mean_{CHANGE}_{name}", NUMBER, f"Mean change of the label {label} from the person's neutral baseline",
        lambda one: one.changes.get(label), unit="log-odds", decimals=SHARE_DECIMALS,
    )  # fmt: skip


def _unit_columns(unit: ActionUnit) -> list[Column]:
    """Return the columns of an action unit."""
    code = unit.code

    def events(read: Callable[[list[Any]], Value]) -> Read:
        return lambda one: read(one.events[code]) if code in one.events else None

    columns = [
        _share(
            f"mean_{code}",
            f"Mean intensity of the action unit {unit.name}",
            lambda one: one.unit_means.get(code),
            decimals=UNIT_DECIMALS,
        ),
        _count(
            f"events_{code}", f"Number of activations of {code}, from onset to offset; empty for photos", events(len)
        ),
        _seconds(
            f"event_seconds_{code}",
            "Mean length of these activations; empty without one",
            events(lambda found: _mean([one.seconds for one in found])),
        ),
    ]
    if unit.sided:
        columns.append(
            _share(
                f"asymmetry_{code}",
                "Mean intensity of the subject's left side minus the right at their apexes",
                events(lambda found: _mean([one.asymmetry for one in found if one.asymmetry is not None])),
                range="-1..1",
                decimals=UNIT_DECIMALS,
            )
        )
    return columns


def _measure_columns(name: str, formula: str) -> list[Column]:
    """Return the columns of a derived measure."""

    def value(place: int) -> Read:
        return lambda one: None if (known := one.measures.get(name)) is None else known[place]

    limits = range_of_measure(name)
    return [
        _share(f"mean_{name}", f"Mean over the time in which it is known. {describe_measure(name, formula)}", value(0),
               range=limits),
        _share(f"min_{name}", f"Lowest {name}", value(1), range=limits),
        _share(f"max_{name}", f"Highest {name}", value(2), range=limits),
    ]  # fmt: skip


SOURCE_COLUMN = Column(
    "source", STRING, "Name of the input; empty for several photos", lambda one: escape_name(one.source) or None
)
"""Column of the input."""


@functools.lru_cache(maxsize=64)
def summary_columns(
    labels: tuple[str, ...], variants: tuple[str, ...] = (), design: Design | None = None, measures: Measures = ()
) -> tuple[Column, ...]:
    """Return the columns of a table of summaries.

    Args:
        labels: The model's labels.
        variants: Variants of the probabilities in this run; with `CHANGE`, there is the mean change of each label.
        design: The plan's own columns; None for a table without a plan.
        measures: The derived measures of the faces.

    Raises:
        ValueError: `labels.check_labels` refuses the labels.
        OptionError: A column of the plan is called like one of the table.

    Example:
        >>> [column.name for column in summary_columns(("happy",))][:5]
        ['source', 'track_id', 'start', 'seconds', 'seconds_seen']
    """
    check_labels(labels)
    names = {label: column_name(name) for label, name in distinct_names(labels).items()}
    columns = (
        SOURCE_COLUMN,
        *([PERSON_COLUMN] if design is None else PLAN_COLUMNS),
        *TIME_COLUMNS,
        *(column for label in labels for column in _label_columns(label, names[label])),
        *(_change_column(label, names[label]) for label in labels if CHANGE in variants),
        *(column for unit in UNITS for column in _unit_columns(unit)),
        *(column for measure in measures for column in _measure_columns(*measure)),
    )
    return columns if design is None else (*columns, *further_columns(columns, design, _of_segment))


def _of_segment(name: str) -> Read:
    """Return a function that reads the value of a plan's own column."""
    return lambda one: None if one.segment is None else one.segment.further.get(name)
