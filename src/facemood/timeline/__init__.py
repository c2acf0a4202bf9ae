"""Videos over time: each person's readings as arrays, episodes of expressions and of action units, blinks, and heads.

A frame lasts until the next frame of its video, the last one as long as the median of those before. A person is visible
for as long as the frames last in which a face was given their number; nothing is made up for the time between.
"""

from facemood.timeline.collect import TrackCollector, collect_tracks, head_counts
from facemood.timeline.episodes import MAX_GAP, MIN_SECONDS, Episode, check_limits, find_episodes
from facemood.timeline.tracks import INSTANT, POINTS, Timeline, Track, thin
from facemood.timeline.units import Blink, Blinking, UnitEvent, find_blinks, find_unit_events

__all__ = [
    "INSTANT",
    "MAX_GAP",
    "MIN_SECONDS",
    "POINTS",
    "Blink",
    "Blinking",
    "Episode",
    "Timeline",
    "Track",
    "TrackCollector",
    "UnitEvent",
    "check_limits",
    "collect_tracks",
    "find_blinks",
    "find_episodes",
    "find_unit_events",
    "head_counts",
    "thin",
]
