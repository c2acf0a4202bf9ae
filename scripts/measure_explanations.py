"""Evaluate explanations: which regions matter, how that agrees with FACS, and whether the explanations are faithful.

    python scripts/measure_explanations.py fer2013:DATA [--work DIR] [--stop-after MINUTES]

The script writes docs/explanations.json, the plots in docs/explanations, and the page docs/explanations.md. Results per
image are cached in DIR, so an interrupted run continues. ``--page`` only rewrites the page and the plots, from
docs/explanations.json. It needs the extras ``explain``, ``train`` (onnx) and ``plot``. The run takes about an hour on
two cores.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""

sys.path.insert(0, str(ROOT))

from facemood.datasets import ExpressionDataset, open_dataset  # noqa: E402
from facemood.errors import require  # noqa: E402
from facemood.explain import ExplainOptions, InputScorer, explain_crop, face_regions, traits_of  # noqa: E402
from facemood.explain.explanation import SIDE, Explanation  # noqa: E402
from facemood.explain.fill import hide_parts  # noqa: E402
from facemood.explain.maps import contrast_maps  # noqa: E402
from facemood.explain.regions import REGIONS, coverage_of, shares_of  # noqa: E402
from facemood.explain.segmenters import SEGMENTERS, masks_of  # noqa: E402
from facemood.explain.traits import agreement  # noqa: E402
from facemood.geometry import Floats, box_of_points  # noqa: E402
from facemood.models import ModelSession, find_model  # noqa: E402
from facemood.models.activation import check_features  # noqa: E402
from facemood.stages.landmarks import PRESENT, LandmarkModel  # noqa: E402
from scripts.explanations_page import METHODS, RANDOM_ORDERS, SHOWN, draw_figures, page  # noqa: E402
from scripts.faithfulness import (  # noqa: E402
    mean_interval,
    measure_order,
    rank_correlation,
    shared_top,
    strengths,
)
from scripts.network_digest import digest  # noqa: E402

DOCS = ROOT / "docs"
"""Where the page goes."""

MODEL = "nano"
"""The model that is explained."""

HEAD = "fer2013"
"""Its head."""

SPLIT = "PrivateTest"
"""The images that are explained."""

SMALL = (6, 1000)
"""Images a class and LIME's samples of the small sample, as in the published study, which looked at each by hand."""

LARGE = (100, 200)
"""Images a class and LIME's samples of the large sample."""

TRUE_IMAGES = 10
"""Images a class for deletion and insertion."""

STEADY_IMAGES = 2
"""Images a class for stability."""

SANE_IMAGES = 5
"""Images a class for the sanity check."""

HANDS = (393, 587, 642, 100, 418, 458, 577, 687, 953)
"""Rows of PrivateTest in which a hand covers the mouth, a trait of their label; found by eye."""

SEEDS = 5
"""How often an image is explained with another seed, for stability."""

SIGNIFICANT = 1 / len(REGIONS)
"""Share of the weight from which on a region counts as significant: an equal share among all regions."""


@dataclass(frozen=True, slots=True)
class Tile:
    """An explained image: its row in the split, its class, its pixels and the regions of its face."""

    row: int
    label: str
    image: NDArray[np.uint8]
    regions: NDArray[np.int64]


Jobs = list[tuple[str, Callable[[], Any]]]
"""Jobs, each with the key under which its result is stored."""


class Ledger:
    """A cache of results per image, one JSON line each, so that an interrupted run can continue."""

    def __init__(self, file: Path, *, until: float) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self.file, self.until = file, until
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        self.known: dict[str, Any] = dict(json.loads(line) for line in lines)

    def fill(self, jobs: Sequence[tuple[str, Callable[[], Any]]]) -> None:
        """Run the jobs without a result, in order, until the time is up."""
        for key, job in jobs:
            if key in self.known:
                continue
            if time.monotonic() > self.until:
                return
            self.known[key] = job()
            with self.file.open("a", encoding="utf-8") as text:
                text.write(json.dumps([key, self.known[key]]) + "\n")

    def take(self, part: str) -> list[Any]:
        """Return the results whose keys begin with a part's name."""
        return [value for key, value in self.known.items() if key.startswith(f"{part}/")]


def main() -> None:
    """Measure, and write figures and page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?")
    parser.add_argument("--work", type=Path, default=Path("explanations-work"))
    parser.add_argument("--stop-after", type=float, default=600.0, metavar="MINUTES")
    parser.add_argument("--page", action="store_true", help="write page and figures from docs/explanations.json")
    options = parser.parse_args()
    figures = DOCS / "explanations.json"
    if not options.page:
        if options.data is None:
            parser.error("expected the dataset, such as fer2013:DATA, or --page")
        until = time.monotonic() + 60 * options.stop_after
        known = measure(open_dataset(options.data), options.work, until)
        figures.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    known = json.loads(figures.read_text(encoding="utf-8"))
    draw_figures(known, DOCS / "explanations")
    (DOCS / "explanations.md").write_text(page(known), encoding="utf-8")


def measure(dataset: ExpressionDataset, work: Path, until: float) -> dict[str, Any]:
    """Measure everything that the time allows."""
    session = ModelSession(find_model(MODEL), device="cpu")
    check_features(session, HEAD)
    scorer = InputScorer(session, HEAD)
    part = dataset.split(SPLIT)
    classes, seen = choose_tiles(part, scorer)
    hands = [tile_of(part, row, PointReader(scorer).read(part.images[row])) for row in HANDS]
    ledger = Ledger(work / f"{digest(MODEL)}.jsonl", until=until)
    spread = [tile for turn in range(LARGE[0]) for tiles in classes.values() for tile in tiles[turn : turn + 1]]
    shown = [tile for tile in hands if tile is not None]
    jobs: dict[str, Jobs] = {"hands": [(str(one.row), partial(explain_hand, one, scorer)) for one in shown]}
    for name, several in {**jobs, **plan(classes, spread, scorer, work)}.items():
        print(name, len(several), file=sys.stderr, flush=True)
        ledger.fill([(f"{name}/{key}", job) for key, job in several])
    return {
        "model": MODEL, "head": HEAD, "split": SPLIT, "sha256": digest(MODEL), "seen": seen,
        "samples": {"small": SMALL[1], "large": LARGE[1]},
        "small": summarize_regions(ledger.take("small")),
        "large": summarize_regions(ledger.take("large")),
        "maps": summarize_regions(ledger.take("maps")),
        "true": summarize_orders(ledger.take("true")),
        "steady": summarize_steady(ledger.take("steady")),
        "sane": summarize_sane(ledger.take("sane")),
        "hands": ledger.take("hands"),
        "milliseconds": measure_times(scorer, spread[0].image),
    }  # fmt: skip


def plan(classes: dict[str, list[Tile]], spread: list[Tile], scorer: InputScorer, work: Path) -> dict[str, Jobs]:
    """Return what is to be done, part by part; classes take turns, so that a part of the whole is even."""

    def first(count: int) -> list[Tile]:
        return [tile for turn in range(count) for tiles in classes.values() for tile in tiles[turn : turn + 1]]

    small, large = ([(one, kind) for one in first(size[0]) for kind in SEGMENTERS] for size in (SMALL, LARGE))
    maps = [(one, kind) for one in spread for kind in METHODS[1:]]
    randomized = {kind: InputScorer(randomize(work, kind), HEAD) for kind in ("head", "all")}
    return {
        "true": [(f"{one.row}", partial(compare_orders, one, scorer)) for one in first(TRUE_IMAGES)],
        "sane": [(f"{one.row}", partial(compare_randomized, one, scorer, randomized)) for one in first(SANE_IMAGES)],
        "small": [(f"{one.row}/{kind}", partial(explain_regions, one, scorer, kind, SMALL[1])) for one, kind in small],
        "maps": [(f"{one.row}/{kind}", partial(explain_regions, one, scorer, kind, 0)) for one, kind in maps],
        "steady": [(f"{one.row}", partial(repeat, one, scorer)) for one in first(STEADY_IMAGES)],
        "large": [(f"{one.row}/{kind}", partial(explain_regions, one, scorer, kind, LARGE[1])) for one, kind in large],
    }


def choose_tiles(part: ExpressionDataset, scorer: InputScorer) -> tuple[dict[str, list[Tile]], dict[str, Any]]:
    """Choose correctly classified images with 68 landmarks, per class, in random order."""
    images = part.pixels
    read = np.concatenate([scorer.session.run(images[at : at + 128])[HEAD] for at in range(0, len(images), 128)])
    right = read.argmax(axis=1) == part.labels
    order, marks = np.random.default_rng(0).permutation(len(images)), PointReader(scorer)
    classes = {}
    for number, label in enumerate(part.classes):
        rows = (int(row) for row in order if right[row] and part.labels[row] == number)
        found = ((row, marks.read(images[row])) for row in rows)
        tiles = (tile for row, points in found if (tile := tile_of(part, row, points)) is not None)
        classes[label] = list(itertools.islice(tiles, LARGE[0]))
    counts = {label: len(tiles) for label, tiles in classes.items()}
    return classes, {
        "images": len(images),
        "right": int(right.sum()),
        "without_points": marks.refused,
        "classes": counts,
    }


def tile_of(part: ExpressionDataset, row: int, points: Floats | None) -> Tile | None:
    """Return an image with the regions of its face, or None without landmarks."""
    if points is None:
        return None
    regions = face_regions(points * np.float32(SIDE / part.images.shape[1]), (SIDE, SIDE))
    return Tile(row, part.classes[int(part.labels[row])], part.images[row], regions)


class PointReader:
    """The landmark network on tiles, in two passes as after a detector; counts the tiles without a face."""

    def __init__(self, scorer: InputScorer) -> None:
        self.landmark_model, self.refused = LandmarkModel(), 0
        self.framing = np.array(scorer.session.card.framing["finder"])

    def read(self, image: NDArray[np.uint8]) -> Floats | None:
        """Return the landmarks of a tile, (68, 2), or None without a face."""
        left, top, right, bottom = self.framing
        width, height = image.shape[1] / (right - left), image.shape[0] / (bottom - top)
        box = np.array([[-left * width, -top * height, (1 - left) * width, (1 - top) * height]], np.float32)
        first, _ = self.landmark_model.predict(image, box)
        points, presence = self.landmark_model.predict(image, box_of_points(first))
        if presence[0] >= PRESENT:
            return np.asarray(points[0], np.float32)
        self.refused += 1
        return None


def explain_regions(tile: Tile, scorer: InputScorer, kind: str, samples: int) -> dict[str, Any]:
    """Explain a tile's label by one segmenter or map, and sum the weights per facial region."""
    options = ExplainOptions(segmenter=kind, samples=samples) if samples else ExplainOptions(method=kind)
    return sum_regions(tile, kind, explain_crop(scorer, tile.image, options, label=tile.label))


def sum_regions(tile: Tile, kind: str, found: Explanation) -> dict[str, Any]:
    """Sum the weights of an explanation of a tile per facial region."""
    areas = np.bincount(tile.regions.ravel(), minlength=len(REGIONS)) / tile.regions.size
    return {
        "row": tile.row, "label": tile.label, "kind": kind, "r2": found.r2, "probability": found.probability,
        "segments": None if found.weights is None else len(found.weights),
        "areas": rounded(areas),
        "shares": rounded(shares_of(found.attribution, tile.regions)),
        "coverage": rounded(coverage_of(found.attribution > 0, tile.regions)),
        "coverage_by_chance": rounded(coverage_of(shuffled(found, tile.row) > 0, tile.regions)),
    }  # fmt: skip


def explain_hand(tile: Tile, scorer: InputScorer) -> dict[str, Any]:
    """Explain a face with a covered mouth; return the prediction and each region's share of the weight."""
    read = scorer.predict(scorer.prepare(tile.image)[None])[0]
    found = explain_crop(scorer, tile.image, label=tile.label)
    areas = np.bincount(tile.regions.ravel(), minlength=len(REGIONS)) / tile.regions.size
    return {
        "row": tile.row,
        "label": tile.label,
        "read": scorer.labels[int(read.argmax())],
        "probability": round(found.probability, 4),
        "weight": by_region(shares_of(found.attribution, tile.regions).astype(np.float64)),
        "area": by_region(areas),
    }


def shuffled(found: Explanation, seed: int) -> Floats:
    """Return a map with the weights of its superpixels permuted; a map without superpixels is shifted cyclically."""
    rng = np.random.default_rng(seed)
    if found.weights is None or found.segments is None:
        return np.roll(found.attribution, rng.integers(0, SIDE, 2).tolist(), axis=(0, 1))
    return np.asarray(rng.permutation(found.weights)[found.segments], np.float32)


def compare_orders(tile: Tile, scorer: InputScorer) -> dict[str, Any]:
    """Measure deletion and insertion on one tile, for each method and for chance, with two ways to hide."""
    lime = explain_crop(scorer, tile.image, ExplainOptions(), label=tile.label)
    assert lime.segments is not None and lime.weights is not None  # noqa: PT018
    others = {
        kind: explain_crop(scorer, tile.image, ExplainOptions(method=kind), label=tile.label) for kind in METHODS[1:]
    }
    weights = {
        "lime": lime.weights,
        **{kind: strengths(one.attribution, lime.segments) for kind, one in others.items()},
    }
    whole = scorer.prepare(tile.image)
    masks, rng = masks_of(lime.segments, whole.shape[:0:-1]), np.random.default_rng(tile.row)
    orders = {kind: [np.argsort(-values, kind="stable")] for kind, values in weights.items()}
    orders["chance"] = [rng.permutation(len(masks)) for _ in range(RANDOM_ORDERS)]
    column, measured = scorer.column(tile.label), {}
    for hide in ("mean", "blur"):
        face = hide_parts(whole, masks, how=hide)
        for kind, several in orders.items():
            areas = [measure_order(face, masks, order, scorer, column) for order in several]
            measured[f"{hide}/{kind}"] = rounded(np.mean(areas, axis=0))
    return {"row": tile.row, "label": tile.label, "r2": lime.r2, "areas": measured}


def repeat(tile: Tile, scorer: InputScorer) -> dict[str, Any]:
    """Explain a tile with several seeds; return the mean similarity over pairs of seeds."""
    found: dict[str, Any] = {"row": tile.row, "label": tile.label}
    for samples in (250, 1000):
        options = [ExplainOptions(samples=samples, seed=seed) for seed in range(SEEDS)]
        made = [explain_crop(scorer, tile.image, one, label=tile.label).weights for one in options]
        weights = [one for one in made if one is not None]
        pairs = [(one, other) for at, one in enumerate(weights) for other in weights[at + 1 :]]
        found[str(samples)] = {
            "ranks": round(float(np.mean([rank_correlation(*pair) for pair in pairs])), 4),
            "top5": round(float(np.mean([shared_top(*pair) for pair in pairs])), 4),
        }
    return found


def compare_randomized(tile: Tile, scorer: InputScorer, randomized: dict[str, InputScorer]) -> dict[str, Any]:
    """Explain a tile with shuffled networks; return the rank correlation with the original network's explanation."""
    found: dict[str, Any] = {"row": tile.row, "label": tile.label}
    for method in METHODS:
        options = ExplainOptions(method=method, samples=500)
        true = explain_crop(scorer, tile.image, options, label=tile.label)
        for kind, other in randomized.items():
            false = explain_crop(other, tile.image, options, label=tile.label)
            pair = [one.attribution if one.weights is None else one.weights for one in (true, false)]
            found[f"{method}/{kind}"] = round(rank_correlation(*pair), 4)
    return found


def randomize(work: Path, kind: str) -> ModelSession:
    """Open the model with shuffled weights, each tensor on its own: those of its heads, or of all layers."""
    onnx: Any = require("onnx", extra="train")
    model, rng = onnx.load(find_model(MODEL)), np.random.default_rng(0)
    for tensor in model.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor)
        if values.ndim >= 2 and values.dtype.kind == "f" and (kind == "all" or is_head(model, tensor.name, values)):
            mixed = rng.permutation(values.ravel()).reshape(values.shape)
            tensor.CopyFrom(onnx.numpy_helper.from_array(mixed, tensor.name))
    file = work / f"{MODEL}-{kind}.onnx"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(model.SerializeToString())
    return ModelSession(file, device="cpu")


def is_head(model: Any, name: str, values: NDArray[Any]) -> bool:
    """Whether a tensor holds the weights of a head: a matrix with one row or column per label."""
    counts = {output.type.tensor_type.shape.dim[-1].dim_value for output in model.graph.output[:2]}
    return values.ndim == 2 and bool(counts & set(values.shape))


def measure_times(scorer: InputScorer, image: NDArray[np.uint8]) -> dict[str, float]:
    """Time LIME, class activation and classification of one face alternately; return the medians."""
    methods = {kind: ExplainOptions(method=kind) for kind in METHODS}
    started = time.process_time()
    lime = [seconds_of(lambda: explain_crop(scorer, image, methods["lime"])) for _ in range(5)]
    spent = (time.process_time() - started) / len(lime)
    occlusion = [seconds_of(lambda: explain_crop(scorer, image, methods["occlusion"])) for _ in range(5)]
    plain, mapped = [], []
    for _ in range(200):
        plain.append(seconds_of(lambda: scorer.calibrate(scorer.session.run([image]))))
        mapped.append(seconds_of(lambda: contrast_maps(scorer, [image], [None])))
    timed = {
        "lime": lime,
        "lime, processor time": [spent],
        "occlusion": occlusion,
        "cam": mapped,
        "classification": plain,
    }
    return {name: round(1000 * statistics.median(values), 3) for name, values in timed.items()}


def seconds_of(call: Callable[[], object]) -> float:
    """Return the seconds of one call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def summarize_regions(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Summarize the explanations per region, by method and expression."""
    kinds = list(dict.fromkeys(row["kind"] for row in found))
    labels = list(dict.fromkeys(row["label"] for row in found))
    return {
        kind: {
            label: summarize_class(label, part)
            for label in labels
            if (part := [row for row in found if (row["kind"], row["label"]) == (kind, label)])
        }
        for kind in kinds
    }


def summarize_class(label: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Summarize the explanations of one expression by one method."""
    columns = {name: np.array([row[name] for row in rows], np.float64) for name in ("areas", "shares", "coverage")}
    chance = np.array([row["coverage_by_chance"] for row in rows], np.float64)
    known = ~np.isnan(columns["shares"]).any(axis=1)  # a map that is nowhere above 0 has no shares
    pairs = [
        agreement(shares, areas, label)
        for shares, areas in zip(columns["shares"][known], columns["areas"][known], strict=True)
    ]
    fits = [row["r2"] for row in rows if row["r2"] is not None]
    return {
        "images": len(rows),
        "r2": round(float(np.mean(fits)), 4) if fits else None,
        "covered": by_region(share_above(columns["coverage"], 0.5)),
        "covered_by_chance": by_region(share_above(chance, 0.5)),
        "significant": by_region(np.mean(columns["shares"][known] >= SIGNIFICANT, axis=0)),
        "weight": by_region(columns["shares"][known].mean(axis=0)),
        "area": by_region(columns["areas"].mean(axis=0)),
        **summarize_traits(label, pairs),
    }  # fmt: skip


def summarize_traits(label: str, pairs: list[tuple[float, float]]) -> dict[str, Any]:
    """Summarize the agreement with FACS, (share of the weight, share of the area) per image; None without traits."""
    if not traits_of(label) or not pairs:
        return {"on_traits": None, "traits_area": None}
    shares, areas = np.array(pairs).T
    return {
        "on_traits": [round(value, 4) for value in mean_interval(shares)],
        "traits_area": round(float(areas.mean()), 4),
    }


def share_above(values: NDArray[np.float64], least: float) -> NDArray[np.float64]:
    """Return the share of images in which each region reaches a value, of those in which it is visible."""
    seen = ~np.isnan(values)
    return np.asarray((seen & (np.nan_to_num(values) >= least)).sum(axis=0) / np.maximum(seen.sum(axis=0), 1))


def by_region(values: NDArray[np.float64]) -> dict[str, float]:
    """Name the regions of (R,) values."""
    return {region: round(float(values[REGIONS.index(region)]), 4) for region in SHOWN}


def summarize_orders(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Summarize deletion and insertion: the means of each method, and the gains over chance per image."""
    if not found:
        return {}
    kinds = found[0]["areas"]
    table: dict[str, Any] = {"images": len(found)}
    for kind in kinds:
        areas = np.array([row["areas"][kind] for row in found])
        chance = np.array([row["areas"][f"{kind.partition('/')[0]}/chance"] for row in found])
        table[kind] = {
            "deletion": round(float(areas[:, 0].mean()), 4),
            "insertion": round(float(areas[:, 1].mean()), 4),
            "less_deletion": [round(value, 4) for value in mean_interval(chance[:, 0] - areas[:, 0])],
            "more_insertion": [round(value, 4) for value in mean_interval(areas[:, 1] - chance[:, 1])],
            "worse_than_chance": int((areas[:, 0] > chance[:, 0]).sum()),
        }
    worst = sorted(found, key=lambda row: row["areas"]["mean/chance"][0] - row["areas"]["mean/lime"][0])[:5]
    table["failures"] = [{key: row[key] for key in ("row", "label", "r2")} for row in worst]
    return table


def summarize_steady(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Summarize the similarity of explanations by different seeds."""
    means = {
        samples: {key: round(float(np.mean([row[samples][key] for row in found])), 4) for key in ("ranks", "top5")}
        for samples in ("250", "1000")
        if found
    }
    return {"images": len(found), "seeds": SEEDS, **means}


def summarize_sane(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Summarize the rank correlations of the original network's explanations with those of shuffled ones."""
    keys = [key for key in (found[0] if found else {}) if "/" in key]
    values = {key: np.array([row[key] for row in found], np.float64) for key in keys}
    means = {key: [round(value, 4) for value in mean_interval(one[~np.isnan(one)])] for key, one in values.items()}
    return {"images": len(found), **means}


def rounded(values: Any) -> list[float]:
    """Return rounded numbers for the ledger."""
    return [round(float(value), 5) for value in np.asarray(values).ravel()]


if __name__ == "__main__":
    main()
