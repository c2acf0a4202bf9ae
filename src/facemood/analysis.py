"""Analysis: the results of many frames, as tables, JSON, timelines and a summary."""

from __future__ import annotations

import dataclasses
import html
import itertools
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from facemood.atomic import replacing
from facemood.codebooks import codebook_path, write_described_csv
from facemood.csv_dialect import PLAIN, write_csv
from facemood.data_frames import data_frame
from facemood.errors import OutputError
from facemood.languages import ENGLISH
from facemood.originals import refuse_overwriting
from facemood.results import Failure, Result
from facemood.switches import check_switches
from facemood.table import (
    SCHEMA,
    Cell,
    Column,
    Design,
    Measures,
    Value,
    columns_for,
    summary_columns,
    to_cells,
    values_of,
)
from facemood.text import count
from facemood.timeline import SummaryCollector, Track, collect_tracks
from facemood.timeline.share_intervals import share_interval
from facemood.wilson import wilson_interval

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Analysis:
    """The results of many frames.

    Attributes:
        results: One Result per frame, in order.
        info: Settings of the run: model, head, version and options.
        failures: The inputs that could not be read.
    """

    results: tuple[Result, ...]
    info: dict[str, Any] = dataclasses.field(default_factory=dict)
    failures: tuple[Failure, ...] = ()

    @classmethod
    def from_openface(cls, path: str | os.PathLike[str], *, source: str | None = None) -> Analysis:
        """Return what OpenFace 2 found in a video or photo, from its CSV file.

        Faces have score, landmarks, head pose and action units, but no expressions.

        Args:
            path: The CSV file of FeatureExtraction, FaceLandmarkVidMulti or FaceLandmarkImg.
            source: Name of the video; None takes that of the file.

        Raises:
            SourceError: The file cannot be read, or is no such table.
        """
        from facemood.peer_reading import read_openface

        return cls(read_openface(path, source=source), {"read_from": "OpenFace"})

    @classmethod
    def from_pyfeat(cls, path: str | os.PathLike[str], *, fps: float | None = None) -> Analysis:
        """Return what py-feat found in videos and photos, from a Fex that was saved as CSV.

        Args:
            path: The CSV file.
            fps: Frames per second of the video; None takes the times in the table.

        Raises:
            SourceError: The file cannot be read, or is no such table.
        """
        from facemood.peer_reading import read_pyfeat

        return cls(read_pyfeat(path, fps=fps), {"read_from": "py-feat"})

    def __iter__(self) -> Iterator[Result]:
        return iter(self.results)

    @overload
    def __getitem__(self, place: int) -> Result: ...

    @overload
    def __getitem__(self, place: slice) -> Analysis: ...

    def __getitem__(self, place: int | slice) -> Result | Analysis:
        if isinstance(place, slice):
            return dataclasses.replace(self, results=self.results[place])
        return self.results[place]

    def __repr__(self) -> str:
        sources = list(dict.fromkeys(result.source for result in self.results))
        faces = sum(map(len, self.results))
        of = f" of {sources[0]!r}" if len(sources) == 1 else f" of {len(sources)} sources" if sources else ""
        failed = f", {count(len(self.failures), 'failure')}" if self.failures else ""
        return f"<Analysis: {count(len(self.results), 'frame')}{of}, {count(faces, 'face')}{failed}>"

    def __len__(self) -> int:
        return len(self.results)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of all results, each once, in the order of their first occurrence."""
        return tuple(dict.fromkeys(label for labels in self._each("labels") for label in labels))

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants of the probabilities in any of the results, such as ``"raw"``."""
        return tuple(dict.fromkeys(kind for variants in self._each("variants") for kind in variants))

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the table: all that any of the results has."""
        return columns_for(self.labels, self.variants, self.design, self.measures)

    @property
    def measures(self) -> Measures:
        """Name and formula of each derived measure in any of the results."""
        return tuple(dict.fromkeys(one for measures in self._each("measures") for one in measures))

    @property
    def design(self) -> Design | None:
        """The own columns of the study's plan; None without a plan."""
        designs = list(dict.fromkeys(result.design for result in self.results if result.design is not None))
        return tuple(dict.fromkeys(column for design in designs for column in design)) if designs else None

    def _each(self, name: str) -> Iterable[tuple[Any, ...]]:
        """Return the distinct values of an attribute of the results."""
        return dict.fromkeys(getattr(result, name) for result in self.results)

    def values(self) -> Iterator[dict[str, Value]]:
        """Yield the rows of the table as typed values; None is an empty cell."""
        columns = self.columns
        for result in self.results:
            yield from result.values(columns)

    def rows(self) -> Iterator[dict[str, Cell]]:
        """Yield the rows of the table: one per face, and one for each frame without a face."""
        return map(to_cells, self.values())

    def codebook(self, *, summary: bool = False) -> list[dict[str, Value]]:
        """Return the codebook of the table: name, type, unit, range, decimals and meaning of each column.

        Args:
            summary: Whether it is that of `summary_dataframe`, instead of the table of faces.

        Example:
            >>> analysis = Analysis((Result("a.jpg", labels=("happy",)),))
            >>> next(line for line in analysis.codebook() if line["name"] == "x1")["unit"]
            'px'
        """
        return [column.describe() for column in self._table(summary=summary)[0]]

    def to_csv(
        self, path: str | os.PathLike[str], *, summary: bool = False, dialect: str = PLAIN, codebook: bool = True
    ) -> Path:
        """Write the table as CSV, and beside it its codebook and the settings: ``table.csv`` and ``table.csv.json``.

        Args:
            path: The file, such as ``table.csv``.
            summary: Whether summaries are written, as `summary_dataframe` has them, instead of the table of faces.
            dialect: ``"plain"`` keeps every text as it is; ``"excel"`` puts an apostrophe before texts that a
                spreadsheet would take for a formula, such as the file name ``=1+1.jpg``.
            codebook: Whether the codebook is written, too.

        Raises:
            OutputConflictError: A file is an input, or would replace another file than a codebook.
            OutputError: The file cannot be written, its name is that of another format, or a run writes it.
            OptionError: The dialect is unknown, or `summary` or `codebook` is no bool.
        """
        check_switches(codebook=codebook)
        self._check_target(path, ".csv", "to_csv", beside=[codebook_path(path)] if codebook else [])
        columns, rows = self._table(summary=summary)
        if codebook:
            return write_described_csv(path, columns, map(to_cells, rows), self.info, dialect=dialect)
        return write_csv(path, columns, map(to_cells, rows), dialect=dialect)

    def to_excel(self, path: str | os.PathLike[str], *, summary: bool = False) -> Path:
        """Write the table as an Excel file with the sheets ``table``, ``codebook`` and ``settings``.

        Args:
            path: The file, such as ``table.xlsx``.
            summary: Whether it has summaries, as `summary_dataframe`, instead of the table of faces.

        Raises:
            MissingExtraError: XlsxWriter is not installed (extra ``study``).
            OutputError: The file cannot be written, its name does not end in .xlsx, or there are more than a million
                rows.
        """
        self._check_target(path, ".xlsx", "to_excel")
        if Path(path).suffix.lower() != ".xlsx":
            raise OutputError(f"{path}: to_excel writes Excel files; use a name that ends in .xlsx")
        from facemood.sinks.table_files import to_xlsx

        columns, rows = self._table(summary=summary)
        data = to_xlsx(columns, list(rows), self.info)
        with replacing(path, "wb") as file:
            file.write(data)
        return Path(path)

    def to_dict(self) -> dict[str, Any]:
        """Return all results as numbers, strings, lists and dicts, as in the JSON."""
        return {
            "schema": SCHEMA,
            "info": self.info,
            "results": [result.to_dict() for result in self.results],
            "failures": [failure.to_dict() for failure in self.failures],
        }

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """Return all results as JSON, and write them to a file if a path is given.

        Raises:
            OutputError: The file cannot be written, or its name is that of another format.
        """
        text = json.dumps(self.to_dict(), ensure_ascii=False)
        if path is not None:
            self._check_target(path, ".json", "to_json")
            with replacing(path, encoding="utf-8") as file:
                file.write(text)
        return text

    def _check_target(
        self, path: str | os.PathLike[str], own: str, method: str, *, beside: Iterable[Path] = ()
    ) -> None:
        """Refuse to write over what was read, and a name that ends as files of another format do."""
        from facemood.sinks import refuse_other_format

        refuse_overwriting([path, *beside], {result.source for result in self.results})
        refuse_other_format(path, own, method)

    def to_dataframe(self) -> Any:
        """Return the table as a pandas DataFrame; empty cells are missing values.

        The type of a column does not depend on the data: texts are ``string``, whole numbers ``Int64``, other numbers
        ``float64`` and truth values ``boolean``.

        Raises:
            MissingExtraError: pandas is not installed (extra ``data``).
        """
        columns, rows = self._table()
        return data_frame(columns, list(rows))

    def summary_dataframe(self) -> Any:
        """Return a row for each segment of a study or, without a plan, for each person of a video, as a DataFrame.

        The columns are those of ``summary.csv``: seconds, shares, means, episodes, action units, blinks.
        `facemood.study` compares conditions.

        Raises:
            MissingExtraError: pandas is not installed (extra ``data``).
        """
        columns, rows = self._table(summary=True)
        return data_frame(columns, list(rows))

    def _table(self, *, summary: bool = False) -> tuple[tuple[Column, ...], Iterator[dict[str, Value]]]:
        """Return columns and rows of the table of faces, or of the summaries."""
        check_switches(summary=summary)
        if not summary:
            return self.columns, self.values()
        columns = summary_columns(self.labels, self.variants, self.design, self.measures)
        collector = SummaryCollector()
        for result in self.results:
            collector.add(result)
        return columns, (values_of(columns, one) for one in collector.summaries())

    def tracks(self) -> list[Track]:
        """Return the tracks of all people in videos, video by video, ordered by track ID."""
        return collect_tracks(self.results)

    def plot_timeline(self, *, width: float = 10.0, language: str = ENGLISH) -> Figure:
        """Draw the people of videos over time: probabilities as stacked areas, and time shares as bars.

        Args:
            width: Width of the figure in inches.
            language: Language of the labels, as for `Result.draw`.

        Raises:
            MissingExtraError: matplotlib is not installed (extra ``plot``).
            OptionError: There are no tracks: no video, or no person in it.
        """
        from facemood.render.plots import plot_timeline

        return plot_timeline(self.tracks(), width=width, language=language)

    def summary(self) -> dict[str, Any]:
        """Return the numbers of frames, faces and failures, and each expression's share and mean probability.

        The shares are shares of the faces with a prediction. Each has its 95% sampling interval, in which the frames of
        a person count as a process, not as independent samples.

        Example:
            >>> Analysis((Result("a.jpg", labels=("happy",)),)).summary()["frames"]
            1
        """
        faces = [face for result in self.results for face in result]
        classified = [face for face in faces if face.labels]
        counts = Counter(face.emotion for face in classified)
        emotions = [face.emotions for face in classified]
        means = {label: [known[label] for known in emotions if label in known] for label in self.labels}
        return {
            "frames": len(self.results),
            "frames_without_a_face": sum(not result.faces for result in self.results),
            "faces": len(faces),
            "failures": len(self.failures),
            "share": {label: round(counts[label] / len(classified), 4) for label in self.labels} if classified else {},
            "share_interval": self._share_intervals(),
            "mean_probability": {label: round(fmean(values), 4) for label, values in means.items() if values},
        }

    def _share_intervals(self) -> dict[str, list[float]]:
        """Return the interval of each label's share; faces without a track are independent samples."""
        known = [(result.source, face) for result in self.results for face in result if face.labels]
        known.sort(key=lambda one: (one[0], one[1].track_id or 0))  # the frames of each person, in order
        labels = [face.emotion for _, face in known]
        if not known:
            return {}
        if all(face.track_id is None for _, face in known):
            number = len(labels)
            found = {label: wilson_interval(labels.count(label) / number, number) for label in self.labels}
        else:
            runs = len(list(itertools.groupby(labels)))
            found = {
                label: share_interval(np.array([one == label for one in labels]), np.ones(len(labels)), runs=runs)
                for label in self.labels
            }
        return {label: [round(end, 4) for end in ends] for label, ends in found.items()}

    def _repr_html_(self) -> str:
        """Display a summary and the first rows in a notebook."""
        summary = self.summary()
        counts = ", ".join(f"{summary[key]} {key.replace('_', ' ')}" for key in ("frames", "faces", "failures"))
        names = ("source", "frame", "face", "emotion", "confidence")
        head = "".join(f"<th>{name}</th>" for name in names)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(str(row[name]))}</td>" for name in names) + "</tr>"
            for row, _ in zip(self.rows(), range(20), strict=False)
        )
        return f"<p>{counts}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
