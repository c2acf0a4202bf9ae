"""How the inputs of an archive are read: the settings that its rows depend on, and those of the drawn images."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from inspect import Parameter, signature
from pathlib import Path
from typing import Any

from facemood.archive.segment_edges import span_of
from facemood.defaults import DEFAULT_DETECTOR, DEFAULT_MODEL
from facemood.errors import OptionError
from facemood.ferc import with_layers
from facemood.loading import open_recognizer
from facemood.models import find_model
from facemood.models.registry import APPEARANCE, FINDER, LANDMARKS
from facemood.recognizer import EmotionRecognizer
from facemood.results import Result
from facemood.sources import ErrorHandler, Item, as_item
from facemood.stream import Stream
from facemood.tracking import VideoOptions

KEY_DIGITS = 16
"""Hexadecimal digits of the key of settings."""

FILE_DETECTOR = "yunet:"
"""How the name of a detector begins that is read from a file."""

NEUTRAL = ("device", "threads")
"""Options that do not change the rows. Each part records its device."""


@dataclass(frozen=True)
class Reading:
    """How inputs are read. A worker process gets a copy and opens its own recognizer.

    Attributes:
        model: Name of a model in the package, or the path of an .onnx file.
        recognizer: Other options of `facemood.open_recognizer`.
        video: Options for videos.
        batch: Frames whose faces go through the network together; the rows do not depend on it.
        allow_download: Whether http and https addresses are photos to download.
        images: Whether the results keep their images.
        layers: What drawn images show in addition to boxes and labels.

    Raises:
        OptionError: People are numbered across videos, which needs all videos in one process.

    Example:
        >>> Reading().key == Reading(batch=1).key, Reading().key == Reading(recognizer={"min_face": 80}).key
        (True, False)
    """

    model: str = DEFAULT_MODEL
    recognizer: Mapping[str, Any] = field(default_factory=dict)
    video: VideoOptions = field(default_factory=VideoOptions)
    batch: int = 8
    allow_download: bool = False
    images: bool = False
    layers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.video.same_people:
            raise OptionError(
                "people are numbered across the videos of one run in one process; leave out --workers, --shard, --on "
                "and --gpus-per-worker, or same_people (--same-people): people alone joins each video for itself"
            )

    def open(self, *, threads: int | None = 1) -> EmotionRecognizer:
        """Open the recognizer, with one thread for each network unless more are asked for.

        Raises:
            ModelError: The model, head or detector is unknown or damaged.
            OptionError: An option is out of its range.
        """
        return open_recognizer(self.model, **{**self.recognizer, "threads": threads})

    def results(
        self,
        recognizer: EmotionRecognizer,
        items: Iterable[Item],
        *,
        on_error: ErrorHandler,
        progress: Any = False,
    ) -> Iterator[Result]:
        """Yield the results of inputs in order, with what is drawn of their faces.

        Args:
            recognizer: The recognizer of `open`.
            items: The inputs, taken one by one as they are opened.
            on_error: Called with the name and the error of each input that cannot be read.
            progress: Called with the number of inputs and frames that are done, as for `Stream.run`.
        """
        stream = Stream(recognizer.pipeline, self.video, self.batch, keep_images=self.images, on_error=on_error)
        return with_layers(recognizer, stream.run(items, progress=progress), self.layers)

    @property
    def settings(self) -> dict[str, Any]:
        """What the rows depend on: the options that differ from their defaults, and the digests of the model files."""
        defaults = {name: option.default for name, option in signature(EmotionRecognizer).parameters.items()}
        options = {
            name: value
            for name, value in self.recognizer.items()
            if name not in NEUTRAL and value != defaults.get(name, Parameter.empty)
        }
        return {"networks": [file_digest(file) for file in self._files()], "options": options, **self.video.info()}

    def _files(self) -> list[Path]:
        """Return the files of the networks that predict, detect, place landmarks and join tracks."""
        detector = str(self.recognizer.get("detector", DEFAULT_DETECTOR))
        files = [find_model(self.model), find_model(FINDER), find_model(LANDMARKS)]
        if self.video.people is not None:
            files.append(find_model(APPEARANCE))
        if detector.startswith(FILE_DETECTOR):
            files.append(Path(detector.removeprefix(FILE_DETECTOR)).expanduser())
        return files

    @property
    def key(self) -> str:
        """Key of the settings: 16 hexadecimal digits that are equal for equal settings."""
        text = json.dumps(self.settings, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()[:KEY_DIGITS]


@dataclass(frozen=True, eq=False)
class ReadTask:
    """Inputs that a worker reads, and whose results it sends back.

    Attributes:
        names: The inputs.
        moving: Whether the run has videos; then also the results of photos have the columns of videos.
        segment: Number of the segment of a video that is cut, from 0.
        segments: In how many segments it is cut; 1 for all other inputs.
    """

    names: tuple[str, ...]
    moving: bool
    segment: int = 0
    segments: int = 1

    @property
    def is_cut(self) -> bool:
        """Whether it is a segment of a video."""
        return self.segments > 1

    def only(self, name: str) -> ReadTask:
        """Return a task with one of the inputs."""
        return replace(self, names=(name,))

    def items(self, *, allow_download: bool) -> list[Item] | Iterator[Item]:
        """Return the inputs as `Reading.results` takes them."""
        if self.is_cut:
            return [span_of(self.names[0], self.segment, self.segments)]
        items = [as_item(name, allow_download=allow_download) for name in self.names]
        return iter(items) if self.moving else items  # of a list, the stream knows that it has no videos


def file_digest(file: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal; empty if it cannot be read, which opening it will tell."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""
