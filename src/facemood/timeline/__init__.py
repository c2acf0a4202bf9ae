"""Films over time: each person's readings as arrays, the episodes of their expressions, and how many faces there were.

A frame lasts until the next frame of its film, the last one as long as the median of those before. A person is visible
for as long as the frames last in which a face was given their number; nothing is made up for the time between.
"""

from facemood.timeline.collect import TrackCollector, collect_tracks, head_counts
from facemood.timeline.episodes import MAX_GAP, MIN_SECONDS, Episode, check_limits, find_episodes
from facemood.timeline.tracks import POINTS, Timeline, Track, thin

__all__ = [
    "MAX_GAP",
    "MIN_SECONDS",
    "POINTS",
    "Episode",
    "Timeline",
    "Track",
    "TrackCollector",
    "check_limits",
    "collect_tracks",
    "find_episodes",
    "head_counts",
    "thin",
]
