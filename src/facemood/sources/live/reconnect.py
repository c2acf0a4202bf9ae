"""Read a live source in a thread of its own: the newest picture, lost ones sought again, and a clean end."""

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
"""Seconds before each try to open a lost source again; after the last one it is given up."""

STEADY = 10.0
"""Seconds that a source must give pictures until its tries are forgotten, so that a loose plug comes to an end too."""

PATIENCE = 2.0
"""Seconds that closing waits for a picture that is being read; a reader that hangs longer ends by itself."""

SILENT = "it gives no more pictures"
"""Why a source is lost, where the device does not say."""


class Feed(Protocol):
    """What gives pictures one after the other, such as ``cv2.VideoCapture``."""

    def read(self) -> tuple[bool, Any]:
        """Wait for the next picture: (True, (H, W, 3) uint8 BGR), or (False, None) where the source is lost.

        Raises:
            EOFError: It came to an end that was to be expected, as of a video.
            SourceError: The source is lost, and it is known why.
        """
        ...

    def release(self) -> None:
        """Let go of the device."""
        ...


class LiveSource:
    """Frames of a camera, screen or stream, always the newest: what nobody took in time is dropped and counted.

    It is opened at once, read in a thread of its own, and iterated once. The thread ends with `close`, at the end of
    a ``with`` block, or when nobody holds the source any more. A lost source is sought again a few times.
    Timestamps count from the first frame, by a clock that nobody sets.

    Args:
        name: What frames and messages call it.
        open_feed: Opens the device; called again when it is lost. It is called, read and released in one thread.
        waits: Seconds before each try to open it again.

    Raises:
        SourceError: It cannot be opened, or gives no picture.

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
        reader = _ReaderThread(name, open_feed, tuple(waits), self._newest, self._stop)
        self._thread = threading.Thread(target=reader.run, name=f"facemood {name}", daemon=True)
        weakref.finalize(self, self._stop.set)  # the thread holds the reader, not this source
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
        """Wait for a picture newer than the last.

        Raises:
            SourceError: The source was lost and did not come back.
        """
        taken = None if self._stop.is_set() else self._newest.take()
        if taken is None:
            if not self._stop.is_set():  # who stopped it closes it
                self.close()
            raise StopIteration
        moment, image = taken
        self._began = moment if self._began is None else self._began
        frame = Frame(image, source=self.name, index=self.count, timestamp=round(moment - self._began, 4))
        self.count += 1
        return frame

    @property
    def dropped(self) -> int:
        """How many pictures gave way to newer ones before they were taken."""
        return self._newest.dropped

    def close(self) -> None:
        """Stop reading and let go of the device; who waits for a frame in another thread gets the end."""
        self._stop.set()
        self._newest.finish()
        if self._thread is not threading.current_thread():
            self._thread.join(PATIENCE)


class _ReaderThread:
    """What the thread does, and all that it knows."""

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
        """Read until it is stopped, comes to its end, or is lost for good. What goes wrong is raised to who takes."""
        try:
            self._read_on()
        except EOFError:
            self.newest.finish()
        except Exception as error:
            self.newest.finish(error)
        else:
            self.newest.finish()

    def _read_on(self) -> None:
        """Open the device and read it, again and again where it is lost; never where it did not give one picture."""
        feed: Feed | None = self.open_feed()
        tries = 0
        while feed is not None:
            lasted = self._read(feed)
            if self.stop.is_set():
                return
            if not self.given:
                raise SourceError(f"{self.name}: it can be opened but gives no picture ({self.reason})")
            tries = 0 if lasted > STEADY else tries
            feed, tries = self._seek(tries)

    def _read(self, feed: Feed) -> float:
        """Hand on pictures until it is stopped or lost; return for how many seconds that went well."""
        began, self.reason = time.monotonic(), SILENT
        try:
            while not self.stop.is_set():
                there, picture = feed.read()
                if not there:
                    break
                self.newest.put((time.monotonic(), np.asarray(picture, np.uint8)))
                self.given = True
        except SourceError as error:
            self.reason = str(error)
        finally:
            feed.release()
        return time.monotonic() - began

    def _seek(self, tries: int) -> tuple[Feed | None, int]:
        """Try to open a lost device again, with longer and longer waits.

        Returns:
            The device, None where reading was stopped, and how many tries were made since it was last steady.

        Raises:
            SourceError: It did not come back.
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
            "What was read so far stays; look at plug and network, and start again"
        )
