"""The part of a report that tells of photos: how often each expression was read, and the surest faces of each."""

from __future__ import annotations

from collections import Counter
from html import escape
from pathlib import PurePath

from facemood.render.draw import numbers_of, words_of
from facemood.results import Result
from facemood.schema import Face, Image
from facemood.sinks.report import charts
from facemood.sinks.report.portraits import Portrait, cut_portrait
from facemood.sinks.report.video_report import MOST_LINES, facts, portrait_row, table
from facemood.text import count

MOST_FACES = 12
"""How many pictures each expression has at most."""


class Photos:
    """Gathers what was read of photos: counts, a line for each of the first ones, the surest faces of each expression.

    Args:
        labels: The label words that the model knows.
    """

    number: int
    faces: int
    empty: int

    def __init__(self, labels: tuple[str, ...]) -> None:
        self.labels = labels
        self.number = self.faces = self.empty = 0
        self.counts: Counter[str] = Counter()
        self.lines: list[tuple[str, str, str]] = []
        self.portraits: dict[str, list[Portrait]] = {label: [] for label in labels}

    def add(self, result: Result) -> None:
        """Take in one photo, and pictures of its faces where it holds them."""
        numbers = numbers_of(result.faces)
        self.number += 1
        self.faces += len(result)
        self.empty += not result.faces
        self.counts.update(face.emotion for face in result if face.labels)
        if len(self.lines) <= MOST_LINES:  # one more than is shown, so that the table knows that it was cut
            words = [f"{number} {words_of(face)}".strip() for number, face in zip(numbers, result, strict=True)]
            self.lines.append((escape(result.source), str(len(result)), escape(", ".join(words) or "no face found")))
        if result.image is not None:
            for number, face in zip(numbers, result, strict=True):
                name = PurePath(result.source).name
                self._picture(result.image, face, f"{name}, face {number}" if number else name)

    def section(self, *, level: int) -> str:
        """Return what a report tells of them, under headings of a level 1..6."""
        shares = {label: self.counts[label] / max(self.counts.total(), 1) for label in self.labels}
        numbers = {label: f"{self.counts[label]:,}" for label in self.labels}
        known = [("photos", self.number), ("faces", self.faces), ("photos without a face", self.empty)]
        return "\n".join(
            [
                facts((name, f"{number:,}") for name, number in known),
                charts.share_table(shares, numbers, caption="Share of the faces", unit="faces") if self.faces else "",
                *(self._gallery(label, level) for label in self.labels if self.portraits[label]),
                table(("photo", "faces", "read"), self.lines, caption=count(self.number, "photo")),
            ]
        )

    def _gallery(self, label: str, level: int) -> str:
        """Return the pictures of one expression, the surest first."""
        of_all, number = self.counts[label], len(self.portraits[label])
        told = count(of_all, "face") + (f", of which the {number} surest are shown" if number < of_all else "")
        row = portrait_row(self.portraits[label], whose="A face")
        return f'<h{level}>{escape(label)} <span class="soft">{told}</span></h{level}>{row}'

    def _picture(self, image: Image, face: Face, place: str) -> None:
        """Keep a picture of a face, where it is among the surest of its expression."""
        if not face.labels:
            return
        kept = self.portraits.setdefault(face.emotion, [])
        if len(kept) == MOST_FACES and face.confidence <= kept[-1].probability:
            return
        kept.append(Portrait(face.emotion, face.confidence, face.certain, place, cut_portrait(image, face)))
        kept.sort(key=lambda portrait: -portrait.probability)
        del kept[MOST_FACES:]
