"""The loop of the live window: draw the newest result and handle keys. It keeps no other result."""

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
from facemood.languages import ENGLISH
from facemood.render.anonymize import anonymize
from facemood.render.display import Window
from facemood.results import Result
from facemood.sources.live import public_name
from facemood.switches import check_switches
from facemood.window.recorder import Recorder
from facemood.window.result_thread import ResultThread
from facemood.window.view import BAR, Status, compose, mirror

TICK = 1 / 30
"""Longest time between two checks of the keys, in seconds: 30 checks per second feel immediate."""

FIRST_WAIT = 3.0
"""Seconds to wait for the first frame before the window opens. A source that fails sooner opens no window."""

SIZE = (960, 720)
"""Width and height, in pixels, of a window that opens before the first frame. Smaller frames get this height."""

STALLED = 2.0
"""Seconds without a result after which the status line reports it."""

NOTICE = 4.0
"""Seconds for which a notice is shown: enough to read a file name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions:
    """How a live source is shown and recorded.

    Attributes:
        mirror: Whether the window and its snapshots show a mirror image; videos and tables are never mirrored.
        layers: What to draw in addition to boxes, labels and bars, as for `Result.draw`.
        language: Language of the labels, as for `Result.draw`.
        anonymize: ``"blur"`` or ``"box"`` hides the detected faces in the window and in all files.
        folder: Folder for snapshots and recordings.
        record: Whether a recording starts at once.

    Raises:
        OptionError: `mirror` or `record` is no bool.

    Example:
        >>> LiveOptions(mirror=True).record
        False
    """

    mirror: bool = False
    layers: tuple[str, ...] = ()
    language: str = ENGLISH
    anonymize: str = ""
    folder: Path = Path()
    record: bool = False

    def __post_init__(self) -> None:
        check_switches(mirror=self.mirror, record=self.record)

    def hide(self, result: Result) -> Result:
        """Return a result with the detected faces hidden in its image, if `anonymize` is set."""
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
    """Show results in a window until the source ends, or Enter, q, Esc or the close button is pressed.

    The window runs in the calling thread, which must be the main thread. Results are read in another thread.

    Args:
        results: Results with images, such as ``recognizer.stream("camera:0", keep_images=True)``.
        info: Settings of the run, as `EmotionRecognizer.info` returns them.
        options: How results are shown and recorded; None uses the defaults, which record nothing.
        name: Name of the source in the window.
        on_result: Called with each result, in the thread that reads.

    Returns:
        The number of results.

    Raises:
        MissingExtraError: pygame is not installed (extra ``live``).
        DeviceError: There is no display.
        FacemoodError: An error of the source or of a recording; raised after all files are finished.
    """
    options, name = options or LiveOptions(), public_name(name)
    with contextlib.ExitStack() as stack:
        window = stack.enter_context(Window(f"facemood · {name}"))
        recorder = Recorder(options.folder, info)
        stack.callback(recorder.stop)
        if options.record:
            recorder.start()
        each = [recorder.add] if on_result is None else [recorder.add, on_result]
        thread = ResultThread(results, change=options.hide, each=each)
        stack.callback(thread.close)
        stack.callback(window.close)  # the window closes first, then the files are finished
        _Viewer(window, thread, recorder, options, name).run()
    if recorder.error:
        raise OutputError(recorder.error)
    return thread.count


def run_headless(
    results: Iterable[Result],
    info: dict[str, Any],
    options: LiveOptions | None = None,
    *,
    on_result: Callable[[Result], object] | None = None,
) -> int:
    """Read results until the source ends, without a window, and record them if `LiveOptions.record` is set.

    Args:
        results: Results; with images if they are recorded.
        info: Settings of the run, as `EmotionRecognizer.info` returns them.
        options: How results are recorded; None records nothing.
        on_result: Called with each result.

    Returns:
        The number of results.

    Raises:
        FacemoodError: An error of the source or of the recording; raised after all files are finished.

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
            if recorder.error:
                raise OutputError(recorder.error)
            if on_result is not None:
                on_result(result)
            count += 1
    return count


class _Viewer:
    """The state of an open window: the displayed result, the notice, and what the keys do."""

    def __init__(
        self, window: Window, thread: ResultThread, recorder: Recorder, options: LiveOptions, name: str
    ) -> None:
        self.window, self.thread, self.recorder, self.options, self.name = window, thread, recorder, options, name
        self.displayed: Result | None = None
        self.number = 0
        self.last_time = time.monotonic()
        self.notice, self.notice_ends = "", 0.0
        self.drawn: tuple[Status, tuple[int, int], int] | None = None

    def run(self) -> None:
        """Draw results and handle keys until the end. Errors of the source are raised."""
        self.thread.newest.wait(FIRST_WAIT)
        while True:
            result = self.thread.newest.take(TICK)
            if result is not None:
                self._take(result)
            elif self.thread.newest.finished:
                return
            if not self.window.is_open:
                self._open()
            for action in self.window.actions():
                if action == "close":
                    return
                self._handle(action)
            self._draw()

    def _take(self, result: Result) -> None:
        """Display a result; one that arrives after a pause has begun is ignored."""
        self.last_time = time.monotonic()
        if not self.thread.paused:
            self.number += 1
            self.displayed = mirror(result) if self.options.mirror and result.image is not None else result

    def _open(self) -> None:
        """Open the window in the size of the first frame, or in `SIZE` if there is none yet."""
        width, height = SIZE if self.displayed is None else self.displayed.size
        scale = max(1.0, SIZE[1] / height)
        self.window.open((round(width * scale), round(height * scale) + BAR))

    def _handle(self, action: str) -> None:
        """Carry out the action of a key. An error with a file is shown as a notice."""
        try:
            if action == "pause":
                self.thread.pause(not self.thread.paused)
                self.last_time = time.monotonic()
            elif action == "snapshot" and self.displayed is not None:
                saved = self.recorder.snapshot(
                    self.displayed, layers=self.options.layers, language=self.options.language
                )
                self._notify(f"saved {saved.name}")
            elif action == "record":
                self._toggle_recording()
            elif action == "redraw":
                self.drawn = None
        except OutputError as error:
            self._notify(str(error))

    def _toggle_recording(self) -> None:
        """Start a recording, or stop the current one."""
        if not self.recorder.recording:
            self.recorder.start()
        elif (video := self.recorder.stop()) is not None:
            self._notify(f"saved {video.name} and {video.stem}.csv")

    def _notify(self, notice: str) -> None:
        """Show a notice for `NOTICE` seconds."""
        self.notice, self.notice_ends = notice, time.monotonic() + NOTICE

    def _status(self) -> Status:
        """Return the content of the status line."""
        now, paused = time.monotonic(), self.thread.paused
        notice = self.notice if now < self.notice_ends else self.recorder.error
        if not notice and not paused and self.displayed is not None and now - self.last_time > STALLED:
            notice = "no new frame; waiting"
        recording = int(self.recorder.seconds) if self.recorder.recording else None
        return Status(self.name, round(self.thread.rate.at(now)), recording, paused, notice)

    def _draw(self) -> None:
        """Draw the view, unless nothing has changed since the last time."""
        status, size = self._status(), self.window.size
        wanted = (status, size, self.number)
        if wanted != self.drawn:
            options = self.options
            view = compose(self.displayed, status, size, layers=options.layers, language=options.language)
            self.window.show(view)
            self.drawn = wanted
