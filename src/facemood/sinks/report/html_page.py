"""The HTML page of a report, with its sections, style and script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path, PurePath
from typing import Any

from facemood.results import Failure
from facemood.sinks.report.charts import colour_rules, legend
from facemood.sinks.report.html_parts import facts, open_table
from facemood.sinks.report.photo_report import Photos
from facemood.sinks.report.player import MEDIA
from facemood.sinks.report.study_report import SummaryRow, curves, overview_table
from facemood.sinks.report.video_report import VideoSection, video_section
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

OVERVIEW = (
    "A line for each person. The interval of a share is a sampling interval (95%): it is wide for short segments. "
    "Missing is the share of the time without a prediction."
)
"""What the overview shows, as HTML."""

CURVES = (
    "The smoothed probability of each expression, 0 to 100%, and the derived measures, since the start of the segment. "
    "All curves have the same axes, so they can be compared. The neutral baseline is shaded."
)
"""What the curves of a study show, as HTML."""

HIDDEN = "This report has no portraits and no players, because faces are hidden."
"""What an anonymized report says."""

OF_PHOTOS = (
    "Each face in a photo counts once, with its most probable expression. The interval of a share says how far another "
    "set of as many photos may be from it (95%). A question mark means that the model is not certain."
)
"""How the numbers for photos are computed, as HTML."""


@dataclass(frozen=True, slots=True)
class ReportContent:
    """What a report is made of.

    Attributes:
        videos: The results for videos.
        photos: The results for photos.
        info: Settings of the run, as `EmotionRecognizer.info` returns them.
        rows: The lines of the overview.
        failures: The inputs that could not be read.
        study: Whether there is a plan of a study.
        hidden: Whether portraits and players were left out to anonymize the report.
    """

    videos: Sequence[VideoSection]
    photos: Photos
    info: Mapping[str, Any]
    rows: Sequence[SummaryRow] = ()
    failures: Sequence[Failure] = ()
    study: bool = False
    hidden: bool = False

    @property
    def several(self) -> bool:
        """Whether the report has contents and an overview: it is of a study, or of several videos."""
        return self.study or len(self.videos) + bool(self.photos.number) > 1

    @property
    def participants(self) -> list[str]:
        """The participants of the study, each once."""
        return list(dict.fromkeys(row.summary.segment.participant for row in self.rows if row.summary.segment))

    @property
    def places(self) -> dict[str, str]:
        """HTML id of each participant's curves, by name; participants of whom there are only photos have none."""
        filmed = {row.name for row in self.rows if not row.summary.photos}
        return {name: f"participant-{at}" for at, name in enumerate(self.participants, 1) if name in filmed}


def report_page(content: ReportContent) -> str:
    """Return a report as HTML: a self-contained page, which needs no network, and only its players need other files."""
    info, labels, title = content.info, content.photos.labels, _title(content)
    played = any(video.address for video in content.videos)
    style = page_style() + colour_rules(labels)
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}{"; " + MEDIA if played else ""}">',
            f'<meta name="generator" content="facemood {escape(str(info.get("facemood", "")))}">',
            f"<title>{escape(title)}: expressions</title>\n<style>{style}</style>\n</head>\n<body>\n<main>",
            f'<header><p class="kind">Apparent facial expressions</p><h1>{escape(title)}</h1>'
            f"<p>{escape(_lead(content))}</p></header>",
            f'<p class="about">{ABOUT}</p>',
            f'<p class="soft">{HIDDEN}</p>' if content.hidden else "",
            *_summary(content),
            legend(labels, say=content.photos.say) if content.videos else "",
            *_sections(content),
            f'<footer><h2 id="method">How it was made</h2><p>{_method(content)}</p>{_settings(info)}</footer>',
            f"</main>\n<script>{_file_text('page.js')}</script>\n</body>\n</html>\n",
        ]
    )


def _sections(content: ReportContent) -> list[str]:
    """Return the sections of the videos and of the photos."""
    parts = [_video(video, number, content.several) for number, video in enumerate(content.videos, 1)]
    if content.photos.number and content.several:
        parts.append(f'<h2 id="photos">Photos</h2>{content.photos.section(level=3)}')
    elif content.photos.number:
        parts.append(content.photos.section(level=2))
    return parts


def _summary(content: ReportContent) -> list[str]:
    """Return what stands before the videos: contents, inputs that failed, the overview, the curves of a study."""
    parts = [_contents(content)] if content.several else []
    if content.failures:
        lines = [(escape(one.source), escape(one.message)) for one in content.failures]
        parts.append(f'<h2 id="failed">Not read</h2>{open_table(("input", "why"), lines)}')
    if content.several and content.rows:
        places = content.places
        parts.append(
            f'<h2 id="overview">Overview</h2><p class="soft">{OVERVIEW}</p>{overview_table(content.rows, places)}'
        )
        if places:
            drawn = curves(content.rows, places, level=3)
            parts.append(f'<h2 id="curves">Participants and conditions</h2><p class="soft">{CURVES}</p>{drawn}')
    return parts


def _contents(content: ReportContent) -> str:
    """Return the contents of the page as links."""
    videos = [
        (f"video-{number}", PurePath(video.timeline.source).name) for number, video in enumerate(content.videos, 1)
    ]
    found = [
        ("failed", f"Not read: {count(len(content.failures), 'input')}" if content.failures else ""),
        ("overview", "Overview" if content.rows else ""),
        ("curves", "Participants and conditions" if content.places else ""),
        *videos,
        ("photos", "Photos" if content.photos.number else ""),
        ("method", "How it was made"),
    ]
    links = "".join(f'<li><a href="#{place}">{escape(text)}</a></li>' for place, text in found if text)
    return f'<nav class="contents" aria-label="Contents"><ul>{links}</ul></nav>'


def _method(content: ReportContent) -> str:
    """Return how the numbers were made, as HTML."""
    derived = content.videos and content.info.get("measures")
    told = [(OF_VIDEOS, content.videos), (OF_MEASURES, derived), (OF_PHOTOS, content.photos.number)]
    return " ".join(text for text, shown in told if shown) or "There are no results."


def _title(content: ReportContent) -> str:
    """Return the title: the participants of a study, the file name of a single video, or how many inputs there are."""
    videos, photos = content.videos, content.photos
    if content.participants:
        return f"Study of {count(len(content.participants), 'participant')}"
    if len(videos) == 1 and not photos.number:
        return PurePath(videos[0].timeline.source).name
    counts = [count(len(videos), "video")] if videos else []
    return joined(counts + ([count(photos.number, "photo")] if photos.number or not videos else []))


def _lead(content: ReportContent) -> str:
    """Return a sentence on the amount of input and the model."""
    videos, photos, info = content.videos, content.photos, content.info
    across = "same_people" in info  # then a person has the same number in all videos, and counts once
    tracks = [
        (across or place, track.track_id) for place, video in enumerate(videos) for track in video.timeline.tracks
    ]
    people = len(set(tracks))
    frames = sum(len(video.timeline.face_counts) for video in videos)
    amounts = [_amount_of_study(content)] if content.participants else []
    if videos:
        seconds = clock(sum(video.seconds for video in videos), decimals=1)
        tracked = count(people, "person", "people") if not content.participants else count(people, "track")
        amounts += [f"{seconds} of video in {count(frames, 'frame')} with {tracked}"]
    if photos.number:
        amounts += [f"{count(photos.number, 'photo')} with {count(photos.faces, 'face')}"]
    known = [(name, info[name]) for name in ("model", "head", "detector") if name in info]
    model = ", ".join(f"{name} {value}" for name, value in known)
    version = info.get("facemood", "")
    return ("; ".join(amounts) or "No video and no photo") + f". Analyzed by facemood {version}: {model}."


def _amount_of_study(content: ReportContent) -> str:
    """Return how much a study has, in words."""
    conditions = {row.words[0] for row in content.rows if row.words[0]}
    parts = [count(len(conditions), "condition")] if conditions else []
    return joined([*parts, count(len(content.rows), "segment")])


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
        for name, value in {**info, "measures": _measures(info), "design": None}.items()
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
