"""All memory from frame to frame: track IDs, smoothing and baselines of the people in one source.

The pipeline is given a `Scene`: `PhotoScene` remembers nothing, `VideoScene` combines follower, smoother and baselines.
"""

from facemood.defaults import SMOOTH
from facemood.tracking.baseline import ExpressionBaseline
from facemood.tracking.follow import FaceFollower
from facemood.tracking.scene import PhotoScene, Scene, VideoOptions, VideoScene
from facemood.tracking.smooth import Smoother, SmoothOptions
from facemood.tracking.tracker import PATIENCE, Tracker, TrackOptions
from facemood.tracking.unit_baseline import UnitBaseline

__all__ = [
    "PATIENCE",
    "SMOOTH",
    "ExpressionBaseline",
    "FaceFollower",
    "PhotoScene",
    "Scene",
    "SmoothOptions",
    "Smoother",
    "TrackOptions",
    "Tracker",
    "UnitBaseline",
    "VideoOptions",
    "VideoScene",
]
