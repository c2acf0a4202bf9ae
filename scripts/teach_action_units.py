"""Fit the neutral reference of action units, and the linear models of the units that landmarks alone miss.

    python scripts/teach_action_units.py fer2013:DIR WORK

The script writes ``neutral.csv`` and ``weights.npz`` next to the code that loads them. WORK is a cache folder for the
landmarks of the faces (140 MB), so an interrupted run continues. The run takes a few minutes on one core.

- The input is FER2013's tiles, with the landmarks of our own network. The models are fitted on Training, without
  near-duplicates of test images. The regularization was chosen on PublicTest.
- The targets come from FER+ votes, because no FACS-coded faces were available. The votes give the probability of each
  expression of a face. `facemood.facs.SHARES` gives the share of people who show a unit when they pose an expression.
  The sum of the products is the probability that the face shows the unit.
- The model of a unit sees only the part of the face in which FACS says that the unit is visible (`LOOKS`). So it cannot
  use the rest of an expression.
- Each model is a ridge regression in closed form. The left half of a face is mirrored and treated as a right half.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facemood.atomic import replacing
from facemood.datasets import ExpressionDataset, ferplus, open_dataset
from facemood.datasets.fer2013 import SPLITS
from facemood.evaluation.crop_framing import ENLARGEMENT, MARGIN, on_canvas
from facemood.facs import LEARNED, PIXELS, POINTS, SHARES, UNITS
from facemood.geometry import box_of_points
from facemood.labels import EXPRESSIONS
from facemood.models import DEFAULT_MODEL, ModelSession, find_model
from facemood.stages.action_units.estimate import MAX_PITCH, MAX_YAW, closing_of
from facemood.stages.action_units.frontal import Frontal, frontal
from facemood.stages.action_units.measures import measure_points
from facemood.stages.action_units.taught import NEUTRAL, WEIGHTS, features_of, heads, unusual
from facemood.stages.action_units.texture import CELLS, PATCH, cut_patch, openness_of, texture_of
from facemood.stages.landmarks import PRESENT, LandmarkModel
from facemood.stages.pose import estimate_pose

Matrix = NDArray[np.float64]

PLACE = Path(__file__).resolve().parents[1] / "src" / "facemood" / "stages" / "action_units"
"""Where the models of units go."""

PART = 1000
"""Faces per cache file."""

BROW = (*range(17, 22), *range(36, 40))
"""Points that the model of the brows sees: of the right half of the face, 68 in iBUG order."""

EYE = (*range(17, 22), *range(36, 42))
"""Points that the model of the eyes sees."""

NOSE = (20, 21, 30, 31, 32, 33, 39, 49, 50, 51)
"""Points that the models of the nose see."""

MOUTH = (5, 6, 7, 8, 31, 32, 33, *range(48, 52), *range(57, 63), 66, 67)
"""Points that the models of the mouth see."""

LOOKS: dict[int, tuple[tuple[int, ...], range]] = {
    4: (BROW, range(4)),
    6: (EYE, range(2, 6)),
    9: (NOSE, range(2, 7)),
    10: ((*NOSE, 48, 60, 61, 62), range(3, 8)),
    14: (MOUTH, range(5, CELLS)),
    15: (MOUTH, range(5, CELLS)),
    17: (MOUTH, range(5, CELLS)),
    20: (MOUTH, range(5, CELLS)),
}
"""Input of each model: landmarks of the right half of the face, and rows of cells of the patch, from the top."""

STIFFNESS = 300.0
"""Ridge penalty, in faces. Between 100 and 1,000 hardly anything changes on PublicTest."""

COVERS = ((range(5), "upper", 0.985), (range(5, CELLS), "lower", 0.95))
"""Rows of cells that show whether a part is covered, and the share of uncovered faces that must count as uncovered:
covered eyes are easy to detect, covered mouths are not."""

COVER_STIFFNESS = 100.0
"""Ridge penalty of the models for covered parts."""

SEED = 8
"""Random seed for covering faces."""


class Faces(NamedTuple):
    """Landmarks and votes of the faces of a split that have a FER+ majority.

    Attributes:
        tile: (N,) int64 which image of the dataset each is.
        label: (N,) int64 index into `EXPRESSIONS`.
        votes: (N, 8) float32 shares of the votes that name an expression.
        pose: (N, 3) float32 degrees; not a number where no face was seen.
        points: (N, 68, 2) float32 pixels of the tile on its canvas.
        patches: (N, PATCH, PATCH) uint8.
    """

    tile: NDArray[np.int64]
    label: NDArray[np.int64]
    votes: NDArray[np.float32]
    pose: NDArray[np.float32]
    points: NDArray[np.float32]
    patches: NDArray[np.uint8]

    def subset(self, mask: NDArray[np.bool_]) -> Faces:
        """Return the faces where the (N,) mask is true."""
        kept: list[Any] = [column[mask] for column in self]
        return Faces(*kept)

    @property
    def readable(self) -> NDArray[np.bool_]:
        """Which faces were found and are frontal enough to measure units, (N,)."""
        return np.asarray((np.abs(self.pose[:, :2]) <= (MAX_YAW, MAX_PITCH)).all(axis=1))


def main() -> None:
    """Find landmarks, fit the models, and write the files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", help="FER2013 with FER+ votes, as facemood names datasets")
    parser.add_argument("work", type=Path, help="a cache folder")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    dataset = open_dataset(options.data)
    faces = read_split(dataset, "Training", options.work)
    teaching = faces.subset(faces.readable & ~dataset.near_duplicates_of(SPLITS[1:])[faces.tile])
    print(f"{len(teaching.tile)} faces teach", file=sys.stderr)
    measured, features, closing = measure(teaching)
    units = learn_units(features, unit_targets(teaching))
    usual, cover, bias = learn_covers(teaching.patches[::3])
    archive: dict[str, Any] = {"units": units, "usual": usual, "cover": cover, "bias": bias}
    np.savez_compressed(PLACE / WEIGHTS, **{name: array.astype(np.float16) for name, array in archive.items()})
    learned = features @ units.astype(np.float16).astype(np.float64).T  # as they are stored
    neutral = EXPRESSIONS.index("neutral") == teaching.label
    ways = {POINTS: measured[neutral], PIXELS: closing[neutral], LEARNED: learned[neutral]}
    write_neutral(ways, teaching.pose[neutral])


def read_split(dataset: ExpressionDataset, split: str, work: Path) -> Faces:
    """Run our landmark network on the faces of a split, in parts; cached parts are loaded."""
    work.mkdir(parents=True, exist_ok=True)
    if dataset.votes is None:
        raise SystemExit(f"{dataset.name} has no FER+ votes; join them with the file fer2013new.csv")
    majority, shares = ferplus.majority(dataset.votes), ferplus.distribution(dataset.votes)[0]
    tiles = np.flatnonzero((dataset.usage == split) & (majority >= 0))
    landmark_model, box = LandmarkModel(threads=1), usual_box()
    parts = []
    for first in range(0, len(tiles), PART):
        file, some = work / f"{split}-{first:05}.npz", tiles[first : first + PART]
        if not file.is_file():
            store(file, read_tiles(landmark_model, box, dataset.pixels[some]))
            print(f"{split}: {first + len(some)} of {len(tiles)}", file=sys.stderr)
        with np.load(file) as archive:
            parts.append([archive[name] for name in ("pose", "points", "patches")])
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return Faces(tiles, majority[tiles], shares[tiles], *columns)


def store(file: Path, read: tuple[NDArray[Any], ...]) -> None:
    """Write the cache file of some tiles; it gets its name only when it is complete."""
    partial = file.with_suffix(".part.npz")
    pose, points, patches = read
    np.savez(partial, pose=pose, points=points, patches=patches)
    partial.replace(file)


def usual_box() -> NDArray[np.float32]:
    """Return the usual box of the detector on the canvas of a tile, (4,): the inverse of the crop framing."""
    framing = np.array(ModelSession(find_model(DEFAULT_MODEL), threads=1).card.framing["finder"])
    size = 1 / (framing[2:] - framing[:2])
    corner = -framing[:2] * size
    side = 48 * ENLARGEMENT
    return ((np.concatenate([corner, corner + size]) + MARGIN) * side).astype(np.float32)


def read_tiles(
    landmark_model: LandmarkModel, box: NDArray[np.float32], tiles: NDArray[np.uint8]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint8]]:
    """Measure (N, 48, 48) tiles: poses (N, 3), points (N, 68, 2), patches (N, PATCH, PATCH).

    The landmark network runs twice, as after a detector: in the usual box, and in the box of the first landmarks.
    """
    poses = np.full((len(tiles), 3), np.nan, np.float32)
    points = np.zeros((len(tiles), 68, 2), np.float32)
    patches = np.zeros((len(tiles), PATCH, PATCH), np.uint8)
    for row, tile in enumerate(tiles):
        canvas = np.ascontiguousarray(on_canvas(tile)[:, :, 0])
        first, _ = landmark_model.predict(canvas, box[None])
        found, presence = landmark_model.predict(canvas, box_of_points(first))
        pose = estimate_pose(found[0], (canvas.shape[1], canvas.shape[0])) if presence[0] >= PRESENT else None
        if pose is not None:
            poses[row], points[row] = pose, found[0]
            patches[row] = cut_patch(canvas, frontal(found[0], pose))
    return poses, points, patches


def measure(faces: Faces) -> tuple[Matrix, Matrix, Matrix]:
    """Return measures of points (N, 2, U), features (N, 2, D) and closing (N, 2, 1) of right halves and left."""
    measured, features, closing = [], [], []
    for shape, patch in frontals(faces):
        measured.append(measure_points(shape.halves))
        features.append(features_of(shape.halves, texture_of(patch)))
        closing.append(closing_of(openness_of(patch, shape)))
    return np.stack(measured), np.stack(features), np.stack(closing)


def frontals(faces: Faces) -> Iterator[tuple[Frontal, NDArray[np.uint8]]]:
    """Yield each face without its pose, and its patch."""
    for points, pose, patch in zip(faces.points, faces.pose, faces.patches, strict=True):
        yield frontal(points, pose), patch


def unit_targets(faces: Faces) -> Matrix:
    """Return the probability that each face shows each learned unit, from its votes: (N, L) 0..1."""
    numbers = [unit.number for unit in UNITS if unit.way == LEARNED]
    shares = np.array([[SHARES[label].get(number, 0) for number in numbers] for label in EXPRESSIONS])
    return np.asarray(faces.votes @ shares, np.float64)


def learn_units(features: Matrix, targets: Matrix) -> Matrix:
    """Return the weights of the learned units, (L, D); presence and absence of a unit have the same total weight."""
    both = features.mean(axis=1)
    units = [unit for unit in UNITS if unit.way == LEARNED]
    return np.stack(
        [fit(both, target, mask_of(*LOOKS[unit.number])) for unit, target in zip(units, targets.T, strict=True)]
    )


def mask_of(points: tuple[int, ...], rows: range) -> NDArray[np.bool_]:
    """Return the mask of the features that a model sees, (D,)."""
    shape, cells = np.zeros((68, 2), bool), np.zeros((CELLS, CELLS // 2, 9), bool)
    shape[list(points)], cells[list(rows)] = True, True
    return np.concatenate([shape.ravel(), cells.ravel()])


def fit(features: Matrix, target: Matrix, mask: NDArray[np.bool_], *, stiffness: float = STIFFNESS) -> Matrix:
    """Return the weights (D,) of a ridge regression on standardized features (N, D) for a target (N,) 0..1."""
    some = features[:, mask]
    spread = some.std(axis=0) + 1e-3
    table = np.column_stack([(some - some.mean(axis=0)) / spread, np.ones(len(some))])
    counts = (target / target.sum() + (1 - target) / (1 - target).sum()) * len(target) / 2
    square = (table * counts[:, None]).T @ table + stiffness * np.eye(table.shape[1])
    found = np.linalg.solve(square, table.T @ (counts * (2 * target - 1)))
    weights = np.zeros(features.shape[1])
    weights[mask] = found[:-1] / spread
    return weights


def learn_covers(patches: NDArray[np.uint8]) -> tuple[Matrix, Matrix, Matrix]:
    """Fit the models for covered parts: the usual features (2, D), weights (2, 2D) and biases (2,).

    The training faces are covered at random. All of them are blurred or sharpened at random as well.
    """
    random = np.random.default_rng(SEED)
    free = textures(focus(patch, random) for patch in patches)
    usual = np.stack([free.mean(axis=0), free.std(axis=0) + 0.02]).astype(np.float16).astype(np.float64)
    found = []
    for rows, part, free_share in COVERS:
        others = patches[random.integers(len(patches), size=len(patches))]
        covered = (cover(patch, part, other, random) for patch, other in zip(patches, others, strict=True))
        hidden = textures(focus(patch, random) for patch in covered)
        found.append(fit_cover(unusual(free, usual), unusual(hidden, usual), np.tile(mask_of((), rows), 2), free_share))
    return usual, np.stack([weights for weights, _ in found]), np.array([bias for _, bias in found])


def textures(patches: Iterable[NDArray[np.uint8]]) -> Matrix:
    """Return the features of patches without their points, (N, D)."""
    blank = np.zeros((2, 68, 2))
    return np.stack([features_of(blank, texture_of(patch)).mean(axis=0) for patch in patches])


def focus(patch: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """Blur or sharpen a patch at random, to imitate other cameras."""
    soft = cv2.GaussianBlur(patch, (0, 0), 0.8)
    share = float(random.uniform(-0.6, 1))  # of the blurred picture; below 0 it is taken away
    return np.clip(np.rint((1 - share) * patch.astype(np.float64) + share * soft), 0, 255).astype(np.uint8)


def cover(
    patch: NDArray[np.uint8], part: str, other: NDArray[np.uint8], random: np.random.Generator
) -> NDArray[np.uint8]:
    """Paste an object over the eyes or over the mouth of a patch.

    Args:
        patch: (PATCH, PATCH) uint8.
        part: ``"upper"`` or ``"lower"``.
        other: Another patch; a piece of it is one of the things that cover.
        random: Chance.

    Returns:
        The patch with an ellipse or a turned rectangle on it: even and dark or light, as a mask is; of skin with lines
        across, as fingers are; or of something else.
    """
    y = 19.0 if part == "upper" else 38.0
    middle = np.array([PATCH / 2, y]) + random.normal(0, (1.5, 2))
    size = random.uniform((26, 10), (40, 20)) if part == "upper" else random.uniform((18, 10), (38, 30))
    mask = np.zeros_like(patch)
    shape = (tuple(middle.tolist()), tuple(size.tolist()), float(random.uniform(-35, 35)))
    if random.random() < 0.5:
        cv2.ellipse(mask, shape, 255, -1)
    else:
        cv2.fillPoly(mask, [np.rint(cv2.boxPoints(shape)).astype(np.int32)], 255)
    soft = cv2.GaussianBlur(mask, (0, 0), float(random.uniform(0.4, 1.2))).astype(np.float64) / 255
    laid = stuff(patch, other, random)
    return np.clip(np.rint(patch * (1 - soft) + laid * soft), 0, 255).astype(np.uint8)


def stuff(patch: NDArray[np.uint8], other: NDArray[np.uint8], random: np.random.Generator) -> Matrix:
    """Return an object that covers a face, (PATCH, PATCH): a mask, fingers, or a piece of another image upside down."""
    kind = random.integers(3)
    if kind == 0:
        return np.asarray(random.uniform(0, 255) + random.normal(0, random.uniform(0, 6), patch.shape))
    if kind == 1:
        skin = float(np.median(patch[24:32, 22:38])) * random.uniform(0.85, 1.2)
        y, x = np.mgrid[:PATCH, :PATCH]
        turn, wide = random.uniform(0, np.pi), random.uniform(6, 10)
        lines = np.cos(2 * np.pi * (x * np.cos(turn) + y * np.sin(turn)) / wide + random.uniform(0, 6)) > 0.8
        smooth = cv2.GaussianBlur(lines.astype(np.float64), (0, 0), 0.7)
        return np.asarray(skin * (1 - random.uniform(0.1, 0.5) * smooth) + random.normal(0, 3, patch.shape))
    return np.roll(other[::-1], random.integers(PATCH, size=2), axis=(0, 1)).astype(np.float64)


def fit_cover(free: Matrix, hidden: Matrix, mask: NDArray[np.bool_], share: float) -> tuple[Matrix, float]:
    """Return weights (D,) and a bias: log-odds that a part is covered, below 0 for a share of the uncovered faces."""
    features = np.concatenate([free, hidden])
    target = np.repeat([0.0, 1.0], [len(free), len(hidden)])
    weights = fit(features, target, mask, stiffness=COVER_STIFFNESS).astype(np.float16).astype(np.float64)
    return weights, -float(np.quantile(free @ weights, share))


def write_neutral(ways: dict[str, Matrix], poses: NDArray[np.float32]) -> None:
    """Write how the measures of neutral faces depend on the pose, and their standard deviations.

    Args:
        ways: For each way (N, 2, units) measures: all units from landmarks, and for other ways the units that use them.
        poses: (N, 3) degrees.
    """
    lines = ["unit,way,constant,pitch,pitch2,yaw,yaw2,spread,side_spread"]
    design = np.stack([heads(pose) for pose in poses])  # (N, 2, 5)
    for way, measured in ways.items():
        codes = [unit.code for unit in UNITS if way in (POINTS, unit.way)]
        for code, values in zip(codes, np.moveaxis(measured, 2, 0), strict=True):
            slopes = np.linalg.lstsq(design.reshape(-1, 5), values.ravel(), rcond=None)[0]
            above = values - design @ slopes
            numbers = (*slopes, above.mean(axis=1).std(), above.std())
            lines.append(",".join([code, way, *(f"{number:.5g}" for number in numbers)]))
    with replacing(PLACE / NEUTRAL, encoding="utf-8", newline="") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
