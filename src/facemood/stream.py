"""Read inputs one after the other: photos in batches, each video and each live source as one scene."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import logging
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from numbers import Integral
from typing import Any, TypeAlias

from facemood.errors import FacemoodError, OptionError
from facemood.flow import change_each
from facemood.frame_batches import batched
from facemood.participants import Participants
from facemood.pipeline import Pipeline
from facemood.plan_file import design_info
from facemood.progress import Hook, open_hook, tell_name
from facemood.results import Result
from facemood.same_people import FoundPeople, check_same_people, find_same_people
from facemood.scene_start import begin_scene, find_orientation
from facemood.schema import Frame
from facemood.sources import (
    ErrorHandler,
    Item,
    expected_count,
    input_errors,
    is_live_input,
    is_video,
    local_video,
    name_of_item,
    open_video,
    read_frames,
)
from facemood.sources.ahead import read_ahead
from facemood.sources.items import VideoSpan
from facemood.sources.live import open_live
from facemood.switches import check_switches
from facemood.text import clock
from facemood.tracking import People, Scene, VideoOptions
from facemood.tracking.follow import time_of
from facemood.video_segments import SegmentReader, SegmentTimes

logger: logging.Logger = logging.getLogger("facemood")


_Step: TypeAlias = "tuple[str, Frame | Exception | None]"
"""A step of decoding photos: the input's name, with None as it is opened, one of its frames, or what went wrong."""


@dataclass(frozen=True, slots=True)
class Stream:
    """How the inputs of one run are read.

    Attributes:
        pipeline: The stages that each frame goes through.
        video: Options for videos.
        batch: Frames whose faces go through the network together.
        keep_images: Whether results keep their images.
        on_error: Called for each input that cannot be read; None raises the error.
        participants: The plan of a study; None without one.

    Raises:
        OptionError: A study is to be read in segments, or `keep_images` is no bool.
    """

    pipeline: Pipeline
    video: VideoOptions
    batch: int = 8
    keep_images: bool = False
    on_error: ErrorHandler | None = None
    participants: Participants | None = None

    def __post_init__(self) -> None:
        check_switches(keep_images=self.keep_images)
        if self.participants is not None and self.video.segment is not None:
            raise OptionError("a study is read without segments: its people are known over the whole video")

    def run(
        self, inputs: Iterable[Item], *, among: Iterable[Item] = (), progress: bool | Hook = False
    ) -> Iterator[Result]:
        """Yield the results of all inputs in order, and report the progress.

        Args:
            inputs: Photos, videos and live sources. The total is known for a list, not for a generator.
            among: With `VideoOptions.same_people`, all inputs across whose videos people are numbered, in order, if
                some of them were read in an earlier run. By default, these are `inputs`.
            progress: As for `open_hook`.

        Raises:
            FacemoodError: An input cannot be read, and there is no `on_error`.
            OptionError: People are numbered across videos, and an input is live, or the inputs are not a list.
        """
        check_same_people(inputs, self.video)
        known = inputs if isinstance(inputs, list) else None
        others = [item for item in among if item not in known] if known and self.video.same_people else []
        total = self._count(known, others) if known is not None and progress else None
        variants = self.variants if known is None or any(map(moves, known)) else ()
        done = 0
        with open_hook(progress) as hook:

            def advance(count: int) -> None:
                nonlocal done
                done += count
                hook(done, total)

            hook(0, total)
            begin = partial(tell_name, hook)
            people: FoundPeople = {}
            if self.video.same_people and any(map(is_video, known or [])):
                people = find_same_people(among or inputs, self.pipeline, self.video, begin=begin, advance=advance)
            run = _Run(self, variants, advance, begin, known is not None and len(known) > 1, people)
            yield from change_each(run.results(inputs), self._with_segments)

    def _count(self, inputs: Sequence[Item], others: Sequence[Item]) -> int | None:
        """Estimate how many photos and frames will be read, with those of other videos that are tracked only."""
        once = dataclasses.replace(self.video, people=None, same_people=False)
        counts = [count_frames(inputs, self.video), count_frames(filter(is_video, others), once)]
        return None if None in counts else sum(filter(None, counts))

    @property
    def variants(self) -> tuple[str, ...]:
        """The values of each label besides its probability, in videos: with a baseline also the change."""
        own = self.participants.segments if self.participants else ()
        own_baselines = any(one.baseline for one in own)
        return self.video.variants_with(change=True) if own_baselines else self.video.variants

    def info(self) -> dict[str, Any]:
        """Return the settings of videos, for the head of tables and reports."""
        return {**self.video.info(), "variants": list(self.variants), **design_info(self.participants)}

    def _with_segments(self, result: Result) -> Result:
        """Return a result with the segments of the plan that it lies in."""
        plan = self.participants
        if plan is None:
            return result
        segments = plan.at(result.source, result.timestamp)
        return dataclasses.replace(result, design=plan.further, segments=segments)


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of a stream.

    Attributes:
        stream: How the inputs are read.
        variants: Values of each label besides its probability; the same in all results of the run.
        advance: Called with the number of frames or photos that were read.
        begin: Called with the name of each input as it is begun.
        ahead: Whether photos are decoded ahead; inputs of a generator are not asked for before they are needed.
        people: Who the tracks of each video are, if people are numbered across videos.
    """

    stream: Stream
    variants: tuple[str, ...]
    advance: Callable[[int], None]
    begin: Callable[[str], None]
    ahead: bool
    people: FoundPeople = field(default_factory=dict)

    def results(self, inputs: Iterable[Item]) -> Iterator[Result]:
        """Yield the results of all inputs in order.

        Any exception that an input causes is an error of that input: the others are still read.

        Raises:
            FacemoodError: An input cannot be read, and there is no `on_error`.
        """
        for scene, items in itertools.groupby(inputs, key=moves):
            if scene:
                for item in items:
                    yield from self._read_scene(item)
            else:
                yield from self._read_photos(items)

    def _read_photos(self, items: Iterable[Item]) -> Iterator[Result]:
        """Read photos in batches. The pages of one input may lie in several batches."""
        opened = 0

        def open_each(steps: Iterator[_Step]) -> Iterator[Frame]:
            nonlocal opened
            for name, step in steps:
                if step is None:
                    self.begin(name)
                    opened += 1
                elif isinstance(step, Frame):
                    yield step
                else:
                    with self._errors_of(name):
                        raise step

        reduction = 1 if self.stream.keep_images else self.stream.pipeline.photo_reduction
        steps = _decode_each(items, reduction)
        with contextlib.closing(read_ahead(steps, _pixels_of) if self.ahead else steps) as decoded:
            for frames in batched(open_each(decoded), self.stream.batch):
                yield from self._read_each(frames)
                self.advance(opened)
                opened = 0
        if opened:  # the last ones could not be read
            self.advance(opened)

    def _read_each(self, frames: Sequence[Frame]) -> Iterator[Result]:
        """Read a batch of photos. If that fails, read them one by one, so that only the cause is lost."""
        scene = self.stream.pipeline.photos(self.stream.participants)
        try:
            results = list(self._read(frames, scene))
        except Exception:
            for frame in frames:
                with self._errors_of(frame.source):
                    yield from list(self._read([frame], scene))
        else:
            yield from results

    def _read_scene(self, item: Item) -> Iterator[Result]:
        """Read a video or a live source frame by frame."""
        for results in self._read_batches(item):
            yield from results
            self.advance(len(results))

    def _read_batches(self, item: Item) -> Iterator[list[Result]]:
        """Yield the results of a video or a live source batch by batch."""
        name = name_of_item(item)
        self.begin(name)
        with self._errors_of(name):
            if is_live_input(item):
                yield from self._read_live(name)
                return
            people = self.people.get(item)
            if isinstance(people, FacemoodError):  # what went wrong as it was tracked
                raise people
            with local_video(item) as video:
                for results in self._read_video(video, name, people):
                    yield results if video is item else [dataclasses.replace(one, source=name) for one in results]

    def _read_live(self, name: str) -> Iterator[list[Result]]:
        """Yield the results of a live source one by one."""
        scene = self.stream.pipeline.track(self.stream.video, learn=True)
        with contextlib.closing(open_live(name)) as frames:
            for frame in frames:
                yield list(self._read([frame], scene))

    def _read_video(self, item: Item, name: str, people: People | None) -> Iterator[list[Result]]:
        """Yield the results of a video, known by a name, batch by batch."""
        if self.stream.video.segment is not None or isinstance(item, VideoSpan):
            yield from self._read_segments(item)
            return
        stream = self.stream
        scene = begin_scene(
            item,
            stream.pipeline,
            stream.video,
            stream.participants,
            name=name,
            batch=stream.batch,
            advance=self.advance,
            people=people,
        )
        empty, last = stream.participants.of(name) if stream.participants else (), 0.0
        with contextlib.closing(self._open_ahead(item)) as frames:
            for batch in batched(frames, self.stream.batch):
                last = time_of(batch[-1])
                empty = tuple(one for one in empty if not any(one.covers(time_of(frame)) for frame in batch))
                yield list(self._read(batch, scene))
        for one in empty:
            logger.warning(
                "%s: no frame lies in the segment of line %d of the plan, which begins at %s; the last one is at %s",
                name, one.line, clock(one.start, decimals=2), clock(last, decimals=2),
            )  # fmt: skip

    def _read_segments(self, item: Item) -> Iterator[list[Result]]:
        """Yield the results of a video, or of some of its segments, batch by batch."""
        span = item if isinstance(item, VideoSpan) else VideoSpan(name_of_item(item))
        video = item.path if isinstance(item, VideoSpan) else item
        orientation, times = find_orientation(video, self.stream.pipeline), SegmentTimes.of(self.stream.video)
        reader = SegmentReader(
            times,
            span,
            lambda: self.stream.pipeline.track(self.stream.video, orientation=orientation),
            self._read,
            self.stream.batch,
        )
        start, end = times.bounds(span)
        with contextlib.closing(self._open_ahead(video, start, end)) as frames:
            yield from reader.run(frames)

    def _open_ahead(self, item: Item, start: float = 0.0, end: float | None = None) -> Generator[Frame, None, None]:
        """Open a video, whose next frames are decoded while a batch is read."""
        return read_ahead(open_video(item, every=self.stream.video.step, start=start, end=end), _area)

    @contextlib.contextmanager
    def _errors_of(self, name: str) -> Iterator[None]:
        """Pass any error of an input to `on_error`."""
        try:
            with input_errors(name):
                yield
        except FacemoodError as error:
            if self.stream.on_error is None:
                raise
            self.stream.on_error(name, error)

    def _read(self, frames: Sequence[Frame], scene: Scene) -> Iterator[Result]:
        """Run the pipeline on decoded frames of one scene."""
        pairs = [(frame, scene) for frame in frames]
        return self.stream.pipeline.read(pairs, variants=self.variants, keep_images=self.stream.keep_images)


def _decode_each(items: Iterable[Item], reduction: int) -> Generator[_Step, None, None]:
    """Decode photos one after the other, large JPEGs reduced; errors are steps, so that the others go on."""
    for item in items:
        name = name_of_item(item)
        yield name, None
        try:
            for frame in read_frames(item, reduction=reduction):
                yield name, frame
        except Exception as error:
            yield name, error


def _pixels_of(step: _Step) -> int:
    """Return the pixels of a step of decoding."""
    return _area(step[1]) if isinstance(step[1], Frame) else 0


def _area(frame: Frame) -> int:
    """Return the pixels of a frame."""
    return frame.size[0] * frame.size[1]


def check_batch(batch: int) -> int:
    """Return a batch size that is valid: 1 or more.

    Raises:
        OptionError: It is not.

    Example:
        >>> check_batch(8)
        8
    """
    if isinstance(batch, bool) or not isinstance(batch, Integral) or batch < 1:
        raise OptionError(f"batch must be a whole number of frames from 1 on, but is {batch!r}")
    return int(batch)


def moves(item: Item) -> bool:
    """Return whether an input is a video, an animation or a live source, whose frames follow each other in time.

    Example:
        >>> moves("talk.mp4"), moves("camera:0"), moves("face.jpg")
        (True, True, False)
    """
    return is_video(item) or is_live_input(item)


def count_frames(inputs: Iterable[Item], video: VideoOptions) -> int | None:
    """Estimate how many photos and frames will be read; None if an input is live or a video's length is unknown.

    Args:
        inputs: Photos, videos and live sources.
        video: Which frames of videos are read, and how often.
    """
    total = 0
    for item in inputs:
        count = expected_count(item, video.step)
        if count is None:
            return None
        total += count * (video.passes if moves(item) else 1)
    return total
