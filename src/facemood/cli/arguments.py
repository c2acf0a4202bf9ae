"""The options of reading faces, which several commands have, with the defaults of `EmotionRecognizer`."""

from __future__ import annotations

from typing import Annotated

import typer

MODEL, DETECTOR, MIN_FACE = "default", "finder", 24.0
"""The recognizer's defaults; they stand here too, because the help must not load the pipeline."""

Model = Annotated[str, typer.Option("--model", help="A model's name (baseline, nano, ferc), or an .onnx file.")]
Head = Annotated[
    str | None, typer.Option("--head", help="Which of the model's heads to read, such as fer2013 or ferplus.")
]
Detector = Annotated[str, typer.Option("--detector", help="finder, hog, or yunet:FILE.onnx.")]
MinFace = Annotated[float, typer.Option("--min-face", min=1, help="Smallest face in pixels; larger is faster.")]
Threshold = Annotated[
    float | None,
    typer.Option("--threshold", min=0, max=1, help="Smallest detector score; by default the detector's own."),
]
MaxFaces = Annotated[int | None, typer.Option("--max-faces", min=1, help="How many faces of a picture at most.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")]
Threads = Annotated[int | None, typer.Option("--threads", min=1, help="Threads of the network.")]


def _known_views(views: int) -> int:
    """Refuse a number of views that there is not."""
    from facemood.models import check_views

    try:
        return check_views(views)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


Views = Annotated[
    int,
    typer.Option(
        "--views", callback=_known_views, help="Times that each face is read: 1, 2 or 10; slower, more accurate."
    ),
]


def _known_prior(prior: str) -> str:
    """Refuse a prior that there is not; whether the model has the figures for it is said when it is loaded."""
    from facemood.stages.classify import PRIORS

    if prior not in PRIORS:
        raise typer.BadParameter(f"expected {' or '.join(PRIORS)}, but got {prior!r}")
    return prior


Prior = Annotated[
    str,
    typer.Option(
        "--prior", callback=_known_prior, help="dataset; or balanced, which finds rare expressions more often."
    ),
]


Smooth = Annotated[
    float | None,
    typer.Option("--smooth", min=0, help="Seconds over which readings in videos are smoothed; 0 for not at all."),
]
Baseline = Annotated[
    str | None,
    typer.Option("--baseline", help="When people are at rest, such as 0:00-0:10; changes are against that."),
]


def _known_layers(names: list[str] | None) -> list[str] | None:
    """Check what `--draw` names, before anything is loaded; commas and repetition do the same."""
    if not names:
        return None
    from facemood.errors import OutputError
    from facemood.render import check_layers

    try:
        return list(check_layers(",".join(names)))
    except OutputError as error:
        raise typer.BadParameter(str(error)) from error


Draw = Annotated[
    list[str] | None,
    typer.Option(
        "--draw",
        callback=_known_layers,
        help="What is drawn on the faces as well: points, mesh, pose, map, mask, vector.",
    ),
]


def _known_way(how: str) -> str:
    """Check what `--anonymize` names, before anything is loaded."""
    from facemood.errors import OutputError
    from facemood.render import check_anonymize

    try:
        return check_anonymize(how)
    except OutputError as error:
        raise typer.BadParameter(str(error)) from error


Anonymize = Annotated[
    str,
    typer.Option("--anonymize", callback=_known_way, help="Hide the faces that are found in all pictures: blur, box."),
]
