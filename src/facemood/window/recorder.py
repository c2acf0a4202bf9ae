"""Snapshots and recordings. Files are written on request only."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from facemood.codebooks import codebook_path, write_codebook
from facemood.errors import OutputError
from facemood.languages import ENGLISH
from facemood.render import write_image
from facemood.results import Result
from facemood.sinks.text_files import CsvSink
from facemood.sinks.video_writer import VideoWriter


class Recorder:
    """Writes snapshots and recordings. A recording is a video without boxes, and a table with the video's timestamps.

    Beside the table are its codebook and the settings.

    It is thread-safe: one thread may start and stop recordings while another adds results.

    Args:
        folder: Folder of the files; it is created with the first file.
        info: Settings of the run, as `EmotionRecognizer.info` returns them.

    Attributes:
        error: Message of the error that ended the last recording; empty if there was none.

    Example:
        >>> recorder = Recorder(Path("recordings"), {"labels": ["happy"]})
        >>> recorder.add(Result("camera:0")); recorder.recording, Path("recordings").exists()
        (False, False)
    """

    folder: Path
    info: dict[str, Any]
    error: str

    def __init__(self, folder: Path, info: dict[str, Any]) -> None:
        self.folder, self.info, self.error = folder, info, ""
        self._lock = threading.Lock()
        self._running: _Recording | None = None

    @property
    def recording(self) -> bool:
        """Whether a recording is running."""
        return self._running is not None

    @property
    def seconds(self) -> float:
        """Length of the current recording in seconds; 0 without one."""
        running = self._running
        return 0.0 if running is None else running.seconds

    def snapshot(self, result: Result, *, layers: Collection[str] = (), language: str = ENGLISH) -> Path:
        """Write an annotated image and return its path.

        Raises:
            OutputError: The file cannot be written.
        """
        path = self._free_stem((".png",)).with_suffix(".png")
        write_image(path, result.draw(layers=layers, language=language))
        return path

    def start(self) -> Path:
        """Start a recording and return the path of its video.

        Raises:
            OutputError: The file cannot be written.
        """
        self.stop()
        with self._lock:
            self.error = ""
            self._running = _Recording(self._free_stem((".mp4", ".csv", ".csv.json")), self.info)
            return self._running.video_path

    def stop(self) -> Path | None:
        """Stop the recording and return the path of its video; None if no frame was recorded.

        Raises:
            OutputError: The video or the table cannot be finished.
        """
        with self._lock:
            running, self._running = self._running, None
            return None if running is None else running.close()

    def add(self, result: Result) -> None:
        """Add a result to the current recording, if any. An error ends the recording and is kept in `error`."""
        with self._lock:
            if self._running is None:
                return
            try:
                self._running.add(result)
            except OutputError as error:
                self.error = str(error)
                running, self._running = self._running, None
                with contextlib.suppress(OutputError):
                    running.close()

    def _free_stem(self, suffixes: tuple[str, ...]) -> Path:
        """Return a path without suffix, named after the current time, that no file has yet."""
        name = time.strftime("facemood-%Y%m%d-%H%M%S")
        stem, number = self.folder / name, 1
        while any(Path(f"{stem}{suffix}").exists() for suffix in suffixes):
            number += 1
            stem = self.folder / f"{name}-{number}"
        return stem


class _Recording:
    """The files of a recording that is running."""

    def __init__(self, stem: Path, info: dict[str, Any]) -> None:
        self.video_path, self.table_path, self._info = Path(f"{stem}.mp4"), Path(f"{stem}.csv"), info
        self._video = VideoWriter(self.video_path)
        self._table: CsvSink | None = None
        self._began: float | None = None
        self.count, self.seconds = 0, 0.0

    def add(self, result: Result) -> None:
        """Write one frame and its rows, with frame numbers and timestamps of the recorded video."""
        if result.image is None:
            raise OutputError(f"{self.video_path}: a recording needs the images; read with keep_images=True")
        if self._table is None:
            self._table = CsvSink(self.table_path, {**self._info, "variants": list(result.variants)})
        now = time.monotonic() if result.timestamp is None else result.timestamp
        self._began = now if self._began is None else self._began
        self.seconds = now - self._began
        self._video.add(result.image, self.seconds)
        self._table.write(dataclasses.replace(result, index=self.count, timestamp=round(self.seconds, 4)))
        self.count += 1

    def close(self) -> Path | None:
        """Finish all files and return the path of the video. Without a frame, no file remains."""
        try:
            self._video.close()
        finally:
            if self._table is not None:
                self._table.close()
                place, table = codebook_path(self.table_path), self._table
                write_codebook(place, self.table_path.name, table.columns, table.info)
        return self.video_path if self.count else None
