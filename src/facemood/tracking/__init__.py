"""All memory from frame to frame: track IDs, smoothing and baselines of the people in one source.

A `Scene` is what the pipeline is given: `PhotoScene` remembers nothing, `VideoScene` puts the parts together.
"""

from facemood.tracking.baseline import ExpressionBaseline
from facemood.tracking.follow import FaceFollower
from facemood.tracking.scene import SMOOTH, PhotoScene, Scene, VideoOptions, VideoScene
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
