"""The section of a report on photos: how often each expression was predicted, and the most confident faces of each."""

from __future__ import annotations

from collections import Counter
from html import escape
from pathlib import PurePath

from facemood.languages import Say
from facemood.render.draw import numbers_of, words_of
from facemood.results import Result
from facemood.schema import Face, Image
from facemood.sinks.report.html_parts import MAX_LINES, facts, portrait_row, share_table, table
from facemood.sinks.report.portraits import Portrait, cut_portrait
from facemood.text import count
from facemood.wilson import wilson_interval

MAX_FACES = 12
"""Most portraits of each expression, to keep the page short."""


class Photos:
    """Collects the results for photos: counts, a line for each photo, the most confident faces of each expression.

    Args:
        labels: The model's labels.
        say: Returns the word for a label.

    Attributes:
        number: Number of photos.
        faces: Number of faces.
        empty: Number of photos without a face.
    """

    number: int
    faces: int
    empty: int

    def __init__(self, labels: tuple[str, ...], say: Say = str) -> None:
        self.labels: tuple[str, ...] = labels
        self.say: Say = say
        self.number = self.faces = self.empty = 0
        self.counts: Counter[str] = Counter()
        self.lines: list[tuple[str, str, str]] = []
        self.portraits: dict[str, list[Portrait]] = {label: [] for label in labels}

    def add(self, result: Result) -> None:
        """Add one photo, and portraits of its faces if the result has its image."""
        numbers = numbers_of(result.faces)
        self.number += 1
        self.faces += len(result)
        self.empty += not result.faces
        self.counts.update(face.emotion for face in result if face.labels)
        if len(self.lines) <= MAX_LINES:  # one more than is shown, so that the table knows that it is cut
            words = [
                f"{number} {words_of(face, self.say)}".strip() for number, face in zip(numbers, result, strict=True)
            ]
            self.lines.append((escape(result.source), str(len(result)), escape(", ".join(words) or "no face found")))
        if result.image is not None:
            for number, face in zip(numbers, result, strict=True):
                name = PurePath(result.source).name
                self._add_portrait(result.image, face, f"{name}, face {number}" if number else name)

    def section(self, *, level: int) -> str:
        """Return the section as HTML, with headings of a level 1..6."""
        known = [("photos", self.number), ("faces", self.faces), ("photos without a face", self.empty)]
        return "\n".join(
            [
                facts((name, f"{number:,}") for name, number in known),
                self._share_table() if self.counts else "",
                *(self._gallery(label, level) for label in self.labels if self.portraits[label]),
                table(("photo", "faces", "expressions"), self.lines, caption=count(self.number, "photo")),
            ]
        )

    def _share_table(self) -> str:
        """Return the share of each expression among the faces, with its interval."""
        total = self.counts.total()
        shares = {label: self.counts[label] / total for label in self.labels}
        numbers = {label: f"{self.counts[label]:,}" for label in self.labels}
        intervals = {label: wilson_interval(share, total) for label, share in shares.items()}
        return share_table(
            shares, numbers, caption="Share of the faces", unit="faces", intervals=intervals, say=self.say
        )

    def _gallery(self, label: str, level: int) -> str:
        """Return the portraits of one expression, the most confident first."""
        of_all, number = self.counts[label], len(self.portraits[label])
        note = count(of_all, "face") + (f"; the {number} most confident are shown" if number < of_all else "")
        row = portrait_row(self.portraits[label], whose="A face", say=self.say)
        return f'<h{level}>{escape(self.say(label))} <span class="soft">{note}</span></h{level}>{row}'

    def _add_portrait(self, image: Image, face: Face, place: str) -> None:
        """Keep a portrait of a face if it is among the most confident of its expression."""
        if not face.labels:
            return
        kept = self.portraits.setdefault(face.emotion, [])
        if len(kept) == MAX_FACES and face.confidence <= kept[-1].probability:
            return
        kept.append(Portrait(face.emotion, face.confidence, face.certain, place, cut_portrait(image, face)))
        kept.sort(key=lambda portrait: -portrait.probability)
        del kept[MAX_FACES:]
