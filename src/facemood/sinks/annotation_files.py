"""Episodes for annotation programs and players: ELAN, Praat, subtitles, and events by BIDS."""

from __future__ import annotations

import html
import json
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from facemood.csv_dialect import cells_by_tab
from facemood.errors import require
from facemood.labels import EXPRESSIONS
from facemood.results import Result
from facemood.sinks.episode_table import EpisodeTextSink, figures_of, tier_of
from facemood.sinks.sink import MANY, ONE_VIDEO
from facemood.sinks.text_files import FileSink
from facemood.timeline import Episode

MARKUP = str.maketrans({"{": "(", "}": ")", "\\": "/"})
"""What pysubs2 takes for markup in a subtitle, and cannot escape, and what stands there instead."""

EXTRA = "annotate"
"""The extra with the libraries that write these files."""

EVENTS: dict[str, dict[str, Any]] = {
    "onset": {"Description": "Start of the episode, from the start of the video", "Units": "s"},
    "duration": {"Description": "Length of the episode", "Units": "s"},
    "trial_type": {
        "Description": "Apparent facial expression: the most probable label of the smoothed probabilities",
        "Levels": {label: f"the face looks {label}" for label in EXPRESSIONS},
    },
    "person": {"Description": "Track ID of the person in the video, or the participant of a study"},
    "peak_time": {"Description": "Time of the highest probability, from the start of the video", "Units": "s"},
    "peak": {"Description": "Highest probability of the label within the episode, 0..1"},
    "mean": {"Description": "Mean probability of the label over the episode, 0..1"},
}
"""Columns of a table of events, as their description in JSON has them (Brain Imaging Data Structure, BIDS)."""


class AnnotationSink(EpisodeTextSink):
    """Episodes of the people of one video, written by a library for a format.

    Attributes:
        modules: The modules that the format needs.
        source: The video; empty before its first frame.
        end: Time of its last frame in seconds.
    """

    holds = ONE_VIDEO
    modules: tuple[str, ...] = ()
    source: str
    end: float

    def __init__(self, path: Path, info: dict[str, Any]) -> None:
        for module in self.modules:
            require(module, extra=EXTRA)
        self.source, self.end = "", 0.0
        super().__init__(path, info)

    def body(self, result: Result) -> str:
        """Add one frame; nothing is written yet."""
        self.source, self.end = result.source, max(self.end, result.timestamp or 0.0)
        return super().body(result)

    def tiers(self) -> Iterator[tuple[str, list[Episode]]]:
        """Yield the name and the episodes of each person's tier, in the order of time."""
        tiers: dict[str, list[Episode]] = {}
        for episode in self.episodes():
            tiers.setdefault(tier_of(episode), []).append(episode)
        for tier, episodes in tiers.items():
            yield tier, sorted(episodes, key=lambda one: one.start)


class ElanSink(AnnotationSink):
    """An ELAN file (.eaf): a tier for each person, an annotation for each episode, and the video linked by its place.

    The video is named relative to the file, so that the two can be moved together. The file is valid by ELAN's schema
    2.8, and its time slots are in the order of time.
    """

    modules: tuple[str, ...] = ("pympi",)

    def tail(self) -> str:
        """Return the whole file."""
        eaf = require("pympi", extra=EXTRA).Eaf(author="facemood")
        if self.source:
            from urllib.parse import quote

            place = quote(Path(os.path.relpath(self.source, self.path.parent)).as_posix())
            eaf.add_linked_file(place, relpath=place, mimetype=_media_type(self.source))
        for tier, episodes in self.tiers():
            eaf.add_tier(tier)
            for one in episodes:
                start = round(1000 * one.start)
                eaf.add_annotation(tier, start, max(round(1000 * one.end), start + 1), one.label)
        if len(eaf.tiers) > 1:
            eaf.remove_tier("default")
        _mend(eaf)
        return _text_of(lambda path: eaf.to_file(path, pretty=True), ".eaf")


def _mend(eaf: Any) -> None:
    """Mend what pympi writes otherwise than ELAN: the order of time slots, the date in half an hour's zone, a name."""
    eaf.adocument["DATE"] = datetime.now().astimezone().isoformat(timespec="seconds")
    eaf.properties = [("lastUsedAnnotationId", eaf.maxaid)]
    in_order = sorted(eaf.timeslots, key=eaf.timeslots.__getitem__)  # at the same time, as they were made
    new = {slot: f"ts{number}" for number, slot in enumerate(in_order, 1)}
    eaf.timeslots = {new[slot]: eaf.timeslots[slot] for slot in in_order}
    for aligned, *_ in eaf.tiers.values():
        for name, (start, end, *rest) in aligned.items():
            aligned[name] = (new[start], new[end], *rest)


class PraatSink(AnnotationSink):
    """A Praat TextGrid: an interval tier for each person; intervals without an expression are empty."""

    modules: tuple[str, ...] = ("praatio",)

    def tail(self) -> str:
        """Return the whole file."""
        textgrid = require("praatio.textgrid", extra=EXTRA)
        tiers = list(self.tiers())
        end = max([self.end, *(one.end for _, episodes in tiers for one in episodes)]) or 1.0
        grid = textgrid.Textgrid(0.0, end)
        for tier, episodes in tiers or [("expression", [])]:
            entries = [(one.start, one.end, one.label) for one in episodes]
            grid.addTier(textgrid.IntervalTier(tier, entries, 0.0, end))
        return _text_of(lambda path: grid.save(path, "long_textgrid", includeBlankSpaces=True), ".TextGrid")


class SubtitlesSink(AnnotationSink):
    """Subtitles (.srt or .vtt): a line for each episode, with the person's number where there are several people."""

    modules: tuple[str, ...] = ("pysubs2",)

    def tail(self) -> str:
        """Return the whole file."""
        pysubs2 = require("pysubs2", extra=EXTRA)
        tiers = list(self.tiers())
        subtitles = pysubs2.SSAFile()
        for _, episodes in tiers:
            for one in episodes:
                said = f"{one.who}: {one.label}" if len(tiers) > 1 else one.label
                start, end = round(1000 * one.start), round(1000 * one.end)
                subtitles.append(pysubs2.SSAEvent(start=start, end=end, text=self._plain(said)))
        subtitles.sort()
        text: str = subtitles.to_string(self.path.suffix.lower().removeprefix("."))
        return text

    def _plain(self, said: str) -> str:
        """Return a text in one line in which pysubs2 and players find no markup."""
        line = " ".join(said.translate(MARKUP).split())
        return html.escape(line, quote=False) if self.path.suffix.lower() == ".vtt" else line


class EventsSink(AnnotationSink):
    """Events of one video, ``*_events.tsv`` by BIDS; `EventsCodebookSink` writes the description beside it."""

    def head(self) -> str:
        """Return the header line."""
        return cells_by_tab(EVENTS)

    def tail(self) -> str:
        """Return a line for each episode, ordered by onset."""
        ordered = sorted(self.episodes(), key=lambda one: (one.start, one.track_id))
        return "".join(cells_by_tab(_event(one)) for one in ordered)


class EventsCodebookSink(FileSink):
    """The description of the columns of ``*_events.tsv``, in JSON, with the settings of the run."""

    holds = MANY
    of_results = False

    def body(self, result: Result) -> str:
        """Return nothing: the file does not depend on the results."""
        return ""

    def tail(self) -> str:
        """Return the whole file."""
        made_by = {
            "GeneratedBy": [{"Name": "facemood", "Version": self.info.get("facemood", ""), "Settings": self.info}]
        }
        return json.dumps({**EVENTS, **made_by}, ensure_ascii=False, indent=2) + "\n"


def _event(episode: Episode) -> tuple[object, ...]:
    """Return the cells of an event."""
    known = figures_of(episode)
    who = episode.label, episode.segment.participant if episode.segment else episode.track_id
    return known.begin, known.duration, *who, known.peak_time, known.peak, known.mean


def _text_of(save: Any, suffix: str) -> str:
    """Return what a library writes that writes only files with a name."""
    import tempfile  # loads OpenSSL

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"episodes{suffix}")
        save(str(path))
        return path.read_text(encoding="utf-8")


def _media_type(source: str) -> str:
    """Return the media type of a video by its name, as ELAN expects it."""
    kinds = {".mp4": "video/mp4", ".mov": "video/quicktime", ".mpg": "video/mpeg", ".mpeg": "video/mpeg"}
    return kinds.get(Path(source).suffix.lower(), "unknown")
