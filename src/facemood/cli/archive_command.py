"""``facemood archive``: what an archive holds, and its rows as one table; runs of ``analyze`` into an archive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from facemood.cli.arguments import CsvDialect
from facemood.cli.reading_progress import shown_progress
from facemood.cli.terminal import (
    CANNOT_START,
    DONE,
    INTERRUPTED,
    SOME_FAILED,
    Json,
    Quiet,
    print_json,
    say,
    start_logging,
)
from facemood.csv_dialect import PLAIN
from facemood.filenames import printable

if TYPE_CHECKING:
    from facemood.archive import ArchiveInputs, ArchiveJob, ArchiveSummary, Reading

app: typer.Typer = typer.Typer(help="Show archives, and collect their rows.", no_args_is_help=True)

Folder = Annotated[str, typer.Argument(help="The folder of the archive.")]

SHOWN_FAILURES = 20
"""Failures that `status` lists; --json lists all."""


@app.command("status")
def status(folder: Folder, json: Json = False) -> None:
    """Show what an archive holds.

    Inputs, rows and failures, and the versions and processors that made its parts.
    """
    from facemood.archive import read_status
    from facemood.text import count

    known = read_status(folder)
    if json:
        print_json(known.to_dict())
        return
    of = f" of {known.planned:,}" if known.planned is not None else ""
    say(f"{known.inputs:,}{of} inputs in {count(known.parts, 'part')}, {count(known.rows, 'row')}")
    if known.busy:
        say(f"{count(known.busy, 'part')} being read now")
    if known.other_settings:
        say(f"{count(known.other_settings, 'part')} with other settings than those of the last run")
    for maker, number in known.made_by:
        say(f"{count(number, 'part')} by " + ", ".join(f"{name} {value}" for name, value in maker.items()))
    if known.failures:
        say(f"{count(len(known.failures), 'input')} could not be read:")
    _list_failures(known.failures)


@app.command("collect")
def collect_rows(
    folder: Folder,
    output: Annotated[
        str,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="Table to write: .parquet, .csv, or a folder of Parquet files, NAME/.",
        ),
    ],
    mixed: Annotated[
        bool,
        typer.Option("--mixed", help="Take rows of different versions, settings and processors into one table."),
    ] = False,
    csv_dialect: CsvDialect = PLAIN,
    quiet: Quiet = False,
) -> None:
    """Write the rows as one table.

    Each input stands in it once, in its last version, sorted by name.
    """
    start_logging(quiet=quiet)
    from facemood.archive import collect
    from facemood.text import count

    found = collect(folder, output, mixed=mixed, csv_dialect=csv_dialect)
    if not quiet:
        failed = f"; {count(len(found.failures), 'input')} could not be read" if found.failures else ""
        say(f"{output}: {count(found.rows, 'row')} of {count(found.inputs, 'input')}{failed}")


@app.command("alike")
def show_alike(
    folder: Folder,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="PATH.html", help="Page of the groups to write.")
    ] = None,
    like: Annotated[
        str | None, typer.Option("--like", metavar="VIDEO", help="List the videos that are most alike to this one.")
    ] = None,
    groups: Annotated[
        int | None, typer.Option("--groups", metavar="N", min=1, help="Number of groups. Without it, it is found.")
    ] = None,
    mixed: Annotated[
        bool, typer.Option("--mixed", help="Compare rows of different versions, settings and processors.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Group videos by what they show.

    Their mean curves and shares are compared. Needs the extra study.
    """
    start_logging(quiet=quiet)
    from facemood.archive.alike import find_alike
    from facemood.archive.alike_page import alike_page, described
    from facemood.atomic import replacing
    from facemood.cli.terminal import print_line
    from facemood.text import count

    if output is not None and not output.lower().endswith(".html"):
        raise typer.BadParameter(f"expected a page whose name ends in .html, but got {output!r}")
    videos = find_alike(folder, groups=groups, mixed=mixed)
    if like is not None:
        for other, distance in videos.nearest(like, count=10):
            print_line(f"{distance:.3f}  {printable(other.source)}")
    if output is not None:
        with replacing(output, encoding="utf-8") as file:
            file.write(alike_page(videos, name=folder))
    if not quiet and like is None:
        for number in sorted(set(videos.groups.tolist())):
            members = [one for one, own in zip(videos.profiles, videos.groups.tolist(), strict=True) if own == number]
            say(f"group {number}: {count(len(members), 'video')}, {described(members)}")


def is_archive(outputs: list[str]) -> bool:
    """Return whether the only output is a folder, which is an archive if there are workers."""
    from facemood.outputs import OutputTarget

    targets = [OutputTarget.parse(pattern) for pattern in outputs]
    return len(targets) == 1 and targets[0].is_folder and not targets[0].is_own


def refuse_unshared(names: list[str], *, allow_download: bool) -> None:
    """Refuse what several processes cannot read.

    Raises:
        SourceError: A name is that of stdin, is a data URL, or names a live source.
    """
    from facemood.errors import SourceError
    from facemood.sources import name_of_item, refuse_live
    from facemood.sources.items import is_data_url

    for name in filter(lambda name: name == "-" or is_data_url(name), names):
        raise SourceError(f"{name_of_item(name)}: several processes cannot share it; give the name of a file")
    refuse_live(names if not allow_download else [])


class ArchiveChoice(NamedTuple):
    """How an archive is read, as the options of ``analyze`` say.

    Attributes:
        workers: Number of processes.
        shard: The share of the inputs.
        on: The engine.
        gpus: GPUs of each worker of an engine.
        retry: Whether inputs that failed are read again.
        looks: How images are drawn; None without drawn images.
        carried: Values of the columns that are carried, by the name of the input.
    """

    workers: int | None
    shard: str | None
    on: str | None
    gpus: float
    retry: bool
    looks: Mapping[str, Any] | None
    carried: Mapping[str, Mapping[str, str]]

    def asked(self, outputs: list[str]) -> bool:
        """Return whether an archive is asked for, and not files.

        Raises:
            typer.BadParameter: There are GPUs for workers, but no engine that has them.
        """
        if self.gpus and not self.on:
            raise typer.BadParameter("--gpus-per-worker is for --on ray or --on dask://HOST:PORT")
        return bool(self.shard or self.on) or is_archive(outputs)

    def job(self, reading: Reading, outputs: list[str], json: bool, overwrite: bool) -> ArchiveJob:
        """Return the job that reads.

        Raises:
            typer.BadParameter: The output is no folder, or another option does not fit.
        """
        from facemood.archive import ArchiveJob, EngineChoice, Shard

        folder = archive_of(outputs, json=json, overwrite=overwrite)
        engine = EngineChoice.parse(self.on, self.workers, self.gpus) if self.on else None
        shard = Shard.parse(self.shard) if self.shard else Shard()
        return ArchiveJob(reading, folder, self.workers, shard, self.retry, self.looks, self.carried, engine)


def archive_of(outputs: list[str], *, json: bool, overwrite: bool) -> str:
    """Return the folder of the archive that is the only output.

    Raises:
        typer.BadParameter: The output is no folder, or another option does not fit.
    """
    if not is_archive(outputs):
        raise typer.BadParameter(
            "--shard and --on read into an archive, which is the only output: -o FOLDER/. facemood archive collect "
            "makes tables of it"
        )
    if json:
        raise typer.BadParameter("--json does not go with an archive; facemood archive collect makes tables of it")
    if overwrite:
        raise typer.BadParameter("--overwrite does not go with an archive, whose parts stay; give a new folder")
    return outputs[0]


def into_archive(job: ArchiveJob, named: list[str], *, quiet: bool) -> int:
    """Read what is new or changed into an archive; return the exit code."""
    from facemood.archive import find_archive_inputs

    refuse_unshared(named, allow_download=job.reading.allow_download)
    inputs = find_archive_inputs(named, allow_download=job.reading.allow_download)
    if not inputs.found:
        for _, message in inputs.problems:
            say(f"facemood: {message}")
        return CANNOT_START
    job.reading.open()  # what is wrong with the model is told before any process starts
    return run_archive(job, inputs, quiet=quiet)


def run_archive(job: ArchiveJob, inputs: ArchiveInputs, *, quiet: bool) -> int:
    """Read inputs into an archive, and tell what was read; return the exit code.

    Args:
        job: What is read, and how.
        inputs: The inputs, and what could not be found.
        quiet: Whether only failures are told.
    """
    from facemood.archive import ArchiveProgress
    from facemood.text import count

    plan = job.plan(inputs.names, inputs.stamps)
    again = f", {plan.changed:,} of them changed or failed before" if plan.changed else ""
    if not quiet:
        are = "is" if plan.inputs == 1 else "are"
        say(f"facemood: {plan.done:,} of {count(plan.inputs, 'input')} {are} done; reading {plan.left:,}{again}")
    last = ArchiveProgress(0, plan.items, 0)
    try:
        with shown_progress(lambda: last.failed, quiet=quiet or not plan.items) as show:

            def advance(progress: ArchiveProgress) -> None:
                nonlocal last
                last = progress
                if show is not None:
                    show(last.done, last.total)

            summary = job.run(plan, advance)
    except KeyboardInterrupt:
        read = count(int(last.done), "input")
        say(f"facemood: interrupted after {read}; parts that are done are kept, run again to go on")
        return INTERRUPTED
    _tell(summary, quiet=quiet)
    summary.add_problems(inputs.problems)
    _list_failures(summary.failures)
    return SOME_FAILED if summary.failures else DONE


def _tell(summary: ArchiveSummary, *, quiet: bool) -> None:
    """Tell what a run did."""
    from facemood.text import count

    if not quiet and summary.read:
        say(f"facemood: {count(summary.rows, 'row')} in {count(summary.parts, 'new part')}")


def _list_failures(failures: list[tuple[str, str]]) -> None:
    """List inputs that could not be read."""
    for name, message in failures[:SHOWN_FAILURES]:
        told = printable(name)
        say(f"facemood: {message}" if told in message else f"facemood: {told}: {message}")
    if len(failures) > SHOWN_FAILURES:
        say(f"facemood: … and {len(failures) - SHOWN_FAILURES:,} more; facemood archive status FOLDER --json lists all")
