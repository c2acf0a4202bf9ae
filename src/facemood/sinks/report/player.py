"""The player of a report: the video is linked, not embedded, with everybody's timeline below it."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path
from urllib.parse import quote

from facemood.atomic import is_stream
from facemood.sources.kinds import VIDEO_SUFFIXES

MEDIA = "media-src 'self' file:"
"""What the content security policy of a page with players also allows: videos beside the page."""


def address_of_video(source: str, report: Path) -> str:
    """Return the address of a video, relative to the folder of a report; empty where there is nothing to play.

    Args:
        source: Name of the input.
        report: The file of the report.

    Example:
        >>> address_of_video("camera:0", Path("report.html")), address_of_video("gone.mp4", Path("report.html"))
        ('', '')
    """
    if Path(source).suffix.lower() not in VIDEO_SUFFIXES or is_stream(str(report)) or not os.path.isfile(source):
        return ""
    try:
        relative = os.path.relpath(source, report.absolute().parent)
    except ValueError:  # another drive
        return Path(source).absolute().as_uri()
    return quote(os.fsencode(relative.replace(os.sep, "/")))


def player(address: str) -> str:
    """Return a player for a video at an address; empty without one. The script of the page connects it with charts."""
    if not address:
        return ""
    return (
        f'<div class="player"><video controls playsinline preload="metadata" src="{escape(address)}"></video>'
        '<p class="soft"><span class="how">The video is not part of this file. </span>'
        f'<a href="{escape(address)}">Open it</a>. Keep it where it is, as seen from this report.</p>'
        '<p class="trouble" role="status" hidden>The video cannot be played: it was moved, or this browser does not '
        "know its format.</p></div>"
    )
