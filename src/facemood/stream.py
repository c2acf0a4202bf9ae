"""Read what a source names, input by input: photos in batches, each video and each live source as one scene."""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from facemood.errors import FacemoodError
from facemood.pipeline import Pipeline
from facemood.results import Result
from facemood.schema import Frame
from facemood.sources import (
    ErrorHandler,
    ImageLike,
    expected_frames,
    is_live_input,
    is_video,
    probe_video,
    read_frame,
    read_video,
)
from facemood.sources.live import open_live
from facemood.tracking import Scene, VideoOptions, VideoScene

logger: logging.Logger = logging.getLogger("facemood")


def ignore_progress(done: int) -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class Stream:
    """How the inputs of one run are read.

    Attributes:
        pipeline: What frames go through.
        video: How videos are read.
        variants: Which values each label has besides its probability; the same in all results of a run.
        batch: Frames whose faces go through the network together.
        keep_images: Whether results hold their images.
        on_error: Called for each input that cannot be read; None lets the error end the run.
        advance: Called with the number of frames or photos that were read.
    """

    pipeline: Pipeline
    video: VideoOptions
    variants: tuple[str, ...] = ()
    batch: int = 8
    keep_images: bool = False
    on_error: ErrorHandler | None = None
    advance: Callable[[int], None] = ignore_progress

    def results(self, inputs: Iterable[ImageLike]) -> Iterator[Result]:
        """Yield the results of all inputs, in their order.

        Raises:
            FacemoodError: An input cannot be read, and there is no `on_error`.
        """
        for part in _parts(inputs, self.batch):
            yield from self._read_photos(part) if isinstance(part, list) else self._read_scene(part)

    def _read_photos(self, items: Sequence[ImageLike]) -> Iterator[Result]:
        """Read a batch of photos."""
        frames = [frame for item in items if (frame := self._try_read(item)) is not None]
        yield from self._read(frames, self.pipeline.photos())
        self.advance(len(items))

    def _try_read(self, item: ImageLike) -> Frame | None:
        """Open one photo of many, or hand the error on."""
        try:
            return read_frame(item)
        except FacemoodError as error:
            if self.on_error is None:
                raise
            self.on_error(str(item) if isinstance(item, str | os.PathLike) else type(item).__name__, error)
            return None

    def _read_scene(self, name: str) -> Iterator[Result]:
        """Read a video, or something live, frame by frame."""
        live = is_live_input(name)
        try:
            scene = self.pipeline.track(self.video, learn=True) if live else self._open_video(name)
            frames = open_live(name) if live else read_video(name, every=self.video.every)
            with contextlib.closing(frames):
                while part := list(itertools.islice(frames, 1 if live else self.batch)):
                    yield from self._read(part, scene)
                    self.advance(len(part))
        except FacemoodError as error:
            if self.on_error is None:
                raise
            self.on_error(name, error)

    def _read(self, frames: Sequence[Frame], scene: Scene) -> Iterator[Result]:
        """Read frames that are decoded."""
        pairs = [(frame, scene) for frame in frames]
        return self.pipeline.read(pairs, variants=self.variants, keep_images=self.keep_images)

    def _open_video(self, name: str) -> VideoScene:
        """Begin a video's scene. Its baseline period is read first, so that the baselines hold from the first frame.

        People get the same track IDs both times, because the same frames are read in the same way.
        """
        if self.video.baseline is None:
            return self.pipeline.track(self.video)
        start, end = self.video.baseline
        scene = self.pipeline.track(self.video, learn=True)
        with contextlib.closing(read_video(name, every=self.video.every, end=end)) as frames:
            while part := list(itertools.islice(frames, self.batch)):
                for _ in self._read(part, scene):
                    pass
        if not scene.baseline.people:
            logger.warning("%s: nobody is seen from %g to %g s, so no baseline is known", name, start, end)
        return self.pipeline.track(self.video, baseline=scene.baseline, unit_baseline=scene.unit_baseline)


def moves(item: ImageLike) -> bool:
    """Tell whether an input has frames that follow each other: a video, or something live.

    Example:
        >>> moves("talk.mp4"), moves("camera:0"), moves("face.jpg")
        (True, True, False)
    """
    return is_video(item) or is_live_input(item)


def count_frames(inputs: Iterable[ImageLike], every: float | None) -> int | None:
    """Estimate how many photos and frames will be read; None if an input is live, or a video does not say.

    Args:
        inputs: Photos, videos and live sources.
        every: Which frames of videos are read.
    """
    total = 0
    for item in inputs:
        count = None if is_live_input(item) else _count(str(item), every) if is_video(item) else 1
        if count is None:
            return None
        total += count
    return total


def _count(name: str, every: float | None) -> int | None:
    """Estimate how many frames of a video will be read; 1 if it cannot be opened, which is said when it is read."""
    try:
        return expected_frames(probe_video(name), every)
    except FacemoodError:
        return 1


def _parts(inputs: Iterable[ImageLike], size: int) -> Iterator[list[ImageLike] | str]:
    """Give photos in batches, and videos and live sources by their names one by one, all in their order."""
    photos: list[ImageLike] = []
    for item in inputs:
        if not moves(item):
            photos.append(item)
        if photos and (moves(item) or len(photos) == size):
            yield photos
            photos = []
        if moves(item):
            yield str(item)
    if photos:
        yield photos
