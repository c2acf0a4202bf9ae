"""EmotionRecognizer: the pipeline on one page. Frame -> detect -> landmarks -> align -> classify -> Result."""

from __future__ import annotations

import dataclasses
import itertools
import logging
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facemood.errors import FacemoodError, ImageError, ModelError
from facemood.models import DEFAULT_MODEL, ModelCard, ModelSession, check_views, find_model
from facemood.progress import Hook, open_hook
from facemood.results import Analysis, Failure, Result
from facemood.schema import Face, Frame
from facemood.sources import ErrorHandler, ImageLike, SourceLike, find_inputs, read_frame
from facemood.stages.align import WHOLE_BOX, crop_faces
from facemood.stages.classify import Readings, check_prior, choose_head, classify, with_readings
from facemood.stages.detect import (
    DEFAULT_DETECTOR,
    MIN_FACE,
    DetectOptions,
    Detector,
    FinderDetector,
    open_detector,
    select_faces,
)
from facemood.stages.landmarks import LandmarkReader, landmarks_of
from facemood.stages.pose import estimate_pose

logger = logging.getLogger("facemood")


class EmotionRecognizer:
    """Finds faces and reads their apparent expressions. Models load once, nothing leaves the machine.

    Args:
        model: A model inside the package by name, or the path of an .onnx file with a card.
        head: Which of the model's heads is read; None takes its default.
        detector: ``"finder"``, ``"hog"``, ``"yunet:FILE.onnx"``, or any object that is a `Detector`.
        min_face: Smallest face, the shorter side of its box in pixels; larger values are faster.
        threshold: Smallest detector score 0..1; None takes the detector's own.
        max_faces: How many faces of a frame at most, the largest first; None for all.
        views: How often each face is read: once; 2 adds its mirror image; 10 adds both, moved a little to four sides.
            Reading is that much slower and a little more often right.
        prior: ``"dataset"`` takes expressions to be as common as among the training images; ``"balanced"`` finds rare
            ones more often, at some cost in accuracy.
        device: ``"auto"``, ``"cpu"`` or ``"cuda"``.
        threads: Threads inside one run of a network; None leaves it to ONNX Runtime.

    Raises:
        ModelError: The model, head or detector is unknown or damaged.
        DeviceError: The device is not there.
        ValueError: An option is out of its range.

    Example:
        >>> recognizer = EmotionRecognizer()
        >>> blank = np.full((240, 320, 3), 128, np.uint8)
        >>> len(recognizer.analyze_image(blank))
        0
    """

    def __init__(
        self,
        model: str | Path = DEFAULT_MODEL,
        *,
        head: str | None = None,
        detector: str | Detector = DEFAULT_DETECTOR,
        min_face: float = MIN_FACE,
        threshold: float | None = None,
        max_faces: int | None = None,
        views: int = 1,
        prior: str = "dataset",
        device: str = "auto",
        threads: int | None = None,
    ) -> None:
        self.options = DetectOptions(min_size=min_face, threshold=threshold, max_faces=max_faces)
        self.session = ModelSession(find_model(model), device=device, threads=threads)
        self.head = choose_head(self.card, head)
        self.views = check_views(views)
        self.prior = check_prior(self.card, self.head, prior)
        if self.card.task != "expression":
            raise ModelError(f"the model {self.card.name!r} reads no expressions; its task is {self.card.task}")
        if isinstance(detector, str):
            detector = open_detector(detector, self.options, threads=threads)
        self.detector: Detector = detector
        self.reader = detector.reader if isinstance(detector, FinderDetector) else LandmarkReader(threads=threads)
        if self.detector.name not in self.card.framing:
            logger.warning(
                "model %s has no framing for the detector %s; its boxes are used as they are",
                self.card.name,
                self.detector.name,
            )

    @property
    def card(self) -> ModelCard:
        """What is known of the model."""
        return self.session.card

    @property
    def labels(self) -> tuple[str, ...]:
        """The label words of `classify`'s columns."""
        return self.card.heads[self.head]

    def analyze_image(self, image: ImageLike) -> Result:
        """Read one image; the result keeps it, so that `draw` and `save` need nothing more.

        Args:
            image: A path, a file's bytes, an array (H, W[, 3]) uint8 BGR, or a Pillow image.

        Returns:
            The faces with their expressions, largest first; without any where none was found.

        Raises:
            SourceError: The file is not there, or cannot be read as an image (`ImageError`).
        """
        return next(self._read_batch([_one_frame(image)], keep_images=True))

    def analyze(self, source: SourceLike, *, batch: int = 8, progress: bool | Hook = False) -> Analysis:
        """Read everything that a source names. Inputs that cannot be read are listed in `Analysis.failures`.

        Args:
            source: An image, a folder, a pattern such as ``photos/**/*.jpg``, or a list of them.
            batch: Frames whose faces go through the network together.
            progress: True for a bar on stderr, or a function that takes (done, total), total None for a generator.

        Raises:
            SourceError: The source names nothing that is there.
        """
        failures: list[Failure] = []
        results = self.stream(
            source,
            batch=batch,
            progress=progress,
            on_error=lambda name, error: failures.append(Failure(name, str(error))),
        )
        return Analysis(tuple(results), self.info(), tuple(failures))

    def stream(
        self,
        source: SourceLike,
        *,
        batch: int = 8,
        on_error: ErrorHandler | None = None,
        progress: bool | Hook = False,
        keep_images: bool = False,
    ) -> Iterator[Result]:
        """Yield a Result for each image of a source, in order; memory does not grow with their number.

        Args:
            source: An image, a folder, a pattern such as ``photos/**/*.jpg``, or a list of them.
            batch: Frames whose faces go through the network together.
            on_error: Called for each input that cannot be read; None lets the error end the stream.
            progress: True for a bar on stderr, or a function that takes (done, total).
            keep_images: Whether results hold their images, for `Result.draw`.

        Raises:
            SourceError: The source names nothing that is there; without `on_error` also one of several that does not,
                and what cannot be read.
        """
        inputs = find_inputs(source, on_error=on_error)
        total, remaining, done = len(inputs) if isinstance(inputs, list) else None, iter(inputs), 0
        with open_hook(progress) as hook:
            hook(0, total)
            while part := list(itertools.islice(remaining, batch)):
                frames = [frame for item in part if (frame := _try_read(item, on_error)) is not None]
                yield from self._read_batch(frames, keep_images=keep_images)
                done += len(part)
                hook(done, total)

    def detect(self, image: ImageLike) -> list[Face]:
        """Find the faces of an image, largest first: box, score, 68 landmarks and the head's pose, no expression."""
        frame = _one_frame(image)
        faces = select_faces(self.detector(frame.image), self.options)
        return self._mark(frame, faces)

    def classify(self, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> NDArray[np.float32]:
        """Read expressions of faces that are cut out already, framed as the model's card says; no detector runs.

        Args:
            crops: N images (h, w) or (h, w, 3) uint8 BGR of any size.

        Returns:
            (N, K) float32 probabilities, in the order of `labels`.

        Raises:
            ImageError: A crop has another shape or type.
        """
        if isinstance(crops, np.ndarray) and crops.ndim not in (3, 4):
            raise ImageError(
                f"crops must be (N, h, w) or (N, h, w, 3), but are {crops.shape}; for one crop pass crop[None]"
            )
        return self._read(crops).probabilities

    def detect_emotions(self, image: ImageLike) -> list[dict[str, Any]]:
        """Read one image and answer as users of `fer` know it: ``[{"box": [x, y, w, h], "emotions": {...}}]``."""
        faces = self.analyze_image(image).faces
        return [{"box": _corner_and_size(face), "emotions": face.emotions} for face in faces]

    def info(self) -> dict[str, Any]:
        """Say what makes the results: version, model, head, detector and settings."""
        from facemood import __version__

        return {
            "facemood": __version__,
            "model": self.card.name,
            "model_version": self.card.version,
            "head": self.head,
            "labels": list(self.labels),
            "views": self.views,
            "prior": self.prior,
            "detector": self.detector.name,
            "min_face": self.options.min_size,
            "threshold": self.options.threshold,
            "max_faces": self.options.max_faces,
            "device": self.session.device,
        }

    def _mark(self, frame: Frame, faces: list[Face]) -> list[Face]:
        """Give each face the landmarks that its detector did not, and the head's pose."""
        marked = self.reader.mark(frame.image, faces)
        poses = [None if points is None else estimate_pose(points, frame.size) for points in map(landmarks_of, marked)]
        return [dataclasses.replace(face, pose=pose) for face, pose in zip(marked, poses, strict=True)]

    def _read(self, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> Readings:
        """Read face crops with this recognizer's model and options."""
        return classify(self.session, crops, head=self.head, views=self.views, prior=self.prior)

    def _read_batch(self, frames: Sequence[Frame], *, keep_images: bool) -> Iterator[Result]:
        """Detect in each frame, classify all faces in one run, and give the results in order."""
        framing = self.card.framing.get(self.detector.name, WHOLE_BOX)
        found, clocks = [], []
        for frame in frames:
            started = time.perf_counter()
            faces = select_faces(self.detector(frame.image), self.options)
            detected = time.perf_counter()
            faces = self._mark(frame, faces)
            marked = time.perf_counter()
            found.append((faces, crop_faces(frame.image, faces, framing)))
            aligned = time.perf_counter()
            clocks.append({"detect": detected - started, "landmarks": marked - detected, "align": aligned - marked})
        started = time.perf_counter()
        read = self._read([crop for _, crops in found for crop in crops])
        share = (time.perf_counter() - started) / max(len(read.probabilities), 1)
        first = 0
        for frame, (faces, _), clock in zip(frames, found, clocks, strict=True):
            part = read.part(first, first + len(faces))
            first += len(faces)
            yield Result(
                source=frame.source,
                index=frame.index,
                timestamp=frame.timestamp,
                size=frame.size,
                faces=with_readings(faces, part, self.labels),
                labels=self.labels,
                speed=_milliseconds({**clock, "classify": share * len(faces)}),
                image=frame.image if keep_images else None,
            )


def _one_frame(image: ImageLike) -> Frame:
    """Open one image, and refuse what names several."""
    inputs = list(find_inputs(image))
    if len(inputs) != 1 or (isinstance(image, str | os.PathLike) and Path(image).is_dir()):
        raise ImageError(f"expected one image, but {str(image)!r} names {len(inputs)}; use analyze or stream")
    return read_frame(inputs[0])


def _try_read(item: ImageLike, on_error: ErrorHandler | None) -> Frame | None:
    """Open one image of many, or hand the error on."""
    try:
        return read_frame(item)
    except FacemoodError as error:
        if on_error is None:
            raise
        on_error(str(item) if isinstance(item, str | os.PathLike) else type(item).__name__, error)
        return None


def _milliseconds(seconds: dict[str, float]) -> dict[str, float]:
    """Turn a stage's seconds into milliseconds and add the total."""
    stages = {stage: 1000 * value for stage, value in seconds.items()}
    return {**stages, "total": sum(stages.values())}


def _corner_and_size(face: Face) -> list[int]:
    """Return a box as x, y, width, height in whole pixels."""
    x1, y1, x2, y2 = np.rint(face.box).astype(int).tolist()
    return [x1, y1, x2 - x1, y2 - y1]
