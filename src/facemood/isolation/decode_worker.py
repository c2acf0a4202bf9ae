"""The decoding process: it reads what strangers sent for its owner, one call at a time, with bounded memory.

It decodes images and videos, and writes annotated videos, for which it reads the sound of the original.

`DecodeProcess` starts it. It needs only Pillow, NumPy, OpenCV and PyAV: no network is loaded here.
"""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facemood.errors import OutputError, SourceError
from facemood.isolation.bounds import ImageBounds, VideoBounds
from facemood.isolation.messages import ERRORS, read_message, write_message
from facemood.isolation.sent_image import Measured, decode_sent_image
from facemood.isolation.sent_video import SentVideo, Step, check_format
from facemood.schema import Image
from facemood.sinks.video_file import VideoWithSound


class Worker:
    """Answers the calls of its owner.

    Args:
        source: Where calls come from.
        target: Where answers go.
    """

    source: io.FileIO
    target: io.FileIO

    def __init__(self, source: io.FileIO, target: io.FileIO) -> None:
        self.source, self.target = source, target
        self.video: SentVideo | None = None
        self.annotated: VideoWithSound | None = None

    def run(self) -> None:
        """Say that it is ready, and answer calls until the owner is gone."""
        write_message(self.target, {"ready": True})
        with contextlib.suppress(EOFError, BrokenPipeError):
            while True:
                call, body = read_message(self.source)
                head, image = self._answer(call, body)
                write_message(self.target, head, b"" if image is None else image.data.cast("B"))

    def _answer(self, call: dict[str, Any], body: NDArray[np.uint8]) -> tuple[dict[str, Any], Image | None]:
        """Answer a call; an error becomes its name and its message."""
        try:
            answer: tuple[dict[str, Any], Image | None] = getattr(self, f"do_{call.pop('do')}")(body, **call)
            return answer
        except MemoryError:
            return {"error": "LimitError", "message": "it needs more memory than it may take; make it smaller"}, None
        except (SourceError, OutputError) as error:
            name = type(error).__name__
            number = getattr(error.__cause__, "errno", None)  # tells a full disk
            return {"error": name if name in ERRORS else "SourceError", "message": str(error), "errno": number}, None

    def do_image(self, body: NDArray[np.uint8], bounds: dict[str, Any]) -> tuple[dict[str, Any], Image | None]:
        """Decode an image, or measure it where that costs more than the bounds call quick."""
        image = decode_sent_image(bytes(body), ImageBounds(**bounds))
        if isinstance(image, Measured):
            return {"size": [image.width, image.height]}, None
        return {"shape": image.shape}, image

    def do_check(self, body: NDArray[np.uint8], path: str) -> tuple[dict[str, Any], None]:
        """Refuse a file that is no video."""
        check_format(Path(path))
        return {}, None

    def do_open(
        self, body: NDArray[np.uint8], path: str, every: float | None, bounds: dict[str, Any]
    ) -> tuple[dict[str, Any], None]:
        """Open a video, and return its size and number of frames."""
        self.video = SentVideo(path, every, VideoBounds(**bounds))
        return self.video.info(), None

    def do_next(self, body: NDArray[np.uint8]) -> tuple[dict[str, Any], Image | None]:
        """Decode the next frame of the open video, or say whether more may come."""
        frame = Step.END if self.video is None else self.video.next()
        if isinstance(frame, Step):
            return {"step": frame.value}, None
        head = {"index": frame.index, "timestamp": frame.timestamp, "video_end": frame.video_end}
        return {"shape": frame.image.shape, **head}, frame.image

    def do_annotate(self, body: NDArray[np.uint8], path: str) -> tuple[dict[str, Any], None]:
        """Begin an annotated video."""
        self.annotated = VideoWithSound(Path(path))
        return {}, None

    def do_add(
        self, body: NDArray[np.uint8], shape: tuple[int, int, int], timestamp: float, source: str
    ) -> tuple[dict[str, Any], None]:
        """Add a frame to the annotated video, and the sound of its source up to it."""
        self._begun().add(body.reshape(shape), timestamp, source)
        return {}, None

    def do_finish(self, body: NDArray[np.uint8]) -> tuple[dict[str, Any], None]:
        """Finish the annotated video, with the rest of the sound."""
        self._begun().close()
        return {}, None

    def _begun(self) -> VideoWithSound:
        """Return the annotated video that was begun."""
        if self.annotated is None:
            raise SourceError("no annotated video was begun")
        return self.annotated


def bound_memory(extra: int) -> None:
    """Let this process take only so many more bytes of memory than it has now (Linux; elsewhere sizes bound it)."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (ImportError, OSError):
        return
    limit = pages * os.sysconf("SC_PAGE_SIZE") + extra
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def main(source: io.FileIO, target: io.FileIO, arguments: list[str]) -> None:
    """Work for the process that started this one, with its memory and its niceness."""
    import av  # noqa: F401  what is loaded now does not count as memory of a video
    import cv2

    cv2.setNumThreads(1)
    memory, niceness = map(int, arguments)
    if niceness and hasattr(os, "nice"):
        os.nice(niceness)
    bound_memory(memory)
    Worker(source, target).run()
