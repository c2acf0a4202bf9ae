"""Measure how well people are joined across cuts; write docs/people.json and the page docs/people.md.

    python scripts/measure_people.py DATA

DATA is a folder with ``photos/`` (``faces.json``: the annotated faces of each photo) and ``videos/`` (``a.mp4`` and
``b.mp4``, one person each). Videos of shots are made of them, random from `SEED` on, and read as any video is. The
threshold was chosen on `CHOOSE`, the first photos; the others are only reported. ``--same-people`` measures only how
people are joined across videos, and leaves the other figures as they are. ``--page`` only rewrites the page and the
card, from the figures.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""

sys.path.insert(0, str(ROOT))

from facemood.geometry import Floats, iou  # noqa: E402
from facemood.models import APPEARANCE, ModelSession, find_model  # noqa: E402
from facemood.models.card import write_card  # noqa: E402
from facemood.models.card_markdown import card_page  # noqa: E402
from facemood.people_search import look_at  # noqa: E402
from facemood.pipeline import Pipeline  # noqa: E402
from facemood.recognizer import EmotionRecognizer  # noqa: E402
from facemood.schema import Frame, Image  # noqa: E402
from facemood.stages.landmarks import landmarks_of  # noqa: E402
from facemood.text import exact_percent, fill_template, markdown_table  # noqa: E402
from facemood.tracking import Gallery, People, join_tracks  # noqa: E402
from facemood.tracking.appearance_model import AppearanceModel  # noqa: E402
from facemood.tracking.least_cost import assign  # noqa: E402
from facemood.tracking.people import SAME  # noqa: E402
from facemood.tracking.video_options import VideoOptions  # noqa: E402
from scripts import people_across  # noqa: E402
from scripts.made_shots import FRAMES, RATE, Shot, Shown, make_video  # noqa: E402

DOCS = ROOT / "docs"
"""Where the page goes."""

SEED = 50_000
"""First seed of the reported videos."""

CHOOSE = 5
"""Number of photos, the first by name, on which the threshold was chosen; the others are only reported."""

ON_FACE = 0.35
"""Intersection over union from which a found face is a person's."""

STEPS = {"a.mp4": 3, "b.mp4": 3}
"""Every so many frames of each clip are shown."""

CLIP_FRAMES = 12
"""Frames of a shot of a clip."""

WRONG_LIMIT = 0.01
"""Share of wrong pairs at which the kinds of looks are compared."""

Sights = list[tuple[dict[int, int], int]]
"""Of each frame: the number of each person who was found, and how many faces were found in all."""


@dataclasses.dataclass(frozen=True)
class Material:
    """Photos with people, and clips.

    Attributes:
        photos: Image and people of each photo: the 68 points by person.
        clips: Frames of each clip with the points of its person.
    """

    photos: list[tuple[Image, dict[int, Floats]]]
    clips: list[tuple[list[Image], list[Floats]]]

    def faces(self, photos: slice) -> list[tuple[int, int]]:
        """Return photo and person of all faces in some photos."""
        chosen = range(len(self.photos))[photos]
        return [(photo, person) for photo in chosen for person in self.photos[photo][1]]

    def still(self, photo: int, person: int) -> Shot:
        """Return a shot of a photo around a person."""
        image, people = self.photos[photo]
        return Shot([image] * FRAMES, [people] * FRAMES, person)

    def moving(self, clip: int, first: int) -> Shot:
        """Return a shot of a clip from a frame on; the person of clip 0 is -1, that of clip 1 is -2."""
        images, points = self.clips[clip]
        rows = range(first, first + CLIP_FRAMES)
        return Shot([images[row] for row in rows], [{-1 - clip: points[row]} for row in rows], -1 - clip)


def load(data: Path, pipeline: Pipeline) -> Material:
    """Read photos and clips."""
    number, photos = itertools.count(), []
    for name, faces in sorted(json.loads((data / "photos" / "faces.json").read_text()).items()):
        image = cv2.imread(str(data / "photos" / name))
        people = {next(number): np.array(face["points68"], np.float32) for face in faces}
        photos.append((np.asarray(image, np.uint8), people))
    clips = []
    for name, step in STEPS.items():
        images, points = [], []
        scene = pipeline.track()
        with av.open(str(data / "videos" / name)) as container:
            for index, frame in enumerate(container.decode(video=0)):
                picture = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
                faces_here = scene.find(Frame(picture, index=index, timestamp=frame.time)).faces
                found = landmarks_of(faces_here[0]) if faces_here else None
                if index % step == 0 and found is not None:
                    images.append(picture)
                    points.append(found)
        clips.append((images, points))
    return Material(photos, clips)


def read(video: Sequence[Shown], pipeline: Pipeline, model: AppearanceModel) -> tuple[Sights, Gallery]:
    """Track a made video as `people_search.find_people` does; the numbers are those of the tracks."""
    scene, gallery, sights = pipeline.track(VideoOptions(people="auto")), Gallery(), []
    for one in video:
        view = scene.find(one.frame)
        look_at(gallery, model, view, one.frame.timestamp or 0.0, detector=pipeline.detector.name)
        left, found = list(view.faces), dict[int, int]()
        for person, box in one.boxes.items():
            shares = iou(box[None], np.stack([face.box for face in left]))[0] if left else np.zeros(1)
            if shares.max() > ON_FACE:
                found[person] = left.pop(int(shares.argmax())).track_id or 0
        sights.append((found, len(view.faces)))
    return sights, gallery


class Tally:
    """Counts over made videos of one kind.

    Attributes:
        videos: Number of videos.
        tracks: Number of tracks.
        people: Number of true people, over all videos.
        found: Number of people after joining.
        right: Videos in which the number of people who are seen is right.
        switches: How often a person's number changes.
        hits: Faces that have the number of their person, by the best match of numbers and people.
        true: Faces that are there.
        said: Faces that are found.
        pairs: Pairs of different people who are never in one frame.
        wrong: Those of them who share a number.
    """

    def __init__(self) -> None:
        self.videos = self.tracks = self.people = self.found = self.right = self.switches = 0
        self.hits = self.true = self.said = self.pairs = self.wrong = 0

    def add(self, video: Sequence[Shown], sights: Sights, people: People) -> None:
        """Count one video."""
        votes, last = Counter[tuple[int, int]](), dict[int, int]()
        numbers, beside = defaultdict[int, set[int]](set), set[tuple[int, int]]()
        for shown, (found, said) in zip(video, sights, strict=True):
            self.true, self.said = self.true + len(shown.boxes), self.said + said
            beside |= set(itertools.permutations(shown.boxes, 2))
            for person, track in found.items():
                number = people.number(track)
                votes[person, number] += 1
                numbers[person].add(number)
                self.switches += last.get(person, number) != number
                last[person] = number
        self.videos, self.tracks = self.videos + 1, self.tracks + len(people.numbers)
        self.people, self.found = self.people + len(numbers), self.found + len(people.seconds)
        self.right += len(numbers) == len(set().union(*numbers.values()))
        self.hits += _best_match(votes)
        for one, other in itertools.combinations(numbers, 2):
            if (one, other) not in beside:
                self.pairs += 1
                self.wrong += bool(numbers[one] & numbers[other])

    @property
    def figures(self) -> dict[str, float]:
        """The counts, and IDF1 (Ristani et al. 2016)."""
        return {**vars(self), "idf1": round(2 * self.hits / max(self.true + self.said, 1), 4)}


def _best_match(votes: Counter[tuple[int, int]]) -> int:
    """Return the largest number of faces with their person's number, if each person has one number and each its own."""
    rows, columns = (sorted({pair[place] for pair in votes}) for place in (0, 1))
    if not votes:
        return 0
    table = np.array([[votes[row, column] for column in columns] for row in rows], np.float32)
    most = float(table.max())
    return int(sum(table[row, column] for row, column in assign(most - table, most + 1)))


def alone(gallery: Gallery) -> People:
    """Return the tracks as they are, as people."""
    return People({track: track for track in gallery.tracks}, dict.fromkeys(gallery.tracks, 0.0))


Make = Callable[[np.random.Generator, Material], list[Shot]]
"""Makes the shots of a random video."""


def pairs_of(photos: slice) -> Make:
    """Two shots of two different people."""

    def make(random: np.random.Generator, material: Material) -> list[Shot]:
        faces = material.faces(photos)
        return [material.still(*faces[row]) for row in random.choice(len(faces), 2, replace=False)]

    return make


def returns_of(photos: slice) -> Make:
    """One person, others for more than two seconds, the first one again."""

    def make(random: np.random.Generator, material: Material) -> list[Shot]:
        faces = material.faces(photos)
        one, *others = (faces[row] for row in random.choice(len(faces), 4, replace=False))
        return [material.still(*face) for face in (one, *others, one)]

    return make


def several_of(photos: slice) -> Make:
    """Ten shots of four people, in random order."""

    def make(random: np.random.Generator, material: Material) -> list[Shot]:
        faces = material.faces(photos)
        cast = [faces[row] for row in random.choice(len(faces), 4, replace=False)]
        order = [*range(4), *random.integers(0, 4, 6).tolist()]
        return [material.still(*cast[row]) for row in random.permutation(order).tolist()]

    return make


def turns(random: np.random.Generator, material: Material) -> list[Shot]:
    """Five shots of the two clips in turns, each of other frames."""
    starts = [_apart(random, len(images), count) for (images, _), count in zip(material.clips, (3, 2), strict=True)]
    return [material.moving(place % 2, starts[place % 2][place // 2]) for place in range(5)]


def _apart(random: np.random.Generator, frames: int, count: int) -> list[int]:
    """Return the first frames of shots that share no frame, in random order."""
    room = (frames - count * CLIP_FRAMES) // count
    starts = [place * (CLIP_FRAMES + room) + int(random.integers(0, room + 1)) for place in range(count)]
    return [starts[place] for place in random.permutation(count).tolist()]


def crowd(random: np.random.Generator, material: Material) -> list[Shot]:
    """The two clips in turns, between shots of four people of the reported photos."""
    faces = material.faces(slice(CHOOSE, None))
    stills = [material.still(*faces[row]) for row in random.choice(len(faces), 4, replace=False)]
    clips = turns(random, material)
    return [shot for pair in itertools.zip_longest(clips, stills) for shot in pair if shot is not None]


VIDEOS: dict[str, tuple[int, Make]] = {
    "two shots, photos of the choice": (120, pairs_of(slice(None, CHOOSE))),
    "two shots": (250, pairs_of(slice(CHOOSE, None))),
    "one person again after three other shots": (40, returns_of(slice(CHOOSE, None))),
    "ten shots around four people": (20, several_of(slice(CHOOSE, None))),
    "both clips in turns, five shots": (30, turns),
    "both clips and four others, nine shots": (15, crowd),
}
"""Kinds of made videos: how many are reported, and the function that makes the shots of a random one."""


def measure(data: Path, scale: float) -> dict[str, Any]:
    """Measure everything."""
    cv2.setNumThreads(1)
    pipeline, model = EmotionRecognizer(threads=1).pipeline, AppearanceModel()
    material, kinds, looks = load(data, pipeline), {}, []
    for place, (name, (count, make)) in enumerate(VIDEOS.items()):
        print(name, file=sys.stderr)
        tallies = {"tracks": Tally(), "joined": Tally(), "told": Tally()}
        for seed in range(max(1, round(count * scale))):
            random = np.random.default_rng([SEED, place, seed])
            video = make_video(make(random, material), random)
            sights, gallery = read(video, pipeline, model)
            true = len(set().union(*(shown.boxes for shown in video)))
            tallies["tracks"].add(video, sights, alone(gallery))
            tallies["joined"].add(video, sights, join_tracks(gallery))
            tallies["told"].add(video, sights, join_tracks(gallery, people=true))
            looks += looks_of(sights, gallery, name)
        kinds[name] = {way: tally.figures for way, tally in tallies.items()}
    return {
        "same": SAME,
        "videos": kinds,
        "parts": compare_parts(looks),
    }


@dataclasses.dataclass(frozen=True)
class KnownLook:
    """The look of one person's track in a made video of a kind."""

    kind: str
    person: int
    shape: Floats
    colours: Floats


def looks_of(sights: Sights, gallery: Gallery, kind: str) -> list[KnownLook]:
    """Return the looks of the tracks that show one person only."""
    owners = defaultdict[int, set[int]](set)
    for found, _ in sights:
        for person, track in found.items():
            owners[track].add(person)
    known = []
    for track, people in owners.items():
        shape, colours = gallery.tracks[track].shape, gallery.tracks[track].colours
        if len(people) == 1 and shape is not None and colours is not None:
            known.append(KnownLook(kind, min(people), shape, colours))
    return known


def compare_parts(looks: Sequence[KnownLook]) -> dict[str, dict[str, float]]:
    """Compare the network, the colours and both: pairs that are joined where 1% of other people are."""
    pool = [look for look in looks if look.kind == "two shots"]
    clips = [[look for look in looks if look.person == person] for person in (-1, -2)]
    found = {}
    for name, weight in (("colours of head and clothes", 0.0), ("network", 1.0), ("both", 0.5)):

        def similar(ones: Sequence[KnownLook], weight: float = weight) -> Floats:
            shapes, colours = np.stack([one.shape for one in ones]), np.stack([one.colours for one in ones])
            return np.asarray(weight * shapes @ shapes.T + (1 - weight) * colours @ colours.T, np.float32)

        people = np.array([look.person for look in pool])
        table = similar(pool)
        limit = float(np.quantile(table[people[:, None] != people], 1 - WRONG_LIMIT))
        shares = [float((similar(clip)[np.triu_indices(len(clip), 1)] > limit).mean()) for clip in clips]
        found[name] = {"limit": round(limit, 3), "a": round(shares[0], 4), "b": round(shares[1], 4)}
    return found


def measure_across(data: Path) -> dict[str, Any]:
    """Measure how people are joined across videos."""
    cv2.setNumThreads(1)
    pipeline, model = EmotionRecognizer(threads=1).pipeline, AppearanceModel()
    material, random = load(data, pipeline), np.random.default_rng(SEED)
    clips = [
        material.moving(clip, start)
        for clip, (images, _) in enumerate(material.clips)
        for start in _apart(random, len(images), people_across.PARTS[clip])
    ]
    choice, others = (
        [material.still(*face) for face in material.faces(photos)]
        for photos in (slice(None, CHOOSE), slice(CHOOSE, None))
    )
    return people_across.measure_across(choice, others, clips, lambda video: read(video, pipeline, model))


def main() -> None:
    """Measure, and write figures, page and card."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, nargs="?", help="a folder with photos/ and videos/")
    parser.add_argument("--page", action="store_true", help="write page and card from the figures that are there")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the videos that are made, to try it out")
    parser.add_argument(
        "--same-people", action="store_true", help="measure only how people of several videos are joined"
    )
    options = parser.parse_args()
    figures = DOCS / "people.json"
    if options.data is not None and options.same_people:
        known = json.loads(figures.read_text(encoding="utf-8")) | {"across": measure_across(options.data)}
        figures.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    elif options.data is not None:
        known = json.loads(figures.read_text(encoding="utf-8")) | measure(options.data, options.scale)
        if options.scale < 1:
            print(json.dumps(known, indent=1))
            return
        figures.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    known = json.loads(figures.read_text(encoding="utf-8"))
    (DOCS / "people.md").write_text(page(known), encoding="utf-8")
    write_metrics(known)


def write_metrics(known: dict[str, Any]) -> None:
    """Write the figures into the card of the network, and the card as a page."""
    videos = known["videos"]
    wrong, found = videos["two shots"]["joined"], videos["both clips in turns, five shots"]["joined"]
    across = known["across"]["kinds"]["other photos"]
    metrics = {
        "script": "scripts/measure_people.py",
        "different people of made videos who are joined": f"{wrong['wrong']} of {wrong['pairs']}",
        "videos of five shots of two people that become two": f"{found['right']} of {found['videos']}",
        "different people of two made videos who are joined": f"{across['wrong']} of {across['different']}",
    }
    file = find_model(APPEARANCE)
    write_card(file, dataclasses.replace(ModelSession(file, device="cpu").card, metrics=metrics))
    card = ModelSession(file, device="cpu").card
    (DOCS / "models" / f"{APPEARANCE}.md").write_text(card_page(card), encoding="utf-8")


def page(known: dict[str, Any]) -> str:
    """Write the page from the figures."""
    text = (ROOT / "scripts" / "people.template.md").read_text(encoding="utf-8")
    rows = [row_of(name, found) for name, found in known["videos"].items()]
    parts = [
        {"what is compared": name, "clip a": exact_percent(found["a"]), "clip b": exact_percent(found["b"])}
        for name, found in known["parts"].items()
    ]
    made = {
        "videos": markdown_table(rows),
        "parts": markdown_table(parts),
        "same": str(known["same"]),
        "across": markdown_table([people_across.row_of(*kind) for kind in known["across"]["kinds"].items()]),
        "across_same": f"{known['across']['same']:.2f}",
        "across_videos": str(known["across"]["videos"]),
        "across_limit": f"{1 / people_across.WRONG_LIMIT:,.0f}",
        "across_looks": str(people_across.LOOKS),
        "seed": f"{SEED:,}",
        "rate": f"{RATE:g}",
        "choose": str(CHOOSE),
    }
    return fill_template(text, made)


def row_of(name: str, found: dict[str, dict[str, float]]) -> dict[str, str]:
    """Return the row of a kind of videos."""
    joined, tracks, told = found["joined"], found["tracks"], found["told"]
    wrong = f"{joined['wrong']} of {joined['pairs']}"
    return {
        "videos": name,
        "count": str(joined["videos"]),
        "people": str(joined["people"]),
        "tracks": str(joined["tracks"]),
        "joined to": str(joined["found"]),
        "wrong joins": f"{wrong} ({exact_percent(joined['wrong'] / joined['pairs'])})" if joined["pairs"] else "-",
        "right number": exact_percent(joined["right"] / joined["videos"]),
        "switches": f"{tracks['switches']} -> {joined['switches']}",
        "IDF1": f"{tracks['idf1']:.3f} -> {joined['idf1']:.3f}",
        "IDF1, number told": f"{told['idf1']:.3f}",
    }


if __name__ == "__main__":
    main()
