"""``facemood explain``: draw which parts of a face support its predicted expression, and which contradict it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facemood.cli.arguments import MODEL_NAME, Detector, Head, Orientation, Prior, Threads
from facemood.cli.terminal import CANNOT_START, USAGE, Json, Quiet, Verbose, print_json, say, start_logging
from facemood.defaults import DEFAULT_DETECTOR, DEFAULT_MODEL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from facemood.explain import ExplainOptions, Explanation
    from facemood.recognizer import EmotionRecognizer

ALL = "all"
"""Value of `--segmenter` that stands for every segmenter."""

# What is explained.
Label = Annotated[
    str | None, typer.Option(metavar="LABEL", help="Expression to explain. Without it, the predicted one.")
]
FaceNumber = Annotated[int | None, typer.Option(metavar="N", min=0, help="Explain only this face; 0 is the largest.")]

# Options of lime.
Segmenter = Annotated[
    str, typer.Option(metavar="NAME", help="Superpixels for lime: slic, quickshift, felzenszwalb or all.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=NUMBER", help="Segmenter setting, such as n_segments=30. May be repeated."),
]
Samples = Annotated[
    int, typer.Option(metavar="N", min=10, help="Masked versions of each face on which lime is fitted.")
]
Seed = Annotated[int, typer.Option(metavar="N", min=0, help="Seed of lime's random masks.")]
Hide = Annotated[str, typer.Option(metavar="FILL", help="Fill of hidden superpixels in lime: mean, blur or grey.")]


def explain(
    photo: Annotated[str, typer.Argument(help="A photo.")],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Image to write. Several faces give why-0.png, why-1.png, ..."
        ),
    ] = Path("why.png"),
    method: Annotated[
        str, typer.Option(metavar="METHOD", help="Explanation method: lime, cam or occlusion. cam is class activation.")
    ] = "lime",
    segmenter: Segmenter = "slic",
    settings: Settings = None,
    label: Label = None,
    face: FaceNumber = None,
    samples: Samples = 1000,
    seed: Seed = 0,
    hide: Hide = "mean",
    model: Annotated[str, typer.Option(metavar="MODEL", help=f"{MODEL_NAME}, or an .onnx file.")] = DEFAULT_MODEL,
    head: Head = None,
    prior: Prior = None,
    detector: Detector = DEFAULT_DETECTOR,
    orientation: Orientation = "auto",
    threads: Threads = None,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Draw which parts of a face support or contradict its predicted expression.

    Green parts support it, red parts contradict it. Each face gets one figure. With --segmenter all, the figure has
    one row per segmenter.
    """
    start_logging(quiet=quiet, verbose=verbose)
    from facemood.explain import SEGMENTERS, ExplainOptions
    from facemood.loading import open_recognizer
    from facemood.originals import refuse_overwriting

    refuse_overwriting([output], [photo])

    values = parse_settings(settings or [])
    kinds = list(SEGMENTERS) if segmenter == ALL and method == "lime" else [segmenter]
    if segmenter == ALL and values:
        raise typer.BadParameter("--set works with one segmenter; name it with --segmenter")
    wanted = [
        ExplainOptions(method=method, segmenter=kind, parameters=values, samples=samples, seed=seed, hide=hide)
        for kind in kinds
    ]
    recognizer = open_recognizer(
        model, head=head, prior=prior, detector=detector, orientation=orientation, threads=threads
    )
    faces = _explain_each(recognizer, photo, wanted, label=label, only=face)
    if not faces:
        say(f"facemood: {photo}: found no face to explain; try another --detector, or a photo with a larger face")
        raise typer.Exit(CANNOT_START)
    files = name_files(output, list(faces))
    refuse_overwriting(files.values(), [photo])
    _write(files, faces, quiet=quiet)
    if json:
        print_json({"photo": photo, "faces": [[one.to_dict() for one in rows] for rows in faces.values()]})


def parse_settings(settings: Sequence[str]) -> dict[str, float]:
    """Read settings such as ``n_segments=30``.

    Raises:
        BadParameter: A setting is not a name and a number.

    Example:
        >>> parse_settings(["n_segments=30", "sigma=0.5"])
        {'n_segments': 30.0, 'sigma': 0.5}
    """
    values = {}
    for setting in settings:
        name, _, text = setting.partition("=")
        try:
            values[name.strip()] = float(text)
        except ValueError:
            raise typer.BadParameter(f"--set expects NAME=NUMBER, such as n_segments=30, but got {setting!r}") from None
    return values


def name_files(output: Path, numbers: Sequence[int]) -> dict[int, Path]:
    """Name the figure of each face: `output`, with the face's number if there are several faces.

    Example:
        >>> [file.name for file in name_files(Path("why.png"), [0, 1]).values()]
        ['why-0.png', 'why-1.png']
    """
    if len(numbers) == 1:
        return {numbers[0]: output}
    return {number: output.with_stem(f"{output.stem}-{number}") for number in numbers}


def _explain_each(
    recognizer: EmotionRecognizer, photo: str, wanted: Sequence[ExplainOptions], *, label: str | None, only: int | None
) -> dict[int, list[Explanation]]:
    """Explain each face with each of the options; faces are numbered from 0, the largest first."""
    from facemood.explain import explain_faces

    result = recognizer.analyze_image(photo)
    if only is not None and only >= len(result) > 0:
        say(f"facemood: {photo}: there is no face {only}; found {len(result)}")
        raise typer.Exit(USAGE)
    numbers = range(len(result)) if only is None else range(only, only + 1)
    chosen = [result.faces[number] for number in numbers if number < len(result)]
    assert result.image is not None
    rows = [explain_faces(recognizer.pipeline, result.image, chosen, options, label=label) for options in wanted]
    return dict(zip(numbers, map(list, zip(*rows, strict=True)), strict=False))


def _write(files: Mapping[int, Path], faces: Mapping[int, list[Explanation]], *, quiet: bool) -> None:
    """Write the figure of each face and report it on stderr."""
    from facemood.explain.figure import draw_explanations
    from facemood.render import write_image
    from facemood.text import percent

    for number, rows in faces.items():
        write_image(files[number], draw_explanations(rows))
        if not quiet:
            scores = ", ".join(f"{one.r2:.2f}" for one in rows if one.r2 is not None)
            fit = f"; fit R2 {scores}" if scores else ""
            say(f"face {number}: {rows[0].label} {percent(rows[0].probability)}, explained in {files[number]}{fit}")
