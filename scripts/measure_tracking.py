"""Evaluate the tracker on synthetic and real videos; write docs/tracking.json and the page docs/tracking.md.

    python scripts/measure_tracking.py [CLIPS]

In the synthetic videos, faces of the example photos move over a background along known paths, random from `SEED` on.
CLIPS is a folder with ``a.mp4`` and ``b.mp4``, which show one person each. The run takes 15 minutes on one core.
``--page`` only rewrites the page, from the figures.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""

sys.path.insert(0, str(ROOT))

from facemood.geometry import iou  # noqa: E402
from facemood.schema import Face, Frame  # noqa: E402
from facemood.stages.detect import FinderDetector  # noqa: E402
from facemood.text import exact_percent, fill_template, markdown_table  # noqa: E402
from facemood.tracking.follow import FaceFollower  # noqa: E402
from scripts.network_digest import digest  # noqa: E402
from tests.moving_faces import (  # noqa: E402
    Person,
    Sighting,
    Video,
    crossing,
    elsewhere,
    four,
    hidden,
    leaving,
    make_video,
    meeting,
    replaced,
    walking,
)

DOCS = ROOT / "docs"
"""Where the page goes."""

SEED = 70_000
"""First seed of the reported videos. The tracker was developed on seeds 1,000 to 2,999."""

CLIPS = ("a.mp4", "b.mp4")
"""Real videos with one face."""

FOUND = 0.4
"""Intersection over union from which on a box is on a person's face."""

VISIBLE = 0.5
"""Share of a face that must be visible for it to count."""

ROUNDS = 60
"""Number of timed frames."""


class Count:
    """Errors of the tracker on some videos.

    Attributes:
        videos: Number of videos.
        faces: Visible faces, over all frames.
        found: Visible faces with a matching box.
        false: Boxes that match no face.
        taken: Changes of a person's number to one that another person had.
        new: Changes to any other number.
        frames: Number of frames.
        finds: Frames on which the detector ran.
    """

    def __init__(self) -> None:
        self.videos = self.faces = self.found = self.false = self.taken = self.new = self.frames = self.finds = 0
        self._numbers: dict[int, int] = {}
        self._owners: dict[int, int] = {}

    def begin(self) -> None:
        """Start the next video: forget all numbers."""
        self.videos += 1
        self._numbers.clear()
        self._owners.clear()

    def add(self, truth: list[Sighting], faces: list[Face]) -> None:
        """Count one frame."""
        on = match(truth, faces)
        self.false += len(faces) - len(on)
        for sighting in truth:
            if sighting.visible < VISIBLE:
                continue
            self.faces += 1
            if sighting.person in on:
                self.found += 1
                self._follow(sighting.person, on[sighting.person].track_id or 0)

    def _follow(self, person: int, number: int) -> None:
        """Count a change of a person's number."""
        owner = self._owners.setdefault(number, person)
        if self._numbers.setdefault(person, number) != number:
            self.taken, self.new = self.taken + (owner != person), self.new + (owner == person)
            self._numbers[person] = number

    @property
    def shared(self) -> bool:
        """Whether two people of the last video had the same number."""
        return len(set(self._numbers.values())) < len(self._numbers)


def main() -> None:
    """Measure, and write figures and page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", type=Path, nargs="?", help="a folder with a.mp4 and b.mp4")
    parser.add_argument("--page", action="store_true", help="write the page from the figures that are there")
    options = parser.parse_args()
    figures = DOCS / "tracking.json"
    if not options.page:
        known = json.loads(figures.read_text(encoding="utf-8")) if figures.is_file() else {"clips": {}}
        known |= measure(options.clips)
        figures.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    (DOCS / "tracking.md").write_text(page(json.loads(figures.read_text(encoding="utf-8"))), encoding="utf-8")


def measure(clips: Path | None) -> dict[str, Any]:
    """Measure everything; the clips only if they are available."""
    cv2.setNumThreads(1)
    detector = FinderDetector(threads=1)
    known: dict[str, Any] = {
        "with": {
            "machine": f"{platform.machine()}, one thread",
            "opencv": cv2.__version__,
            **{name: digest(name) for name in ("finder", "landmarks")},
        },
        "videos": {name: follow_videos(detector, name) for name in VIDEOS},
        "milliseconds": {str(people): measure_time(detector, people) for people in (0, 1, 4)},
    }
    return known if clips is None else known | {"clips": {name: follow_clip(detector, clips / name) for name in CLIPS}}


def follow_videos(detector: FinderDetector, name: str) -> dict[str, int]:
    """Count over the synthetic videos of one kind."""
    print(name, file=sys.stderr)
    number, make = VIDEOS[name]
    count, mistaken = Count(), 0
    for seed in range(SEED, SEED + number):
        video = make(np.random.default_rng(seed))
        follow(detector, zip(video.frames, video.truth, strict=True), count)
        mistaken += count.shared
    return figures_of(count) | {"mistaken": mistaken}


def follow(detector: FinderDetector, frames: Iterable[tuple[Frame, list[Sighting]]], count: Count) -> FaceFollower:
    """Track the people of one video, and count."""
    people = FaceFollower(detector, detector.landmark_model)
    count.begin()
    for frame, truth in frames:
        count.add(truth, people.find(frame))
    count.frames, count.finds = count.frames + people.frames, count.finds + people.detections
    return people


def figures_of(count: Count) -> dict[str, int]:
    """Return what was counted."""
    return {name: value for name, value in vars(count).items() if not name.startswith("_")}


def match(truth: list[Sighting], faces: list[Face]) -> dict[int, Face]:
    """Match boxes to people by IoU; the most visible people choose first."""
    left, on = list(faces), dict[int, Face]()
    for sighting in sorted(truth, key=lambda one: -one.visible):
        if not left:
            break
        shared = iou(sighting.box[None], np.stack([face.box for face in left]))[0]
        if shared.max() > FOUND:
            on[sighting.person] = left.pop(int(shared.argmax()))
    return on


def follow_clip(detector: FinderDetector, file: Path) -> dict[str, int]:
    """Count the numbers that the person of a clip gets, and the frames in which a face is found."""
    people, numbers, found, false = FaceFollower(detector, detector.landmark_model), set(), 0, 0
    for frame in read_frames(file):
        faces = people.find(frame)
        numbers |= {face.track_id for face in faces}
        found, false = found + bool(faces), false + max(len(faces) - 1, 0)
    return {"frames": people.frames, "found": found, "more": false, "numbers": len(numbers), "finds": people.detections}


def read_frames(file: Path) -> Iterator[Frame]:
    """Yield the frames of a clip with their times."""
    with av.open(str(file)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            yield Frame(
                np.asarray(frame.to_ndarray(format="bgr24"), np.uint8),
                source=file.name,
                index=index,
                timestamp=frame.time,
            )


def measure_time(detector: FinderDetector, number: int) -> dict[str, float]:
    """Return CPU milliseconds of `FaceFollower.find` at 640x480: with the detector, without it, and the mean."""
    looks = [("astronaut", False, 1.0), ("hopper", False, 1.0), ("astronaut", True, 0.8), ("hopper", True, 1.1)]
    moving = [
        Person(name, walking((80 + 160 * place, 200, 80), (90 + 160 * place, 260, 80), ROUNDS / 30), mirrored, light)
        for place, (name, mirrored, light) in enumerate(looks[:number])
    ]
    video = make_video(moving, ROUNDS / 30, seed=SEED)
    people, spent = FaceFollower(detector, detector.landmark_model), dict[bool, list[float]]({True: [], False: []})
    for frame in video.frames:
        started = time.thread_time()
        people.find(frame)
        spent[people.detected].append(1000 * (time.thread_time() - started))
    sides = {name: statistics.median(spent[found]) for name, found in (("with", True), ("without", False))}
    share = people.detections / people.frames
    mean = share * sides["with"] + (1 - share) * sides["without"]
    return {name: round(value, 2) for name, value in {**sides, "mean": mean, "share": share}.items()}


VIDEOS: dict[str, tuple[int, Callable[[np.random.Generator], Video]]] = {
    "two people cross": (30, crossing("different")),
    "two who look alike cross": (30, crossing("alike")),
    "two people cross, 15 frames a second": (20, crossing("different", rate=15)),
    "two people meet and turn back": (20, meeting("different")),
    "two who look alike meet and turn back": (20, meeting("alike")),
    "two pairs cross, four crossings a video": (10, four),
    "one is hidden for 0.2 to 1.3 s": (20, hidden),
    "one is back elsewhere after 0.2 to 1.3 s": (10, elsewhere),
    "one leaves the frame and comes back": (20, leaving),
    "one goes and another comes to the place": (20, replaced),
}
"""Kinds of synthetic videos: how many are reported, and the function that makes a random one."""


def page(known: dict[str, Any]) -> str:
    """Write the page from the figures."""
    text = (ROOT / "scripts" / "tracking.template.md").read_text(encoding="utf-8")
    videos = [video_row(name, found) for name, found in known["videos"].items()]
    clips = [clip_row(name, found) for name, found in known["clips"].items()]
    times = [
        {
            "people": people,
            "mean ms per frame": f"{spent['mean']:.1f}",
            "ms with the detector": f"{spent['with']:.1f}",
            "ms without": f"{spent['without']:.1f}",
            "frames with the detector": exact_percent(spent["share"]),
        }
        for people, spent in known["milliseconds"].items()
    ]
    made = {
        "videos": markdown_table(videos),
        "clips": markdown_table(clips) if clips else "The clips were not available.",
        "times": markdown_table(times),
        "seed": f"{SEED:,}",
        "with": f"OpenCV {known['with']['opencv']}, {known['with']['machine']}; finder {known['with']['finder']}, "
        f"landmarks {known['with']['landmarks']} (SHA-256, first 12 digits)",
    }
    return fill_template(text, made)


def video_row(name: str, found: dict[str, int]) -> dict[str, str]:
    """Return the row of a kind of synthetic videos."""
    return {
        "videos": name,
        "count": str(found["videos"]),
        "switches": str(found["taken"]),
        "new numbers": str(found["new"]),
        "shared numbers": str(found["mistaken"]),
        "faces found": f"{found['found']:,} of {found['faces']:,} ({exact_percent(found['found'] / found['faces'])})",
        "false boxes": str(found["false"]),
        "frames with the detector": exact_percent(found["finds"] / found["frames"]),
    }


def clip_row(name: str, found: dict[str, int]) -> dict[str, str]:
    """Return the row of a clip."""
    return {
        "clip": name,
        "frames": str(found["frames"]),
        "with a face": str(found["found"]),
        "extra boxes": str(found["more"]),
        "numbers": str(found["numbers"]),
        "frames with the detector": exact_percent(found["finds"] / found["frames"]),
    }


if __name__ == "__main__":
    main()
