"""Snapshots and recordings: files are written when somebody asks for them, and never otherwise."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from facemood.errors import OutputError
from facemood.render import write_picture
from facemood.results import Result
from facemood.sinks.text_files import CsvSink
from facemood.sinks.video_file import VideoWriter


class Recorder:
    """Writes pictures, and recordings: a video without boxes and labels, and a table whose times are the video's.

    One thread may tell it to start and stop while another hands it results.

    Args:
        folder: Where files go; it is made with the first of them.
        info: What makes the results, as `EmotionRecognizer.info` gives it.

    Attributes:
        trouble: Why the last recording ended early; empty where it did not.

    Example:
        >>> recorder = Recorder(Path("recordings"), {"labels": ["happy"]})
        >>> recorder.add(Result("camera:0")); recorder.recording, Path("recordings").exists()
        (False, False)
    """

    folder: Path
    info: dict[str, Any]
    trouble: str

    def __init__(self, folder: Path, info: dict[str, Any]) -> None:
        self.folder, self.info, self.trouble = folder, info, ""
        self._lock = threading.Lock()
        self._running: _Recording | None = None

    @property
    def recording(self) -> bool:
        """Whether results are recorded at present."""
        return self._running is not None

    @property
    def seconds(self) -> float:
        """How long the recording is by now."""
        running = self._running
        return 0.0 if running is None else running.seconds

    def snapshot(self, result: Result, *, layers: Collection[str] = ()) -> Path:
        """Write an annotated picture, and return its path.

        Raises:
            OutputError: The place cannot be written to.
        """
        path = self._free_stem((".png",)).with_suffix(".png")
        write_picture(path, result.draw(layers=layers))
        return path

    def start(self) -> Path:
        """Begin a recording, and return the path of its video.

        Raises:
            OutputError: The place cannot be written to.
        """
        self.stop()
        with self._lock:
            self.trouble = ""
            self._running = _Recording(self._free_stem((".mp4", ".csv")), self.info)
            return self._running.video_path

    def stop(self) -> Path | None:
        """End the recording, and return the path of its video; None where nothing was recorded.

        Raises:
            OutputError: The video or the table cannot be finished.
        """
        with self._lock:
            running, self._running = self._running, None
            return None if running is None else running.close()

    def add(self, result: Result) -> None:
        """Record a result where a recording runs; trouble with it ends the recording and nothing else."""
        with self._lock:
            if self._running is None:
                return
            try:
                self._running.add(result)
            except OutputError as error:
                self.trouble = str(error)
                running, self._running = self._running, None
                with contextlib.suppress(OutputError):
                    running.close()

    def _free_stem(self, suffixes: tuple[str, ...]) -> Path:
        """Return a path without ending that is named by the time, and that no file has."""
        name = time.strftime("facemood-%Y%m%d-%H%M%S")
        stem, number = self.folder / name, 1
        while any(Path(f"{stem}{suffix}").exists() for suffix in suffixes):
            number += 1
            stem = self.folder / f"{name}-{number}"
        return stem


class _Recording:
    """One recording that runs."""

    def __init__(self, stem: Path, info: dict[str, Any]) -> None:
        self.video_path, self.table_path, self._info = Path(f"{stem}.mp4"), Path(f"{stem}.csv"), info
        self._video = VideoWriter(self.video_path)
        self._table: CsvSink | None = None
        self._began: float | None = None
        self.count, self.seconds = 0, 0.0

    def add(self, result: Result) -> None:
        """Write one frame and its rows, by the video's own numbers and times."""
        if result.image is None:
            raise OutputError(f"{self.video_path}: a recording needs the pictures; read with keep_images=True")
        if self._table is None:
            self._table = CsvSink(self.table_path, {**self._info, "variants": list(result.variants)})
        now = time.monotonic() if result.timestamp is None else result.timestamp
        self._began = now if self._began is None else self._began
        self.seconds = now - self._began
        self._video.add(result.image, self.seconds)
        self._table.write(dataclasses.replace(result, index=self.count, timestamp=round(self.seconds, 4)))
        self.count += 1

    def close(self) -> Path | None:
        """Finish both files; a recording without a frame leaves none."""
        try:
            self._video.close()
        finally:
            if self._table is not None:
                self._table.close()
        return self.video_path if self.count else None
