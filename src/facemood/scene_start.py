"""Begin the scene of a video: how it is turned, who its tracks are, and the baselines of its people."""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Callable, Sequence

from facemood.frame_batches import batched
from facemood.participants import Participants, Segment
from facemood.people_search import find_people
from facemood.pipeline import Pipeline
from facemood.sources import Item, open_video
from facemood.stages.orientation import AUTO
from facemood.text import count
from facemood.tracking import Baselines, Cast, People, VideoOptions, VideoScene
from facemood.tracking.video_options import AUTO as PEOPLE_AUTO
from facemood.video_orientation import LOOK_EVERY, LOOK_UNTIL, decide_orientation

logger: logging.Logger = logging.getLogger("facemood")

SHORTEST_SIGHT = 1.0
"""Seconds for which a person must be seen for a warning that there is no baseline: a false alarm is shorter."""


def begin_scene(
    item: Item,
    pipeline: Pipeline,
    options: VideoOptions,
    participants: Participants | None,
    *,
    name: str,
    batch: int,
    advance: Callable[[int], None] = lambda frames: None,
    people: People | None = None,
) -> VideoScene:
    """Begin a video's scene. If tracks are to be joined, the whole video is tracked first, without expressions.

    Its baseline periods are read first, too. So people's numbers and baselines apply from the first frame. People get
    the same track IDs each time, because the same frames are read in the same way.

    Args:
        item: The video.
        pipeline: The stages that each frame goes through.
        options: How the video is read.
        participants: The plan of a study; None without one.
        name: What the plan calls the video.
        batch: Frames whose faces go through the network together.
        advance: Called with the number of frames that were tracked to join tracks.
        people: Who the tracks are, if that is known already.

    Raises:
        FacemoodError: The video cannot be read.
    """
    track = functools.partial(pipeline.track, options, orientation=find_orientation(item, pipeline))
    if people is None and options.people is not None:
        people = find_people(item, pipeline, options, track(), advance)
        tell_joined(name, people)
        warn_of_numbers(name, len(people.seconds), options)
    if people is not None:
        track = functools.partial(track, people=people)
    segments = participants.of(name) if participants else ()
    learning = track(learn=True, cast=Cast(segments))
    end = learning.baselines.end
    if end:
        with contextlib.closing(open_video(item, every=options.step, end=end)) as frames:
            for part in batched(frames, batch):
                for _ in pipeline.read([(frame, learning) for frame in part]):
                    pass
        _warn_of_strangers(name, learning.baselines, segments, options, people)
    return track(baselines=learning.baselines, cast=Cast(segments))


def find_orientation(item: Item, pipeline: Pipeline) -> int:
    """Return how a video is turned, from frames of its first seconds, unless the pipeline says it."""
    if pipeline.orientation != AUTO:
        return int(pipeline.orientation)
    with contextlib.closing(open_video(item, every=LOOK_EVERY, end=LOOK_UNTIL)) as frames:
        scene = pipeline.photos()
        return decide_orientation(result for frame in frames for result in pipeline.read([(frame, scene)]))


def tell_joined(name: str, people: People) -> None:
    """Log how many people the tracks of a video are."""
    found = count(len(people.seconds), "person", "people")
    logger.info("%s: %s joined to %s", name, count(len(people.numbers), "track"), found)


def warn_of_numbers(name: str, found: int, options: VideoOptions) -> None:
    """Tell how many people were found, if that is not the number that was given.

    Args:
        name: The video, or what the videos are called.
        found: The number of people in it.
        options: How videos are read.
    """
    if options.people not in (PEOPLE_AUTO, found):
        together = "in one video with them" if options.same_people else "at the same time"
        why = "there are not more tracks" if found < int(options.people or 0) else f"the others are seen {together}"
        logger.warning(
            "%s: %s found, but people is %s: %s", name, count(found, "person", "people"), options.people, why
        )


def _warn_of_strangers(
    name: str,
    baselines: Baselines,
    segments: Sequence[Segment],
    options: VideoOptions,
    joined: People | None,
) -> None:
    """Tell of baseline periods in which nobody, or not the participant, or not a person of the video, was seen."""
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
        for number, seconds in joined.seconds.items() if joined and period == options.baseline else ():
            if seconds >= SHORTEST_SIGHT and number not in people:
                logger.warning(
                    "%s: person %d was not seen from %g to %g s, so there is no baseline", name, number, start, end
                )
