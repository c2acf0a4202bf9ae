"""Find the people of a video: track all its faces once, and join the tracks of each person by how they look."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from facemood.pipeline import Pipeline
from facemood.schema import Frame
from facemood.sources import Item, open_video
from facemood.sources.ahead import read_ahead
from facemood.stages.orientation import UprightView
from facemood.tracking import Gallery, People, VideoOptions, VideoScene, join_tracks
from facemood.tracking.appearance_model import AppearanceModel
from facemood.tracking.follow import time_of


def find_people(
    item: Item, pipeline: Pipeline, options: VideoOptions, scene: VideoScene, advance: Callable[[int], None]
) -> People:
    """Track the faces of a whole video, and join the tracks of each person by how they look.

    Embeddings are kept for each track, in memory, until this function returns. The arguments are those of
    `track_looks`.
    """
    return join_tracks(track_looks(item, pipeline, options, scene, advance), people=known_number(options))


def track_looks(
    item: Item, pipeline: Pipeline, options: VideoOptions, scene: VideoScene, advance: Callable[[int], None]
) -> Gallery:
    """Track the faces of a whole video, and return how each track looks.

    Args:
        item: The video.
        pipeline: The stages; only faces and their landmarks are found.
        options: How the video is read.
        scene: A scene that tracks it from its beginning.
        advance: Called with the number of frames that were tracked.
    """
    model, gallery = AppearanceModel(), Gallery()
    with contextlib.closing(read_ahead(open_video(item, every=options.step), _area)) as frames:
        for frame in frames:
            if scene.glance(frame) is None:
                view = scene.find(frame)
                look_at(gallery, model, view, time_of(frame), detector=pipeline.detector.name)
            advance(1)
    return gallery


def known_number(options: VideoOptions) -> int | None:
    """Return how many people there are, if the options say it.

    Example:
        >>> known_number(VideoOptions(people=2)), known_number(VideoOptions(people="auto"))
        (2, None)
    """
    return None if options.people is None or isinstance(options.people, str) else int(options.people)


def look_at(gallery: Gallery, model: AppearanceModel, view: UprightView, now: float, *, detector: str) -> None:
    """Add the faces of a frame to a gallery, with the embeddings of those whose track wants another one.

    Args:
        gallery: The looks of the video's tracks.
        model: Embeds faces.
        view: The frame, turned upright, and its tracked faces.
        now: Time of the frame in seconds.
        detector: Name of the detector that found them.
    """
    gallery.add(view.faces, now)
    due = [face for face in view.faces if face.track_id is not None and gallery.due(face.track_id, now)]
    for face, embedding in zip(due, model.embed(view.frame.image, due, detector=detector), strict=True):
        if embedding is not None and face.track_id is not None:
            gallery.look(face.track_id, embedding, now)


def _area(frame: Frame) -> int:
    """Return the pixels of a frame."""
    return frame.size[0] * frame.size[1]
