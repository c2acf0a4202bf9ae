"""``facemood review``: people label moments of a run by hand, and agreement is computed from that."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facemood.cli.terminal import SOME_FAILED, Quiet, Verbose, say, show_table, start_logging

if TYPE_CHECKING:
    from facemood.review import LabelStore

PORT = 8020
"""Port of the page. It is not that of `serve` or `web`, so that no page is taken for another."""

ENDINGS = (".html", ".csv")
"""Endings of a report."""


def review(
    results: Annotated[
        Path, typer.Argument(metavar="RESULTS", help="Folder with tables of facemood analyze, a table, or an archive.")
    ],
    moments: Annotated[
        int | None,
        typer.Option(
            "--moments", metavar="N", min=1, help="Faces to draw at random: 100, or what the review has. It can grow."
        ),
    ] = None,
    more: Annotated[
        str | None,
        typer.Option(
            "--more",
            metavar="KIND",
            help="Add a sample of rare or of uncertain answers, whose agreement is told apart.",
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option("--labels", metavar="FOLDER", help="Where sample and labels are, instead of RESULTS/review."),
    ] = None,
    sources: Annotated[
        list[Path] | None,
        typer.Option("--sources", metavar="FOLDER", help="Where photos and videos are now, if they were moved."),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", help="Seed of the samples; 0 by default.")] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="PATH", help="Write the agreement (.html or .csv), and open no page."),
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(
            "--export", metavar="FOLDER", help="Write the labelled faces as FOLDER/LABEL/*.png, for facemood train own."
        ),
    ] = None,
    rater: Annotated[
        str | None, typer.Option("--rater", metavar="NAME", help="With --export: only the labels of this person.")
    ] = None,
    answers_last: Annotated[
        bool, typer.Option("--answers-last", help="Show facemood's answers only when all moments are labelled.")
    ] = False,
    show_faces: Annotated[
        bool, typer.Option("--show-faces", help="Show faces although those in images of the run are hidden.")
    ] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes any that is free.")] = PORT,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Label faces by hand, and see how far people and facemood agree.

    A page for this machine alone shows faces that are drawn at random. A person labels each before facemood's answer is
    shown. Each label is saved at once, one file a person. Photos and videos are only read.
    """
    start_logging(quiet=quiet, verbose=verbose)
    if output is not None and output.suffix.lower() not in ENDINGS:
        raise typer.BadParameter(f"expected a report whose name ends in {' or '.join(ENDINGS)}, but got '{output}'")
    if rater is not None and export is None:
        raise typer.BadParameter("--rater says whose labels are exported; give --export FOLDER too, or leave it out")
    from facemood.codebooks import with_codebook
    from facemood.originals import refuse_overwriting
    from facemood.review import open_review
    from facemood.review.sampling import UNIFORM

    store = open_review(results, folder=labels, kind=more or UNIFORM, count=moments, seed=seed, sources=sources or ())
    for problem in store.problems:
        say(f"facemood: {problem}")
    if output is not None:
        refuse_overwriting(with_codebook(output), store.inputs)
        write_report(store, results, output, quiet=quiet)
    if output is not None and export is None:
        return
    if store.anonymized and not show_faces:
        raise typer.BadParameter(
            "images of this run were written with --anonymize, and a review shows the faces of the original files; "
            "give --show-faces if that is right"
        )
    if export is not None:
        raise typer.Exit(write_faces(store, export, rater, quiet=quiet))
    serve_review(store, results, port, answers_last=answers_last)


def write_report(store: LabelStore, results: Path, output: Path, *, quiet: bool) -> None:
    """Write the agreement, and show it."""
    from facemood.atomic import replacing
    from facemood.review.agreement_page import agreement_page
    from facemood.review.agreement_table import compare_raters, number_text, range_text, write_agreement
    from facemood.text import exact_percent

    rows = compare_raters(store)
    if output.suffix.lower() == ".csv":
        write_agreement(output, rows)
    else:
        with replacing(output, encoding="utf-8") as file:
            file.write(agreement_page(store, name=results.resolve().name))
    if quiet:
        return
    if not rows:
        say(f"facemood: nothing is labelled yet; open the page with facemood review {results}")
        return
    lines = []
    for row in rows:
        known = row.agreement
        agreed = exact_percent(known.agreed if known.n else None)
        lines.append(
            (row.sample, f"{row.first} - {row.second}", str(known.n), agreed, number_text(known.kappa),
             range_text(known.low, known.high))
        )  # fmt: skip
    show_table(("sample", "who", "n", "agreed", "kappa", "95% interval"), lines)


def write_faces(store: LabelStore, folder: Path, rater: str | None, *, quiet: bool) -> int:
    """Write the labelled faces, and tell what was left out; return the exit code."""
    from facemood.review.export_faces import export_faces
    from facemood.text import count, joined

    found = export_faces(store, folder, rater=rater)
    if not quiet:
        known = joined([f"{number} {label}" for label, number in found.written.most_common()])
        say(f"{folder}: {count(found.written.total(), 'face')}: {known or 'none'}")
        for label in found.written:
            if found.folders[label] != label:
                say(f"{label!r} cannot be the name of a folder: its faces are in {found.folders[label]}")
        reasons = (
            (found.disagreed, "whose raters disagree"),
            (found.hard_to_tell, "that are hard to tell"),
            (len(found.lost), "whose file cannot be read, or in which facemood does not find the face again"),
        )
        for number, reason in reasons:
            if number:
                say(f"left out: {count(number, 'face')} {reason}")
    return 0 if found.written else SOME_FAILED


def serve_review(store: LabelStore, results: Path, port: int, *, answers_last: bool) -> None:
    """Serve the page for this machine alone, until Ctrl-C.

    The address has a token: other users of this machine can reach the port, but must not see the faces.
    """
    from facemood.cli.serve_command import address_of, listen, run_app, server_settings
    from facemood.errors import require

    require("fastapi", extra="serve")
    require("uvicorn", extra="serve")
    from facemood.review.app import create_review_app
    from facemood.review.label_store import locked
    from facemood.server.limits import LOOPBACK_NAMES, ServerOptions

    token = secrets.token_urlsafe(24)
    lock = locked(store)
    try:
        name = results.resolve().name
        app = create_review_app(store, name=name, token=token, hosts=LOOPBACK_NAMES, answers_last=answers_last)
        with listen("127.0.0.1", port) as bound:
            say(f"facemood: open {address_of(bound, 'http', token)}")
            run_app(app, bound, server_settings(ServerOptions(token=token), None, None))
    finally:
        lock.release()
    say(f"facemood: the labels are in {store.folder}")
