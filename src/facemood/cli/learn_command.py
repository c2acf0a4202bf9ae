"""``facemood learn``: inspect, check and train a convolutional network in plain NumPy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from facemood.cli.arguments import MODEL_NAME
from facemood.cli.terminal import SOME_FAILED, Data, Json, Quiet, path_of, print_json, say

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from facemood import EmotionRecognizer
    from facemood.datasets import ExpressionDataset
    from facemood.numpy_cnn import Epoch, Sequential

app: typer.Typer = typer.Typer(help="A convolutional network in plain NumPy.", no_args_is_help=True)

Photo = Annotated[Path, typer.Argument(help="A photo; its largest face is used.")]
Figure = Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Figure to write: .png, .svg or .pdf.")]

ARCHIVE = ".npz"
"""File extension of networks in plain NumPy."""


@app.command("show")
def show(
    photo: Photo,
    output: Figure = Path("layers.png"),
    model: Annotated[
        str,
        typer.Option(
            "--model",
            metavar="MODEL",
            help=f"{MODEL_NAME}, an .onnx file, or an .npz file of `facemood learn train`.",
        ),
    ] = "nano",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Draw every layer's output for a face.

    NumPy computes all layers with the model's weights. The largest difference from ONNX Runtime is reported.
    """
    from facemood.labels import EXPRESSIONS
    from facemood.numpy_cnn import Sequential
    from facemood.numpy_cnn.drawings import draw_layers
    from facemood.originals import refuse_overwriting

    refuse_overwriting([output], [photo, model])
    difference: float | None = None
    if model.endswith(ARCHIVE):
        network, face = Sequential.load(model), _read_face(_recognizer("nano"), photo)
        labels = EXPRESSIONS[: network.output_shape[0]]
    else:
        recognizer = _recognizer(model)
        face = _read_face(recognizer, photo)
        network, difference = _rebuild(recognizer, model, face)
        labels = recognizer.labels
    draw_layers(network, face, labels, output)
    probabilities = network.predict(face[None, :, :, None])[0].tolist()
    if json:
        print_json({"emotions": dict(zip(labels, probabilities, strict=True)), "difference": difference})
    if not quiet:
        note = "" if difference is None else f"; ONNX Runtime differs by {difference:.1g} at most"
        label, confidence = max(zip(labels, probabilities, strict=True), key=lambda pair: pair[1])
        say(f"{output}: {label} {confidence:.3f}{note}")


@app.command("filters")
def filters(photo: Photo, output: Figure = Path("filters.png"), quiet: Quiet = False) -> None:
    """Draw a face after classic filters.

    The filters are edge, blur, sharpen and emboss.
    """
    from facemood.numpy_cnn.drawings import draw_filters
    from facemood.originals import refuse_overwriting

    refuse_overwriting([output], [photo])
    draw_filters(_read_face(_recognizer("nano"), photo, small=False), output)
    if not quiet:
        say(f"{output}: written")


@app.command("check")
def check(json: Json = False, quiet: Quiet = False) -> None:
    """Check the gradients of all layers.

    Each gradient is compared with finite differences. The exit code is 1 if one is wrong.
    """
    from facemood.numpy_cnn.checks import TOLERANCE, check_all

    errors = check_all()
    if json:
        print_json(errors)
    for name, error in errors.items():
        if error >= TOLERANCE or not quiet:
            say(f"{'right' if error < TOLERANCE else 'WRONG'}  {error:.0e}  {name}")
    if max(errors.values()) >= TOLERANCE:
        raise typer.Exit(SOME_FAILED)


@app.command("train")
def train(
    data: Data,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE.npz", help="Network file to write.")] = Path(
        "learnt.npz"
    ),
    epochs: Annotated[int, typer.Option(metavar="N", min=1, help="Passes over the training images.")] = 15,
    images: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Use only N evenly spaced images of each split, for a trial.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of all random numbers.")] = 0,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a small network on FER2013.

    The network is trained in plain NumPy, and its learning curves are drawn to a .png file next to it. Training images
    with a near-duplicate in a test split are left out. PublicTest selects the weights that are kept. PrivateTest is
    measured once, at the end.
    """
    from facemood.errors import RecipeError
    from facemood.numpy_cnn import Adam, small_network, small_options
    from facemood.numpy_cnn.drawings import draw_history
    from facemood.numpy_cnn.face_network import RATE
    from facemood.originals import refuse_overwriting

    refuse_overwriting([output, output.with_suffix(".png")], [path_of(data)])
    if output.suffix != ARCHIVE:
        raise RecipeError(f"{output}: a network is written as {ARCHIVE}; choose a name that ends with it")
    parts = _open_parts(data, images)
    model = small_network(len(parts[0][1][0]), seed=seed)

    def report(number: int, epoch: Epoch) -> None:
        if not quiet:
            say(f"epoch {number + 1} of {epochs}: {_describe(epoch)}")

    optimizer, options = Adam(RATE), small_options(epochs=epochs, seed=seed)
    history = model.fit(*parts[0], validation=parts[1], optimizer=optimizer, options=options, on_epoch=report)
    model.save(output)
    draw_history(history, output.with_suffix(".png"))
    _finish(model, history, parts[2], json=json, quiet=quiet)


def _finish(
    model: Sequential,
    history: list[Epoch],
    test: tuple[NDArray[np.uint8], NDArray[np.float32]],
    *,
    json: bool,
    quiet: bool,
) -> None:
    """Measure PrivateTest and report the result."""
    import dataclasses

    loss, accuracy = model.evaluate(*test)
    if json:
        epochs = [dataclasses.asdict(epoch) for epoch in history]
        print_json({"accuracy": accuracy, "loss": loss, "images": len(test[0]), "history": epochs})
    if not quiet:
        seconds = sum(epoch.seconds for epoch in history)
        say(f"PrivateTest: {accuracy:.1%} of {len(test[0]):,} images, after {seconds:,.0f} seconds")


def _describe(epoch: Epoch) -> str:
    """Return the figures of an epoch as text."""
    return (
        f"loss {epoch.loss:.3f}, accuracy {epoch.accuracy:.1%}, validation {epoch.validation_loss:.3f} and "
        f"{epoch.validation_accuracy:.1%}, {epoch.seconds:.0f} seconds"
    )


def _open_parts(data: str, limit: int | None) -> list[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    """Open training, validation and test images (N, 48, 48, 1) with their targets (N, K)."""
    from facemood.datasets import open_dataset
    from facemood.datasets.fer2013 import SPLITS
    from facemood.numpy_cnn import one_hot

    dataset = open_dataset(data)
    dataset = dataset.subset(~dataset.near_duplicates_of(SPLITS[1:]))
    chosen: list[ExpressionDataset] = [_part(dataset.split(split), limit) for split in SPLITS]
    return [(part.pixels[..., None], one_hot(part.labels, len(part.classes))) for part in chosen]


def _part(dataset: ExpressionDataset, limit: int | None) -> ExpressionDataset:
    """Keep at most `limit` images, evenly spaced."""
    import numpy as np

    from facemood.spacing import evenly_spaced

    kept = np.zeros(len(dataset), bool)
    kept[evenly_spaced(len(dataset), len(dataset) if limit is None else limit)] = True
    return dataset.subset(kept)


def _recognizer(model: str) -> EmotionRecognizer:
    """Open the recognizer that detects and crops faces for a model."""
    from facemood.loading import open_recognizer

    return open_recognizer(model, device="cpu")


def _read_face(recognizer: EmotionRecognizer, photo: Path, *, small: bool = True) -> NDArray[np.uint8]:
    """Return the largest face of a photo as a grey crop: (48, 48), or in its original size unless `small`.

    Raises:
        ImageError: No face is found.
    """
    import cv2
    import numpy as np

    from facemood.errors import ImageError
    from facemood.models.session import prepare
    from facemood.sources.images import load_image

    image = load_image(photo)
    faces = recognizer.detect(image)
    if not faces:
        raise ImageError(f"{photo}: found no face; choose a photo of a face from the front")
    crops = recognizer.pipeline.crops(image, faces[:1])
    if not small:
        return np.asarray(cv2.cvtColor(crops[0], cv2.COLOR_BGR2GRAY), np.uint8)
    return np.asarray(prepare(crops, recognizer.card)[0, 0], np.uint8)


def _rebuild(recognizer: EmotionRecognizer, model: str, face: NDArray[np.uint8]) -> tuple[Sequential, float]:
    """Build a recognizer's network in NumPy; return it with its largest difference from ONNX Runtime for a face."""
    import numpy as np

    from facemood.models import find_model
    from facemood.numpy_cnn import Softmax, load_network

    head = recognizer.pipeline.head
    network = load_network(find_model(model), head=head)
    expected = Softmax().forward_pass(recognizer.session.run(face[None])[head])
    return network, float(np.abs(network.predict(face[None, :, :, None]) - expected).max())
