"""All memory from frame to frame: track IDs, smoothing and baselines of the people in one source.

The pipeline is given a `Scene`: `PhotoScene` remembers nothing, `VideoScene` combines follower, smoother and baselines.
"""

from facemood.defaults import SMOOTH
from facemood.tracking.across_videos import VideoPeople, join_videos
from facemood.tracking.baselines import Baselines
from facemood.tracking.cast import Cast
from facemood.tracking.follow import FaceFollower
from facemood.tracking.gallery import Gallery
from facemood.tracking.people import People, join_tracks
from facemood.tracking.recent_past import RecentPast
from facemood.tracking.scene import KnownFaces, PhotoScene, Scene, VideoScene
from facemood.tracking.smooth import Smoother, SmoothOptions
from facemood.tracking.tracker import PATIENCE, Tracker, TrackOptions
from facemood.tracking.video_options import Every, PeopleOption, VideoOptions

__all__ = [
    "PATIENCE",
    "SMOOTH",
    "Baselines",
    "Cast",
    "Every",
    "FaceFollower",
    "Gallery",
    "KnownFaces",
    "People",
    "PeopleOption",
    "PhotoScene",
    "RecentPast",
    "Scene",
    "SmoothOptions",
    "Smoother",
    "TrackOptions",
    "Tracker",
    "VideoOptions",
    "VideoPeople",
    "VideoScene",
    "join_tracks",
    "join_videos",
]
