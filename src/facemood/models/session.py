"""ModelSession runs any model with ONNX Runtime; the model's card describes its input and outputs."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.defaults import FP32
from facemood.errors import DeviceError, ImageError, ModelError, OptionError
from facemood.models.card import ModelCard
from facemood.models.card_rules import CHANNELS
from facemood.models.graph_check import LOGIT_TASKS, check_graph, check_logits, input_shape, takes_one_face
from facemood.models.model_file import read_model_file
from facemood.models.registry import WEIGHTS, find_model
from facemood.models.runtime import device_of, open_session, quiet_run, run_session

logger: logging.Logger = logging.getLogger("facemood")


class ModelSession:
    """An open ONNX model.

    Args:
        file: The ONNX file, with a card in its metadata.
        device: ``"auto"`` uses an NVIDIA GPU if ONNX Runtime can, and warns if one cannot be started; ``"cpu"``,
            ``"cuda"``, ``"coreml"``, ``"directml"`` and ``"openvino"`` use that device or fail.
        threads: Threads per run; None for one per core that may be used.

    Raises:
        ModelError: The file is not an ONNX model, has no card, or the card does not match the network.
        DeviceError: The device is unknown or not available.
    """

    def __init__(self, file: Path, *, device: str = "auto", threads: int | None = None) -> None:
        self._asked, self._threads = device, threads
        data = read_model_file(file)
        try:
            self._session = open_session(data, device=device, threads=threads)
            metadata = self._session.get_modelmeta().custom_metadata_map
            inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        except (DeviceError, OptionError):
            raise
        except Exception as error:  # ONNX Runtime has its own exception for each kind of damage
            raise ModelError(f"{file}: cannot be loaded as an ONNX model ({str(error).splitlines()[0]})") from error
        self.card: ModelCard = ModelCard.from_metadata(metadata, file=file)
        self.device: str = device_of(self._session, asked=device)
        self.file = file
        self.outputs: tuple[str, ...] = tuple(output.name for output in outputs)
        with self._naming_the_file():
            check_graph(self.card, inputs, outputs)
        self._one_by_one: bool = takes_one_face(self.card, inputs, outputs)
        self._input, self._quiet = inputs[0].name, quiet_run()
        if self.card.task in LOGIT_TASKS and WEIGHTS not in file.parents:  # those of the package are tried in the tests
            self._try()
        logger.info("model %s runs on %s", self.card.name, self.device)

    def __repr__(self) -> str:
        return f"<ModelSession: {self.card.name}, {self.device}>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy the name of the file; it is opened again where the pickle is read."""
        return partial(ModelSession, self.file.absolute(), device=self._asked, threads=self._threads), ()

    def run(self, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
        """Run the network once over all crops.

        Args:
            crops: N images (h, w) or (h, w, 3) uint8 BGR; they are converted to the model's size and colour.

        Returns:
            The logits of each head, (N, K) float32.
        """
        if not len(crops):
            return {head: np.zeros((0, len(labels)), np.float32) for head, labels in self.card.heads.items()}
        return self.run_batch(prepare(crops, self.card))

    def run_batch(self, batch: NDArray[np.float32], *, more: Sequence[str] = ()) -> dict[str, NDArray[np.float32]]:
        """Run the network once over a prepared input.

        Args:
            batch: (N, C, h, w) float32.
            more: Names of additional outputs, some of `outputs`.

        Returns:
            Each output by its name. If the network takes one face per run, the outputs of N runs are concatenated,
            also those that do not depend on the face.

        Raises:
            ModelError: The network cannot be run, or does not give one number per label.
        """
        parts = np.split(batch, len(batch)) if self._one_by_one and len(batch) > 1 else [batch]
        runs = [self._run([*self.card.heads, *more], part) for part in parts]
        found = runs[0] if len(runs) == 1 else {name: np.concatenate([run[name] for run in runs]) for name in runs[0]}
        with self._naming_the_file():
            check_logits(self.card, found, len(batch))
        return found

    def _run(self, wanted: list[str], batch: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        """Run the network and return some outputs by name."""
        try:
            found = run_session(self._session, wanted, {self._input: batch}, self._quiet, device=self.device)
            return dict(zip(wanted, found, strict=True))
        except Exception as error:  # ONNX Runtime has its own exception for each kind of failure
            raise ModelError(f"{self.file}: the network cannot be run ({str(error).splitlines()[0]})") from error

    def _try(self) -> None:
        """Run the network on two black images; if that fails, one by one, because its graph may fix the batch size.

        Raises:
            ModelError: It cannot be run, or does not give one number per label.
        """
        black = np.zeros((2, *input_shape(self.card)), np.float32)
        if not self._one_by_one:
            try:
                self.run_batch(black)
            except ModelError:
                self._one_by_one = True
        if self._one_by_one:
            self.run_batch(black)

    @contextmanager
    def _naming_the_file(self) -> Iterator[None]:
        """Turn a ValueError about the card or the network into an error that names the file."""
        try:
            yield
        except ValueError as error:
            raise ModelError(f"{self.file}: {error}") from error


def session_of(
    model: str | Path | ModelSession, *, device: str = "auto", threads: int | None = None, precision: str = FP32
) -> ModelSession:
    """Return the session of a model: an open one as it is, or a new one for a name or a file.

    Args:
        model: Name of a model in the package, path of an .onnx file with a card, or an open session.
        device: As for `ModelSession`. An open session must run on it.
        threads: Threads per run of a new session. An open session keeps its own.
        precision: ``"fp32"`` or ``"int8"``, for a new session.

    Raises:
        ModelError: There is no such model, it has no int8 file, or it is damaged.
        DeviceError: The device is unknown or not available, or an open session runs on another.
    """
    if not isinstance(model, ModelSession):
        return ModelSession(find_model(model, precision=precision), device=device, threads=threads)
    if device not in ("auto", model.device):
        raise DeviceError(
            f"the open session of {model.card.name!r} runs on {model.device!r}, but device is {device!r}; "
            f"open it with ModelSession(file, device={device!r}), or leave out device"
        )
    return model


def prepare(crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], card: ModelCard) -> NDArray[np.float32]:
    """Turn face crops into a model's input: size, colour, mean and standard deviation of the card.

    This is the only place where colours are converted.

    Args:
        crops: N images (h, w) or (h, w, 3) uint8 BGR.
        card: The model's card.

    Returns:
        (N, C, height, width) float32; C is 1 for grey and 3 otherwise.

    Raises:
        ImageError: A crop has another shape or type.
    """
    width, height = card.input_size
    channels = CHANNELS[card.colour]
    batch = np.empty((len(crops), height, width, channels), np.float32)
    for index, crop in enumerate(crops):
        batch[index] = _resize(_recolour(crop, card.colour), width, height).reshape(height, width, channels)
    if any(card.mean) or any(one != 1 for one in card.std):
        batch -= np.asarray(card.mean, np.float32)
        batch /= np.asarray(card.std, np.float32)
    return np.ascontiguousarray(batch.transpose(0, 3, 1, 2))


def _recolour(crop: NDArray[np.uint8], colour: str) -> NDArray[np.uint8]:
    """Convert (h, w) grey or (h, w, 3) BGR to the colour of a model."""
    if crop.dtype != np.uint8 or crop.ndim not in (2, 3) or (crop.ndim == 3 and crop.shape[2] != 3) or not crop.size:
        raise ImageError(f"a face crop must be (h, w) or (h, w, 3) uint8, but is {crop.shape} {crop.dtype}")
    if crop.ndim == 2:
        return crop if colour == "grey" else cv2.cvtColor(crop, cv2.COLOR_GRAY2BGR).astype(np.uint8, copy=False)
    if colour == "bgr":
        return crop
    code = cv2.COLOR_BGR2GRAY if colour == "grey" else cv2.COLOR_BGR2RGB
    return cv2.cvtColor(crop, code).astype(np.uint8, copy=False)


def _resize(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Resize an image: by area when it is shrunk (anti-aliasing), bilinearly when it is enlarged."""
    if image.shape[:2] == (height, width):
        return image
    shrink = image.shape[0] > height or image.shape[1] > width
    resized = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrink else cv2.INTER_LINEAR)
    return resized.astype(np.uint8, copy=False)
