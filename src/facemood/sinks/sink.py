"""The protocol of all writers of results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from facemood.languages import ENGLISH, check_language
from facemood.render import check_anonymize, check_layers
from facemood.results import Failure, Result
from facemood.table import Column, Design, Measures, columns_for

MANY = "many"
"""What `Sink.holds` says of a writer that takes the results of any inputs, as many as there are."""

ONE_PHOTO = "one photo"
"""What `Sink.holds` says of a writer that takes one photo, and no frames of videos."""

ONE_VIDEO = "one video"
"""What `Sink.holds` says of a writer that takes the frames of one video, and no photos."""


@dataclass(frozen=True, slots=True)
class Looks:
    """How images, videos and reports show faces.

    Attributes:
        layers: What is drawn in addition to boxes and labels, as for `Result.draw`.
        anonymize: How faces are hidden: ``"blur"``, ``"box"``, or not at all.
        language: Language of the expressions, as for `Result.draw`.

    Raises:
        OutputError: There is no such layer or way.
        OptionError: There is no such language.
    """

    layers: tuple[str, ...] = ()
    anonymize: str = ""
    language: str = ENGLISH

    def __post_init__(self) -> None:
        check_layers(self.layers)
        check_anonymize(self.anonymize)
        check_language(self.language)


PLAIN_LOOKS = Looks()
"""Boxes and labels, nothing hidden."""


class Sink(Protocol):
    """A writer of results. Those whose class wants images are opened with `Looks`, too.

    Attributes:
        wants_images: Whether results must hold their images.
        holds: `MANY`, `ONE_PHOTO` or `ONE_VIDEO`.
        continues: Whether a later run can continue the file (`Continuable`).
        of_results: Whether the content depends on the results.
    """

    wants_images: bool
    holds: str
    continues: bool
    of_results: bool

    def write(self, result: Result) -> None:
        """Write one result."""
        ...

    def close(self, *, whole: bool = True) -> None:
        """Finish the file and give it its name, or that of an unfinished file."""
        ...

    def discard(self) -> None:
        """Discard the file; an older one of its name stays."""
        ...


@runtime_checkable
class FailureSink(Protocol):
    """A sink that also writes which inputs could not be read."""

    def fail(self, failure: Failure) -> None:
        """Write one failure."""
        ...


@runtime_checkable
class DescribedSink(Protocol):
    """A table whose codebook is written beside it.

    Attributes:
        info: Settings of the run.
        described: Whether it is one; the kind of a writer says so before it is opened.
    """

    info: dict[str, Any]
    described: bool

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the table."""
        ...


class Continuable(Sink, Protocol):
    """A table that a later run can continue.

    Attributes:
        size: Its size so far: bytes, or rows of Parquet.
        growing: The temporary name under which it grows.
    """

    size: int
    growing: Path

    def sync(self) -> None:
        """Sync the file to the disk."""
        ...

    def extent(self, old: Path) -> int:
        """Return the size of an earlier table that can be copied; 0 if its columns differ."""
        ...

    def keep(self, old: Path, spans: Sequence[tuple[int, int]]) -> None:
        """Copy spans of an earlier table before anything else is written."""
        ...


def columns_of(info: Mapping[str, Any]) -> tuple[Column, ...]:
    """Return the columns of a run's table.

    Args:
        info: Settings of the run, as `EmotionRecognizer.info` and `VideoOptions.info` give it.

    Example:
        >>> [column.name for column in columns_of({"labels": ["happy"], "variants": ["raw"]})][-2:]
        ['display_label', 'raw_happy']
    """
    return columns_for(tuple(info["labels"]), tuple(info.get("variants", ())), design_of(info), measures_of(info))


def design_of(info: Mapping[str, Any]) -> Design | None:
    """Return the own columns of the study's plan in a run's settings; None without a plan."""
    design = info.get("design")
    return None if design is None else tuple((name, kind) for name, kind in design)


def measures_of(info: Mapping[str, Any]) -> Measures:
    """Return name and formula of each derived measure in a run's settings."""
    return tuple((name, formula) for name, formula in info.get("measures", ()))
