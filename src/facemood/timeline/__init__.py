"""People over time in videos: predictions as arrays, episodes of expressions, action unit events, blinks, face counts.

A frame lasts until the next frame of its video; the last frame lasts as long as the median frame, or until the video
ends. A person is visible during the frames that have a face with their track ID. Gaps are not interpolated.
"""

from facemood.timeline.collect import TrackCollector, collect_tracks, count_faces
from facemood.timeline.episodes import MAX_GAP, MIN_SECONDS, Episode, check_limits, find_episodes
from facemood.timeline.summaries import Summary, SummaryCollector
from facemood.timeline.tracks import INSTANT, MAX_POINTS, Timeline, Track, downsample
from facemood.timeline.units import Blink, Blinking, UnitEvent, find_blinks, find_unit_events

__all__ = [
    "INSTANT",
    "MAX_GAP",
    "MAX_POINTS",
    "MIN_SECONDS",
    "Blink",
    "Blinking",
    "Episode",
    "Summary",
    "SummaryCollector",
    "Timeline",
    "Track",
    "TrackCollector",
    "UnitEvent",
    "check_limits",
    "collect_tracks",
    "count_faces",
    "downsample",
    "find_blinks",
    "find_episodes",
    "find_unit_events",
]
