"""What the sections of a report are made of: lists of facts, tables, portraits, shares."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from facemood.languages import Say
from facemood.sinks.report.portraits import SIDE, Portrait
from facemood.text import percent, share_percent, share_range
from facemood.timeline import Track

MAX_LINES = 1000
"""Most lines of a table, to keep the page small; the tables of other sinks have all lines."""

SHORT = 12
"""Most lines of a table that is unfolded at first."""


def facts(pairs: Iterable[tuple[str, object]]) -> str:
    """Return names and values as an HTML list.

    Example:
        >>> facts([("frames", 25)])
        '<dl class="facts"><div><dt>frames</dt><dd>25</dd></div></dl>'
    """
    items = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(str(value))}</dd></div>" for name, value in pairs)
    return f'<dl class="facts">{items}</dl>'


def table(head: Sequence[str], lines: Sequence[Sequence[str]], *, caption: str) -> str:
    """Return an HTML table. The first cell of each line is its heading. A long table is folded, a very long one cut.

    Args:
        head: Names of the columns.
        lines: Cells of each line, as HTML.
        caption: Title of the table.
    """
    unfolded = "" if len(lines) > SHORT else " open"
    return f"<details{unfolded}><summary>{escape(caption)}</summary>{open_table(head, lines)}</details>"


def open_table(head: Sequence[str], lines: Sequence[Sequence[str]], *, heading: int = 0) -> str:
    """Return an HTML table without a title that is never folded; a very long one is cut.

    Args:
        head: Names of the columns.
        lines: Cells of each line, as HTML.
        heading: Index of the cell that is the heading of its line.
    """
    columns = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    rows = "".join(f"<tr>{_cells(line, heading)}</tr>" for line in lines[:MAX_LINES])
    cut = f'<p class="soft">Only the first {MAX_LINES:,} are listed.</p>' if len(lines) > MAX_LINES else ""
    return f'<div class="wide"><table><thead><tr>{columns}</tr></thead><tbody>{rows}</tbody></table></div>{cut}'


def _cells(line: Sequence[str], heading: int) -> str:
    """Return the cells of a line of a table."""
    kinds = ["td"] * len(line)
    kinds[heading] = 'th scope="row"'
    return "".join(f"<{kind}>{cell}</{kind[:2]}>" for kind, cell in zip(kinds, line, strict=True))


def portrait_row(portraits: Iterable[Portrait], *, whose: str, say: Say = str) -> str:
    """Return portraits in a row, each with its expression, probability and place."""
    figures = "".join(
        f'<figure><img src="{portrait.address}" width="{SIDE}" height="{SIDE}" alt="{escape(whose)}, '
        f'{escape(say(portrait.label))}">'
        f"<figcaption><b>{escape(say(portrait.label))}</b> {escape(percent(portrait.probability))}"
        f"{_doubt(portrait)}<br>"
        f"<span>{escape(portrait.place)}</span></figcaption></figure>"
        for portrait in portraits
    )
    return f'<div class="portraits">{figures}</div>' if figures else ""


def share_table(
    shares: Mapping[str, float],
    numbers: Mapping[str, str],
    *,
    caption: str,
    unit: str,
    intervals: Mapping[str, tuple[float, float]],
    say: Say = str,
) -> str:
    """Return shares as a table with bars, largest first. A line below lists the labels with share 0.

    Args:
        shares: Share of each label, 0..1.
        numbers: The absolute number for each label, such as its seconds.
        caption: Title of the table.
        unit: Heading of the column of numbers.
        intervals: The sampling interval of each share, 0..1.
        say: Returns the word for a label.
    """
    order = sorted((label for label in shares if shares[label] > 0), key=lambda label: -shares[label])
    labels = list(shares)
    rows = "".join(
        f'<tr><th scope="row"><span class="key c{labels.index(label)}"></span>{escape(say(label))}</th>'
        f'<td class="bar"><span class="c{labels.index(label)}" style="width:{100 * shares[label]:.1f}%"></span></td>'
        f"<td>{escape(share_percent(shares[label]))}</td>"
        f"<td>{escape(share_range(intervals[label]))}</td><td>{escape(numbers[label])}</td></tr>"
        for label in order
    )
    sampling = '<th scope="col"><abbr title="95% sampling interval">interval</abbr></th>'
    never = [label for label in labels if label not in order]
    missing = f'<p class="soft">Never: {escape(", ".join(map(say, never)))}.</p>' if never and order else ""
    return (
        f'<div class="shares"><table><caption>{escape(caption)}</caption><thead><tr><th scope="col">expression</th>'
        f'<th scope="col" class="bar" aria-label="share as a bar"></th><th scope="col">share</th>'
        f'{sampling}<th scope="col">{escape(unit)}</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>{missing}</div>"
    )


def mostly(track: Track, say: Say = str) -> str:
    """Return a person's two largest shares in words, with their intervals: ``happy (60%, 41-77%) and ...``."""
    shares, intervals = track.shares, track.share_intervals
    order = sorted((label for label in shares if shares[label] >= 0.05), key=lambda label: -shares[label])
    return " and ".join(
        f"{say(label)} ({share_percent(shares[label])}, {share_range(intervals[label])})" for label in order[:2]
    )


def _doubt(portrait: Portrait) -> str:
    """Return the question mark for a prediction that is not certain, as in annotated images."""
    return '<abbr title="the model is not certain">?</abbr>' if portrait.certain is False else ""
