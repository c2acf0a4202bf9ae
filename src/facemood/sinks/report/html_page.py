"""A report as one page: what holds its parts together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path, PurePath
from typing import Any

from facemood.sinks.report.charts import colour_rules, legend
from facemood.sinks.report.photo_report import Photos
from facemood.sinks.report.video_report import VideoSection, facts, video_section
from facemood.text import clock, count, joined
from facemood.timeline import MIN_SECONDS, POINTS

OPEN = 3
"""How many of several videos are unfolded."""

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
"""What the page may load: nothing but what it holds."""

ABOUT = (
    "This report tells what faces <em>appear</em> to express: what a network, taught by pictures that people had put "
    "words to, takes people to call these faces. It reads expressions, not feelings. People smile without joy, and "
    "feel without showing it; what somebody felt, meant or is like cannot be known from here. Predictions are less "
    "to be relied on where faces are turned away, covered, small or blurred, and for people unlike those in the "
    "pictures that taught the network. Do not decide about a person by them."
)
"""What every report says about apparent expressions, as HTML."""

OF_VIDEOS = (
    "Areas show the probabilities of all expressions, which sum to 100%; they are empty where a person is out of "
    "sight. The band below shows the expression that leads, as a live display would show it, and shares and episodes "
    "go by it. A frame lasts until the next one of its video. An episode reaches from the beginning of its first frame "
    f"to the end of its last; those of less than {MIN_SECONDS:g} s are not listed. Charts of more than {POINTS:,} "
    "frames show means over equal stretches of time; all numbers in words and tables come from all frames. Action "
    "units are guesses of how far muscles of the face move, 0 to 1, against the person's neutral baseline as far as "
    "that is known; they are empty where a face is turned away or covered. A unit is listed from its onset to its "
    "offset where it reaches one half; blinks are counted at 15 frames a second or more."
)
"""How the numbers of videos come about."""

OF_PHOTOS = (
    "Each face of a photo counts once, by its most probable expression. Question marks: the model is not certain."
)
"""How the numbers of photos come about."""


def report_page(videos: Sequence[VideoSection], photos: Photos, info: Mapping[str, Any], *, hidden: bool) -> str:
    """Write a report.

    Args:
        videos: What was read of videos.
        photos: What was read of photos.
        info: What makes the results, as `EmotionRecognizer.info` gives it.
        hidden: Whether pictures of faces were left out on purpose.

    Returns:
        HTML that needs nothing else: no network, no other file.
    """
    labels, title = photos.labels, _title(videos, photos)
    several = len(videos) + bool(photos.number) > 1
    parts = [_video(video, number, several) for number, video in enumerate(videos, 1)]
    if photos.number:
        parts.append(f"<h2>Photos</h2>{photos.section(level=3)}" if several else photos.section(level=2))
    method = " ".join([OF_VIDEOS] * bool(videos) + [OF_PHOTOS] * bool(photos.number)) or "Nothing was read."
    style = _neighbour("page.css") + colour_rules(labels)
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
            '<p class="soft">Pictures of faces are left out of this report.</p>' if hidden else "",
            legend(labels) if videos else "",
            *parts,
            f"<footer><h2>How it was made</h2><p>{method}</p>{_settings(info)}</footer>",
            f"</main>\n<script>{_neighbour('page.js')}</script>\n</body>\n</html>\n",
        ]
    )


def _title(videos: Sequence[VideoSection], photos: Photos) -> str:
    """Name the report after what was read: the one video by its file, several things by their number."""
    if len(videos) == 1 and not photos.number:
        return PurePath(videos[0].timeline.source).name
    told = [count(len(videos), "video")] if videos else []
    return joined(told + ([count(photos.number, "photo")] if photos.number or not videos else []))


def _lead(videos: Sequence[VideoSection], photos: Photos, info: Mapping[str, Any]) -> str:
    """Say in a sentence how much was read, and with what."""
    people = sum(len(video.timeline.tracks) for video in videos)
    frames = sum(len(video.timeline.heads) for video in videos)
    told = []
    if videos:
        seconds = clock(sum(video.seconds for video in videos), decimals=1)
        told += [f"{seconds} of video in {count(frames, 'frame')} with {count(people, 'person', 'people')}"]
    if photos.number:
        told += [f"{count(photos.number, 'photo')} with {count(photos.faces, 'face')}"]
    known = [(name, info[name]) for name in ("model", "head", "detector") if name in info]
    made = ", ".join(f"{name} {value}" for name, value in known)
    return ("; ".join(told) or "No video and no photo") + f". Read by facemood {info.get('facemood', '')}: {made}."


def _video(video: VideoSection, number: int, several: bool) -> str:
    """Return the part of one video; of several videos each can be folded."""
    if not several:
        return video_section(video, name="video", level=2)
    source, name = video.timeline.source, f"video-{number}"
    unfolded = " open" if number <= OPEN else ""
    return (
        f'<details class="video"{unfolded}><summary><h2>{escape(PurePath(source).name)}</h2></summary>'
        f"{video_section(video, name=name, level=3)}</details>"
    )


def _settings(info: Mapping[str, Any]) -> str:
    """Return all that is known of how the results were made."""
    pairs = [
        (name.replace("_", " "), ", ".join(map(str, value)) if isinstance(value, list | tuple) else value)
        for name, value in info.items()
        if value is not None
    ]
    return f"<details><summary>Settings</summary>{facts(pairs)}</details>" if pairs else ""


def _neighbour(name: str) -> str:
    """Return the text of a file next to this one."""
    return Path(__file__).with_name(name).read_text(encoding="utf-8")
