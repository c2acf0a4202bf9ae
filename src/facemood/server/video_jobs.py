"""Videos that were uploaded: read one after the other, with progress, and forgotten after a while."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import itertools
import logging
import secrets
import shutil
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from facemood.errors import VideoError
from facemood.results import Result
from facemood.schema import Frame
from facemood.server.engine import Engine
from facemood.server.limits import ServerOptions
from facemood.server.problems import Problem, problem_of
from facemood.sinks import Sink, open_sink
from facemood.sources import expected_frames, probe_video, read_video
from facemood.tracking import Scene, VideoOptions

logger: logging.Logger = logging.getLogger("facemood")

BATCH = 4
"""Frames of a video in one request, so that live pictures need not wait long."""

PAUSE = 0.05
"""Seconds after which a video repeats a request that was refused."""

TOLD = "video"
"""What results call an uploaded video; neither its name at the client's nor its place here concerns anyone."""

TABLES = ("table.csv", "result.json", "report.html")
PARQUET, ANNOTATED = "table.parquet", "annotated.mp4"

MEDIA = {
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
    ".html": "text/html; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
    ".mp4": "video/mp4",
}
"""What files of results are, by their endings."""

READERS = "mov,matroska,webm,avi,gif,mpegts,mpeg,flv,asf,ogg"
"""FFmpeg's readers of videos in one file. Playlists and the like are not among them: they name other files or
addresses, which FFmpeg would then open."""

WAITING, READING, DONE, FAILED, CANCELLED = "waiting", "reading", "done", "failed", "cancelled"


@dataclass(slots=True)
class VideoJob:
    """A video on its way.

    Attributes:
        id: What clients call it; it cannot be guessed.
        folder: Where its files are.
        annotated: Whether the video is wanted with boxes and labels too.
        every: Which frames are read, as for `EmotionRecognizer.stream`.
        state: ``"waiting"``, ``"reading"``, ``"done"``, ``"failed"`` or ``"cancelled"``.
        done: Frames that were read.
        total: About how many there are; None where the video does not say.
        problem: Why it failed.
        ended: When, in seconds of the monotonic clock.
    """

    id: str
    folder: Path
    annotated: bool
    every: float | None = None
    state: str = WAITING
    done: int = 0
    total: int | None = None
    problem: dict[str, Any] | None = None
    ended: float | None = None
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def video(self) -> Path:
        """The uploaded file."""
        return self.folder / "upload"

    def to_dict(self) -> dict[str, Any]:
        """Return what clients are told."""
        names = sorted(file.name for file in self.folder.glob("*.*")) if self.state == DONE else []
        return {
            "id": self.id,
            "state": self.state,
            "frames_done": self.done,
            "frames_total": self.total,
            "results": {name: f"/v1/videos/{self.id}/{name}" for name in names},
            "problem": self.problem,
        }


class Videos:
    """The videos of a server. One is read at a time; its requests wait among those of all clients.

    Uploads are deleted as soon as they are read, results after `ServerOptions.keep` seconds; both are in a folder that
    this user alone may enter, and that goes when the server ends.

    Args:
        engine: What reads.
        options: The bounds.
    """

    engine: Engine
    options: ServerOptions

    def __init__(self, engine: Engine, options: ServerOptions) -> None:
        self.engine, self.options = engine, options
        self._folder = tempfile.TemporaryDirectory(prefix="facemood-", ignore_cleanup_errors=True)
        self._jobs: OrderedDict[str, VideoJob] = OrderedDict()
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(1, "facemood-videos")

    def add(self, upload: IO[bytes], *, annotated: bool = False, every: float | None = None) -> VideoJob:
        """Take a video in; it is read when the videos before it are done.

        Args:
            upload: The video's bytes; they are copied.
            annotated: Whether the video is wanted with boxes and labels too.
            every: Which frames are read.

        Raises:
            Problem: There are too many videos (503), or this is none (415).
        """
        job = self._new(annotated, every)
        try:
            with job.video.open("wb") as file:
                shutil.copyfileobj(upload, file, 1 << 20)
            check_video(job.video)
        except BaseException:
            self.remove(job.id)
            raise
        self._pool.submit(self._read, job)
        return job

    def get(self, name: str) -> VideoJob:
        """Return a video.

        Raises:
            Problem: There is none of that name (404).
        """
        self.forget()
        with self._lock:
            if name not in self._jobs:
                raise Problem(404, "there is no such video; it may have been deleted, send it again")
            return self._jobs[name]

    def file(self, name: str, result: str) -> Path:
        """Return a file of results.

        Raises:
            Problem: There is none, or not yet (404, 409).
        """
        job = self.get(name)
        if job.state != DONE:
            raise Problem(409, f"the video has no results: its state is {job.state!r}")
        if result not in job.to_dict()["results"]:
            raise Problem(404, f"the video has no such result; expected one of {', '.join(job.to_dict()['results'])}")
        return job.folder / result

    def remove(self, name: str) -> None:
        """Stop reading a video, and delete all that belongs to it.

        Raises:
            Problem: There is none of that name (404).
        """
        job = self.get(name)
        job.stopping.set()
        with self._lock:
            self._jobs.pop(name, None)
        if job.state != READING:  # else its thread does that
            self._delete(job)

    def forget(self) -> None:
        """Delete videos whose results were kept long enough."""
        now = time.monotonic()
        with self._lock:
            old = [job for job in self._jobs.values() if job.ended and now - job.ended > self.options.keep]
            for job in old:
                del self._jobs[job.id]
        for job in old:
            self._delete(job)

    def states(self) -> dict[str, int]:
        """Count the videos of each state."""
        with self._lock:
            found = [job.state for job in self._jobs.values()]
        return {state: found.count(state) for state in (WAITING, READING, DONE, FAILED, CANCELLED)}

    def close(self) -> None:
        """Stop, and delete everything."""
        with self._lock:
            for job in self._jobs.values():
                job.stopping.set()
        self._pool.shutdown(cancel_futures=True)
        self._folder.cleanup()

    def _new(self, annotated: bool, every: float | None) -> VideoJob:
        """Make room for a video."""
        self.forget()
        name = secrets.token_urlsafe(16)
        with self._lock:
            if len(self._jobs) >= self.options.videos:
                raise Problem(503, "there are too many videos already; delete one, or ask later", {"Retry-After": "30"})
            folder = Path(self._folder.name, f"video-{secrets.token_hex(8)}")
            folder.mkdir()
            job = self._jobs[name] = VideoJob(name, folder, annotated, every)
        return job

    def _read(self, job: VideoJob) -> None:
        """Read a video from its first frame to its last; this runs in the pool's thread."""
        if job.stopping.is_set():
            return
        job.state = READING
        try:
            self._write(job)
            state = CANCELLED if job.stopping.is_set() else DONE
        except Exception as error:  # the next video must be read, and the client must hear of it
            state, job.problem = FAILED, problem_of(_without_place(error, job)).body()
        job.video.unlink(missing_ok=True)  # before clients hear that it is done
        job.state, job.ended = state, time.monotonic()
        if job.stopping.is_set():
            self._delete(job)

    def _write(self, job: VideoJob) -> None:
        """Read a video and write its results."""
        settings = VideoOptions(every=job.every)
        info = probe_video(job.video)
        if info.size[0] * info.size[1] > self.options.max_pixels:
            raise Problem(413, f"the video has {info.size[0]} x {info.size[1]} pixels; make it smaller first")
        job.total = expected_frames(info, job.every)
        scene = self.engine.recognizer.pipeline.track(settings)
        with contextlib.ExitStack() as stack:
            sinks = dict(self._open(job, settings, stack))
            for frames in _batches(job, stack):
                self._forward(self._request(job, frames, scene), sinks)
                job.done += len(frames)

    def _request(self, job: VideoJob, frames: list[Frame], scene: Scene) -> list[Result]:
        """Have some frames read, however long other requests take."""
        while not job.stopping.is_set():
            try:
                answer = self.engine.read(lambda: frames, scene)
            except Problem:  # too many wait; a video can wait as well
                time.sleep(PAUSE)
                continue
            return answer.result()
        return []

    def _forward(self, results: list[Result], sinks: dict[str, Sink]) -> None:
        """Write some results to all files."""
        for result in results:
            told = dataclasses.replace(result, source=TOLD)
            for name, sink in sinks.items():
                sink.write(result if name == ANNOTATED else told)  # its sound comes from the file

    def _open(self, job: VideoJob, settings: VideoOptions, stack: contextlib.ExitStack) -> Iterator[tuple[str, Sink]]:
        """Open the files of results."""
        info = {**self.engine.recognizer.info(), **settings.info()}
        parquet = [PARQUET] if importlib.util.find_spec("pyarrow") else []
        for name in [*TABLES, *parquet, *([ANNOTATED] if job.annotated else [])]:
            sink = open_sink(str(job.folder / name), info)
            stack.callback(sink.close)
            yield name, sink

    def _delete(self, job: VideoJob) -> None:
        """Delete a video's files."""
        shutil.rmtree(job.folder, ignore_errors=True)


def check_video(path: Path) -> None:
    """Refuse what is no video in one file.

    A playlist, a session description and the like name other files and addresses, which FFmpeg would open; so only
    readers of whole videos may open an upload, and nothing but the file itself.

    Raises:
        Problem: It is none (415).
    """
    import av

    allowed = {"format_whitelist": READERS, "protocol_whitelist": "file"}
    try:
        with av.open(f"file:{path}", options=allowed, metadata_errors="replace") as video:
            if video.streams.video:
                return
    except (av.FFmpegError, ValueError):
        pass
    raise Problem(415, "this is no video that is read here; expected .mp4, .mov, .mkv, .webm, .avi or the like, whole")


def _batches(job: VideoJob, stack: contextlib.ExitStack) -> Iterator[list[Frame]]:
    """Yield a video's frames, some at a time, until it ends or is cancelled."""
    frames = stack.enter_context(contextlib.closing(read_video(job.video, every=job.every)))
    while not job.stopping.is_set() and (part := list(itertools.islice(frames, BATCH))):
        yield part


def _without_place(error: Exception, job: VideoJob) -> Exception:
    """Return an error that does not tell where the video lies on this machine."""
    if isinstance(error, VideoError):
        return VideoError(str(error).replace(str(job.video), TOLD))
    return error
