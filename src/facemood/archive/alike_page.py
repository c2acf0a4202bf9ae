"""One page of the videos of an archive, grouped by what they show."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from facemood.archive.alike import BINS, AlikeVideos, VideoProfile
from facemood.filenames import printable
from facemood.render.plots import stacking_order
from facemood.sinks.report.charts import colour_rules, legend
from facemood.sinks.report.html_page import ABOUT, POLICY, page_style
from facemood.text import clock, count, joined, share_percent

STYLE = """
.alike { display: grid; grid-template-columns: minmax(8rem, 14rem) minmax(0, 1fr) minmax(8rem, 16rem); gap: .5rem 1rem;
  align-items: center; margin: .8rem 0; font-size: .85rem; }
.alike > * { overflow-wrap: anywhere; }
.alike svg { display: block; width: 100%; height: 40px; background: var(--panel); }
.alike path { fill: var(--colour); }
.alike :target { outline: 2px solid var(--link); outline-offset: 3px; }
@media (max-width: 640px) { .alike { grid-template-columns: minmax(0, 1fr); } }
"""
"""Style of this page, in addition to that of reports."""

HEIGHT = 100
"""Height of a curve in SVG units."""

STEP = 10
"""Width of a part of a curve in SVG units."""

METHOD = (
    f"Each strip is a video from its start to its end, in {BINS} parts: the mean probabilities of all faces, stacked. "
    "Videos are alike if these curves and the shares of the most probable labels are near to each other (0 for equal "
    "ones). Groups were found by Ward's method, and their number by the mean silhouette, unless it was given. They say "
    "what faces looked like, and nothing about why."
)
"""How the page was made."""


def alike_page(videos: AlikeVideos, *, name: str) -> str:
    """Return the page as HTML; it needs no network and no other file.

    Args:
        videos: The videos.
        name: Name of the archive.
    """
    labels, several = videos.profiles[0].labels, len(set(videos.groups.tolist()))
    left_out = f" {count(videos.left_out, 'video')} without a face left out." if videos.left_out else ""
    lead = f"{count(len(videos.profiles), 'video')} in {count(several, 'group')}.{left_out}"
    title = PurePath(name).name or name
    parts = [_group(videos, number) for number in range(1, several + 1)]
    return printable(
        "\n".join(
            [
                '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
                '<meta name="viewport" content="width=device-width, initial-scale=1">',
                f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
                f"<title>{escape(title)}: alike</title>\n<style>{page_style()}{colour_rules(labels)}{STYLE}</style>",
                f'</head>\n<body>\n<main>\n<header><p class="kind">Videos that look alike</p><h1>{escape(title)}</h1>'
                f"<p>{escape(lead)}</p></header>",
                f'<p class="about">{ABOUT}</p>',
                legend(labels),
                *parts,
                f"<footer><h2>How it was made</h2><p>{METHOD}</p></footer>\n</main>\n</body>\n</html>\n",
            ]
        ),
        lines=True,
    )


def described(profiles: Sequence[VideoProfile]) -> str:
    """Return the two largest mean shares of some videos in words: ``happy 60% and neutral 30%``."""
    labels, shares = profiles[0].labels, np.mean([one.shares for one in profiles], axis=0)
    order = [place for place in np.argsort(-shares).tolist()[:2] if shares[place] >= 0.05]
    return joined([f"{labels[place]} {share_percent(float(shares[place]))}" for place in order])


def _group(videos: AlikeVideos, number: int) -> str:
    """Return the section of a group."""
    places = np.flatnonzero(videos.groups == number).tolist()
    profiles = [videos.profiles[place] for place in places]
    rows = "".join(_row(videos, place) for place in places)
    return (
        f"<h2>Group {number}: {escape(described(profiles))} "
        f'<span class="soft">{count(len(profiles), "video")}</span></h2><div class="alike">{rows}</div>'
    )


def _row(videos: AlikeVideos, place: int) -> str:
    """Return the row of a video: name, curve, and the videos that are most alike, as links."""
    profile = videos.profiles[place]
    numbers = {one.source: number for number, one in enumerate(videos.profiles)}
    near = ", ".join(
        f'<a href="#video-{numbers[other.source]}">{escape(PurePath(other.source).name)}</a> {distance:.2f}'
        for other, distance in videos.nearest(profile.source)
    )
    name, length = escape(PurePath(profile.source).name), clock(profile.seconds)
    words = f"{PurePath(profile.source).name}: mostly {described([profile])}"
    return (
        f'<div id="video-{place}" title="{escape(profile.source)}">{name}<br><span class="soft">{length}</span></div>'
        f"{curve_svg(profile, words)}<div>{'alike: ' + near if near else ''}</div>"
    )


def curve_svg(profile: VideoProfile, words: str) -> str:
    """Return the curve of a video as stacked areas, with a description for screen readers."""
    order = [profile.labels.index(label) for label in stacking_order(profile.labels)]
    tops = np.minimum(profile.curve[:, order].cumsum(axis=1), 1)
    tops[:, -1] = 1  # rounding errors must not leave a gap at the top
    areas = "".join(
        f'<path class="c{order[layer]}" d="{_outline(tops[:, layer])}"/>' for layer in reversed(range(len(order)))
    )
    return (
        f'<svg viewBox="0 0 {BINS * STEP} {HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(words)}">{areas}</svg>'
    )


def _outline(tops: NDArray[np.float64]) -> str:
    """Return the outline of an area below (BINS,) heights 0..1, as steps."""
    heights = np.rint(HEIGHT * (1 - tops)).astype(int).tolist()
    return f"M0 {HEIGHT}" + "".join(f"V{y}H{STEP * (x + 1)}" for x, y in enumerate(heights)) + f"V{HEIGHT}Z"
