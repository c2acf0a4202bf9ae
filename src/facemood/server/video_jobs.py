"""Videos that were uploaded: taken in, read side by side with progress, and forgotten after a while."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facemood.isolation.decode_process import DecodeProcess
from facemood.server.client_places import ClientPlace, Places
from facemood.server.engine import Engine
from facemood.server.limits import ServerOptions
from facemood.server.problems import Problem, problem_of
from facemood.server.temp_folder import TempFolder
from facemood.server.video_reading import read_job

MEDIA = {
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
    ".html": "text/html; charset=utf-8",
    ".parquet": "application/vnd.apache.parquet",
    ".mp4": "video/mp4",
}
"""What files of results are, by their endings."""

NICENESS = 5
"""By how much the decoding of videos gives way to everything else."""

RETRY = 30
"""Seconds after which to ask again where there are too many videos."""

WAITING, READING, DONE, FAILED, CANCELLED = "waiting", "reading", "done", "failed", "cancelled"


@dataclass(slots=True)
class VideoJob:
    """A video on its way.

    Attributes:
        id: What clients call it; it cannot be guessed.
        folder: Where its files are.
        process: Decodes it.
        place: What it holds among the videos of all clients.
        writer: Writes the annotated video; None if it is not wanted.
        every: Which frames are read, as for `EmotionRecognizer.stream`.
        reserved: Bytes of the disk that its upload still needs.
        state: ``"waiting"``, ``"reading"``, ``"done"``, ``"failed"`` or ``"cancelled"``.
        done: Frames that were read.
        total: About how many there are; None where the video does not say.
        problem: Why it failed.
        ended: When, in seconds of the monotonic clock.
    """

    id: str
    folder: Path
    process: DecodeProcess
    place: ClientPlace
    writer: DecodeProcess | None
    every: float | None = None
    reserved: int = 0
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

    def stop(self) -> None:
        """Let its reading end at once."""
        self.stopping.set()
        self.end_processes()

    def end_processes(self) -> None:
        """End its processes, also during a call."""
        self.process.close()
        if self.writer is not None:
            self.writer.close()

    def to_dict(self) -> dict[str, Any]:
        """Return the state of the job for clients."""
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
    """The videos of a server. All are read side by side: each has a decoding process, and the engine reads in rounds.

    Uploads are deleted as soon as they are read, results after `ServerOptions.keep` seconds; both are in a folder that
    this user alone may enter, and that goes when the server ends.

    Args:
        engine: What reads.
        options: The limits.
    """

    engine: Engine
    options: ServerOptions
    folder: TempFolder

    def __init__(self, engine: Engine, options: ServerOptions) -> None:
        self.engine, self.options, self.folder = engine, options, TempFolder()
        full = "there are too many videos already; delete one, or ask later"
        self._places = Places(options.videos, full=full, retry=RETRY)
        self._jobs: OrderedDict[str, VideoJob] = OrderedDict()
        self._lock = threading.RLock()
        self._pool = ThreadPoolExecutor(options.videos, "facemood-videos")

    def begin(self, client: str, size: int, *, annotated: bool = False, every: float | None = None) -> VideoJob:
        """Make room for a video before it is received.

        Args:
            client: Who sends it.
            size: The bytes that will come, as far as they are announced.
            annotated: Whether the video is wanted with boxes and labels too.
            every: Which frames are read.

        Raises:
            Problem: There are too many videos (503), or the disk has no room for it (507).
        """
        self.forget()
        name = secrets.token_urlsafe(16)
        with self._lock:
            if size and size > self.folder.free() - sum(job.reserved for job in self._jobs.values()):
                raise Problem(507, "the server's disk has no room for this video; ask again later")
            place = self._places.enter(client)
            folder = self.folder.path / f"video-{secrets.token_hex(8)}"
            process = DecodeProcess(memory=self.options.video_memory, niceness=NICENESS)
            writer = DecodeProcess(memory=self.options.decode_memory, niceness=NICENESS) if annotated else None
            job = VideoJob(name, folder, process, place, writer, every, reserved=size)
            self._jobs[name] = job
        with self._receiving(job):
            folder.mkdir()
        return job

    @contextlib.contextmanager
    def receiving(self, job: VideoJob) -> Iterator[None]:
        """Give a video up if it is not received whole."""
        with self._receiving(job):
            yield

    def submit(self, job: VideoJob) -> None:
        """Begin with a video that is there.

        Raises:
            SourceError: It is none.
        """
        job.reserved = 0
        job.process.check_video(job.video, seconds=self.options.decode_seconds)
        self._pool.submit(self._read, job)

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
        self._drop(job)
        job.stop()
        if job.state != READING:  # else its thread does that
            self._delete(job)

    def forget(self) -> None:
        """Delete videos whose results were kept long enough."""
        now = time.monotonic()
        with self._lock:
            old = [job for job in self._jobs.values() if job.ended and now - job.ended > self.options.keep]
            for job in old:
                self._drop(job)
        for job in old:
            self._delete(job)

    def states(self) -> dict[str, int]:
        """Count the videos of each state."""
        with self._lock:
            found = [job.state for job in self._jobs.values()]
        return {state: found.count(state) for state in (WAITING, READING, DONE, FAILED, CANCELLED)}

    def stop(self) -> None:
        """Let the reading of all videos end; return at once."""
        with self._lock:
            jobs = list(self._jobs.values())
        for job in jobs:
            job.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def join(self) -> None:
        """Wait until no video is read any more."""
        self._pool.shutdown()

    def close(self) -> None:
        """Stop, and delete everything."""
        self.stop()
        self.folder.close()

    @contextlib.contextmanager
    def _receiving(self, job: VideoJob) -> Iterator[None]:
        """Give a video up if something fails."""
        try:
            yield
        except BaseException as error:
            self._drop(job)
            job.stop()
            self._delete(job)
            if isinstance(error, OSError):
                raise problem_of(error) from error
            raise

    def _drop(self, job: VideoJob) -> None:
        """Take a video out of those that there are."""
        with self._lock:
            self._jobs.pop(job.id, None)
            job.place.close()

    def _read(self, job: VideoJob) -> None:
        """Read a video from its first frame to its last; this runs in a thread of its own."""
        if job.stopping.is_set():
            return
        job.state = READING
        try:
            read_job(job, self.engine, self.options)
            state = CANCELLED if job.stopping.is_set() else DONE
        except Exception as error:  # the server must go on, and the client must hear of it
            state = CANCELLED if job.stopping.is_set() else FAILED
            job.problem = None if job.stopping.is_set() else problem_of(error).body()
        job.end_processes()
        job.video.unlink(missing_ok=True)  # before clients hear that it is done
        job.state, job.ended = state, time.monotonic()
        if job.stopping.is_set():
            self._delete(job)

    def _delete(self, job: VideoJob) -> None:
        """Delete a video's files."""
        shutil.rmtree(job.folder, ignore_errors=True)
