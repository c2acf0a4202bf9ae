"""Begin the scene of a video: how it is turned, and the baselines of the people in it."""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Sequence

from facemood.frame_batches import batched
from facemood.participants import Participants, Segment
from facemood.pipeline import Pipeline
from facemood.sources import Item, open_video
from facemood.stages.orientation import AUTO
from facemood.tracking import Baselines, Cast, VideoOptions, VideoScene
from facemood.video_orientation import LOOK_EVERY, LOOK_UNTIL, decide_orientation

logger: logging.Logger = logging.getLogger("facemood")


def begin_scene(
    item: Item, pipeline: Pipeline, options: VideoOptions, participants: Participants | None, *, name: str, batch: int
) -> VideoScene:
    """Begin a video's scene. Its baseline periods are read first, so that baselines apply from the first frame.

    People get the same track IDs both times, because the same frames are read in the same way.

    Args:
        item: The video.
        pipeline: The stages that each frame goes through.
        options: How the video is read.
        participants: The plan of a study; None without one.
        name: What the plan calls the video.
        batch: Frames whose faces go through the network together.

    Raises:
        FacemoodError: The video cannot be read.
    """
    track = functools.partial(pipeline.track, options, orientation=find_orientation(item, pipeline))
    segments = participants.of(name) if participants else ()
    learning = track(learn=True, cast=Cast(segments))
    end = learning.baselines.end
    if end:
        with contextlib.closing(open_video(item, every=options.step, end=end)) as frames:
            for part in batched(frames, batch):
                for _ in pipeline.read([(frame, learning) for frame in part]):
                    pass
        _warn_of_strangers(name, learning.baselines, segments, options)
    return track(baselines=learning.baselines, cast=Cast(segments))


def find_orientation(item: Item, pipeline: Pipeline) -> int:
    """Return how a video is turned, from frames of its first seconds, unless the pipeline says it."""
    if pipeline.orientation != AUTO:
        return int(pipeline.orientation)
    with contextlib.closing(open_video(item, every=LOOK_EVERY, end=LOOK_UNTIL)) as frames:
        scene = pipeline.photos()
        return decide_orientation(result for frame in frames for result in pipeline.read([(frame, scene)]))


def _warn_of_strangers(name: str, baselines: Baselines, segments: Sequence[Segment], options: VideoOptions) -> None:
    """Tell of baseline periods in which nobody, or not the participant, was seen."""
    for period in baselines.periods:
        start, end = period
        people = baselines.people(period)
        if not people:
            logger.warning("%s: no face was tracked from %g to %g s, so there is no baseline", name, start, end)
            continue
        own = (one.participant for one in segments if (one.baseline or options.baseline) == period)
        for participant in dict.fromkeys(one for one in own if one not in people):
            logger.warning(
                "%s: %s was not seen from %g to %g s, so there is no baseline", name, participant, start, end
            )
