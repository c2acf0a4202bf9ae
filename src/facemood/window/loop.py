"""The loop of the live window: the newest result is drawn, keys are obeyed, and nothing else is kept."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facemood.errors import OutputError
from facemood.flow import close_results
from facemood.render.anonymize import anonymize
from facemood.results import Result
from facemood.sources.live import public_name
from facemood.window.display import Window
from facemood.window.recorder import Recorder
from facemood.window.result_thread import ResultThread
from facemood.window.view import BAR, Status, compose, mirror

TICK = 1 / 30
"""Seconds after which keys are looked at, whether a result came or not."""

FIRST_WAIT = 3.0
"""Seconds until the window opens without a picture; where a source cannot be opened, none flashes up before."""

SIZE = (960, 720)
"""Width and height of a window that opens before the first picture; smaller pictures are enlarged to that height."""

STALLED = 2.0
"""Seconds without a result after which the line says so."""

NOTICE = 4.0
"""Seconds for which a notice stays."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions:
    """How a live source is shown and kept.

    Attributes:
        mirror: Whether the window and its snapshots show the picture as a mirror does; videos and tables never do.
        layers: What faces show beside box, label and bars, as for `Result.draw`.
        anonymize: ``"blur"`` or ``"box"`` hides the faces that were found, on the screen and in all files.
        folder: Where snapshots and recordings go.
        record: Whether a recording begins at once.

    Example:
        >>> LiveOptions(mirror=True).record
        False
    """

    mirror: bool = False
    layers: tuple[str, ...] = ()
    anonymize: str = ""
    folder: Path = Path()
    record: bool = False

    def hide(self, result: Result) -> Result:
        """Return a result whose image shows no face that was found, where that is asked for."""
        if not self.anonymize or result.image is None:
            return result
        return dataclasses.replace(result, image=anonymize(result.image, result.faces, self.anonymize))


def run_window(
    results: Iterable[Result],
    info: dict[str, Any],
    options: LiveOptions | None = None,
    *,
    name: str = "camera:0",
    on_result: Callable[[Result], object] | None = None,
) -> int:
    """Show results as they come until Enter, q, Esc or the window's button ends it, or the source does.

    The window belongs to the calling thread, which must be the main one; results are read in another.

    Args:
        results: What is read, with images; such as ``recognizer.stream("camera:0", keep_images=True)``.
        info: What makes the results, as `EmotionRecognizer.info` gives it.
        options: How it is shown and kept; None takes the defaults, which keep nothing.
        name: What the window calls the source.
        on_result: Called with each result, in the reader's thread.

    Returns:
        How many results were read.

    Raises:
        MissingExtraError: pygame is not installed (extra ``live``).
        DeviceError: There is no display.
        FacemoodError: What went wrong with the source or a recording, once all files are finished.
    """
    options, name = options or LiveOptions(), public_name(name)
    with contextlib.ExitStack() as stack:
        window = stack.enter_context(Window(f"facemood · {name}"))
        recorder = Recorder(options.folder, info)
        stack.callback(recorder.stop)
        if options.record:
            recorder.start()
        each = [recorder.add] if on_result is None else [recorder.add, on_result]
        reader = ResultThread(results, change=options.hide, each=each)
        stack.callback(reader.close)
        stack.callback(window.close)  # it goes at once; files are finished behind it
        _Viewer(window, reader, recorder, options, name).run()
    if recorder.trouble:
        raise OutputError(recorder.trouble)
    return reader.count


def run_headless(
    results: Iterable[Result],
    info: dict[str, Any],
    options: LiveOptions | None = None,
    *,
    on_result: Callable[[Result], object] | None = None,
) -> int:
    """Take results as they come, and record them where that is asked for, without a window; until the source ends.

    Args:
        results: What is read; with images where it is recorded.
        info: What makes the results, as `EmotionRecognizer.info` gives it.
        options: How it is kept; None keeps nothing.
        on_result: Called with each result.

    Returns:
        How many results were read.

    Raises:
        FacemoodError: What went wrong with the source or the recording, once all files are finished.

    Example:
        >>> run_headless([Result("camera:0")], {"labels": ["happy"]}, on_result=lambda result: print(len(result)))
        0
        1
    """
    options, count = options or LiveOptions(), 0
    with contextlib.ExitStack() as stack:
        recorder = Recorder(options.folder, info)
        stack.callback(recorder.stop)
        stack.callback(close_results, results)
        if options.record:
            recorder.start()
        for result in map(options.hide, results):
            recorder.add(result)
            if recorder.trouble:
                raise OutputError(recorder.trouble)
            if on_result is not None:
                on_result(result)
            count += 1
    return count


class _Viewer:
    """One window while it is open: what it shows, and what the keys do."""

    def __init__(
        self, window: Window, reader: ResultThread, recorder: Recorder, options: LiveOptions, name: str
    ) -> None:
        self.window, self.reader, self.recorder, self.options, self.name = window, reader, recorder, options, name
        self.shown: Result | None = None
        self.number = 0
        self.came = time.monotonic()
        self.notice, self.notice_ends = "", 0.0
        self.drawn: tuple[Status, tuple[int, int], int] | None = None

    def run(self) -> None:
        """Show and obey until it ends. What went wrong with the source is raised."""
        self.reader.newest.wait(FIRST_WAIT)
        while True:
            result = self.reader.newest.take(TICK)
            if result is not None:
                self._take(result)
            elif self.reader.newest.finished:
                return
            if not self.window.is_open:
                self._open()
            for action in self.window.actions():
                if action == "close":
                    return
                self._obey(action)
            self._draw()

    def _take(self, result: Result) -> None:
        """Show a result from now on; one that was on its way when the picture was told to stand is left out."""
        self.came = time.monotonic()
        if not self.reader.paused:
            self.number += 1
            self.shown = mirror(result) if self.options.mirror and result.image is not None else result

    def _open(self) -> None:
        """Open the window, as large as the first picture where that is known."""
        width, height = SIZE if self.shown is None else self.shown.size
        scale = max(1.0, SIZE[1] / height)
        self.window.open((round(width * scale), round(height * scale) + BAR))

    def _obey(self, action: str) -> None:
        """Do what a key asks for; trouble with a file is shown and ends nothing."""
        try:
            if action == "pause":
                self.reader.pause(not self.reader.paused)
                self.came = time.monotonic()
            elif action == "snapshot" and self.shown is not None:
                self._say(f"saved {self.recorder.snapshot(self.shown, layers=self.options.layers).name}")
            elif action == "record":
                self._toggle()
            elif action == "redraw":
                self.drawn = None
        except OutputError as error:
            self._say(str(error))

    def _toggle(self) -> None:
        """Begin a recording, or end the one that runs."""
        if not self.recorder.recording:
            self.recorder.start()
        elif (video := self.recorder.stop()) is not None:
            self._say(f"saved {video.name} and {video.stem}.csv")

    def _say(self, notice: str) -> None:
        """Show a notice for a while."""
        self.notice, self.notice_ends = notice, time.monotonic() + NOTICE

    def _status(self) -> Status:
        """Say how it goes."""
        now, paused = time.monotonic(), self.reader.paused
        notice = self.notice if now < self.notice_ends else self.recorder.trouble
        if not notice and not paused and self.shown is not None and now - self.came > STALLED:
            notice = "no new picture; waiting"
        recording = int(self.recorder.seconds) if self.recorder.recording else None
        return Status(self.name, round(self.reader.rate.at(now)), recording, paused, notice)

    def _draw(self) -> None:
        """Draw what is shown, where it differs from what was drawn last."""
        status, size = self._status(), self.window.size
        wanted = (status, size, self.number)
        if wanted != self.drawn:
            self.window.show(compose(self.shown, status, size, layers=self.options.layers))
            self.drawn = wanted
