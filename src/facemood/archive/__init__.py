"""Archives: many inputs, read by all cores and many machines, on any day, each exactly once.

    from facemood import archive

    archive.run("photos/", "out/", workers=8)
    archive.collect("out/", "all.parquet")

A run plans parts of new and changed inputs, and worker processes read them. A part is done when its file is there. So
a run may be killed at any moment, run twice, or run on several machines with one folder.

Where to read on, in the order in which a run goes through them:

- ``archive_inputs``, ``planning``: inputs become parts (``part``); the ``book`` tells what the archive has already.
- ``archive_run``, ``part_engine``: all parts are run, whatever dies.
- ``local_engine``, ``ray_engine``, ``dask_engine``: where they are run. On this machine ``worker_pool`` starts
  processes (``worker_process``) that run ``archive_worker``; on others a task is ``remote_work``.
- ``part_work``: one part is read (``reading``) and becomes a file in the archive (``archive_folder``, in an
  ``archive_place``).
- ``archive_status``, ``collecting``, ``table_folder``: what the parts hold, and their rows as one table.
- ``ordered_reading``: no archive; several processes read, and one writes their results in order.
- ``alike``, ``alike_page``: videos that show the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from facemood.archive.archive_inputs import ArchiveInputs, find_archive_inputs
from facemood.archive.archive_run import ArchiveJob, ArchiveProgress, ArchiveSummary, ProgressHook
from facemood.archive.archive_status import ArchiveStatus, read_status
from facemood.archive.collecting import Collection, collect
from facemood.archive.engine_choice import EngineChoice
from facemood.archive.ordered_reading import OrderedReading
from facemood.archive.planning import Shard
from facemood.archive.reading import Reading
from facemood.defaults import DEFAULT_MODEL
from facemood.sources import SourceLike
from facemood.switches import check_switches
from facemood.tracking import PeopleOption, VideoOptions

__all__ = [
    "ArchiveInputs",
    "ArchiveJob",
    "ArchiveProgress",
    "ArchiveStatus",
    "ArchiveSummary",
    "Collection",
    "EngineChoice",
    "OrderedReading",
    "ProgressHook",
    "Reading",
    "Shard",
    "collect",
    "find_archive_inputs",
    "read_status",
    "run",
]


def run(
    source: SourceLike,
    folder: str | Path,
    *,
    workers: int | None = None,
    on: str | None = None,
    gpus_per_worker: float = 0.0,
    shard: str = "1/1",
    retry: bool = False,
    pictures: bool = False,
    every: float | None = None,
    baseline: tuple[float, float] | None = None,
    segment: float | None = None,
    people: PeopleOption = None,
    model: str = DEFAULT_MODEL,
    allow_download: bool = False,
    progress: ProgressHook = lambda progress: None,
    **options: Any,
) -> ArchiveSummary:
    """Read what is new or changed of a source into an archive.

    Args:
        source: A path, a folder, a pattern or a list of them.
        folder: The folder of the archive; it is made. Or its address in an object store, such as ``s3://bucket/out/``.
        workers: Number of processes; None for the cores that this process may use, or that the cluster has.
        on: ``"ray"`` or ``"dask"`` for workers of these packages on this machine, ``"ray://HOST:PORT"`` or
            ``"dask://HOST:PORT"`` for those of a cluster; None for processes. With ``"dask"``, a script must guard what
            it runs by ``if __name__ == "__main__":``, as the workers import it.
        gpus_per_worker: GPUs of each worker on a cluster; may be a fraction.
        shard: The share of the inputs that is read, such as ``"3/40"``.
        retry: Whether inputs that failed in earlier runs are read again.
        pictures: Whether drawn images are written too.
        every: Which frames of videos are read, as for `EmotionRecognizer.analyze`.
        baseline: Baseline period of videos, as for `EmotionRecognizer.analyze`.
        segment: Seconds after which long videos are cut, so that several processes read one; None reads each whole.
        people: Joins the tracks of each person in a video, as for `EmotionRecognizer.analyze`.
        model: Name of a model, or the path of an .onnx file.
        allow_download: Whether inputs in object stores, and photos at http and https addresses, are fetched.
        progress: Called with the progress, often.
        options: Other options of `open_recognizer`.

    Raises:
        SourceError: The source does not exist, or holds nothing that can be read.
        OutputError: The folder or a part cannot be written.
        OptionError: An option is out of its range.
        WorkerError: No process can be started, or no cluster answers.
        MissingExtraError: pyarrow, Ray or Dask is not installed.
    """
    check_switches(retry=retry, pictures=pictures)
    engine = None if on is None else EngineChoice.parse(on, workers, gpus_per_worker)
    inputs = find_archive_inputs(source, allow_download=allow_download)
    video = VideoOptions(every=every, baseline=baseline, segment=segment, people=people)
    reading = Reading(model, options, video, allow_download=allow_download, images=pictures)
    reading.open()
    looks = {"layers": (), "anonymize": ""} if pictures else None
    job = ArchiveJob(reading, folder, workers, Shard.parse(shard), retry, looks, make_engine=engine)
    summary = job.run(job.plan(inputs.names, inputs.stamps), progress)
    summary.add_problems(inputs.problems)
    return summary
