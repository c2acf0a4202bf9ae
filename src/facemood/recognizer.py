"""EmotionRecognizer: the front of the pipeline. It opens models and sources, and gives results as they come."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facemood.analysis import Analysis, Failure
from facemood.crop_strategy import CropStrategy, Strategy
from facemood.errors import ImageError, ModelError, SourceError
from facemood.explain import ExplainOptions, Explanation, explain_faces
from facemood.models import DEFAULT_MODEL, ModelCard, ModelSession, check_views, find_model
from facemood.pipeline import Pipeline
from facemood.progress import Hook, open_hook
from facemood.results import Result
from facemood.schema import Face, Frame
from facemood.sources import ErrorHandler, ImageLike, SourceLike, find_inputs, is_live_input, read_frame
from facemood.stages.classify import check_prior, choose_head
from facemood.stages.detect import (
    DEFAULT_DETECTOR,
    MIN_FACE,
    DetectOptions,
    Detector,
    FinderDetector,
    open_detector,
)
from facemood.stages.landmarks import LandmarkModel
from facemood.stream import Stream, count_frames, moves
from facemood.tracking.scene import SMOOTH, VideoOptions

logger: logging.Logger = logging.getLogger("facemood")


class EmotionRecognizer:
    """Finds faces and reads their apparent expressions. Models load once, nothing leaves the machine.

    Args:
        model: A model inside the package by name, the path of an .onnx file with a card, or a session that is open
            already. It must read pixels; `facemood.open_recognizer` opens models of every task.
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

    task = "expression"
    """What the models are for that this can open."""

    def __init__(
        self,
        model: str | Path | ModelSession = DEFAULT_MODEL,
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
        options = DetectOptions(min_size=min_face, threshold=threshold, max_faces=max_faces)
        session = (
            model
            if isinstance(model, ModelSession)
            else ModelSession(find_model(model), device=device, threads=threads)
        )
        card = session.card
        if card.task != self.task:
            raise ModelError(
                f"the model {card.name!r} reads no {self.task}s; its task is {card.task}; "
                "use facemood.open_recognizer, which chooses by the task"
            )
        head = choose_head(card, head)
        if isinstance(detector, str):
            detector = open_detector(detector, options, threads=threads)
        reader = detector.reader if isinstance(detector, FinderDetector) else LandmarkModel(threads=threads)
        strategy = self._make_strategy(session, head, check_views(views), check_prior(card, head, prior), reader)
        self.pipeline: Pipeline = Pipeline(strategy, detector, reader, options)
        if detector.name not in card.framing:
            logger.warning(
                "model %s has no framing for the detector %s; its boxes are used as they are", card.name, detector.name
            )

    def _make_strategy(
        self, session: ModelSession, head: str, views: int, prior: str, landmarks: LandmarkModel
    ) -> Strategy:
        """Return how faces become predictions; here they are cut out and the network reads their pixels."""
        return CropStrategy(session, head, views, prior)

    @property
    def session(self) -> ModelSession:
        """The network that reads expressions."""
        return self.pipeline.session

    @property
    def detector(self) -> Detector:
        """What finds faces."""
        return self.pipeline.detector

    @property
    def card(self) -> ModelCard:
        """What is known of the model."""
        return self.session.card

    @property
    def labels(self) -> tuple[str, ...]:
        """The label words of `classify`'s columns."""
        return self.card.heads[self.pipeline.head]

    def analyze_image(self, image: ImageLike) -> Result:
        """Read one image; the result keeps it, so that `draw` and `save` need nothing more.

        Args:
            image: A path, a file's bytes, an array (H, W[, 3]) uint8 BGR, or a Pillow image.

        Returns:
            The faces with their expressions, largest first; without any where none was found.

        Raises:
            SourceError: The file is not there, or cannot be read as an image (`ImageError`).
        """
        return next(self.pipeline.read([(_one_frame(image), self.pipeline.photos())], keep_images=True))

    def analyze(
        self,
        source: SourceLike,
        *,
        every: float | None = None,
        smooth: float = SMOOTH,
        baseline: tuple[float, float] | None = None,
        batch: int = 8,
        progress: bool | Hook = False,
    ) -> Analysis:
        """Read everything that a source names. Inputs that cannot be read are listed in `Analysis.failures`.

        Args:
            source: An image, a video, a folder, a pattern such as ``photos/**/*.jpg``, or a list of them.
            every: Of videos, a whole number k reads each k-th frame, a float T one at most every T seconds.
            smooth: Seconds over which readings in videos are smoothed; 0 for not at all.
            baseline: From which second of each video to which people are at rest; `Face.change` is against that.
            batch: Frames whose faces go through the network together.
            progress: True for a bar on stderr, or a function that takes (done, total), total None for a generator.

        Raises:
            SourceError: The source names nothing that is there, or something live, which has no end.
            ValueError: An option is out of its range.
        """
        failures: list[Failure] = []
        inputs = find_inputs(source, on_error=lambda name, error: failures.append(Failure(name, str(error))))
        live = [str(item) for item in inputs if is_live_input(item)] if isinstance(inputs, list) else []
        if live:
            raise SourceError(f"{live[0]} is live and has no end; read it with stream, or facemood live")
        options = VideoOptions(every=every, smooth=smooth, baseline=baseline)
        results = tuple(
            self._stream(
                inputs,
                options,
                batch=batch,
                on_error=lambda name, error: failures.append(Failure(name, str(error))),
                progress=progress,
            )
        )
        recorded = options.info() if any(result.variants for result in results) else {}
        return Analysis(results, {**self.info(), **recorded}, tuple(failures))

    def stream(
        self,
        source: SourceLike,
        *,
        every: float | None = None,
        smooth: float = SMOOTH,
        baseline: tuple[float, float] | None = None,
        batch: int = 8,
        on_error: ErrorHandler | None = None,
        progress: bool | Hook = False,
        keep_images: bool = False,
    ) -> Iterator[Result]:
        """Yield a Result for each image or frame of a source, in order; memory does not grow with their number.

        No frame of a video is dropped; of a camera, a screen or a stream the newest is read each time. There people
        have numbers (`Face.track_id`), and their predictions are smoothed.

        Args:
            source: An image, a video, ``camera:0``, ``screen``, an address such as ``rtsp://HOST/1``, a folder, a
                pattern such as ``photos/**/*.jpg``, or a list of them.
            every: Of videos, a whole number k reads each k-th frame, a float T one at most every T seconds.
            smooth: Seconds over which readings in videos are smoothed; 0 for not at all.
            baseline: From which second of each video to which people are at rest; `Face.change` is against that.
            batch: Frames whose faces go through the network together; live ones go one by one.
            on_error: Called for each input that cannot be read; None lets the error end the stream.
            progress: True for a bar on stderr, or a function that takes (done, total).
            keep_images: Whether results hold their images, for `Result.draw`.

        Raises:
            SourceError: The source names nothing that is there; without `on_error` also one of several that does not,
                and what cannot be read.
            ValueError: An option is out of its range.
        """
        options = VideoOptions(every=every, smooth=smooth, baseline=baseline)
        inputs = find_inputs(source, on_error=on_error)
        return self._stream(inputs, options, batch=batch, on_error=on_error, progress=progress, keep_images=keep_images)

    def detect(self, image: ImageLike) -> list[Face]:
        """Find the faces of an image, largest first: box, score, 68 landmarks and the head's pose, no expression."""
        frame = _one_frame(image)
        faces = self.pipeline.photos().find(frame)
        return self.pipeline.mark(frame, faces)

    def classify(self, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> NDArray[np.float32]:
        """Read expressions of faces that are cut out already, framed as the model's card says; no detector runs.

        Args:
            crops: N images (h, w) or (h, w, 3) uint8 BGR of any size.

        Returns:
            (N, K) float32 probabilities, in the order of `labels`; NaN in the rows of faces that could not be read.

        Raises:
            ImageError: A crop has another shape or type.
        """
        if isinstance(crops, np.ndarray) and crops.ndim not in (3, 4):
            raise ImageError(
                f"crops must be (N, h, w) or (N, h, w, 3), but are {crops.shape}; for one crop pass crop[None]"
            )
        return self.pipeline.strategy.classify_crops(crops).probabilities

    def detect_emotions(self, image: ImageLike) -> list[dict[str, Any]]:
        """Read one image and answer as users of `fer` know it: ``[{"box": [x, y, w, h], "emotions": {...}}]``."""
        faces = self.analyze_image(image).faces
        return [{"box": _corner_and_size(face), "emotions": face.emotions} for face in faces]

    def explain(
        self,
        image: ImageLike,
        *,
        method: str = "lime",
        label: str | None = None,
        segmenter: str = "slic",
        parameters: Mapping[str, float] | None = None,
        samples: int = 1000,
        seed: int = 0,
        hide: str = "mean",
    ) -> list[Explanation]:
        """Say which parts of the faces of an image speak for what is read of them, and which against it.

        Args:
            image: A path, a file's bytes, an array (H, W[, 3]) uint8 BGR, or a Pillow image.
            method: ``"lime"``; ``"cam"``, class activation, for models with a feature map; or ``"occlusion"``.
            label: Which label; None takes each face's own.
            segmenter: How LIME divides faces: ``"slic"``, ``"quickshift"`` or ``"felzenszwalb"``.
            parameters: The segmenter's values that differ from `facemood.explain.SEGMENTERS`.
            samples: How many versions of a face LIME reads.
            seed: What LIME's chance follows from.
            hide: What stands where LIME hides something: ``"mean"``, ``"blur"`` or ``"grey"``.

        Returns:
            One a face, largest first; a notebook shows each. Without a face none.

        Raises:
            SourceError: The file is not there, or cannot be read as an image (`ImageError`).
            ModelError: The model does not know the label, or has no feature map where the method needs it.
            ExplanationError: An option is impossible, or a face is all one segment.
            MissingExtraError: LIME's packages are not installed (extra ``explain``).

        Example:
            >>> blank = np.full((240, 320, 3), 128, np.uint8)
            >>> EmotionRecognizer().explain(blank, method="occlusion")
            []
        """
        options = ExplainOptions(
            method=method, segmenter=segmenter, parameters=parameters or {}, samples=samples, seed=seed, hide=hide
        )
        frame = _one_frame(image)
        return explain_faces(self.pipeline, frame.image, self.pipeline.photos().find(frame), options, label=label)

    def predict_emotion_from_camera(
        self, camera: int | str = 0, *, mirror: bool | None = None, smooth: float = SMOOTH
    ) -> int:
        """Open a window that shows a camera with box, label and confidence of each face, until Enter, q or Esc.

        Space pauses, s saves a snapshot into the working folder, r records there. Nothing is stored unless one of these
        keys is pressed.

        Args:
            camera: Its number; or ``"screen"``, or an address such as ``"rtsp://HOST/1"``.
            mirror: Whether the window shows the picture as a mirror does; None does so for cameras.
            smooth: Seconds over which readings are smoothed; 0 for not at all.

        Returns:
            How many frames were read.

        Raises:
            MissingExtraError: pygame is not installed (extra ``live``).
            DeviceError: There is no display.
            SourceError: The camera is not there, busy, or was lost.
        """
        from facemood.window import LiveOptions, run_window

        name = f"camera:{camera}" if isinstance(camera, int) else camera
        options = LiveOptions(mirror=name.startswith("camera") if mirror is None else mirror)
        info = {**self.info(), **VideoOptions(smooth=smooth).info()}
        return run_window(self.stream(name, smooth=smooth, keep_images=True), info, options, name=name)

    def info(self) -> dict[str, Any]:
        """Say what makes the results: version, model, head, detector and settings."""
        from facemood import __version__

        parts, options = self.pipeline, self.pipeline.options
        return {
            "facemood": __version__,
            "model": self.card.name,
            "model_version": self.card.version,
            "head": parts.head,
            "labels": list(self.labels),
            "views": parts.strategy.views,
            "prior": parts.prior,
            "detector": self.detector.name,
            "min_face": options.min_size,
            "threshold": options.threshold,
            "max_faces": options.max_faces,
            "device": self.session.device,
        }

    def _stream(
        self,
        inputs: list[ImageLike] | Iterator[ImageLike],
        options: VideoOptions,
        *,
        batch: int,
        on_error: ErrorHandler | None,
        progress: bool | Hook,
        keep_images: bool = False,
    ) -> Iterator[Result]:
        """Yield the results of inputs that were found, and tell how far it is."""
        known = inputs if isinstance(inputs, list) else None
        total = count_frames(known, options.every) if known is not None and progress else None
        variants = options.variants if known is None or any(map(moves, known)) else ()
        done = 0
        with open_hook(progress) as hook:

            def advance(count: int) -> None:
                nonlocal done
                done += count
                hook(done, total)

            hook(0, total)
            stream = Stream(
                self.pipeline,
                options,
                variants=variants,
                batch=batch,
                keep_images=keep_images,
                on_error=on_error,
                advance=advance,
            )
            yield from stream.results(inputs)


def _one_frame(image: ImageLike) -> Frame:
    """Open one image, and refuse what names several."""
    inputs = list(find_inputs(image))
    if len(inputs) != 1 or (isinstance(image, str | os.PathLike) and Path(image).is_dir()):
        raise ImageError(f"expected one image, but {str(image)!r} names {len(inputs)}; use analyze or stream")
    return read_frame(inputs[0])


def _corner_and_size(face: Face) -> list[int]:
    """Return a box as x, y, width, height in whole pixels."""
    x1, y1, x2, y2 = np.rint(face.box).astype(int).tolist()
    return [x1, y1, x2 - x1, y2 - y1]
