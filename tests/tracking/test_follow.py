import dataclasses
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from facemood.defaults import MIN_FACE
from facemood.geometry import box_of_points, iou
from facemood.schema import Face, Frame, Image
from facemood.sources import load_image
from facemood.stages.detect import DetectOptions, FinderDetector
from facemood.stages.landmarks import PRESENT
from facemood.tracking.follow import (
    DETECT_EVERY,
    LARGE,
    MAX_MISSES,
    SEARCH_EVERY,
    FaceFollower,
    is_same_shot,
    is_unreliable,
    thumbnail,
)
from facemood.tracking.tracker import TrackOptions
from tests.moving_faces import Person, Sighting, Video, away, make_video, read_photo, standing, walking

SMALL = (320, 240)


class Loose:
    """A detector by a user: the finder's faces in boxes that are a fifth larger, without landmarks."""

    name = "loose"

    def __init__(self, finder: FinderDetector) -> None:
        self.finder = finder

    def __call__(self, image: Image) -> list[Face]:
        return [Face(grown(face), face.score) for face in self.finder(image)]


class Mistaken:
    """A detector that always reports a face at one position."""

    name = "mistaken"

    def __init__(self, face: Face) -> None:
        self.face = face

    def __call__(self, image: Image) -> list[Face]:
        return [self.face]


class Forgetful(Loose):
    """A detector that finds faces in its first image only."""

    images = 0

    def __call__(self, image: Image) -> list[Face]:
        self.images += 1
        return super().__call__(image) if self.images == 1 else []


@pytest.fixture(scope="module")
def finder() -> FinderDetector:
    return FinderDetector(threads=1)


@pytest.fixture
def people(finder: FinderDetector) -> FaceFollower:
    return FaceFollower(finder, finder.landmark_model)


def grown(face: Face) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """A face's box, a fifth larger around its centre."""
    middle = (face.box[:2] + face.box[2:]) / 2
    return np.asarray(np.tile(middle, 2) + 1.2 * (face.box - np.tile(middle, 2)), np.float32)


def still(image: Image, count: int, *, first: int = 0) -> list[Frame]:
    """Frames with the same image, 30 per second."""
    return [Frame(image, index=index, timestamp=index / 30) for index in range(first, first + count)]


def number_of(seen: Sighting, faces: list[Face]) -> int | None:
    """The track ID of the face on a person; None if there is none."""
    if not faces:
        return None
    shared = iou(seen.box[None], np.stack([face.box for face in faces]))[0]
    return faces[int(shared.argmax())].track_id if shared.max() > 0.4 else None


def numbers_of(people: FaceFollower, video: Video) -> list[set[int | None]]:
    """Track IDs of each person of a video while at least half of the face is visible; None where it is not found."""
    given: dict[int, set[int | None]] = {}
    for frame, truth in zip(video.frames, video.truth, strict=True):
        faces = people.find(frame)
        for seen in truth:
            if seen.visible > 0.5:
                given.setdefault(seen.person, set()).add(number_of(seen, faces))
    return [given[person] for person in sorted(given)]


def crossing(seconds: float = 1.2) -> Video:
    """Two people pass each other, the second in front."""
    return make_video(
        [
            Person("astronaut", walking((50, 120, 50), (270, 120, 50), seconds)),
            Person("hopper", walking((270, 125, 56), (50, 125, 56), seconds)),
        ],
        seconds,
        size=SMALL,
    )


def through_video(video: Video, file: Path) -> Video:
    """A video, encoded and decoded as an H.264 file."""
    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"crf": "23"})
        stream.width, stream.height, stream.pix_fmt = *SMALL, "yuv420p"
        for frame in video.frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame.image, format="bgr24")))
        container.mux(stream.encode())
    with av.open(str(file)) as container:
        frames = [
            Frame(np.asarray(frame.to_ndarray(format="bgr24"), np.uint8), index=index, timestamp=frame.time)
            for index, frame in enumerate(container.decode(video=0))
        ]
    return Video(frames, video.truth)


def test_two_people_who_cross_in_a_video_file_keep_their_track_ids(people: FaceFollower, tmp_path: Path) -> None:
    given = numbers_of(people, through_video(crossing(), tmp_path / "crossing.mp4"))
    assert sorted(number for numbers in given for number in numbers if number) == [1, 2]


def test_a_person_and_her_mirror_image_keep_their_track_ids(people: FaceFollower) -> None:
    video = make_video(
        [
            Person("astronaut", walking((50, 115, 56), (270, 115, 56), 1.2)),
            Person("astronaut", walking((270, 125, 50), (50, 125, 50), 1.2), mirrored=True, light=0.9),
        ],
        1.2,
        size=SMALL,
    )
    given = numbers_of(people, video)
    assert sorted(number for numbers in given for number in numbers if number) == [1, 2]


def test_a_face_is_followed_without_the_detector(people: FaceFollower, finder: FinderDetector) -> None:
    video = make_video([Person("astronaut", walking((120, 110, 60), (180, 130, 66), 0.7))], 0.7, size=SMALL)
    ran = []
    for frame, (seen,) in zip(video.frames, video.truth, strict=True):
        (face,) = people.find(frame)
        ran.append(people.detected)
        assert face.track_id == 1
        assert face.score >= PRESENT
        assert face.landmarks is not None
        np.testing.assert_allclose(face.box, box_of_points(face.landmarks), atol=0.01)
        (detected_again,) = finder(frame.image)
        assert iou(face.box[None], np.stack([detected_again.box, seen.box])).min() > 0.75
    assert ran == [index % DETECT_EVERY == 0 for index in range(len(ran))]
    assert (people.frames, people.detections) == (len(ran), sum(ran))


def test_the_detector_may_run_on_every_frame(finder: FinderDetector, astronaut: Path) -> None:
    people = FaceFollower(finder, finder.landmark_model, every=1)
    for frame in still(load_image(astronaut), 4):
        assert [face.track_id for face in people.find(frame)] == [1]
    assert people.detections == 4
    with pytest.raises(ValueError, match="every 1 or more frames, but got every=0"):
        FaceFollower(finder, finder.landmark_model, every=0)


def test_the_detector_runs_every_second_frame_of_an_empty_scene(people: FaceFollower) -> None:
    video = make_video([Person("hopper", away(standing(160, 120, 60), 0, 0.3))], 0.6, size=SMALL)
    empty = [people.find(frame) for frame in video.frames[:9]]
    assert empty == [[]] * 9
    assert people.detections == 5
    found = [len(people.find(frame)) for frame in video.frames[9:]]
    assert found[SEARCH_EVERY - 1 :] == [1] * (len(found) - SEARCH_EVERY + 1)


class Asked(FinderDetector):
    """The finder, which notes the smallest face of each search."""

    def __init__(self) -> None:
        super().__init__(threads=1)
        self.asked: list[float] = []

    def __call__(self, image: Image) -> list[Face]:
        self.asked.append(self.options.min_size)  # one list for all copies
        return super().__call__(image)


@pytest.mark.parametrize(("large", "expected"), [(True, {MIN_FACE, LARGE}), (False, {MIN_FACE})])
def test_small_faces_are_looked_for_once_a_second_where_all_known_ones_are_large(
    astronaut: Path, large: bool, expected: set[float]
) -> None:
    image = load_image(astronaut) if large else cv2.resize(load_image(astronaut), (256, 256))
    detector = Asked()
    people = FaceFollower(detector, detector.landmark_model)
    for frame in still(np.asarray(image, np.uint8), 61):
        assert len(people.find(frame)) == 1
    assert detector.asked[0] == MIN_FACE
    assert set(detector.asked) == expected
    assert detector.asked.count(MIN_FACE) == (3 if large else len(detector.asked))  # at 0, 1 and 2 seconds


def test_a_small_face_that_comes_is_found_within_a_second(people: FaceFollower) -> None:
    image = np.asarray(cv2.resize(read_photo("astronaut.png"), (200, 200), interpolation=cv2.INTER_AREA), np.uint8)
    empty = np.full((240, 320, 3), 128, np.uint8)
    full = empty.copy()
    full[20:220, 60:260] = image
    found = [len(people.find(Frame(full if index >= 4 else empty, timestamp=index / 15))) for index in range(24)]
    assert found[:4] == [0] * 4
    assert found[-1] == 1
    assert found.index(1) <= 4 + 15


@pytest.mark.parametrize(("patience", "number"), [(1.5, 1), (0.2, 2)])
def test_a_person_who_comes_back_in_time_keeps_the_track_id(
    finder: FinderDetector, patience: float, number: int
) -> None:
    people = FaceFollower(finder, finder.landmark_model, track=TrackOptions(patience=patience))
    video = make_video([Person("hopper", away(standing(160, 120, 60), 0.3, 0.8))], 1.0, size=SMALL)
    numbers = [[face.track_id for face in people.find(frame)] for frame in video.frames]
    assert numbers[8] == [1]
    assert numbers[12:24] == [[]] * 12
    assert numbers[-1] == [number]


def test_after_a_cut_another_face_at_the_same_position_is_another_person(people: FaceFollower, astronaut: Path) -> None:
    """One photo, then another with its face at the same position, then the first again."""
    first, second = load_image(astronaut), load_image(astronaut.with_name("grace_hopper.jpg"))
    scale = 93 / 188
    matrix = np.array([[scale, 0, 225.5 - scale * 262], [0, scale, 119 - scale * 225.5]])
    second = np.asarray(cv2.warpAffine(second, matrix, (512, 512)), np.uint8)
    numbers, ran = [], []
    for index, image in enumerate([first] * 3 + [second] * 3 + [first] * 3):
        (face,) = people.find(Frame(image, index=index, timestamp=index / 30))
        numbers.append(face.track_id)
        ran.append(people.detected)
    assert numbers == [1] * 3 + [2] * 3 + [1] * 3
    assert (ran[:5], ran[6:8]) == ([True, False, False, True, False], [True, False])


def test_the_detector_runs_after_a_long_gap(people: FaceFollower, astronaut: Path) -> None:
    image = load_image(astronaut)
    for index in range(3):
        (face,) = people.find(Frame(image, index=index, timestamp=index * 0.5))
        assert people.detected
        assert face.track_id == 1


def test_at_a_low_frame_rate_the_detector_runs_every_half_second(finder: FinderDetector, astronaut: Path) -> None:
    image, people = load_image(astronaut), FaceFollower(finder, finder.landmark_model, every=100)
    ran = []
    for index in range(9):
        (face,) = people.find(Frame(image, index=index, timestamp=index * 0.25))
        assert face.track_id == 1
        ran.append(people.detected)
    assert ran == [True, False] * 4 + [True]


def test_frames_without_timestamps_are_tracked_like_a_video(people: FaceFollower, astronaut: Path) -> None:
    image = load_image(astronaut)
    for index in range(4):
        people.find(Frame(image, index=index))
    assert people.detections == 1


def test_followed_boxes_keep_the_detectors_framing(finder: FinderDetector) -> None:
    video = make_video([Person("hopper", walking((120, 110, 60), (150, 120, 64), 0.4))], 0.4, size=SMALL)
    people = FaceFollower(Loose(finder), finder.landmark_model)
    for frame in video.frames:
        (face,) = people.find(frame)
        assert face.landmarks is not None
        inner = box_of_points(face.landmarks)
        ratio = (face.box[2:] - face.box[:2]) / (inner[2:] - inner[:2])
        np.testing.assert_allclose(ratio, 1.2, atol=0.1)
    assert people.detections < people.frames / 3


def test_the_detector_runs_on_every_frame_for_a_face_without_landmarks(finder: FinderDetector, astronaut: Path) -> None:
    beside = Face(np.array([380, 20, 470, 110], np.float32), 0.8)
    people = FaceFollower(Mistaken(beside), finder.landmark_model)
    for frame in still(load_image(astronaut), 4):
        (face,) = people.find(frame)
        assert face.landmarks is None
        assert face.track_id == 1
    assert people.detections == 4


def test_a_face_that_the_detector_misses_is_followed_for_a_limited_time(
    finder: FinderDetector, astronaut: Path
) -> None:
    people = FaceFollower(Forgetful(finder), finder.landmark_model)
    found = [len(people.find(frame)) for frame in still(load_image(astronaut), (MAX_MISSES + 2) * DETECT_EVERY)]
    last = (MAX_MISSES + 1) * DETECT_EVERY
    assert found == [1] * last + [0] * (len(found) - last)


def test_the_detect_options_apply_to_followed_faces(finder: FinderDetector) -> None:
    video = make_video(
        [Person("astronaut", standing(90, 120, 40)), Person("hopper", standing(230, 120, 66))], 0.3, size=SMALL
    )
    largest = FaceFollower(finder, finder.landmark_model, DetectOptions(max_faces=1))
    large = FaceFollower(finder, finder.landmark_model, DetectOptions(min_size=50))
    every = FaceFollower(finder, finder.landmark_model)
    for frame, (_, hopper) in zip(video.frames, video.truth, strict=True):
        for one in (largest, large):
            (face,) = one.find(frame)
            assert number_of(hopper, [face]) == 1
        first, second = every.find(frame)
        assert first.area > second.area


def test_thumbnails_distinguish_a_cut_from_other_changes(astronaut: Path) -> None:
    photo, other = load_image(astronaut), load_image(astronaut.with_name("grace_hopper.jpg"))
    own = thumbnail(photo)
    assert own.shape == (24, 32)
    for same in (photo // 2, np.roll(photo, (12, 20), axis=(0, 1)), photo[::2, ::2]):
        assert is_same_shot(own, thumbnail(np.asarray(same, np.uint8)))
    assert not is_same_shot(own, thumbnail(other))
    assert not is_same_shot(own, thumbnail(255 - photo))
    black = thumbnail(np.zeros_like(photo))
    assert is_same_shot(own, black)
    assert is_same_shot(black, black)


@pytest.mark.parametrize(
    ("moved", "score", "unreliable"),
    [
        ("nowhere", 0.99, False),
        ("nowhere", 0.7, True),
        ("a little", 0.99, False),
        ("far", 0.99, True),
        ("larger", 0.99, True),
        ("twisted", 0.99, True),
    ],
)
def test_implausible_changes_are_unreliable(
    finder: FinderDetector, astronaut: Path, moved: str, score: float, unreliable: bool
) -> None:
    (face,) = finder(load_image(astronaut))
    points = face.landmarks
    assert points is not None
    wobble = np.random.default_rng(1).normal(0, 8, points.shape).astype(np.float32)
    places = {
        "nowhere": points,
        "a little": points + 8,
        "far": points + 40,
        "larger": points.mean(axis=0) + 1.4 * (points - points.mean(axis=0)),
        "twisted": points + wobble,
    }
    now = dataclasses.replace(face, landmarks=places[moved], score=score)
    assert is_unreliable(face, now) == unreliable


@pytest.mark.dataset
@pytest.mark.parametrize(("name", "frames"), [("a.mp4", 115), ("b.mp4", 464)])
def test_the_one_person_of_a_clip_has_one_track_id(
    people: FaceFollower, shared_data: Path, name: str, frames: int
) -> None:
    with av.open(str(shared_data / "videos" / name)) as container:
        for index, read in enumerate(container.decode(video=0)):
            image = np.asarray(read.to_ndarray(format="bgr24"), np.uint8)
            faces = people.find(Frame(image, index=index, timestamp=read.time))
            assert [face.track_id for face in faces] == [1]
    assert people.frames == frames
    assert people.detections < 0.25 * frames
