"""``facemood analyze``: analyze images and videos, and write tables, JSON, images, videos and reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from facemood.cli.analyze_options import (
    Batch,
    Every,
    FromList,
    Gpus,
    OnOption,
    Output,
    Overwrite,
    PathColumn,
    PeopleOf,
    Pictures,
    Resume,
    Retry,
    SamePeople,
    Segment,
    ShardOption,
    Sources,
    Workers,
)
from facemood.cli.arguments import (
    AllowDownload,
    Anonymize,
    Baseline,
    CsvDialect,
    Detector,
    Device,
    Draw,
    Expression,
    Head,
    Language,
    MaxFaces,
    MinFace,
    Model,
    Orientation,
    ParticipantsOption,
    Precision,
    Prior,
    Smooth,
    Threads,
    Threshold,
    Valence,
    Views,
)
from facemood.cli.people_option import parse_people
from facemood.cli.terminal import Json, Quiet, Verbose, say, start_logging
from facemood.cli.times import parse_every, parse_period, parse_segment
from facemood.csv_dialect import PLAIN
from facemood.defaults import DEFAULT_DETECTOR, DEFAULT_MODEL, DEFAULT_PRECISION, MIN_FACE, SMOOTH
from facemood.languages import ENGLISH, speaker

if TYPE_CHECKING:
    from collections.abc import Mapping


def analyze(
    sources: Sources = None,
    output: Output = None,
    draw: Draw = None,
    json: Json = False,
    every: Every = None,
    smooth: Smooth = SMOOTH,
    baseline: Baseline = None,
    segment: Segment = None,
    people: PeopleOf = None,
    same_people: SamePeople = False,
    participants: ParticipantsOption = None,
    valence: Valence = False,
    expression: Expression = None,
    anonymize: Anonymize = "",
    language: Language = ENGLISH,
    resume: Resume = False,
    overwrite: Overwrite = False,
    model: Model = DEFAULT_MODEL,
    head: Head = None,
    detector: Detector = DEFAULT_DETECTOR,
    min_face: MinFace = MIN_FACE,
    threshold: Threshold = None,
    max_faces: MaxFaces = None,
    views: Views = 1,
    prior: Prior = None,
    orientation: Orientation = "auto",
    device: Device = "auto",
    threads: Threads = None,
    precision: Precision = DEFAULT_PRECISION,
    batch: Batch = 8,
    csv_dialect: CsvDialect = PLAIN,
    allow_download: AllowDownload = False,
    workers: Workers = None,
    shard: ShardOption = None,
    on: OnOption = None,
    gpus_per_worker: Gpus = 0.0,
    from_list: FromList = None,
    column: PathColumn = None,
    pictures: Pictures = False,
    retry: Retry = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Predict the expressions in images and videos.

    Prints a table on stderr. With --json, prints one line of JSON per image or frame on stdout instead.
    """
    start_logging(quiet=quiet, verbose=verbose)
    from facemood.derived import read_expressions
    from facemood.loading import open_recognizer
    from facemood.tracking.video_options import VideoOptions

    video = VideoOptions(
        parse_every(every), smooth, parse_period(baseline), segment=parse_segment(segment), people=parse_people(people),
        same_people=same_people,
    )  # fmt: skip
    options: dict[str, Any] = {
        "head": head, "detector": detector, "min_face": min_face, "threshold": threshold, "max_faces": max_faces,
        "views": views, "prior": prior, "orientation": orientation, "device": device, "threads": threads,
        "precision": precision, "valence": valence, "expressions": read_expressions(expression or []) or None,
    }  # fmt: skip
    named, carried = _named(sources, from_list, column)
    looks: dict[str, Any] = {"layers": draw or [], "anonymize": anonymize}
    looks |= {"language": language} if language != ENGLISH else {}
    apart = bool(workers or shard or on)
    _refuse_with_study(participants, apart=apart, cut=bool(segment))
    reading = None
    if apart or gpus_per_worker:
        from facemood.archive import Reading
        from facemood.cli.archive_command import ArchiveChoice, into_archive

        reading = Reading(model, options, video, batch, allow_download, pictures, tuple(draw or ()))
        choice = ArchiveChoice(workers, shard, on, gpus_per_worker, retry, looks if pictures else None, carried)
        if choice.asked(output or []):
            raise typer.Exit(into_archive(choice.job(reading, output or [], json, overwrite), named, quiet=quiet))
    _refuse_archive_options(pictures or retry, output or [], carried)
    from facemood.cli.analyze_job import AnalyzeJob

    run = AnalyzeJob(
        video, named, output or [], participants, listed=from_list, batch=batch, allow_download=allow_download
    )
    run.quiet, run.dialect, run.seen.say = quiet, csv_dialect, speaker(language)
    run.resume, run.overwrite = resume, overwrite
    if reading is not None:
        run.read_with(reading, workers or 1, named)
    run.check(json=json, draws=bool(draw))
    code = run.run(open_recognizer(model, **options), looks, echo=json)
    run.tell(summary=not (json or quiet))
    if code:
        raise typer.Exit(code)


def _refuse_with_study(participants: str | None, *, apart: bool, cut: bool) -> None:
    """Refuse to read a study with several processes, or its videos in segments."""
    if participants and (apart or cut):
        option = "--segment" if cut else "--workers, --shard or --on"
        raise typer.BadParameter(f"--participants does not go with {option}; read the study in one process, uncut")


def _refuse_archive_options(asked: bool, outputs: list[str], carried: Mapping[str, Mapping[str, str]]) -> None:
    """Refuse what only archives have, and tell of columns that are not carried."""
    from facemood.sources.remote import is_remote

    if any(map(is_remote, outputs)):
        raise typer.BadParameter(
            "only archives are written into an object store (--workers N -o s3://BUCKET/FOLDER/); facemood archive "
            "collect makes tables of them"
        )
    if asked:
        raise typer.BadParameter("--pictures and --retry are for archives; add --workers N and -o FOLDER/")
    if any(carried.values()):
        say("facemood: the other columns of the list are only carried into an archive (--workers N -o FOLDER/)")


def _named(
    sources: list[str] | None, from_list: str | None, column: str | None
) -> tuple[list[str], Mapping[str, Mapping[str, str]]]:
    """Return what the user named, and the values that a list carries."""
    if from_list is None:
        if column is not None:
            raise typer.BadParameter("--column names a column of the .csv of --from, which is missing")
        if not sources:
            raise typer.BadParameter("expected images, videos or folders, or a file of names with --from")
        return sources, {}
    from facemood.sources import read_input_list

    listed = read_input_list(from_list, column=column)
    return [*(sources or []), *listed.names], listed.carried
