"""Analyzes one uploaded video: frames come from a decoding process, and results go to files."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from facemood.errors import SourceError
from facemood.results import Result
from facemood.schema import Frame
from facemood.server.annotated_video import AnnotatedVideo
from facemood.server.engine import Engine
from facemood.server.limits import ServerOptions
from facemood.server.problems import Problem
from facemood.sinks import Sink, open_sink
from facemood.stages.orientation import AUTO
from facemood.tracking import Scene, VideoOptions
from facemood.video_orientation import LOOK_EVERY, LOOK_UNTIL, decide_orientation

if TYPE_CHECKING:
    from facemood.server.video_jobs import VideoJob

BATCH = 4
"""Frames of a video in one request, so that live images need not wait long."""

PAUSE = 0.05
"""Seconds after which a request that was refused is sent again."""

TOLD = "video"
"""What results call an uploaded video; neither its name at the client's nor its place here concerns anyone."""

TABLES = ("table.csv", "result.json", "report.html")
"""Files of results that each video has."""

PARQUET = "table.parquet"
"""The file of results that needs the extra ``data``."""

ANNOTATED = "annotated.mp4"
"""The file of results that a client asks for."""


def read_job(job: VideoJob, engine: Engine, options: ServerOptions) -> None:
    """Analyze a video, and write its results into its folder. It ends early if the job is stopped.

    Args:
        job: The video. Its `done` and `total` are updated.
        engine: Analyzes the frames.
        options: The limits.

    Raises:
        SourceError: It is damaged, or above a limit.
        OutputError: The disk is full.
    """
    settings = VideoOptions(every=job.every)
    with _without_place(job), contextlib.ExitStack() as stack:
        orientation = _orientation(job, engine, options)
        known = job.process.open_video(job.video, options.video(), every=job.every, seconds=options.decode_seconds)
        job.total = known["frames"]
        scene = engine.recognizer.pipeline.track(settings, orientation=orientation)
        sinks = list(_open(job, engine, settings, options, stack))
        for frames in _batches(job, options):
            _forward(_request(job, engine, frames, scene), sinks)
            job.done += len(frames)


def _orientation(job: VideoJob, engine: Engine, options: ServerOptions) -> int | None:
    """Return how the video is turned, from frames of its first seconds; None if the server was told."""
    if engine.recognizer.pipeline.orientation != AUTO:
        return None
    job.process.open_video(job.video, options.video(), every=LOOK_EVERY, seconds=options.decode_seconds)

    def results() -> Iterator[Result]:
        while not job.stopping.is_set():
            frame = job.process.next_frame(seconds=options.step_seconds)
            if frame is None or (frame.timestamp or 0) > LOOK_UNTIL:
                return
            yield from _request(job, engine, [frame], engine.photos())

    return decide_orientation(results())


def _batches(job: VideoJob, options: ServerOptions) -> Iterator[list[Frame]]:
    """Yield a video's frames, some at a time, until it ends or is cancelled."""
    part: list[Frame] = []
    while not job.stopping.is_set():
        frame = job.process.next_frame(seconds=options.step_seconds)
        if frame is not None:
            part.append(dataclasses.replace(frame, source=str(job.video)))
        if part and (frame is None or len(part) == BATCH):
            yield part
            part = []
        if frame is None:
            return


def _request(job: VideoJob, engine: Engine, frames: list[Frame], scene: Scene) -> list[Result]:
    """Have some frames read, however long other requests take."""
    while not job.stopping.is_set():
        try:
            answer = engine.read(lambda: frames, scene, large=True)
        except Problem:  # too many wait; a video can wait as well
            time.sleep(PAUSE)
            continue
        return answer.result()
    return []


def _forward(results: list[Result], sinks: list[Sink]) -> None:
    """Write some results to all files."""
    for result in results:
        named = dataclasses.replace(result, source=TOLD)
        for sink in sinks:
            sink.write(named)


def _open(
    job: VideoJob, engine: Engine, settings: VideoOptions, options: ServerOptions, stack: contextlib.ExitStack
) -> Iterator[Sink]:
    """Open the files of results."""
    info = {**engine.recognizer.info(), **settings.info()}
    parquet = [PARQUET] if importlib.util.find_spec("pyarrow") else []
    for name in [*TABLES, *parquet]:
        sink = open_sink(str(job.folder / name), info)
        stack.callback(sink.close)
        yield sink
    if job.writer is not None:
        annotated = AnnotatedVideo(job.folder / ANNOTATED, job.writer, job.video, options)
        stack.callback(annotated.close)
        yield annotated


@contextlib.contextmanager
def _without_place(job: VideoJob) -> Iterator[None]:
    """Remove the path of the video from error messages."""
    try:
        yield
    except SourceError as error:
        raise type(error)(str(error).replace(str(job.video), TOLD)) from None
