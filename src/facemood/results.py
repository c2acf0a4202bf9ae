"""Result: the faces of one frame, as table rows, JSON and an annotated image. Failure: an input without results."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from facemood.atomic import replacing
from facemood.codebooks import with_codebook, write_described_csv
from facemood.csv_dialect import PLAIN
from facemood.data_frames import data_frame
from facemood.errors import OptionError, OutputError
from facemood.filenames import escape_name
from facemood.languages import ENGLISH
from facemood.originals import refuse_overwriting
from facemood.participants import Segment
from facemood.render import IMAGE_SUFFIXES, draw_faces, encode_png, write_image
from facemood.schema import Face, Image
from facemood.sources.items import ImageLike
from facemood.sources.select import read_one_image
from facemood.table import (
    FRAME_COLUMNS,
    REPEATED,
    SCHEMA,
    Cell,
    Column,
    Design,
    Measures,
    RowSource,
    Value,
    columns_for,
    to_cells,
    values_of,
)
from facemood.text import percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN = 3
"""Most faces that the line of text for a result names."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An input that could not be read, and the error message."""

    source: str
    message: str

    def to_dict(self) -> dict[str, str]:
        """Return source and message as UTF-8 can store them."""
        return {"source": escape_name(self.source), "message": self.message}


@dataclass(frozen=True, slots=True, repr=False)
class Result:
    """The result of one frame.

    Attributes:
        source: Name of the source, such as a path.
        index: Number of the frame in the source, from 0.
        timestamp: Time in seconds from the start of the source; None for a single image.
        size: Width and height in pixels.
        faces: The faces, largest first; empty if none was found.
        labels: The model's labels.
        variants: Variants of the probabilities in this run: `RAW`, `CHANGE`; and `REPEATED`, if frames that look alike
            are marked.
        speed: Milliseconds of each stage: detect, landmarks, align, classify, total.
        image: The frame, (H, W, 3) uint8 BGR; None if it was not kept.
        orientation: Degrees by which the frame was turned clockwise to be read: 0, 90, 180 or 270. Faces and image are
            as given, not turned.
        design: The own columns of the study's plan; None without a plan.
        segments: The segments of the plan that contain the frame, also of participants who are not in sight.
        repeated: Whether the frame was not read, because it looks like the last one that was: its faces are the same.
        measures: Name and formula of each derived measure of the faces.
        video_end: Time at which the video ends, in seconds from its start; None if that is unknown.

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
    orientation: int = 0
    design: Design | None = None
    segments: tuple[Segment, ...] = ()
    repeated: bool = False
    measures: Measures = ()
    video_end: float | None = field(default=None, compare=False)

    def __iter__(self) -> Iterator[Face]:
        return iter(self.faces)

    @overload
    def __getitem__(self, place: int) -> Face: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[Face, ...]: ...

    def __getitem__(self, place: int | slice) -> Face | tuple[Face, ...]:
        return self.faces[place]

    def __repr__(self) -> str:
        when = "" if self.timestamp is None else f" at {self.timestamp:.2f} s"
        size = " x ".join(map(str, self.size))
        said = ", ".join(f"{label} {percent(share)}" if label else "face" for label, share in self._shown())
        more = f" and {len(self.faces) - SHOWN} more" if len(self.faces) > SHOWN else ""
        return f"<Result: {self.source!r}{when}, {size}, {said or 'no face'}{more}>"

    def _shown(self) -> list[tuple[str, float]]:
        """Return label and probability of the first faces, as a line of text names them."""
        return [face.reported for face in self.faces[:SHOWN]]

    def __len__(self) -> int:
        return len(self.faces)

    def draw(self, image: ImageLike | None = None, *, layers: Collection[str] = (), language: str = ENGLISH) -> Image:
        """Return the annotated frame with boxes, labels and bars, (H, W, 3) uint8 BGR.

        Args:
            image: The frame, if the result did not keep it, as `EmotionRecognizer.analyze_image` takes it.
            layers: What to draw in addition, some of `facemood.render.LAYERS`: ``"points"``, ``"mesh"`` (outlines of
                the face), ``"pose"``; ``"map"`` after `facemood.explain.with_maps`.
            language: Language of the labels: ``"en"``, ``"de"``, ``"es"``, ``"fr"``, ``"tr"`` or ``"zh"``. They are
                English where no font on this machine has the characters.

        Raises:
            OptionError: The result has no image, and none is given; or there is no such language.
            SourceError: The given one is no image.
            OutputError: A layer is unknown.
        """
        frame = self.image if image is None else read_one_image(image).image
        if frame is None:
            raise OptionError(
                "this result has no image; pass it as the argument, or read with analyze_image or "
                "stream(..., keep_images=True), which keep it"
            )
        return draw_faces(frame, self.faces, layers=layers, language=language)

    def plot(self, image: ImageLike | None = None, *, layers: Collection[str] = (), language: str = ENGLISH) -> Figure:
        """Return a figure for matplotlib: the annotated frame, and the probabilities of each face beside it.

        Args:
            image: The frame, if the result did not keep it.
            layers: What to draw in addition, as for `draw`.
            language: Language of the labels, as for `draw`; English where matplotlib's own font lacks characters.

        Raises:
            MissingExtraError: matplotlib is not installed (extra ``plot``).
            OptionError: The result has no image, and none is given.
        """
        from facemood.render.plots import plot_faces

        return plot_faces(self.draw(image, layers=layers, language=language), self.faces, language=language)

    def show(self, image: ImageLike | None = None, *, layers: Collection[str] = (), language: str = ENGLISH) -> None:
        """Show the annotated frame: in a notebook's cell, otherwise in a window, until Enter, q or Esc is pressed.

        Args:
            image: The frame, if the result did not keep it.
            layers: What to draw in addition, as for `draw`.
            language: Language of the labels, as for `draw`.

        Raises:
            OptionError: The result has no image, and none is given.
            MissingExtraError: pygame is not installed (extra ``live``).
            DeviceError: There is no display.
        """
        from facemood.render.show import show_image

        show_image(self.draw(image, layers=layers, language=language), title=self.source)

    def save(self, path: str | os.PathLike[str], *, layers: Collection[str] = (), language: str = ENGLISH) -> Path:
        """Write the annotated image, or the result as .json or .csv; beside a .csv its codebook: ``face.csv.json``.

        The settings in the codebook are the labels: only `Analysis.to_csv` knows those of the run.

        Args:
            path: The file; its suffix selects the format.
            layers: What to draw on an image in addition, as for `draw`.
            language: Language of the labels on an image, as for `draw`. Tables and JSON are English.

        Raises:
            OptionError: The result has no image to draw on.
            OutputConflictError: A file is the input, or would replace another file than a codebook.
            OutputError: The suffix or a layer is unknown, the file cannot be written, or a run writes it.
        """
        target = Path(path)
        refuse_overwriting(with_codebook(target), [self.source])
        if target.suffix.lower() in IMAGE_SUFFIXES:
            write_image(target, self.draw(layers=layers, language=language))
        elif target.suffix.lower() == ".json":
            with replacing(target, encoding="utf-8") as file:
                file.write(self.to_json())
        elif target.suffix.lower() == ".csv":
            write_described_csv(target, self.columns, self.rows(), {"labels": self.labels}, dialect=PLAIN)
        else:
            raise OutputError(f"{target}: unknown file type; use a name that ends in .png, .jpg, .webp, .json or .csv")
        return target

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the table."""
        return columns_for(self.labels, self.variants, self.design, self.measures)

    def rows(self) -> Iterator[dict[str, Cell]]:
        """Yield a table row for each face, or one row with empty face columns if there is no face."""
        yield from map(to_cells, self.values(self.columns))

    def values(self, columns: Sequence[Column]) -> Iterator[dict[str, Value]]:
        """Yield the rows for some columns as typed values; None is an empty cell."""
        if not self.faces:
            yield values_of(columns, self._row_source)
        for number, face in enumerate(self.faces):
            yield values_of(columns, self._row_source._replace(face=face, number=number))

    @property
    def _row_source(self) -> RowSource:
        """The values of a row without a face."""
        return RowSource(source=self.source, frame=self.index, timestamp=self.timestamp, repeated=self.repeated)

    def to_dataframe(self) -> Any:
        """Return the table as a pandas DataFrame, typed as by `Analysis.to_dataframe`.

        Raises:
            MissingExtraError: pandas is not installed (extra ``data``).
        """
        return data_frame(self.columns, list(self.values(self.columns)))

    def to_supervision(self) -> dict[str, Any]:
        """Return the faces as the keyword arguments of supervision's ``Detections``.

        Returns:
            ``xyxy`` (N, 4) float32 in pixels, ``confidence`` (N,) float32, ``class_id`` (N,) int64 places in `labels`,
            -1 without a prediction, ``tracker_id`` (N,) int64 or None, and ``data`` with ``class_name``. supervision
            itself is not needed.

        Example:
            >>> import supervision  # doctest: +SKIP
            >>> supervision.Detections(**result.to_supervision())  # doctest: +SKIP
        """
        reported = [face.reported for face in self.faces]
        tracks = [face.track_id for face in self.faces]
        return {
            "xyxy": np.stack([face.box for face in self.faces]) if self.faces else np.zeros((0, 4), np.float32),
            "confidence": np.array([share for _, share in reported], np.float32),
            "class_id": np.array([self.labels.index(name) if name else -1 for name, _ in reported], np.int64),
            "tracker_id": None if not tracks or None in tracks else np.array(tracks, np.int64),
            "data": {"class_name": np.array([name for name, _ in reported], dtype=str)},
        }

    def to_dict(self) -> dict[str, Any]:
        """Return the result as numbers, strings, lists and dicts, as in the JSON."""
        return {
            "schema": SCHEMA,
            **values_of(FRAME_COLUMNS, self._row_source),
            **({REPEATED: self.repeated} if REPEATED in self.variants else {}),
            "size": list(self.size),
            "faces": [face.to_dict(number, self.timestamp) for number, face in enumerate(self.faces)],
            "speed": {stage: round(value, 2) for stage, value in self.speed.items()},
        }

    def to_json(self) -> str:
        """Return the result as one line of JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False)

    def _repr_png_(self) -> bytes | None:
        """Display the annotated image in a notebook, if the image was kept."""
        return encode_png(self.draw()) if self.image is not None else None
