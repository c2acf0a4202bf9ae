"""Starts a decoding process, calls it with deadlines, and kills it if it misses one."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from facemood.child_process import start_child
from facemood.errors import LimitError, SourceError
from facemood.isolation.bounds import ImageBounds, VideoBounds
from facemood.isolation.messages import ERRORS, read_message, write_message
from facemood.schema import Frame, Image

WORKER = "facemood.isolation.decode_worker"
"""The module that the process runs."""

LOOKS = 0.05
"""Seconds between two looks for processes that are late."""

WIDE = 1 << 20
"""Bytes that a pipe holds: as many as Linux gives every user. An image of 640 x 480 has 921,600."""

STARTING = 30.0
"""Seconds that a decoding process may take to start on a slow, busy machine."""


class DeadlineError(LimitError):
    """Decoding took longer than it may."""


class DecodeProcess:
    """A process that decodes untrusted images and videos, and writes annotated videos.

    It takes one call at a time; all methods block. It starts with the first call. If a call misses its deadline or
    crashes the process, that call fails, and the next call starts a new process.

    Args:
        memory: Bytes that it may use in addition to what it has at the start (Linux).
        niceness: Its niceness, 0 to 19 (POSIX).

    Attributes:
        kills: How often it was killed or crashed.

    Example:
        >>> from facemood.render import encode_png
        >>> with DecodeProcess(memory=500_000_000) as process:
        ...     process.decode(encode_png(np.zeros((4, 6, 3), np.uint8)), ImageBounds(), seconds=10).shape
        (4, 6, 3)
    """

    memory: int
    niceness: int
    kills: int

    def __init__(self, *, memory: int, niceness: int = 0) -> None:
        self.memory, self.niceness, self.kills = memory, niceness, 0
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False
        self._lock = threading.Lock()

    def __enter__(self) -> DecodeProcess:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def decode(self, data: bytes, bounds: ImageBounds, *, seconds: float) -> Image | tuple[int, int]:
        """Decode an image.

        Args:
            data: The file's bytes.
            bounds: Its limits.
            seconds: The deadline.

        Returns:
            (H, W, 3) uint8 BGR; or width and height of an image that costs more than `ImageBounds.quick`.

        Raises:
            SourceError: It is no image, damaged, above a bound (`LimitError`), too slow (`DeadlineError`), or
                made its decoder crash.
        """
        head, body = self._call({"do": "image", "bounds": asdict(bounds)}, data, seconds=seconds)
        return _image_of(head, body) if "shape" in head else (head["size"][0], head["size"][1])

    def check_video(self, path: Path, *, seconds: float) -> None:
        """Refuse a file that is no video.

        Raises:
            SourceError: It is none (`UnknownFormatError`), or as for `decode`.
        """
        self._call({"do": "check", "path": str(path)}, b"", seconds=seconds)

    def open_video(self, path: Path, bounds: VideoBounds, *, every: float | None, seconds: float) -> dict[str, Any]:
        """Open a video; `next_frame` gives its frames.

        Returns:
            ``size``, ``frames`` (how many will be read; None where the video does not say).

        Raises:
            SourceError: As for `decode`.
        """
        call = {"do": "open", "path": str(path), "every": every, "bounds": asdict(bounds)}
        return self._call(call, b"", seconds=seconds)[0]

    def next_frame(self, *, seconds: float) -> Frame | None:
        """Return the next frame of the open video, or None where it has ended.

        Args:
            seconds: The deadline of one frame, or of a second's work on frames that are left out.

        Raises:
            SourceError: As for `decode`.
        """
        head: dict[str, Any] = {"step": "more"}
        while head.get("step") == "more":
            head, body = self._call({"do": "next"}, b"", seconds=seconds, begun=True)
        if "shape" not in head:
            return None
        known = {name: head[name] for name in ("index", "timestamp", "video_end")}
        return Frame(_image_of(head, body), **known)

    def begin_annotated(self, path: Path, *, seconds: float) -> None:
        """Begin an annotated video; `add_annotated` adds its frames.

        Args:
            path: The video to write; it is renamed into place when it is finished.
            seconds: The deadline.

        Raises:
            OutputError: It cannot be written.
            SourceError: As for `decode`.
        """
        self._call({"do": "annotate", "path": str(path)}, b"", seconds=seconds)

    def add_annotated(self, image: Image, timestamp: float, source: Path, *, seconds: float) -> None:
        """Add a frame to the annotated video, and the sound of its source up to it.

        Args:
            image: (H, W, 3) uint8 BGR.
            timestamp: Its time in the source, in seconds.
            source: The file whose sound the video gets; it is opened by the process.
            seconds: The deadline.

        Raises:
            OutputError: It cannot be written.
            SourceError: As for `decode`.
        """
        call = {"do": "add", "shape": image.shape, "timestamp": timestamp, "source": str(source)}
        self._call(call, np.ascontiguousarray(image).data.cast("B"), seconds=seconds, begun=True)

    def finish_annotated(self, *, seconds: float) -> None:
        """Finish the annotated video, with the rest of the sound, and rename it into place.

        Raises:
            OutputError: It cannot be written.
            SourceError: As for `decode`.
        """
        self._call({"do": "finish"}, b"", seconds=seconds, begun=True)

    def start(self) -> None:
        """Start the process, so that the first call need not wait for that.

        Raises:
            SourceError: It cannot be started.
        """
        with self._lock:
            self._started()

    def close(self) -> None:
        """End the process, also during a call."""
        self._closed = True
        if self._process is not None:
            self._process.kill()
        with self._lock:
            self._end()

    def _call(
        self, call: dict[str, Any], body: bytes | memoryview, *, seconds: float, begun: bool = False
    ) -> tuple[dict[str, Any], NDArray[np.uint8]]:
        """Have a call answered.

        Args:
            call: What to do.
            body: Raw bytes that belong to it.
            seconds: The deadline.
            begun: Whether the call goes on with a video; a process that died since then is not started anew.

        Raises:
            SourceError: As for `decode`.
            OutputError: A file cannot be written.
        """
        with self._lock:
            if begun and (self._process is None or self._process.poll() is not None):
                self._end()
                raise self._lost(0, seconds)
            process = self._started()
            began = time.monotonic()
            try:
                with _WATCH.deadline(process, seconds):
                    write_message(_pipe(process.stdin), call, body)
                    head, data = read_message(_pipe(process.stdout))
            except (OSError, EOFError):
                self._end()
                raise self._lost(time.monotonic() - began, seconds) from None
        if "error" in head:
            number = head.get("errno")
            raise ERRORS[head["error"]](head["message"]) from (OSError(number, os.strerror(number)) if number else None)
        return head, data

    def _started(self) -> subprocess.Popen[bytes]:
        """Return the process, started where it does not run."""
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._end()
        if self._closed:
            raise SourceError("the decoding process is closed")
        process = self._process = start_child(
            WORKER, str(self.memory), str(self.niceness), bufsize=0, stderr=subprocess.DEVNULL
        )
        if self._closed:  # by another thread, since it was looked at above; this process is not known there
            self._end()
            raise SourceError("the decoding process is closed")
        _widen(process.stdin)
        _widen(process.stdout)
        try:
            with _WATCH.deadline(process, STARTING):
                read_message(_pipe(process.stdout))
        except (OSError, EOFError):
            self._end()
            raise SourceError("the decoding process does not start; facemood doctor may tell why") from None
        return process

    def _lost(self, took: float, seconds: float) -> SourceError:
        """Return the error of a call whose process died after some seconds."""
        if self._closed:
            return SourceError("the decoding process was closed")
        self.kills += 1
        if took >= seconds:
            return DeadlineError(f"decoding took longer than {seconds:g} seconds; save it again, smaller or simpler")
        return SourceError("decoding failed: the data is damaged in a way that ended the decoder; save it again")

    def _end(self) -> None:
        """Kill the process, and let go of its pipes."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                _pipe(pipe).close()
        process.wait()


class _Watch:
    """Kills processes that miss their deadline: one thread for all looks now and then, so that calls pay nothing."""

    def __init__(self) -> None:
        self._due: dict[subprocess.Popen[bytes], float] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def deadline(self, process: subprocess.Popen[bytes], seconds: float) -> Iterator[None]:
        """Kill a process if the block is not done after so many seconds."""
        with self._lock:
            self._due[process] = time.monotonic() + seconds
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="facemood-deadlines", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                del self._due[process]

    def _look(self) -> None:
        """Look for processes that are late, for as long as the program runs."""
        while True:
            time.sleep(LOOKS)
            now = time.monotonic()
            with self._lock:
                late = [process for process, due in self._due.items() if now > due]
            for process in late:
                process.kill()


_WATCH = _Watch()
"""The one thread that kills processes of this program at their deadlines."""


def _widen(pipe: IO[bytes] | None) -> None:
    """Enlarge a pipe to the size of a live image, so that it passes in one piece (Linux)."""
    with contextlib.suppress(ImportError, AttributeError, OSError):
        import fcntl

        fcntl.fcntl(_pipe(pipe), fcntl.F_SETPIPE_SZ, WIDE)  # type: ignore[attr-defined,unused-ignore]  # Python 3.10


def _pipe(pipe: IO[bytes] | None) -> io.FileIO:
    """Return a pipe of a process, which has no buffer."""
    return cast("io.FileIO", pipe)


def _image_of(head: dict[str, Any], body: NDArray[np.uint8]) -> Image:
    """Return the image of an answer, (H, W, 3) uint8 BGR."""
    return body.reshape(head["shape"])
