"""The plan of a study: a CSV table with one line per segment of a video."""

from __future__ import annotations

import csv
import dataclasses
import difflib
import io
import itertools
import logging
import math
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from facemood.csv_dialect import find_delimiter
from facemood.errors import OptionError, did_you_mean
from facemood.participants import LARGEST, PLACES, Participants, Period, Segment
from facemood.sources import Item, name_of_item
from facemood.table import NUMBER, STRING, is_free_name
from facemood.text import clock, count, parse_seconds

logger: logging.Logger = logging.getLogger("facemood")

REQUIRED = ("path", "participant")
"""Columns that a plan must have."""

COLUMNS = (*REQUIRED, "person", "condition", "session", "segment", "start", "end", "baseline_start", "baseline_end")
"""Columns of a plan that have a meaning here. Others are carried into the tables."""

Plan = Participants | str | os.PathLike[str] | None
"""A plan, the path of its file, or none."""

NOT_UTF8 = "the plan is no text in UTF-8; save it as 'CSV UTF-8', as Excel calls it"
"""What is told of other encodings, and of files of other kinds, such as ``.xlsx``."""

ALIKE = 0.8
"""Similarity (difflib) from which the name of an own column may be a column of the plan that was misspelt."""

MOST_BYTES = 50_000_000
"""Largest plan that is read."""

DECIMAL = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
"""A cell that is a number. With leading zeros it is a name, such as ``007``."""

COMMA = re.compile(r"^(-?\d+),(\d+)$")
"""A number with a decimal comma, as European spreadsheets write it between semicolons."""


def read_participants(path: str | os.PathLike[str]) -> Participants:
    """Read the plan of a study.

    Args:
        path: A CSV file in UTF-8, with commas, semicolons or tabs. Its columns are `COLUMNS` in any order; others are
            carried into the tables, as numbers if all their cells are numbers. Times are seconds or ``1:10``.

    Raises:
        OptionError: The file cannot be read, a column or a value is wrong. The message has the line.
    """
    name = os.fspath(path)
    lines = _read_lines(name)
    header = [cell.strip() for cell in next(lines, (0, []))[1]]
    _check_header(name, header)
    rows = [(number, _cells(name, number, header, line)) for number, line in lines if any(map(str.strip, line))]
    if not rows:
        raise OptionError(f"{name}: the plan has no lines below its header; expected one for each segment of a video")
    further = tuple((column, _type([row[column] for _, row in rows])) for column in header if column not in COLUMNS)
    segments = tuple(_segment(name, number, row, dict(further)) for number, row in rows)
    return Participants(tuple(_numbered(segments)), further, name, os.path.dirname(os.path.abspath(name)))


def participants_of(plan: Plan) -> Participants | None:
    """Return a plan that is given as such, by its path, or not at all.

    Raises:
        OptionError: The file is no plan, or it is something else.
    """
    if plan is None or isinstance(plan, Participants):
        return plan
    if not isinstance(plan, str | os.PathLike):
        raise OptionError(f"participants must be a plan or the path of its CSV file, but is a {type(plan).__name__}")
    return read_participants(plan)


def plan_for(participants: Plan, inputs: Iterable[Item]) -> Participants | None:
    """Return the plan of a study, compared with the inputs if these are a list.

    Raises:
        OptionError: It is no plan, or does not fit the inputs.
    """
    plan = participants_of(participants)
    if plan is not None and isinstance(inputs, list):
        strangers = plan.check([name_of_item(item) for item in inputs])
        if strangers:
            many = count(len(strangers), "input")
            logger.warning("%s: %s not in the plan, such as %s", plan.name, many, strangers[0])
    return plan


def design_info(participants: Participants | None) -> dict[str, Any]:
    """Return what a run's settings tell of the plan of a study: where it is from, and its own columns."""
    if participants is None:
        return {}
    return {"participants": participants.name, "design": [list(column) for column in participants.further]}


def _read_lines(name: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines of a CSV file with their numbers, from 1."""
    try:
        with open(name, encoding="utf-8-sig", newline="") as file:
            text = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise OptionError(f"{name}: the plan cannot be read ({error.strerror}); expected a CSV file") from None
    except UnicodeDecodeError:
        raise OptionError(f"{name}: {NOT_UTF8}") from None
    if len(text) > MOST_BYTES:
        raise OptionError(f"{name}: the plan is larger than {MOST_BYTES:,} bytes; expected a CSV file")
    delimiter = find_delimiter(text.partition("\n")[0])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for line in reader:
            yield reader.line_num, [COMMA.sub(r"\1.\2", cell) for cell in line] if delimiter == ";" else line
    except csv.Error as error:
        raise OptionError(f"{name}, line {reader.line_num}: the plan is not CSV ({error})") from None


def _check_header(name: str, header: Sequence[str]) -> None:
    """Refuse a header that lacks columns, has one twice, or one of the tables' names; tell what may be misspelt."""
    for column, times in Counter(header).items():
        if times > 1 and column:
            raise OptionError(f"{name}: the column {column!r} stands {times} times in the plan; rename one of them")
    for column in REQUIRED:
        if column not in header:
            near = did_you_mean(column, header)
            raise OptionError(f"{name}: the plan has no column {column!r}; expected {', '.join(COLUMNS)}.{near}")
    for column in header:
        if column not in COLUMNS and not is_free_name(column):
            what = f"is called {column!r}, as a column of the tables" if column else "has no name"
            raise OptionError(f"{name}: a column {what}; rename it")
        for near in difflib.get_close_matches(column, COLUMNS, n=1, cutoff=ALIKE) if column not in COLUMNS else ():
            logger.warning(
                "%s: %r is taken for a column of your own, not for %r; rename it if it is that", name, column, near
            )


def _cells(name: str, number: int, header: Sequence[str], line: Sequence[str]) -> dict[str, str]:
    """Return the cells of a line by column, without spaces around them."""
    if len(line) > len(header) and any(map(str.strip, line[len(header) :])):
        raise OptionError(
            f"{name}, line {number}: expected {len(header)} cells as in the header, but got {len(line)}; put cells "
            "that contain the separator in quotes"
        )
    return {column: cell.strip() for column, cell in itertools.zip_longest(header, line[: len(header)], fillvalue="")}


def _type(cells: Iterable[str]) -> str:
    """Return the type of a further column."""
    filled = list(filter(None, cells))
    return NUMBER if filled and all(map(DECIMAL.fullmatch, filled)) else STRING


def _segment(name: str, number: int, row: Mapping[str, str], further: Mapping[str, str]) -> Segment:
    """Return the segment of a line."""
    where = f"{name}, line {number}"
    for column in REQUIRED:
        if not row[column]:
            raise OptionError(f"{where}: the column {column!r} is empty")
    person = row.get("person", "").lower() or LARGEST
    if person not in PLACES and not re.fullmatch(r"[1-9]\d*", person):
        raise OptionError(
            f"{where}: expected the person {', '.join(PLACES)} or the number of a track, but got {person!r}"
            f".{did_you_mean(person, PLACES)}"
        )
    start, end = _period(where, row, "start", "end")
    baseline = _period(where, row, "baseline_start", "baseline_end")
    if math.isinf(baseline[1]) and row.get("baseline_start"):
        raise OptionError(f"{where}: baseline_start is given, but not baseline_end; give both")
    carried = {
        column: None if not row[column] else float(row[column]) if kind == NUMBER else row[column]
        for column, kind in further.items()
    }
    return Segment(
        row["path"],
        row["participant"],
        person,
        row.get("condition", ""),
        row.get("session", ""),
        row.get("segment", ""),
        start,
        end,
        None if math.isinf(baseline[1]) else baseline,
        carried,
        number,
    )


def _period(where: str, row: Mapping[str, str], first: str, last: str) -> Period:
    """Return a period of a line in seconds; from 0 to infinity where it is not given."""
    times = [0.0, math.inf]
    for place, column in enumerate((first, last)):
        try:
            times[place] = parse_seconds(row[column]) if row.get(column) else times[place]
        except ValueError as error:
            raise OptionError(f"{where}, column {column}: {error}") from None
    if times[0] >= times[1]:
        begin, end = (clock(time, decimals=2) for time in times)
        raise OptionError(f"{where}: {last} ({end}) is not after {first} ({begin})")
    return times[0], times[1]


def _numbered(segments: Iterable[Segment]) -> Iterator[Segment]:
    """Yield segments; those without a name get the number that they have in participant, condition and session."""
    counts = Counter[tuple[str, str, str]]()
    for one in segments:
        counts[one.participant, one.condition, one.session] += 1
        number = counts[one.participant, one.condition, one.session]
        yield one if one.segment else dataclasses.replace(one, segment=str(number))
