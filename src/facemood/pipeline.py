"""The pipeline of one batch of frames: detect -> landmarks, pose, action units -> align -> classify -> Result."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from facemood.derived import DerivedMeasures
from facemood.models import ModelSession
from facemood.participants import Participants
from facemood.results import Result
from facemood.schema import Face, Frame, Image
from facemood.sources.scaled_jpeg import REDUCTIONS
from facemood.stages.action_units import with_units
from facemood.stages.align import CropSquare, cut_faces, squares_of
from facemood.stages.classify import with_predictions
from facemood.stages.detect import DetectOptions, Detector, FinderDetector, GivenBoxes
from facemood.stages.landmarks import ROOM, LandmarkModel, landmarks_of
from facemood.stages.orientation import AUTO, Orientation, turn_back
from facemood.stages.pose import estimate_pose
from facemood.strategy import Strategy
from facemood.tracking import (
    Baselines,
    Cast,
    FaceFollower,
    KnownFaces,
    People,
    PhotoScene,
    RecentPast,
    Scene,
    TrackOptions,
    VideoOptions,
    VideoScene,
)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The stages of a recognizer, run on batches of frames.

    Attributes:
        strategy: Makes the expression network's input from faces, and runs the network.
        detector: Detects faces.
        landmark_model: Predicts landmarks, and follows faces from frame to frame.
        options: Which faces count.
        orientation: How pictures are turned to be upright: ``"auto"``, or degrees clockwise.
        derived: What is derived from the probabilities and the action units of each face.
    """

    strategy: Strategy
    detector: Detector
    landmark_model: LandmarkModel
    options: DetectOptions
    orientation: Orientation = AUTO
    derived: DerivedMeasures = field(default_factory=DerivedMeasures)

    @property
    def session(self) -> ModelSession:
        """The expression network."""
        return self.strategy.session

    @property
    def head(self) -> str:
        """The head that predicts."""
        return self.strategy.head

    @property
    def prior(self) -> str:
        """The prior over expressions: ``"tuned"``, ``"dataset"`` or ``"balanced"``."""
        return self.strategy.prior

    def info(self) -> dict[str, Any]:
        """Return what the results depend on: model, head, detector and settings."""
        card = self.session.card
        return {
            "model": card.name,
            "model_version": card.version,
            "head": self.head,
            "labels": list(card.heads[self.head]),
            "views": self.strategy.views,
            "prior": self.prior,
            "detector": self.detector.name,
            "min_face": self.options.min_size,
            "threshold": self.options.threshold,
            "max_faces": self.options.max_faces,
            "orientation": self.orientation,
            "device": self.session.device,
            **self.derived.info(),
        }

    @property
    def photo_reduction(self) -> int:
        """By how much the sides of large JPEGs may be reduced: 1, 2, 4 or 8.

        The smallest face that counts keeps as many pixels as the networks see of it.
        """
        pixels = self.strategy.face_pixels
        if pixels is None or not isinstance(self.detector, FinderDetector):
            return 1
        enough = max(pixels, self.landmark_model.session.card.input_size[0] / ROOM)
        return max(each for each in REDUCTIONS if each == 1 or self.options.min_size >= each * enough)

    def photos(self, participants: Participants | None = None) -> PhotoScene:
        """Return a scene for unrelated frames: the detector runs on each, and nothing is remembered.

        Args:
            participants: The plan of a study; None without one.
        """
        return PhotoScene(self.detector, self.options, self.orientation, participants)

    def track(
        self,
        options: VideoOptions | None = None,
        *,
        baselines: Baselines | None = None,
        learn: bool = False,
        cast: Cast | None = None,
        people: People | None = None,
        orientation: int | None = None,
    ) -> VideoScene:
        """Return a scene that tracks the people of one video, camera or screen.

        Args:
            options: How the video is read; None for the defaults.
            baselines: The people's baselines, if they are known already.
            learn: Whether they are learned from the frames in their periods.
            cast: Says who is which participant of a study; None without a study.
            people: Who the tracks are, if tracks of one person were joined.
            orientation: Degrees by which each frame is turned clockwise; None for the pipeline's own. ``"auto"`` turns
                nothing here: `facemood.video_orientation.decide_orientation` tells how a video is turned.
        """
        options = options or VideoOptions()
        track = TrackOptions(patience=options.patience, over_cuts=options.people is None)  # else joined later, by more
        follower = FaceFollower(self.detector, self.landmark_model, self.options, track=track)
        if orientation is None:
            orientation = 0 if self.orientation == AUTO else int(self.orientation)
        return VideoScene(
            follower, options, baselines=baselines, learn=learn, cast=cast, people=people,
            orientation=orientation, past=RecentPast() if self.derived.valence else None,
        )  # fmt: skip

    def find(self, frame: Frame) -> list[Face]:
        """Return the faces of a photo, largest first, without expressions: landmarks, head pose and action units."""
        view = self.photos().find(frame)
        return turn_back(self.measure(view.frame, view.faces), view.orientation, frame.size)

    def measure(self, frame: Frame, faces: Sequence[Face]) -> list[Face]:
        """Add landmarks (where the detector gave none), head pose and action units to the faces of a frame."""
        known = self.landmark_model.add_landmarks(frame.image, faces)
        poses = [None if points is None else estimate_pose(points, frame.size) for points in map(landmarks_of, known)]
        posed = [dataclasses.replace(face, pose=pose) for face, pose in zip(known, poses, strict=True)]
        return with_units(frame.image, posed)

    def squares(self, faces: Sequence[Face]) -> list[CropSquare]:
        """Return the square of the image that the crop of each face shows: upright, if the network expects that."""
        return squares_of(faces, self.session.card.framing, self.detector.name)

    def crops(self, image: Image, faces: Sequence[Face]) -> list[Image]:
        """Cut the faces out of an image as the network expects them.

        Args:
            image: (H, W, 3) uint8 BGR.
            faces: The faces in it, with landmarks if they have been measured.

        Returns:
            One (s, s, 3) uint8 BGR image per face.
        """
        return cut_faces(image, self.squares(faces))

    def read_boxes(self, frame: Frame, boxes: ArrayLike) -> Result:
        """Read the faces in boxes that were found elsewhere; the result keeps the image, and the order of the boxes.

        Args:
            frame: A photo. It is read as it is, and not turned.
            boxes: (N, 4) numbers x1 y1 x2 y2 in pixels.

        Raises:
            OptionError: The boxes are wrong (`GivenBoxes`).
        """
        given = GivenBoxes(boxes)
        scene = KnownFaces(given(frame.image))
        return next(dataclasses.replace(self, detector=given).read([(frame, scene)], keep_images=True))

    def read(
        self, frames: Sequence[tuple[Frame, Scene]], *, variants: tuple[str, ...] = (), keep_images: bool = False
    ) -> Iterator[Result]:
        """Detect the faces of each frame, classify all of them in one run, and yield the results in order.

        Args:
            frames: Frames of one or more sources, each with its scene. Frames of a scene are in the source's order.
            variants: Values of each label in the results besides its probability.
            keep_images: Whether the results hold their images.
        """
        labels = self.session.card.heads[self.head]
        looks = [self._look(frame, scene) for frame, scene in frames]
        started = time.perf_counter()
        predictions = self.strategy.classify([one for look in looks for one in look.inputs])
        share = (time.perf_counter() - started) / max(len(predictions.probabilities), 1)
        first = 0
        for (frame, scene), (faces, _, orientation, clock, repeated) in zip(frames, looks, strict=True):
            part = predictions.part(first, first + len(faces))
            first += len(faces)
            predicted = list(with_predictions(faces, part, labels))
            finished = self.derived.add(scene.repeat(frame) if repeated else scene.finish(frame, predicted))
            yield Result(
                source=frame.source,
                index=frame.index,
                timestamp=frame.timestamp,
                size=frame.full_size,
                faces=tuple(_at_full_size(turn_back(finished, orientation, frame.size), frame)),
                labels=labels,
                variants=variants,
                speed=_milliseconds({**clock, "classify": share * len(faces)}),
                image=frame.image if keep_images else None,
                orientation=orientation,
                repeated=repeated,
                measures=self.derived.measures,
                video_end=frame.video_end,
            )

    def _look(self, frame: Frame, scene: Scene) -> _Look:
        """Return the faces of a frame, measured and aligned, if it is read."""
        started = time.perf_counter()
        known = scene.glance(frame)
        if known is not None:
            clock = {"detect": time.perf_counter() - started, "landmarks": 0.0, "align": 0.0}
            return _Look([], [], known.orientation, clock, repeated=True)
        view = scene.find(frame)
        detected = time.perf_counter()
        faces = self.measure(view.frame, view.faces)
        measured = time.perf_counter()
        faces, inputs = self.strategy.align(view.frame.image, faces, self.squares(faces))
        aligned = time.perf_counter()
        clock = {"detect": detected - started, "landmarks": measured - detected, "align": aligned - measured}
        return _Look(faces, inputs, view.orientation, clock)


class _Look(NamedTuple):
    """What was found in a frame before its faces are classified.

    Attributes:
        faces: The faces, in the upright frame.
        inputs: What the network gets of each.
        orientation: Degrees by which the frame was turned clockwise.
        clock: Seconds of each stage so far.
        repeated: Whether the frame was not read.
    """

    faces: list[Face]
    inputs: list[Any]
    orientation: int
    clock: dict[str, float]
    repeated: bool = False


def _at_full_size(faces: list[Face], frame: Frame) -> list[Face]:
    """Return the faces of a frame in pixels of its source."""
    if frame.reduced_from is None:
        return faces
    ratio = np.divide(frame.reduced_from, frame.size).astype(np.float32)
    return [face.moved(lambda points: (points * ratio).astype(np.float32)) for face in faces]


def _milliseconds(seconds: dict[str, float]) -> dict[str, float]:
    """Convert the seconds of each stage to milliseconds, and add the total."""
    stages = {stage: 1000 * value for stage, value in seconds.items()}
    return {**stages, "total": sum(stages.values())}
