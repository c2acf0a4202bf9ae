"""Result: what was read from one frame, as rows, JSON and pictures."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facemood.atomic import replacing
from facemood.errors import OutputError
from facemood.originals import refuse_overwriting
from facemood.render import PICTURES, draw_faces, encode_png, write_picture
from facemood.schema import Face, Image
from facemood.table import (
    FRAME_COLUMNS,
    SCHEMA,
    Cell,
    Column,
    RowSource,
    Value,
    columns_for,
    to_cells,
    values_of,
    write_csv,
)


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
            raise ValueError("this result has no image; pass it to draw(image), or read with keep_images=True")
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
        refuse_overwriting([target], [self.source])
        if target.suffix.lower() in PICTURES:
            write_picture(target, self.draw(layers=layers))
        elif target.suffix.lower() == ".json":
            with replacing(target, encoding="utf-8") as file:
                file.write(self.to_json())
        elif target.suffix.lower() == ".csv":
            write_csv(target, self.columns, self.rows())
        else:
            raise OutputError(f"{target}: cannot tell what to write; end the name in .png, .jpg, .webp, .json or .csv")
        return target

    @property
    def columns(self) -> tuple[Column, ...]:
        """The table's columns."""
        return columns_for(self.labels, self.variants)

    def rows(self) -> Iterator[dict[str, Cell]]:
        """Yield a table row for each face, or one row with empty face columns where there is none."""
        yield from map(to_cells, self.values(self.columns))

    def values(self, columns: Sequence[Column]) -> Iterator[dict[str, Value]]:
        """Yield the rows of a table with certain columns: typed, and None where a cell is empty."""
        if not self.faces:
            yield values_of(columns, self._where)
        for number, face in enumerate(self.faces):
            yield values_of(columns, self._where._replace(face=face, number=number))

    @property
    def _where(self) -> RowSource:
        """Where its rows come from."""
        return RowSource(source=self.source, frame=self.index, timestamp=self.timestamp)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, texts, lists and dicts."""
        return {
            "schema": SCHEMA,
            **values_of(FRAME_COLUMNS, self._where),
            "size": list(self.size),
            "faces": [face.to_dict(number) for number, face in enumerate(self.faces)],
            "speed": {stage: round(value, 2) for stage, value in self.speed.items()},
        }

    def to_json(self) -> str:
        """Return the result as one line of JSON."""
        return json.dumps(self.to_dict(), ensure_ascii=False)

    def _repr_png_(self) -> bytes | None:
        """Show the annotated picture in a notebook, where the image was kept."""
        return encode_png(self.draw()) if self.image is not None else None
