"""The annotated video of an upload: drawn here, and written with the sound of the upload by a separate process."""

from __future__ import annotations

from pathlib import Path

from facemood.errors import FacemoodError
from facemood.isolation.decode_process import DecodeProcess
from facemood.results import Result
from facemood.server.limits import ServerOptions
from facemood.sinks.annotated_images import DrawingSink
from facemood.sinks.sink import ONE_VIDEO


class AnnotatedVideo(DrawingSink):
    """Writes the annotated frames of an uploaded video, with its sound. The server itself never opens the upload.

    Args:
        path: Path of the video; it is renamed into place when it is closed.
        process: Writes it.
        upload: The uploaded video.
        options: The limits.

    Raises:
        OutputError: The file cannot be written.
    """

    process: DecodeProcess
    upload: Path
    options: ServerOptions
    failed: bool

    holds = ONE_VIDEO

    def __init__(self, path: Path, process: DecodeProcess, upload: Path, options: ServerOptions) -> None:
        super().__init__(path, {})
        self.process, self.upload, self.options = process, upload, options
        self.failed = False
        process.begin_annotated(path, seconds=options.decode_seconds)

    def write(self, result: Result) -> None:
        """Draw a frame, and have it written.

        Raises:
            SourceError: The sound of the upload is damaged in a way that ended the process, or takes too long.
            OutputError: The file cannot be written.
        """
        try:
            self.process.add_annotated(
                self.draw(result), result.timestamp or 0.0, self.upload, seconds=self.options.step_seconds
            )
        except FacemoodError:
            self.failed = True
            raise

    def close(self, *, whole: bool = True) -> None:
        """Have the video finished; after an error there is nothing to finish.

        Raises:
            SourceError: The rest of the sound takes too long, or ended the process.
            OutputError: The file cannot be written.
        """
        if not self.failed:
            self.process.finish_annotated(seconds=self.options.finish_seconds)
