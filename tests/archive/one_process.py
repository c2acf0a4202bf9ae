"""An engine that runs parts in this process: archives without the start of another one."""

from __future__ import annotations

from pathlib import Path

from facemood.archive import ArchiveJob, ArchiveSummary, Reading, Shard
from facemood.archive.archive_folder import ArchiveFolder
from facemood.archive.part import ArchivePart
from facemood.archive.part_engine import EngineEvent, PartDone
from facemood.archive.part_work import PartWorker
from facemood.archive.worker_process import WorkerSetup
from facemood.sources import find_inputs
from facemood.tracking import VideoOptions


class OneProcess:
    """Runs each part as it is submitted.

    Args:
        setup: How inputs are read.
    """

    slots: int = 1

    def __init__(self, setup: WorkerSetup) -> None:
        self._worker = PartWorker(setup.reading, setup.reading.open(), ArchiveFolder(setup.archive))
        self._done: list[PartDone] = []

    def submit(self, part: ArchivePart) -> None:
        """Run a part."""
        self._done.append(PartDone(self._worker.work(part)))

    def next_event(self, seconds: float) -> EngineEvent | None:
        """Return what the last part gave."""
        return self._done.pop()

    def close(self) -> None:
        """Nothing runs."""


def job_here(
    folder: str | Path,
    *,
    shard: str = "1/1",
    video: VideoOptions | None = None,
    retry: bool = False,
    allow_download: bool = False,
    **options: object,
) -> ArchiveJob:
    """A job that reads in this process, with some options of the recognizer."""
    reading = Reading(recognizer=options, video=video or VideoOptions(), allow_download=allow_download)
    return ArchiveJob(reading, folder, shard=Shard.parse(shard), retry=retry, make_engine=OneProcess)


def run_here(source: str | list[str], folder: str | Path, *, shard: str = "1/1", **options: object) -> ArchiveSummary:
    """Read what is new or changed of a source in this process."""
    job = job_here(folder, shard=shard, **options)  # type: ignore[arg-type]
    return job.run(job.plan(map(str, find_inputs(source))))
