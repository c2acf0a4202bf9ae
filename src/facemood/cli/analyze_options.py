"""Options that ``facemood analyze`` alone has; `facemood.cli.arguments` has those that several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

ENDINGS = (
    ".csv, .parquet, .xlsx, .sav, .dta, .jsonl, .json, .mp4, .html, .summary.csv, .episodes.csv, .openface.csv, "
    ".pyfeat.csv, .eaf, .TextGrid, "
    ".srt, .vtt, _events.tsv, _events.json, codebook.md, codebook.csv, .png, .jpg"
)
"""Suffixes of files that can be written, for the help."""

Sources = Annotated[
    list[str] | None,
    typer.Argument(help="Images, videos, folders, patterns such as 'photos/**/*.jpg', or - for stdin."),
]
Output = Annotated[
    list[str] | None,
    typer.Option(
        "--output",
        "-o",
        metavar="PATH",
        help=f"File to write, by its suffix: {ENDINGS}; or a folder of annotated images; or - for stdout. With "
        "{name} or {path} in it, one per input. May be repeated.",
    ),
]
Every = Annotated[
    str | None,
    typer.Option(
        "--every",
        metavar="N|SECONDS|auto",
        help="Frames of videos to analyze: 5 is every 5th frame, 0.5s one every half second. With auto, frames that "
        "look like the last one that was read repeat its faces.",
    ),
]
Resume = Annotated[
    bool,
    typer.Option("--resume", help="Continue the outputs of an earlier run; finished inputs are not analyzed again."),
]
Overwrite = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        help="In folders, also replace files that no earlier run wrote. Inputs are never overwritten.",
    ),
]
Batch = Annotated[
    int,
    typer.Option("--batch", metavar="N", min=1, help="Images whose faces go through the network together."),
]

Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        metavar="N",
        min=1,
        help="Processes that read. A folder that is the only output becomes an archive: parts of it are done when "
        "their files are there, and a repeated run reads only what is new or changed.",
    ),
]
ShardOption = Annotated[
    str | None,
    typer.Option("--shard", metavar="I/N", help="Read one of N shares of the inputs into an archive, such as 3/40."),
]
OnOption = Annotated[
    str | None,
    typer.Option(
        "--on",
        metavar="ENGINE",
        help="Read into an archive with Ray or Dask: ray, ray://HOST:PORT, dask or dask://HOST:PORT.",
    ),
]
Gpus = Annotated[
    float,
    typer.Option("--gpus-per-worker", metavar="N", min=0, help="GPUs of each worker of Ray or Dask, such as 0.5."),
]
FromList = Annotated[
    str | None,
    typer.Option(
        "--from",
        metavar="FILE",
        help="File of names, one a line; or a .csv with a column of paths, whose other columns an archive carries.",
    ),
]
PathColumn = Annotated[
    str | None, typer.Option("--column", metavar="NAME", help="Column of paths in the .csv of --from.")
]
Pictures = Annotated[bool, typer.Option("--pictures", help="Write drawn images into an archive, too.")]
Segment = Annotated[
    str | None,
    typer.Option(
        "--segment",
        metavar="TIME",
        help="Cut long videos after each 10m, say: tracking begins anew there, so that several processes can read one. "
        "People keep their numbers.",
    ),
]
PeopleOf = Annotated[
    str | None,
    typer.Option(
        "--people",
        metavar="N|auto",
        help="Join the tracks of each person in a video, over cuts and absences: how many people there are, or auto. "
        "The video is tracked once before it is read. Other videos are not compared.",
    ),
]
SamePeople = Annotated[
    bool,
    typer.Option(
        "--same-people",
        help="Join the people of all videos of this run, too: the same person has the same number in all of them. "
        "With --people N, there are N people in all videos together; otherwise their number is found.",
    ),
]
Retry = Annotated[bool, typer.Option("--retry", help="Read inputs of an archive again that failed before.")]
