"""Result (one frame) and Analysis (many): what was read, as rows, JSON, pictures and tables."""

from __future__ import annotations

import csv
import dataclasses
import html
import io
import json
import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from facemood.atomic import replacing
from facemood.errors import OutputError, require
from facemood.facs import CODES
from facemood.labels import EXPRESSIONS
from facemood.render import PICTURES, draw_faces, encode_png, write_picture
from facemood.schema import ANGLES, Face, Image
from facemood.timeline import Track, collect_tracks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCHEMA = 1
"""Version of the JSON and the table; it changes when a reader would have to."""

COLUMNS = (
    "source", "frame", "timestamp", "face", "track_id", "x1", "y1", "x2", "y2", "score",
    "emotion", "confidence", "certain", *EXPRESSIONS, *CODES, *ANGLES,
)  # fmt: skip
"""The table's columns. Labels of a user's own model follow them, and then what videos have beside."""

RAW, CHANGE = "raw", "change"
"""What tables of videos tell of each label beside its smoothed probability, in columns such as ``raw_happy``: what was
read from the frame alone, and by how much the log-odds are above those of the person's resting face."""


@dataclass(frozen=True, slots=True)
class Result:
    """What was read from one frame.

    Attributes:
        source: Where the frame came from.
        index: Its position in the source, from 0.
        timestamp: Seconds since the source began; None for a single image.
        size: Width and height in pixels.
        faces: The faces, largest first; empty where none was found.
        labels: The label words that the model knows.
        variants: Which values the run gives for each label besides its probability: `RAW`, `CHANGE`.
        speed: Milliseconds of each stage: detect, landmarks, align, classify, total.
        image: (H, W, 3) uint8 BGR, where it was kept; None otherwise.

    Example:
        >>> result = Result("photo.jpg", size=(640, 480), labels=("happy", "sad"))
        >>> len(result), list(result.rows())[0]["emotion"]
        (0, '')
    """

    source: str
    index: int = 0
    timestamp: float | None = None
    size: tuple[int, int] = (0, 0)
    faces: tuple[Face, ...] = ()
    labels: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    speed: dict[str, float] = field(default_factory=dict)
    image: Image | None = field(default=None, repr=False, compare=False)

    def __iter__(self) -> Iterator[Face]:
        return iter(self.faces)

    def __len__(self) -> int:
        return len(self.faces)

    def draw(self, image: Image | None = None, *, layers: Collection[str] = ()) -> Image:
        """Return the frame with boxes, labels and bars, (H, W, 3) uint8 BGR.

        Args:
            image: The frame, where the result did not keep it.
            layers: What to draw on the faces as well: ``"points"``, ``"mesh"`` (the face's outlines), ``"pose"``, and
                ``"map"`` of faces that have one (`facemood.explain.with_maps`).

        Raises:
            ValueError: Neither the result nor the caller has the frame.
            OutputError: There is no such layer.
        """
        ground = self.image if image is None else image
        if ground is None:
            raise ValueError("this result kept no image; pass it to draw(image), or read with keep_images=True")
        return draw_faces(ground, self.faces, layers=layers)

    def save(self, path: str | os.PathLike[str], *, layers: Collection[str] = ()) -> Path:
        """Write the annotated picture, or the result itself where the name ends in .json or .csv.

        Args:
            path: The file's name; its ending says what is written.
            layers: What a picture shows as well, as for `draw`.

        Raises:
            OutputError: The ending or a layer is unknown, or the place cannot be written to.
        """
        target = Path(path)
        if target.suffix.lower() in PICTURES:
            write_picture(target, self.draw(layers=layers))
        elif target.suffix.lower() == ".json":
            with replacing(target, encoding="utf-8") as file:
                file.write(self.to_json())
        elif target.suffix.lower() == ".csv":
            Analysis((self,)).to_csv(target)
        else:
            raise OutputError(f"{target}: cannot tell what to write; end the name in .png, .jpg, .webp, .json or .csv")
        return target

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield a table row for each face, or one row with empty face columns where there is none."""
        where = {"source": self.source, "frame": self.index, "timestamp": _or_empty(self.timestamp)}
        empty = dict.fromkeys(columns_for(self.labels, self.variants), "")
        if not self.faces:
            yield {**empty, **where}
        for number, face in enumerate(self.faces):
            x1, y1, x2, y2 = (round(value, 1) for value in face.box.tolist())
            yield {
                **empty, **where, "face": number, "track_id": _or_empty(face.track_id),
                "x1": x1, "y1": y1, "x2": x2, "y2": y2, "score": round(face.score, 4),
                "emotion": face.emotion, "confidence": round(face.confidence, 4) if face.labels else "",
                "certain": "" if face.certain is None else int(face.certain),
                **{label: round(value, 4) for label, value in face.emotions.items()},
                **{code: round(face.action_units[code], 3) for code in CODES if code in face.action_units},
                **face.angles, **self._beside(face),
            }  # fmt: skip

    def _beside(self, face: Face) -> dict[str, Any]:
        """Return the cells that videos alone have."""
        if not self.variants:
            return {}
        values = {RAW: face.raw_probabilities, CHANGE: face.change}
        cells: dict[str, Any] = {"display_label": face.display_label}
        for kind in self.variants:
            if (reading := values[kind]) is not None:
                cells |= {
                    f"{kind}_{label}": round(value, 4)
                    for label, value in zip(face.labels, reading.tolist(), strict=True)
                }
        return cells

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, texts, lists and dicts."""
        return {
            "schema": SCHEMA,
            "source": self.source,
            "frame": self.index,
            "timestamp": self.timestamp,
            "size": list(self.size),
            "faces": [face.to_dict() for face in self.faces],
            "speed": {stage: round(value, 2) for stage, value in self.speed.items()},
        }

    def to_json(self) -> str:
        """Return the result as one line of JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False)

    def _repr_png_(self) -> bytes | None:
        """Show the annotated picture in a notebook, where the image was kept."""
        return encode_png(self.draw()) if self.image is not None else None


@dataclass(frozen=True, slots=True)
class Failure:
    """An input that could not be read, and why."""

    source: str
    message: str


@dataclass(frozen=True, slots=True)
class Analysis:
    """What was read from many frames.

    Attributes:
        results: One Result a frame, in order.
        info: Model, head, versions and settings that made them.
        failures: The inputs that could not be read.
    """

    results: tuple[Result, ...]
    info: dict[str, Any] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()

    def __iter__(self) -> Iterator[Result]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    @property
    def labels(self) -> tuple[str, ...]:
        """The label words that the model knows."""
        return self.results[0].labels if self.results else ()

    @property
    def variants(self) -> tuple[str, ...]:
        """Which values each label has besides its probability."""
        return self.results[0].variants if self.results else ()

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the table's rows: one a face a frame, and one for each frame without a face."""
        for result in self.results:
            yield from result.rows()

    def to_csv(self, path: str | os.PathLike[str]) -> Path:
        """Write the table.

        Raises:
            OutputError: The place cannot be written to.
        """
        with replacing(path, newline="", encoding="utf-8") as file:
            file.write(csv_line(columns_for(self.labels, self.variants)))
            file.writelines(csv_line(row.values()) for row in self.rows())
        return Path(path)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, texts, lists and dicts."""
        return {
            "schema": SCHEMA,
            "info": self.info,
            "results": [result.to_dict() for result in self.results],
            "failures": [dataclasses.asdict(failure) for failure in self.failures],
        }

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return everything as JSON, and write it where a path is given.

        Raises:
            OutputError: The place cannot be written to.
        """
        text = json.dumps(self.to_dict(), ensure_ascii=False)
        if path is not None:
            with replacing(path, encoding="utf-8") as file:
                file.write(text)
        return text

    def to_dataframe(self) -> Any:
        """Return the table as a pandas DataFrame; empty cells are missing values.

        Raises:
            MissingExtraError: pandas is not installed (extra ``data``).
        """
        pandas = require("pandas", extra="data")
        rows = ({key: None if value == "" else value for key, value in row.items()} for row in self.rows())
        return pandas.DataFrame(list(rows), columns=columns_for(self.labels))

    def tracks(self) -> list[Track]:
        """Return the people of videos over time, video by video, in the order of their numbers."""
        return collect_tracks(self.results)

    def plot_timeline(self, *, width: float = 10.0) -> Figure:
        """Draw the people of videos over time: stacked probabilities, and each expression's share of the time.

        Args:
            width: Inches.

        Raises:
            MissingExtraError: matplotlib is not installed (extra ``plot``).
            ValueError: Nobody is to be drawn: there is no video, or nobody in it.
        """
        from facemood.render.plots import plot_timeline

        return plot_timeline(self.tracks(), width=width)

    def summary(self) -> dict[str, Any]:
        """Count frames, faces and failures, and give each expression's share of the faces read and mean probability.

        Example:
            >>> Analysis((Result("a.jpg", labels=("happy",)),)).summary()["frames"]
            1
        """
        faces = [face for result in self.results for face in result]
        read = [face for face in faces if face.labels]
        counts = Counter(face.emotion for face in read)
        means = np.mean([face.probabilities for face in read], axis=0).tolist() if read else []
        return {
            "frames": len(self.results),
            "frames_without_a_face": sum(not result.faces for result in self.results),
            "faces": len(faces),
            "failures": len(self.failures),
            "share": {label: round(counts[label] / len(read), 4) for label in self.labels} if read else {},
            "mean_probability": {label: round(mean, 4) for label, mean in zip(self.labels, means, strict=False)},
        }

    def _repr_html_(self) -> str:
        """Show a summary and the first rows in a notebook."""
        summary = self.summary()
        counts = ", ".join(f"{summary[key]} {key.replace('_', ' ')}" for key in ("frames", "faces", "failures"))
        shown = ("source", "frame", "face", "emotion", "confidence")
        head = "".join(f"<th>{name}</th>" for name in shown)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(str(row[name]))}</td>" for name in shown) + "</tr>"
            for row, _ in zip(self.rows(), range(20), strict=False)
        )
        return f"<p>{counts}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def columns_for(labels: tuple[str, ...], variants: Sequence[str] = ()) -> list[str]:
    """Return the table's columns: the fixed ones, the model's own labels that they lack, and what videos have beside.

    Args:
        labels: The label words that the model knows.
        variants: `RAW` where readings are smoothed, `CHANGE` where resting faces are known.

    Example:
        >>> columns_for(("happy", "bored"))[-2:]
        ['roll', 'bored']
        >>> columns_for(("happy", "bored"), (RAW,))[-3:]
        ['display_label', 'raw_happy', 'raw_bored']
    """
    beside = [f"{kind}_{label}" for kind in variants for label in labels]
    own = [label for label in labels if label not in COLUMNS]
    return [*COLUMNS, *own, *(["display_label", *beside] if beside else [])]


def csv_line(values: Iterable[object]) -> str:
    """Return one line of the table as CSV.

    Example:
        >>> csv_line(["a, b.jpg", 0, ""]).strip()
        '"a, b.jpg",0,'
    """
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(values)
    return line.getvalue()


def _or_empty(value: float | int | None) -> float | int | str:
    """Return a value for a table's cell, empty where there is none."""
    return "" if value is None else value
