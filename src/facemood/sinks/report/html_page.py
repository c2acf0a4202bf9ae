"""The HTML page of a report, with its sections, style and script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path, PurePath
from typing import Any

from facemood.sinks.report.charts import colour_rules, legend
from facemood.sinks.report.photo_report import Photos
from facemood.sinks.report.video_report import VideoSection, facts, video_section
from facemood.text import clock, count, joined
from facemood.timeline import MAX_POINTS, MIN_SECONDS

OPEN = 3
"""Number of video sections that are unfolded at first, to keep a page of many videos short."""

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
"""Content security policy: the page may load nothing from elsewhere."""

ABOUT = (
    "This report shows which expressions faces <em>appear</em> to show. A network predicted them. It was trained on "
    "images that people had labelled. It predicts expressions, not feelings: people smile without joy, and have "
    "feelings without showing them. This report cannot tell what a person felt, meant or is like. Predictions are less "
    "reliable for faces that are turned away, covered, small or blurred, and for people who differ from those in the "
    "training images. Do not use it to decide about a person."
)
"""The note on apparent expressions in every report, as HTML."""

OF_VIDEOS = (
    "The areas show the probabilities of all expressions, which sum to 100%. They are empty while a person is out of "
    "sight. The strip below, the episodes and the shares are of the most probable label, smoothed but without the "
    "hysteresis of the label that is drawn on videos. The "
    "interval of a share says how far another video of this length may be from it (95%). A frame lasts until "
    "the next frame of its video. An episode lasts from the start of its first frame to the end of its last; episodes "
    f"shorter than {MIN_SECONDS:g} s are not listed. Charts of more than {MAX_POINTS:,} frames show means over equal "
    "intervals; all numbers in texts and tables are computed from all frames. Action units are estimates of how much "
    "the muscles of the face move, 0 to 1, smoothed, relative to the person's neutral baseline if it is known. They "
    "are empty while a face is turned away or covered. An event of an action unit, from onset to offset, is listed if "
    "its intensity reaches 0.5. Blinks are counted at 15 or more frames per second."
)
"""How the numbers for videos are computed, as HTML."""

OF_MEASURES = (
    "Derived measures are computed from probabilities and action units by formulas; nothing is learned for them. "
    "Valence is -1 to 1 and drawn from the middle; all others are 0 to 1. They do not say what a person felt."
)
"""How derived measures are computed, as HTML."""

OF_PHOTOS = (
    "Each face in a photo counts once, with its most probable expression. The interval of a share says how far another "
    "set of as many photos may be from it (95%). A question mark means that the model is not certain."
)
"""How the numbers for photos are computed, as HTML."""


def report_page(videos: Sequence[VideoSection], photos: Photos, info: Mapping[str, Any], *, hidden: bool) -> str:
    """Return a report as HTML.

    Args:
        videos: The results for videos.
        photos: The results for photos.
        info: Settings of the run, as `EmotionRecognizer.info` returns them.
        hidden: Whether portraits were left out to anonymize the report.

    Returns:
        A self-contained page: it needs no network and no other file.
    """
    labels, title = photos.labels, _title(videos, photos)
    several = len(videos) + bool(photos.number) > 1
    parts = [_video(video, number, several) for number, video in enumerate(videos, 1)]
    if photos.number:
        parts.append(f"<h2>Photos</h2>{photos.section(level=3)}" if several else photos.section(level=2))
    derived = videos and info.get("measures")
    told = [(OF_VIDEOS, videos), (OF_MEASURES, derived), (OF_PHOTOS, photos.number)]
    method = " ".join(text for text, shown in told if shown) or "There are no results."
    style = page_style() + colour_rules(labels)
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            f'<meta name="generator" content="facemood {escape(str(info.get("facemood", "")))}">',
            f"<title>{escape(title)}: expressions</title>\n<style>{style}</style>\n</head>\n<body>\n<main>",
            f'<header><p class="kind">Apparent facial expressions</p><h1>{escape(title)}</h1>'
            f"<p>{escape(_lead(videos, photos, info))}</p></header>",
            f'<p class="about">{ABOUT}</p>',
            '<p class="soft">This report has no portraits, because faces are hidden.</p>' if hidden else "",
            legend(labels, say=videos[0].say) if videos else "",
            *parts,
            f"<footer><h2>How it was made</h2><p>{method}</p>{_settings(info)}</footer>",
            f"</main>\n<script>{_file_text('page.js')}</script>\n</body>\n</html>\n",
        ]
    )


def _title(videos: Sequence[VideoSection], photos: Photos) -> str:
    """Return the title: the file name of a single video, else the numbers of videos and photos."""
    if len(videos) == 1 and not photos.number:
        return PurePath(videos[0].timeline.source).name
    counts = [count(len(videos), "video")] if videos else []
    return joined(counts + ([count(photos.number, "photo")] if photos.number or not videos else []))


def _lead(videos: Sequence[VideoSection], photos: Photos, info: Mapping[str, Any]) -> str:
    """Return a sentence on the amount of input and the model."""
    people = sum(len(video.timeline.tracks) for video in videos)
    frames = sum(len(video.timeline.face_counts) for video in videos)
    amounts = []
    if videos:
        seconds = clock(sum(video.seconds for video in videos), decimals=1)
        amounts += [f"{seconds} of video in {count(frames, 'frame')} with {count(people, 'person', 'people')}"]
    if photos.number:
        amounts += [f"{count(photos.number, 'photo')} with {count(photos.faces, 'face')}"]
    known = [(name, info[name]) for name in ("model", "head", "detector") if name in info]
    model = ", ".join(f"{name} {value}" for name, value in known)
    version = info.get("facemood", "")
    return ("; ".join(amounts) or "No video and no photo") + f". Analyzed by facemood {version}: {model}."


def _video(video: VideoSection, number: int, several: bool) -> str:
    """Return the section of one video; with several sections, it can be folded."""
    if not several:
        return video_section(video, name="video", level=2)
    source, name = video.timeline.source, f"video-{number}"
    unfolded = " open" if number <= OPEN else ""
    return (
        f'<details class="video"{unfolded}><summary><h2>{escape(PurePath(source).name)}</h2></summary>'
        f"{video_section(video, name=name, level=3)}</details>"
    )


def _settings(info: Mapping[str, Any]) -> str:
    """Return the settings of the run as a list that can be unfolded."""
    pairs = [
        (name.replace("_", " "), ", ".join(map(str, value)) if isinstance(value, list | tuple) else value)
        for name, value in {**info, "measures": _measures(info)}.items()
        if value is not None
    ]
    return f"<details><summary>Settings</summary>{facts(pairs)}</details>" if pairs else ""


def _measures(info: Mapping[str, Any]) -> list[str] | None:
    """Return the derived measures of a run in words, those of the user with their formulas; None without any."""
    return [f"{name} = {formula}" if formula else name for name, formula in info.get("measures", ())] or None


def page_style() -> str:
    """Return the style of reports, as CSS."""
    return _file_text("page.css")


def _file_text(name: str) -> str:
    """Return the text of a file in this folder."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
