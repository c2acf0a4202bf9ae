"""Options that several commands share. Their defaults are in `facemood.defaults`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from facemood.defaults import SMOOTH
from facemood.errors import OptionError, OutputError


@contextmanager
def _told_of_the_option(kind: type[Exception]) -> Iterator[None]:
    """Turn an error of a check into a message that names the option, before anything is loaded.

    Raises:
        typer.BadParameter: The block raised an error of the kind.
    """
    try:
        yield
    except kind as error:
        raise typer.BadParameter(str(error)) from error


MODEL_NAME = "A model's name (default, nano or steady)"
"""How the help of an option begins that takes a model of our own networks."""

Model = Annotated[
    str,
    typer.Option("--model", metavar="MODEL", help="A model's name (default, nano, steady or ferc), or an .onnx file."),
]
Head = Annotated[
    str | None,
    typer.Option(
        "--head",
        metavar="HEAD",
        help="Labels to predict: those of ferplus or fer2013. Without it, the model's default head is used.",
    ),
]
Detector = Annotated[
    str, typer.Option("--detector", metavar="DETECTOR", help="Face detector: finder, hog or yunet:FILE.onnx.")
]
MinFace = Annotated[
    float,
    typer.Option(
        "--min-face", metavar="PIXELS", min=1, help="Smallest face to detect, by its shorter side. Larger is faster."
    ),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        "--threshold", metavar="SCORE", min=0, max=1, help="Lowest detection score. Without it, the detector's default."
    ),
]
MaxFaces = Annotated[
    int | None,
    typer.Option("--max-faces", metavar="N", min=1, help="Keep only the N largest faces of each image or frame."),
]
Device = Annotated[
    str,
    typer.Option(
        "--device", metavar="DEVICE", help="Run the network on: auto, cpu, cuda, coreml, directml or openvino."
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads", metavar="N", min=1, help="CPU threads per network. Without it, one per core that may be used."
    ),
]


def _known_precision(precision: str) -> str:
    """Refuse an unknown precision."""
    from facemood.models.registry import check_precision

    with _told_of_the_option(OptionError):
        return check_precision(precision)


Precision = Annotated[
    str,
    typer.Option(
        "--precision",
        metavar="PRECISION",
        callback=_known_precision,
        help="Numbers in which the networks compute: fp32 or int8. The model default has int8, which is faster.",
    ),
]


def _known_views(views: int) -> int:
    """Refuse an unknown number of views."""
    from facemood.models import check_views

    with _told_of_the_option(ValueError):
        return check_views(views)


Views = Annotated[
    int,
    typer.Option(
        "--views",
        metavar="N",
        callback=_known_views,
        help="Views per face for test-time augmentation: 1, 2 or 10. More views are slower and gain little.",
    ),
]


def _known_prior(prior: str | None) -> str | None:
    """Refuse an unknown prior. Loading the model checks whether its card supports the prior."""
    from facemood.stages.classify import PRIORS

    if prior is not None and prior not in PRIORS:
        raise typer.BadParameter(f"expected {', '.join(PRIORS[:-1])} or {PRIORS[-1]}, but got {prior!r}")
    return prior


Prior = Annotated[
    str | None,
    typer.Option(
        "--prior",
        metavar="PRIOR",
        callback=_known_prior,
        show_default="tuned where the model has it",
        help="Class prior: tuned, dataset or balanced. Tuned suits images of any kind; dataset expects expressions as "
        "common as in the training images; balanced expects all equally often.",
    ),
]


def _known_orientation(orientation: str) -> str:
    """Refuse an unknown orientation before anything is loaded."""
    if orientation not in ("auto", "0", "90", "180", "270"):
        raise typer.BadParameter(f"expected auto, 0, 90, 180 or 270, but got {orientation!r}")
    return orientation


def _known_turn(orientation: str) -> str:
    """Refuse an unknown orientation of a live source, which is never found out."""
    if orientation == "auto":
        raise typer.BadParameter("expected 0, 90, 180 or 270; the orientation of a live source is not found out")
    return _known_orientation(orientation)


Orientation = Annotated[
    str,
    typer.Option(
        "--orientation",
        metavar="auto|DEGREES",
        callback=_known_orientation,
        help="Degrees by which images are turned clockwise to be upright: 0, 90, 180 or 270. With auto, a photo "
        "without a face is tried at all four, and a video is decided by its first seconds.",
    ),
]
LiveOrientation = Annotated[
    str,
    typer.Option(
        "--orientation",
        metavar="DEGREES",
        callback=_known_turn,
        help="Degrees by which images are turned clockwise to be upright: 0, 90, 180 or 270.",
    ),
]


Smooth = Annotated[
    float,
    typer.Option(
        "--smooth",
        metavar="SECONDS",
        min=0,
        show_default=f"{SMOOTH:g}",
        help="Time constant of the smoothing in videos and live sources; 0 turns it off.",
    ),
]
Baseline = Annotated[
    str | None,
    typer.Option(
        "--baseline",
        metavar="FROM-TO",
        help="When people look neutral, such as 0:00-0:10. Adds the change of each expression against that time.",
    ),
]

ParticipantsOption = Annotated[
    str | None,
    typer.Option(
        "--participants",
        metavar="PLAN.csv",
        help="Plan of a study: who is who in which video, in which condition and when. Adds columns to all tables.",
    ),
]


Valence = Annotated[
    bool,
    typer.Option(
        "--valence",
        help="Add the columns valence and arousal, which are derived from expressions and action units by published "
        "formulas.",
    ),
]


def _known_expressions(given: list[str] | None) -> list[str] | None:
    """Refuse expressions that are none, before anything is loaded."""
    from facemood.derived import read_expressions

    with _told_of_the_option(OptionError):
        read_expressions(given or [])
    return given


Expression = Annotated[
    list[str] | None,
    typer.Option(
        "--expression",
        metavar="NAME=FORMULA",
        callback=_known_expressions,
        help="Add an own column, such as 'doubt = min(AU04, AU01) - AU12', clipped to 0..1; or a .toml file of them. "
        "May be repeated.",
    ),
]


def _known_layers(names: list[str] | None) -> list[str] | None:
    """Check the layers of `--draw` before anything is loaded; commas and repetition mean the same."""
    if not names:
        return None
    from facemood.render import check_layers

    with _told_of_the_option(OutputError):
        return list(check_layers(",".join(names)))


Draw = Annotated[
    list[str] | None,
    typer.Option(
        "--draw",
        metavar="LAYER",
        callback=_known_layers,
        help="Also draw on each face: points, mesh, pose, map, mask or vector. May be repeated.",
    ),
]


def _known_dialect(name: str) -> str:
    """Check what `--csv-dialect` names."""
    from facemood.csv_dialect import check_dialect

    with _told_of_the_option(ValueError):
        return check_dialect(name)


CsvDialect = Annotated[
    str,
    typer.Option(
        "--csv-dialect",
        metavar="DIALECT",
        callback=_known_dialect,
        help="How CSV is written: plain; excel, where no text is a formula; excel-eu, with decimal commas, too.",
    ),
]
AllowDownload = Annotated[bool, typer.Option("--allow-download", help="Download images at http and https addresses.")]


def _known_way(how: str) -> str:
    """Check the value of `--anonymize` before anything is loaded."""
    from facemood.render import check_anonymize

    with _told_of_the_option(OutputError):
        return check_anonymize(how)


def _known_language(code: str) -> str:
    """Refuse an unknown language before anything is loaded."""
    from facemood.languages import check_language

    with _told_of_the_option(OptionError):
        return check_language(code)


Language = Annotated[
    str,
    typer.Option(
        "--language",
        metavar="CODE",
        callback=_known_language,
        help="Language of the expressions in images, videos, reports and on the terminal: en, de, es, fr, tr or zh. "
        "Tables and JSON are always English.",
    ),
]
Anonymize = Annotated[
    str,
    typer.Option(
        "--anonymize",
        metavar="HOW",
        callback=_known_way,
        help="Hide all detected faces in images and videos that are written: blur or box.",
    ),
]
