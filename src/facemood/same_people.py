"""Number people across the videos of a run: track every video once, and join the people of all of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from facemood.errors import FacemoodError, OptionError
from facemood.people_search import known_number, track_looks
from facemood.pipeline import Pipeline
from facemood.scene_start import find_orientation, tell_joined, warn_of_numbers
from facemood.sources import Item, input_errors, is_live_input, is_video, local_video, name_of_item
from facemood.text import count
from facemood.tracking import People, VideoOptions, VideoPeople, join_videos

logger: logging.Logger = logging.getLogger("facemood")

FoundPeople: TypeAlias = "Mapping[Item, People | FacemoodError]"
"""Who the tracks of each video are, or why it cannot be read."""


def check_same_people(inputs: object, options: VideoOptions) -> None:
    """Refuse inputs whose people cannot be numbered across videos.

    Args:
        inputs: All inputs of a run.
        options: How videos are read.

    Raises:
        OptionError: An input is live, or the inputs are not a list, and people are to be numbered across videos.
    """
    if not options.same_people:
        return
    if not isinstance(inputs, list):
        raise OptionError(
            "same_people tracks all videos before the first one is read, so it needs a list of them, not a generator"
        )
    for item in filter(is_live_input, inputs):
        raise OptionError(
            f"{name_of_item(item)} is live, or comes over a network, so same_people cannot track it first; record or "
            "save it, and analyze the file"
        )


def find_same_people(
    inputs: Iterable[Item],
    pipeline: Pipeline,
    options: VideoOptions,
    *,
    begin: Callable[[str], None],
    advance: Callable[[int], None],
) -> FoundPeople:
    """Track all videos of a run, and join their people by how they look.

    What is kept of a video is one sum for each of its people, in memory, until this function returns.

    Args:
        inputs: Photos, which are left out, and videos.
        pipeline: The stages; only faces and their landmarks are found.
        options: How videos are read.
        begin: Called with the name of each video as it is begun.
        advance: Called with the number of frames that were tracked.
    """
    videos: dict[Item, VideoPeople] = {}
    failed: dict[Item, FacemoodError] = {}
    for item in filter(is_video, inputs):
        name = name_of_item(item)
        begin(name)
        try:
            with input_errors(name), local_video(item) as video:
                videos[item] = _track(video, pipeline, options, advance)
                tell_joined(name, videos[item].people)
        except FacemoodError as error:
            failed[item] = error
    joined = join_videos(list(videos.values()), people=known_number(options))
    if joined:
        _tell(joined, options)
    return {**dict(zip(videos, joined, strict=True)), **failed}


def _track(item: Item, pipeline: Pipeline, options: VideoOptions, advance: Callable[[int], None]) -> VideoPeople:
    """Track a video, and join its tracks."""
    scene = pipeline.track(options, orientation=find_orientation(item, pipeline))
    return VideoPeople.of(track_looks(item, pipeline, options, scene, advance), most=known_number(options))


def _tell(joined: list[People], options: VideoOptions) -> None:
    """Tell how many people the people of all videos are."""
    found, several = joined[0].total, count(len(joined), "video")
    people = sum(len(video.seconds) for video in joined)
    logger.info("%s: %s joined to %s", several, count(people, "person", "people"), count(found, "person", "people"))
    warn_of_numbers(several, found, options)
