"""The agreement of a review as one HTML page, which needs no network and no other file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from facemood.filenames import printable
from facemood.review.agreement import FEWEST
from facemood.review.agreement_table import CERTAIN, RatersCompared, compare_raters, number_text, range_text
from facemood.review.label_store import ENDING, HARD_TO_TELL, LabelStore
from facemood.review.sampling import RARE, UNCERTAIN, UNIFORM
from facemood.sinks.report.html_page import POLICY, page_style
from facemood.text import count, joined, share_percent

STYLE = """
p, li, summary { overflow-wrap: anywhere; }
.agreement td, .agreement thead th:nth-child(n + 3) { text-align: right; }
.wide .agreement td:last-child { white-space: nowrap; }
.agreement td.who { text-align: left; white-space: normal; }
.confusion { width: auto; }
.confusion td { text-align: right; min-width: 3.2em; padding: .28rem .5rem; }
.confusion thead th { white-space: nowrap; text-align: right; padding: .28rem .5rem; }
.confusion .same { font-weight: 700; background: var(--panel); }
.confusion .none { color: var(--soft); }
"""
"""Style of this page, in addition to that of reports."""

SAMPLES = {
    UNIFORM: "Every face of the results whose file was found had the same chance to be drawn, so this agreement is an "
    "estimate for all of them.",
    RARE: "Every label had the same chance to be drawn, however rare it is. This agreement holds for this sample "
    "only; it is not an estimate for all faces.",
    UNCERTAIN: "The less confident facemood was, the higher the chance to be drawn. This agreement holds for this "
    "sample only; it is not an estimate for all faces, and is expected to be lower.",
}
"""What the agreement in each kind of sample says."""

METHOD = (
    "Labels count as they were given before facemood's answer was shown. <em>Agreed</em> is the share of equal labels. "
    "<em>Kappa</em> is Cohen's: 1 is full agreement, 0 is what chance would give with the same frequencies of labels. "
    "Its interval is a 95% percentile bootstrap interval: whole photos and videos were drawn where there are "
    f"{FEWEST} or more, because the moments of a video are not independent; else single moments were drawn, and the "
    "interval says nothing about other videos. Moments that a person found hard to tell are counted, and left out. "
    "People who agree can be wrong alike: agreement says how a face looks to people, not what somebody felt. Unless "
    "facemood's answers were shown last, a person has seen some of them after the first labels, and may have learned "
    "from them."
)
"""How the numbers are computed, as HTML."""


def agreement_page(store: LabelStore, *, name: str) -> str:
    """Return the page as HTML.

    Args:
        store: The review.
        name: Name of the results.
    """
    rows = compare_raters(store)
    parts = [_section(store, kind, [row for row in rows if row.sample == kind]) for kind in store.sample.kinds]
    faces = sum(store.sample.counts.values())
    lead = (
        f"{count(len(store.sample.moments), 'moment')} of {count(faces, 'face')}, labelled by "
        f"{joined(store.raters) or 'nobody yet'}."
    )
    files = "".join(
        f"<li>{escape(rater)}{ENDING}: {count(len(store.given[rater]), 'label')}</li>" for rater in store.raters
    )
    return printable(
        "\n".join(
            [
                '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
                '<meta name="viewport" content="width=device-width, initial-scale=1">',
                f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
                f"<title>{escape(name)}: agreement</title>\n<style>{page_style()}{STYLE}</style>",
                '</head>\n<body data-ready="yes">\n<main>\n<header><p class="kind">Review by hand</p>'
                f"<h1>{escape(name)}</h1><p>{escape(lead)}</p></header>",
                *parts,
                f"<h2>Labels</h2><p>In {escape(str(store.folder))}:</p><ul>{files}</ul>" if files else "",
                f"<footer><h2>How it was made</h2><p>{METHOD}</p></footer>\n</main>\n</body>\n</html>\n",
            ]
        ),
        lines=True,
    )


def _section(store: LabelStore, kind: str, rows: Sequence[RatersCompared]) -> str:
    """Return the section of a kind of sample."""
    drawn = len(store.sample.kinds[kind])
    head = (
        f'<h2>{kind.capitalize()} sample <span class="soft">{count(drawn, "moment")}</span></h2><p>{SAMPLES[kind]}</p>'
    )
    if not rows:
        return f"{head}<p>No moment of it is labelled yet.</p>"
    lines = "".join(_row(row) for row in rows)
    titles = ("first", "second", "moments", HARD_TO_TELL, "agreed", "kappa", "95% interval")
    columns = "".join(f'<th scope="col">{title}</th>' for title in titles)
    table = f'<table class="agreement"><thead><tr>{columns}</tr></thead><tbody>{lines}</tbody></table>'
    shown = "".join(_confusion(row) for row in rows if row.second != CERTAIN)
    return head + _wide(table, f"Agreement in the {kind} sample") + shown


def _row(row: RatersCompared) -> str:
    """Return the row of two raters."""
    known = row.agreement
    agreed = "-" if math.isnan(known.agreed) else share_percent(known.agreed)
    of = "" if math.isnan(known.low) else f' <span class="soft">over {known.unit}s</span>'
    cells = (str(known.n), str(row.hard_to_tell), agreed, number_text(known.kappa))
    return (
        f'<tr><th scope="row">{escape(row.first)}</th><td class="who">{escape(row.second)}</td>'
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + f"<td>{range_text(known.low, known.high)}{of}</td></tr>"
    )


def _confusion(row: RatersCompared) -> str:
    """Return the table of how often two raters said which labels, which can be unfolded; nothing without a moment."""
    used = [place for place in range(len(row.labels)) if row.confusion[place].any() or row.confusion[:, place].any()]
    if not used:
        return ""
    head = "".join(f'<th scope="col">{escape(row.labels[place])}</th>' for place in used)
    body = "".join(
        f'<tr><th scope="row">{escape(row.labels[one])}</th>'
        + "".join(_cell(int(row.confusion[one, other]), same=one == other) for other in used)
        + "</tr>"
        for one in used
    )
    title = f"{escape(row.first)} (rows) and {escape(row.second)} (columns)"
    table = f'<table class="confusion"><thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f"<details><summary>{title}</summary>{_wide(table, title)}</details>"


def _wide(table: str, title: str) -> str:
    """Return a table that can be scrolled on a narrow screen, also by keyboard."""
    return f'<div class="wide" role="region" tabindex="0" aria-label="{title}">{table}</div>'


def _cell(number: int, *, same: bool) -> str:
    """Return a cell of a confusion table."""
    kind = "same" if same else "none" if not number else ""
    return f'<td class="{kind}">{number}</td>' if kind else f"<td>{number}</td>"
