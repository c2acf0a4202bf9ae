"""EmotionRecognizer: opens a model and returns results for images, videos and live sources."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike

from facemood.crop_reader import CropReader
from facemood.defaults import DEFAULT_DETECTOR, DEFAULT_MODEL, DEFAULT_PRECISION, MIN_FACE, SMOOTH
from facemood.derived import DerivedMeasures
from facemood.errors import FacemoodError, ImageError, ModelError
from facemood.geometry import corner_and_size, corners_of
from facemood.models import ModelCard, ModelSession, check_views, session_of
from facemood.pipeline import Pipeline
from facemood.plan_file import Plan, design_info, plan_for
from facemood.progress import Hook, check_progress
from facemood.results import Failure, Result
from facemood.same_people import check_same_people
from facemood.schema import Face
from facemood.sources import ErrorHandler, ImageLike, SourceLike, find_inputs, input_errors, read_one_image, refuse_live
from facemood.stages.align import LANDMARK_FRAMING
from facemood.stages.classify import choose_head, choose_prior
from facemood.stages.detect import DetectOptions, Detector, FinderDetector, open_detector
from facemood.stages.landmarks import LandmarkModel
from facemood.stages.orientation import AUTO, Orientation, check_orientation
from facemood.strategy import CropStrategy, Strategy
from facemood.stream import Stream, check_batch
from facemood.tracking.video_options import Every, PeopleOption, VideoOptions

if TYPE_CHECKING:
    from facemood.analysis import Analysis
    from facemood.explain import Explanation

logger: logging.Logger = logging.getLogger("facemood")


class EmotionRecognizer(CropReader):
    """Detects faces and predicts their apparent expressions. Models load once, and no data leave the machine.

    Args:
        model: Name of a model in the package, path of an .onnx file with a card, or an open session. Its input must be
            face crops; `facemood.open_recognizer` opens models for any task.
        head: The model's head to use; None uses its default.
        detector: ``"finder"``, ``"hog"``, ``"yunet:FILE.onnx"``, or any object that is a `Detector`.
        min_face: Smallest face to detect: the shorter side of its box in pixels. Larger values are faster.
        threshold: Lowest detection score, 0..1; None uses the detector's own.
        max_faces: Most faces per frame, the largest first; None for all.
        views: Test-time augmentation: 1 uses the crop only; 2 adds its mirror image; 10 adds both, shifted to four
            corners. Classification takes that many times as long and gains little.
        prior: ``"tuned"`` is the operating point on the model's card, made for images with an unknown share of each
            expression: it pools both heads and finds quiet expressions more often. ``"dataset"`` assumes that
            expressions are as common as in the training images; ``"balanced"`` assumes that all are equally common.
            None uses ``"tuned"`` if the card has it for the head, otherwise ``"dataset"``.
        orientation: By how many degrees pictures are turned clockwise to be upright: 0, 90, 180 or 270, on top of what
            their EXIF data say. With ``"auto"``, a photo without a face is tried at all four, and a video is decided
            by its first seconds; live sources are read as they are. Results are in the given picture's coordinates.
        device: ``"auto"``, ``"cpu"``, ``"cuda"``, ``"coreml"``, ``"directml"`` or ``"openvino"``, for the expression
            network. An open session must run on it.
        threads: Threads for one run of a network; None for one per core that the affinity and the
            quota of a container allow. An open session keeps its own.
        precision: ``"fp32"``, or ``"int8"`` for a model that has an int8 file; the finder's landmark network then uses
            its own. An open session keeps its own.
        valence: Whether results have valence and, in videos, arousal, derived by the formulas of `facemood.affect`.
        expressions: Own expressions by name: formulas over action units and labels, such as
            ``{"doubt": "min(AU04, AU01) - AU12"}`` (`facemood.formula`), clipped to 0..1.

    Raises:
        ModelError: The model, head or detector is unknown or damaged, or the model has no int8 file.
        DeviceError: The device is not available.
        OptionError: An option is out of its range, or an own expression is wrong.

    Example:
        >>> import numpy as np
        >>> recognizer = EmotionRecognizer()
        >>> blank = np.full((240, 320, 3), 128, np.uint8)
        >>> len(recognizer.analyze_image(blank))
        0
    """

    task = "expression"
    """The task that a model's card must have."""

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
        prior: str | None = None,
        orientation: Orientation = AUTO,
        device: str = "auto",
        threads: int | None = None,
        precision: str = DEFAULT_PRECISION,
        valence: bool = False,
        expressions: Mapping[str, str] | None = None,
    ) -> None:
        given = dict(locals())
        self._given = {name: given[name] for name in given.keys() - {"self", "model"}}
        self._model = model
        options = DetectOptions(min_size=min_face, threshold=threshold, max_faces=max_faces)
        session = session_of(model, device=device, threads=threads, precision=precision)
        card = session.card
        if card.task != self.task:
            raise ModelError(
                f"the model {card.name!r} is for the task {card.task!r}, but expected {self.task!r}; "
                "use facemood.open_recognizer, which opens models for any task"
            )
        head = choose_head(card, head)
        derived = DerivedMeasures.of(card.heads[head], valence=valence, expressions=expressions)
        if isinstance(detector, str):
            detector = open_detector(detector, options, threads=threads, precision=precision)
        elif not callable(detector) or not hasattr(detector, "name"):
            raise ModelError(
                f"a detector is a name such as {DEFAULT_DETECTOR!r}, or an object that has a name and takes an "
                f"image, but got {detector!r}"
            )
        landmark_model = (
            detector.landmark_model
            if isinstance(detector, FinderDetector)
            else LandmarkModel(threads=threads, precision=precision)
        )
        strategy = self._make_strategy(
            session, head, check_views(views), choose_prior(card, head, prior), landmark_model
        )
        self.pipeline: Pipeline = Pipeline(
            strategy, detector, landmark_model, options, check_orientation(orientation), derived
        )
        if not {detector.name, LANDMARK_FRAMING} & card.framing.keys():
            logger.warning(
                "model %s has no framing for the detector %s; its boxes are used as they are", card.name, detector.name
            )

    def _make_strategy(
        self, session: ModelSession, head: str, views: int, prior: str, landmarks: LandmarkModel
    ) -> Strategy:
        """Return the strategy that turns faces into predictions; here the network classifies face crops."""
        return CropStrategy(session, head, views, prior)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle and copy the arguments; the networks are opened again where the pickle is read."""
        return partial(type(self), self._model, **self._given), ()

    def __repr__(self) -> str:
        strategy, session = self.pipeline.strategy, self.session
        return f"<{type(self).__name__}: {session.card.name}, {strategy.head}, {self.detector.name}, {session.device}>"

    @property
    def session(self) -> ModelSession:
        """The session of the expression model."""
        return self.pipeline.session

    @property
    def detector(self) -> Detector:
        """The face detector."""
        return self.pipeline.detector

    @property
    def card(self) -> ModelCard:
        """The model card."""
        return self.session.card

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the head, in the order of the columns that `classify` returns."""
        return self.card.heads[self.pipeline.head]

    def analyze_image(
        self, image: ImageLike, *, boxes: ArrayLike | None = None, allow_download: bool = False
    ) -> Result:
        """Analyze one image. The result keeps the image for `draw` and `save`.

        Args:
            image: A path, a data URL, a file's bytes, an open file, an array (H, W[, 3]) uint8 BGR, or a Pillow image.
            boxes: Faces that were found elsewhere, (N, 4) numbers x1 y1 x2 y2 in pixels of the image. No detector runs
                then, and the image is not turned.
            allow_download: Whether an image at an http or https address is downloaded.

        Returns:
            The faces with their expressions, largest first, or in the order of `boxes`; an empty result if no face is
            found.

        Raises:
            SourceError: The file does not exist, or it is not an image (`ImageError`).
            OptionError: A box is wrong, or outside of the image.
        """
        frame = read_one_image(image, allow_download=allow_download)
        with input_errors(frame.source, ImageError):
            if boxes is not None:
                return self.pipeline.read_boxes(frame, boxes)
            return next(self.pipeline.read([(frame, self.pipeline.photos())], keep_images=True))

    def analyze(
        self,
        source: SourceLike,
        *,
        every: Every = None,
        smooth: float = SMOOTH,
        baseline: tuple[float, float] | None = None,
        participants: Plan = None,
        segment: float | None = None,
        people: PeopleOption = None,
        same_people: bool = False,
        batch: int = 8,
        progress: bool | Hook = False,
        allow_download: bool = False,
    ) -> Analysis:
        """Analyze all inputs of a source. Inputs that cannot be read are listed in `Analysis.failures`.

        Args:
            source: An image, a video, a folder, a pattern such as ``photos/**/*.jpg``, or a list of them.
            every: For videos: an integer k reads every k-th frame, a float T at most one frame every T seconds.
                ``"auto"`` reads the frames that differ from the last one that was read; the others get its faces
                (`Result.repeated`).
            smooth: Time constant of smoothing in videos, in seconds; 0 turns it off.
            baseline: Start and end, in seconds, of the neutral baseline in each video. `Face.change` is relative to it.
            participants: The plan of a study, or its CSV file: who is who in which video, and in which condition.
            segment: Seconds after which a long video is read anew, as an archive with segments does it; people keep
                their track IDs. None reads it whole.
            people: Joins the tracks of each person in a video, over cuts and absences: how many people there are, or
                ``"auto"``. The video is tracked once before it is read. People of other videos are not compared.
            same_people: Joins the people of all videos of the source, too: the same person has the same number in all
                of them. All videos are tracked before the first one is read. `people` is how many there are in all
                videos then; None finds out.
            batch: Frames whose faces go through the network together.
            progress: True for a bar on stderr, or a function that takes (done, total); total is None for a generator.
            allow_download: Whether images at http and https addresses are downloaded.

        Raises:
            SourceError: The source does not exist, contains no image or video, or is live and has no end.
            OptionError: An option is out of its range, or the plan is wrong.
        """
        from facemood.analysis import Analysis

        check_batch(batch)
        failures: list[Failure] = []
        left_out = Counter[str]()

        def on_error(name: str, error: FacemoodError) -> None:
            failures.append(Failure(name, str(error)))

        inputs = find_inputs(source, on_error=on_error, allow_download=allow_download, left_out=left_out)
        refuse_live(inputs)
        options = VideoOptions(every, smooth, baseline, segment=segment, people=people, same_people=same_people)
        plan = plan_for(participants, inputs)
        stream = Stream(self.pipeline, options, batch=batch, on_error=on_error, participants=plan)
        results = tuple(stream.run(inputs, progress=progress))
        recorded = stream.info() if any(result.variants for result in results) else design_info(plan)
        recorded |= {"left_out": dict(left_out)} if left_out else {}
        return Analysis(results, {**self.info(), **recorded}, tuple(failures))

    def stream(
        self,
        source: SourceLike,
        *,
        every: Every = None,
        smooth: float = SMOOTH,
        baseline: tuple[float, float] | None = None,
        participants: Plan = None,
        segment: float | None = None,
        people: PeopleOption = None,
        same_people: bool = False,
        batch: int = 8,
        on_error: ErrorHandler | None = None,
        progress: bool | Hook = False,
        keep_images: bool = False,
        allow_download: bool = False,
    ) -> Iterator[Result]:
        """Yield a Result for each image or frame of a source, in order, in constant memory.

        Every frame of a video is read. Of a camera, a screen or a network stream, the newest frame is read and those
        that arrived in the meantime are dropped. In all of these, people are tracked (`Face.track_id`) and their
        predictions are smoothed.

        Args:
            source: An image, a video, ``camera:0``, ``screen``, an address such as ``rtsp://HOST/1``, a folder, a
                pattern such as ``photos/**/*.jpg``, or a list of them.
            every: For videos: an integer k reads every k-th frame, a float T at most one frame every T seconds.
                ``"auto"`` reads the frames that differ from the last one that was read; the others get its faces
                (`Result.repeated`).
            smooth: Time constant of smoothing in videos, in seconds; 0 turns it off.
            baseline: Start and end, in seconds, of the neutral baseline in each video. `Face.change` is relative to it.
            participants: The plan of a study, or its CSV file, as for `analyze`.
            segment: Seconds after which a long video is read anew, as for `analyze`.
            people: Joins the tracks of each person in a video, as for `analyze`.
            same_people: Joins the people of all videos, as for `analyze`; not for live sources, nor a generator.
            batch: Frames whose faces go through the network together; live frames go one by one.
            on_error: Called with the name and the error of each input that cannot be read; None raises the error.
            progress: True for a bar on stderr, or a function that takes (done, total).
            keep_images: Whether results keep their images, for `Result.draw`.
            allow_download: Whether http and https addresses are images to download; otherwise they are streams.

        Raises:
            SourceError: The source does not exist, or has no image or video. Without `on_error`: any input is bad.
            OptionError: An option is out of its range, or the plan is wrong.
        """
        check_batch(batch)
        check_progress(progress)
        options = VideoOptions(every, smooth, baseline, segment=segment, people=people, same_people=same_people)
        inputs = find_inputs(source, on_error=on_error, allow_download=allow_download)
        check_same_people(inputs, options)
        plan = plan_for(participants, inputs)
        stream = Stream(self.pipeline, options, batch, keep_images, on_error, plan)
        return stream.run(inputs, progress=progress)

    def detect(self, image: ImageLike) -> list[Face]:
        """Detect faces, largest first: box, score, 68 landmarks, head pose and action units; no expression."""
        return self.pipeline.find(read_one_image(image))

    def detect_emotions(self, image: ImageLike, boxes: ArrayLike | None = None) -> list[dict[str, Any]]:
        """Analyze one image and return the format of the package `fer`: ``[{"box": [x, y, w, h], "emotions": {}}]``.

        Args:
            image: As for `analyze_image`.
            boxes: Faces that were found elsewhere, (N, 4) numbers x, y, width, height in pixels, as in the answer.
        """
        corners = None if boxes is None else corners_of(boxes)
        faces = self.analyze_image(image, boxes=corners).faces
        return [{"box": corner_and_size(face.box), "emotions": face.emotions} for face in faces]

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
        """Explain the prediction for each face: which parts of the face support the label, and which oppose it.

        Args:
            image: A path, a file's bytes, an array (H, W[, 3]) uint8 BGR, or a Pillow image.
            method: ``"lime"``; ``"cam"``, class activation, for models with a feature map; or ``"occlusion"``.
            label: The label to explain; None uses each face's most probable one.
            segmenter: Superpixels for LIME: ``"slic"``, ``"quickshift"`` or ``"felzenszwalb"``.
            parameters: Parameters of the segmenter that differ from `facemood.explain.SEGMENTERS`.
            samples: Number of perturbed versions of a face for LIME.
            seed: Seed of LIME's random samples.
            hide: Fill for hidden superpixels in LIME: ``"mean"``, ``"blur"`` or ``"grey"``.

        Returns:
            One explanation per face, largest first; a notebook displays each.

        Raises:
            SourceError: The file does not exist, or it is not an image (`ImageError`).
            ModelError: The model does not have the label, or has no feature map and the method needs one.
            ExplanationError: An option is invalid, or a face has only one superpixel.
            MissingExtraError: LIME's packages are not installed (extra ``explain``).

        Example:
            >>> import numpy as np
            >>> blank = np.full((240, 320, 3), 128, np.uint8)
            >>> EmotionRecognizer().explain(blank, method="occlusion")
            []
        """
        from facemood.explain import ExplainOptions, explain_faces

        options = ExplainOptions(
            method=method, segmenter=segmenter, parameters=parameters or {}, samples=samples, seed=seed, hide=hide
        )
        frame = read_one_image(image)
        return explain_faces(self.pipeline, frame.image, self.pipeline.find(frame), options, label=label)

    def predict_emotion_from_camera(
        self, camera: int | str = 0, *, mirror: bool | None = None, smooth: float = SMOOTH
    ) -> int:
        """Show a camera in a window with box, label and confidence of each face, until Enter, q or Esc is pressed.

        Space pauses, s saves a snapshot in the working directory, r starts and stops a recording there. Nothing is
        stored unless s or r is pressed.

        Args:
            camera: The camera's number; or ``"screen"``, or an address such as ``"rtsp://HOST/1"``.
            mirror: Whether the window shows a mirror image; None does so for cameras.
            smooth: Time constant of smoothing in seconds; 0 turns it off.

        Returns:
            The number of frames analyzed.

        Raises:
            MissingExtraError: pygame is not installed (extra ``live``).
            DeviceError: There is no display.
            SourceError: The camera does not exist, is busy, or was lost.
        """
        from facemood.window import LiveOptions, run_window

        name = f"camera:{camera}" if isinstance(camera, int) else camera
        options = LiveOptions(mirror=name.startswith("camera") if mirror is None else mirror)
        info = {**self.info(), **VideoOptions(smooth=smooth).info()}
        return run_window(self.stream(name, smooth=smooth, keep_images=True), info, options, name=name)

    def info(self) -> dict[str, Any]:
        """Return what the results depend on: version, model, head, detector and settings."""
        from facemood import __version__

        return {"facemood": __version__, **self.pipeline.info()}
