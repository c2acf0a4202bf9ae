"""Read a live source in a separate thread: keep the newest frame, reopen a lost source, and end cleanly."""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Protocol

import numpy as np

from facemood.errors import SourceError
from facemood.schema import Frame, Image
from facemood.sources.live.newest import Newest

logger: logging.Logger = logging.getLogger("facemood")

WAITS = (0.5, 1.5, 4.0)
"""Seconds to wait before each attempt to reopen a lost source. After the last attempt an error is raised."""

STEADY = 10.0
"""Seconds a source must work until its attempts are counted from 0 again. A loose plug therefore ends in an error."""

PATIENCE = 2.0
"""Longest time, in seconds, that `close` waits for a frame that is being read; a thread that hangs ends by itself."""

SILENT = "it gives no more frames"
"""Reason for a loss if the device gives none."""


class Feed(Protocol):
    """A device that gives frames one after the other, such as ``cv2.VideoCapture``."""

    def read(self) -> tuple[bool, Any]:
        """Wait for the next frame: (True, (H, W, 3) uint8 BGR), or (False, None) if the source is lost.

        Raises:
            EOFError: The source has ended normally, as a video file does.
            SourceError: The source is lost for a known reason.
        """
        ...

    def release(self) -> None:
        """Release the device."""
        ...


class LiveSource:
    """Iterates over the newest frames of a camera, screen or stream. Frames that are not taken in time are dropped.

    The device is opened at once and read in a separate thread. The thread ends with `close`, at the end of a ``with``
    block, or when the source is garbage collected. A lost source is reopened a few times. Timestamps count from the
    first frame, by a monotonic clock.

    Args:
        name: Name of the source in frames and messages.
        open_feed: Opens the device; called again after a loss. It is called, read and released in one thread.
        waits: Seconds to wait before each attempt to reopen the device.

    Raises:
        SourceError: The device cannot be opened, or gives no frame.

    Example:
        >>> class Wall:
        ...     def read(self): return True, np.zeros((48, 64, 3), np.uint8)
        ...     def release(self): pass
        >>> with LiveSource("wall", Wall) as source:
        ...     frame = next(source)
        >>> frame.source, frame.index, frame.size
        ('wall', 0, (64, 48))
    """

    name: str
    count: int

    def __init__(self, name: str, open_feed: Callable[[], Feed], *, waits: Sequence[float] = WAITS) -> None:
        self.name, self.count = name, 0
        self._newest: Newest[tuple[float, Image]] = Newest()
        self._stop = threading.Event()
        self._began: float | None = None
        loop = _ReadLoop(name, open_feed, tuple(waits), self._newest, self._stop)
        self._thread = threading.Thread(target=loop.run, name=f"facemood {name}", daemon=True)
        weakref.finalize(self, self._stop.set)  # the thread has no reference to this source
        self._thread.start()
        self._newest.wait()

    def __enter__(self) -> LiveSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> LiveSource:
        return self

    def __next__(self) -> Frame:
        """Wait for a frame newer than the last one.

        Raises:
            SourceError: The source was lost and did not come back.
        """
        taken = None if self._stop.is_set() else self._newest.take()
        if taken is None:
            if not self._stop.is_set():  # otherwise the caller of close does it
                self.close()
            raise StopIteration
        moment, image = taken
        self._began = moment if self._began is None else self._began
        frame = Frame(image, source=self.name, index=self.count, timestamp=round(moment - self._began, 4))
        self.count += 1
        return frame

    @property
    def dropped(self) -> int:
        """Number of frames that were replaced by newer ones before they were taken."""
        return self._newest.dropped

    def close(self) -> None:
        """Stop reading and release the device. Iteration ends, also in another thread that waits for a frame."""
        self._stop.set()
        self._newest.finish()
        if self._thread is not threading.current_thread():
            self._thread.join(PATIENCE)


class _ReadLoop:
    """The work of the thread, and its state; it has no reference to the `LiveSource`."""

    def __init__(
        self,
        name: str,
        open_feed: Callable[[], Feed],
        waits: tuple[float, ...],
        newest: Newest[tuple[float, Image]],
        stop: threading.Event,
    ) -> None:
        self.name, self.open_feed, self.waits, self.newest, self.stop = name, open_feed, waits, newest, stop
        self.given, self.reason = False, SILENT

    def run(self) -> None:
        """Read until `stop` is set, the source ends, or it is lost. Errors go to the thread that takes the frames."""
        try:
            self._read_on()
        except EOFError:
            self.newest.finish()
        except Exception as error:
            self.newest.finish(error)
        else:
            self.newest.finish()

    def _read_on(self) -> None:
        """Open the device and read it; reopen it after a loss, unless it never gave a frame."""
        feed: Feed | None = self.open_feed()
        tries = 0
        while feed is not None:
            lasted = self._read(feed)
            if self.stop.is_set():
                return
            if not self.given:
                raise SourceError(f"{self.name}: it can be opened but gives no frames ({self.reason})")
            tries = 0 if lasted > STEADY else tries
            feed, tries = self._reopen(tries)

    def _read(self, feed: Feed) -> float:
        """Pass on frames until `stop` is set or the device is lost; return the seconds until then."""
        began, self.reason = time.monotonic(), SILENT
        try:
            while not self.stop.is_set():
                there, image = feed.read()
                if not there:
                    break
                self.newest.put((time.monotonic(), np.asarray(image, np.uint8)))
                self.given = True
        except SourceError as error:
            self.reason = str(error)
        finally:
            feed.release()
        return time.monotonic() - began

    def _reopen(self, tries: int) -> tuple[Feed | None, int]:
        """Try to reopen a lost device, with increasing waits.

        Args:
            tries: Attempts since the device was last steady.

        Returns:
            The device, or None if `stop` was set; and the attempts since it was last steady.

        Raises:
            SourceError: All attempts failed.
        """
        for number, wait in enumerate(self.waits[tries:], tries + 1):
            logger.warning("%s: lost; trying again in %g s (%d of %d)", self.name, wait, number, len(self.waits))
            if self.stop.wait(wait):
                return None, number
            try:
                feed = self.open_feed()
            except SourceError as error:
                self.reason = str(error)
            else:
                logger.warning("%s: opened again", self.name)
                return feed, number
        raise SourceError(
            f"{self.name}: it went away and did not come back after {len(self.waits)} tries ({self.reason}). "
            "The results so far are kept. Check the cable or the network, and start again"
        )
