"""Read inputs one after the other: photos in batches, each video and each live source as one scene."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from facemood.errors import FacemoodError
from facemood.pipeline import Pipeline
from facemood.progress import Hook, open_hook
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
        pipeline: The stages that each frame goes through.
        video: Options for videos.
        variants: Values of each label besides its probability; the same in all results of a run. `run` sets them.
        batch: Frames whose faces go through the network together.
        keep_images: Whether results keep their images.
        on_error: Called for each input that cannot be read; None raises the error.
        advance: Called with the number of frames or photos that were read. `run` sets it.
    """

    pipeline: Pipeline
    video: VideoOptions
    variants: tuple[str, ...] = ()
    batch: int = 8
    keep_images: bool = False
    on_error: ErrorHandler | None = None
    advance: Callable[[int], None] = ignore_progress

    def run(self, inputs: Iterable[ImageLike], *, progress: bool | Hook = False) -> Iterator[Result]:
        """Yield the results of all inputs in order, and report the progress.

        Args:
            inputs: Photos, videos and live sources. The total is known for a list, not for a generator.
            progress: As for `open_hook`.

        Raises:
            FacemoodError: An input cannot be read, and there is no `on_error`.
        """
        known = inputs if isinstance(inputs, list) else None
        total = count_frames(known, self.video.every) if known is not None and progress else None
        variants = self.video.variants if known is None or any(map(moves, known)) else ()
        done = 0
        with open_hook(progress) as hook:

            def advance(count: int) -> None:
                nonlocal done
                done += count
                hook(done, total)

            hook(0, total)
            yield from dataclasses.replace(self, variants=variants, advance=advance).results(inputs)

    def results(self, inputs: Iterable[ImageLike]) -> Iterator[Result]:
        """Yield the results of all inputs in order.

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
        """Open one photo of many, or pass the error to `on_error`."""
        try:
            return read_frame(item)
        except FacemoodError as error:
            if self.on_error is None:
                raise
            self.on_error(str(item) if isinstance(item, str | os.PathLike) else type(item).__name__, error)
            return None

    def _read_scene(self, name: str) -> Iterator[Result]:
        """Read a video or a live source frame by frame."""
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
        """Run the pipeline on decoded frames of one scene."""
        pairs = [(frame, scene) for frame in frames]
        return self.pipeline.read(pairs, variants=self.variants, keep_images=self.keep_images)

    def _open_video(self, name: str) -> VideoScene:
        """Begin a video's scene. Its baseline period is read first, so that baselines apply from the first frame.

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
            logger.warning("%s: no face was tracked from %g to %g s, so there is no baseline", name, start, end)
        return self.pipeline.track(self.video, baseline=scene.baseline, unit_baseline=scene.unit_baseline)


def moves(item: ImageLike) -> bool:
    """Return whether an input is a video or a live source, whose frames follow each other in time.

    Example:
        >>> moves("talk.mp4"), moves("camera:0"), moves("face.jpg")
        (True, True, False)
    """
    return is_video(item) or is_live_input(item)


def count_frames(inputs: Iterable[ImageLike], every: float | None) -> int | None:
    """Estimate how many photos and frames will be read; None if an input is live or a video's length is unknown.

    Args:
        inputs: Photos, videos and live sources.
        every: Which frames of videos are read, as for `read_video`.
    """
    total = 0
    for item in inputs:
        count = None if is_live_input(item) else _count(str(item), every) if is_video(item) else 1
        if count is None:
            return None
        total += count
    return total


def _count(name: str, every: float | None) -> int | None:
    """Estimate how many frames of a video will be read; 1 if it cannot be opened, which reading reports later."""
    try:
        return expected_frames(probe_video(name), every)
    except FacemoodError:
        return 1


def _parts(inputs: Iterable[ImageLike], size: int) -> Iterator[list[ImageLike] | str]:
    """Yield the inputs in order: batches of photos as lists, videos and live sources by name."""
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
