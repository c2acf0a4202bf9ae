"""Evaluate FERC; write docs/ferc.json, docs/ferc.md, docs/images/ferc.jpg and the figures in the model cards.

    python scripts/measure_ferc.py DATA LABELS VECTORS

DATA is FER2013 with FER+ votes, LABELS the output of ``scripts/label_faces.py``, and VECTORS the output of
``python -m facemood.train.perceptron``. The run takes some minutes on one core. ``--page`` only rewrites the page, from
the figures.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""

sys.path.insert(0, str(ROOT))

from facemood import open_recognizer  # noqa: E402
from facemood.datasets import ExpressionDataset, open_dataset  # noqa: E402
from facemood.evaluation import metrics  # noqa: E402
from facemood.evaluation.protocol import run_all  # noqa: E402
from facemood.ferc import FERC, PartsModel, mask_overlap, with_layers  # noqa: E402
from facemood.geometry import Floats  # noqa: E402
from facemood.models import DEFAULT_MODEL, ModelSession, find_model  # noqa: E402
from facemood.models.card import write_card  # noqa: E402
from facemood.models.card_markdown import card_page  # noqa: E402
from facemood.render import write_image  # noqa: E402
from facemood.stages.landmarks import LandmarkModel, landmarks_of  # noqa: E402
from facemood.text import exact_percent, fill_template, markdown_table  # noqa: E402

DOCS = ROOT / "docs"
"""Where the page goes."""

SCRIPT = "scripts/measure_ferc.py"
"""What cards name as the source of their figures."""

SPLIT = "PrivateTest"
"""The reported split; everything was chosen on PublicTest."""

METHODS = {
    "main": "the main network",
    "masked": "FERC, background removed",
    "plain": "FERC, background kept",
    "points": "the same perceptron on all 68 landmarks",
    "guess": "always the most common label",
}
"""Rows of the table."""

TASKS = {
    "ferplus-five": "FER+ majority, five",
    "ferplus": "FER+ majority, all eight",
    "fer2013-five": "FER2013 labels, five",
    "fer2013": "FER2013 labels, all seven",
}
"""Columns of the table: the perceptron's heads and their names."""

PUBLISHED = 0.96
"""The published accuracy for five expressions, on some 350 images of posed faces."""

ROUNDS = 300
"""Number of timed tiles."""


def main() -> None:
    """Measure, and write figures and page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", type=Path, nargs="*", metavar="DATA LABELS VECTORS")
    parser.add_argument("--page", action="store_true", help="write the page from the figures that are there")
    options = parser.parse_args()
    figures = DOCS / "ferc.json"
    if not options.page:
        if len(options.paths) != 3:
            parser.error("expected DATA LABELS VECTORS, or --page")
        known = measure(*options.paths)
        figures.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
        write_cards(known)
        draw_photos(DOCS / "images" / "ferc.jpg")
    (DOCS / "ferc.md").write_text(page(json.loads(figures.read_text(encoding="utf-8"))), encoding="utf-8")


def measure(data: Path, labels: Path, vectors: Path) -> dict[str, Any]:
    """Evaluate masks and expressions, and measure their time."""
    from facemood.train.perceptron import load_vectors

    cv2.setNumThreads(1)
    dataset = open_dataset(data)
    made = load_vectors(vectors, dataset)
    return {
        "split": SPLIT,
        "with": {name: digest(name) for name in ("mask", "ferc", "landmarks", DEFAULT_MODEL)},
        "bytes": {name: find_model(name).stat().st_size for name in ("mask", "ferc")},
        "masks": measure_masks(dataset, labels),
        **measure_expressions(dataset, made),
        "milliseconds": measure_time(dataset),
    }


def digest(name: str) -> str:
    """Return the first 12 digits of a model's SHA-256, without its card, which contains these figures."""
    import onnx

    model = onnx.load(find_model(name))
    del model.metadata_props[:]
    return sha256(model.SerializeToString(deterministic=True)).hexdigest()[:12]


def measure_masks(dataset: ExpressionDataset, labels: Path) -> dict[str, Any]:
    """Compare the masks of tiles with the oval of the teacher's mesh: intersection over union."""
    from facemood.train.faces.mask_network import fill_oval
    from facemood.train.faces.material import read_labels

    table = read_labels(labels)
    ovals = table["tile_points"][:, 68:, :2].astype(np.float32) / np.float32(256)
    rows = np.flatnonzero((dataset.usage == SPLIT) & table["tile_found"])
    parts_model, framing = (
        PartsModel(LandmarkModel(threads=1)),
        ModelSession(find_model("ferc"), device="cpu").card.framing,
    )
    found: dict[str, list[float]] = {"inside": [], "whole": [], "points": []}
    for row in rows:
        points = landmarks_of(parts_model.face_in_crop(dataset.images[row], framing["finder"]))
        if points is None:
            continue
        read = parts_model.mask_model.predict(dataset.images[row], points[None])
        mask, back = read.masks[0], cv2.invertAffineTransform(read.frames[0]).astype(np.float32)
        wanted, hull = (
            fill_oval(place @ back[:, :2].T + back[:, 2], len(mask))
            for place in (ovals[row], cv2.convexHull(points)[:, 0])
        )
        tile = cv2.warpAffine(np.ones((48, 48), np.float32), back, mask.shape[::-1], flags=cv2.INTER_NEAREST)
        found["inside"].append(mask_overlap(mask * tile, wanted * tile))
        found["whole"].append(mask_overlap(mask, wanted))
        found["points"].append(mask_overlap(hull * tile, wanted * tile))
    return {
        "images": len(rows),
        "read": len(found["inside"]),
        **{name: round(float(np.mean(values)), 4) for name, values in found.items()},
        "median": round(float(np.median(found["inside"])), 4),
        "above_0.9": round(float(np.mean(np.array(found["inside"]) >= 0.9)), 4),
        "below_0.8": round(float(np.mean(np.array(found["inside"]) < 0.8)), 4),
    }


def measure_expressions(dataset: ExpressionDataset, vectors: dict[str, Floats]) -> dict[str, Any]:
    """Return the results of each method on each label set, and the number of training faces."""
    import torch

    from facemood.ferc.vector import MIRRORED_PAIRS
    from facemood.train.perceptron import HEADS, targets_of, train_perceptron, training_set_of

    test = dataset.usage == SPLIT
    part, wanted = dataset.subset(test), targets_of(dataset.subset(test))
    ferc, main = (ModelSession(find_model(name), device="cpu") for name in ("ferc", DEFAULT_MODEL))
    said: dict[str, dict[str, Floats]] = {"masked": run_vectors(ferc, vectors["masked"][test])}
    for name, mirror in (("plain", MIRRORED_PAIRS), ("points", None)):
        network = train_perceptron(training_set_of(dataset, vectors[name]), mirror=mirror)
        with torch.no_grad():
            logits = network(torch.from_numpy(np.nan_to_num(vectors[name][test])))
        known = np.asarray(np.isfinite(vectors[name][test]).all(axis=1))
        said[name] = {head: blank(one.numpy(), known) for head, one in zip(HEADS, logits, strict=True)}
    whole = run_all(main, part.images)
    said["main"] = {head: choose(whole[head.split("-")[0]], main.card.heads[head.split("-")[0]], labels)
                    for head, labels in HEADS.items()}  # fmt: skip
    common = np.isfinite(vectors["masked"][test]).all(axis=1) & np.isfinite(vectors["plain"][test]).all(axis=1)
    table = {}
    for head in HEADS:
        truth = truth_of(wanted[head], dataset, test, head)
        table[head] = {name: score(said[name][head], truth, common) for name in said} | {"guess": guess(truth, common)}
    return {
        "labels": {head: list(labels) for head, labels in HEADS.items()},
        "table": table,
        "learned": len(training_set_of(dataset, vectors["masked"]).vectors),
    }


def truth_of(wanted: Floats, dataset: ExpressionDataset, test: NDArray[np.bool_], head: str) -> NDArray[np.int64]:
    """Return the true label of each test image as an index of a head's labels, (N,), -1 without one."""
    from facemood.datasets import ferplus
    from facemood.labels import EXPRESSIONS
    from facemood.train.perceptron import HEADS

    if head.startswith("fer2013"):
        return np.where(wanted.sum(axis=1) > 0, wanted.argmax(axis=1), -1)
    assert dataset.votes is not None
    majority = ferplus.majority(dataset.votes[test])
    own = np.array([HEADS[head].index(word) if word in HEADS[head] else -1 for word in EXPRESSIONS] + [-1])
    return np.asarray(own[majority], np.int64)


def run_vectors(session: ModelSession, vectors: Floats) -> dict[str, Floats]:
    """Return the logits of each head; NaN for missing vectors."""
    known = np.asarray(np.isfinite(vectors).all(axis=1))
    return {head: blank(logits, known) for head, logits in session.run_batch(np.nan_to_num(vectors)).items()}


def blank(logits: Floats, known: NDArray[np.bool_]) -> Floats:
    """Return logits with NaN in the rows without a prediction."""
    return np.where(known[:, None], logits, np.float32(np.nan))


def choose(logits: Floats, labels: tuple[str, ...], wanted: tuple[str, ...]) -> Floats:
    """Return the columns of some labels."""
    return logits[:, [labels.index(label) for label in wanted]]


def score(logits: Floats, truth: NDArray[np.int64], common: NDArray[np.bool_]) -> dict[str, Any]:
    """Evaluate one method on the images with a label; a face without a prediction counts as wrong.

    Args:
        logits: (N, K), NaN without a prediction.
        truth: (N,), -1 where an image has no label.
        common: (N,), the images that FERC predicts both with and without their background.
    """
    asked = truth >= 0
    logits, truth, common, classes = logits[asked], truth[asked], common[asked], logits.shape[1]
    known = np.isfinite(logits).all(axis=1)
    read = np.where(known, np.nan_to_num(logits).argmax(axis=1), classes)
    confusion = metrics.confusion_matrix(read, truth, classes + 1)[:classes]
    share = float((read == truth).mean())
    return {
        "n": len(truth),
        "read": round(float(known.mean()), 4),
        "accuracy": round(share, 4),
        "standard_error": round(metrics.standard_error(share, len(truth)), 4),
        "common": int(common.sum()),
        "accuracy_common": round(float((read == truth)[common].mean()), 4),
        "recalls": [round(found, 4) for found in (confusion.diagonal() / confusion.sum(axis=1)).tolist()],
        "confusion": confusion.tolist(),
    }


def guess(truth: NDArray[np.int64], common: NDArray[np.bool_]) -> dict[str, Any]:
    """Return the results of always predicting the most common label."""
    most = np.bincount(truth[truth >= 0]).argmax()
    shares = {name: float((truth[rows] == most).mean()) for name, rows in (
        ("accuracy", truth >= 0), ("accuracy_common", (truth >= 0) & common),
    )}  # fmt: skip
    return {"n": int((truth >= 0).sum()), "read": 1.0, **{name: round(share, 4) for name, share in shares.items()}}


def measure_time(dataset: ExpressionDataset) -> dict[str, float]:
    """Return CPU milliseconds of a face crop on one thread: the mask network alone, and all of FERC."""
    ferc = FERC(threads=1)
    images, pipeline = dataset.images[:ROUNDS], ferc.pipeline
    masks = pipeline.strategy.parts_model.mask_model  # type: ignore[attr-defined]
    noise = np.random.default_rng(0).integers(0, 256, (1, 64, 64), np.uint8)
    spent = {}
    for name, work in (
        ("mask", lambda image: masks.session.run(noise)),
        ("ferc", lambda image: ferc.classify([image])),
    ):
        started = time.process_time()
        for image in images:
            work(image)
        spent[name] = round(1000 * (time.process_time() - started) / len(images), 2)
    return spent


def write_cards(known: dict[str, Any]) -> None:
    """Write the figures into the two models' cards, and the cards as pages."""
    table = known["table"]
    figures = {
        "mask": {"intersection over union with the teacher, PrivateTest": f"{known['masks']['inside']:.3f}"},
        "ferc": {
            f"accuracy, PrivateTest, {TASKS[head]}": exact_percent(table[head]["masked"]["accuracy"]) for head in TASKS
        },
    }
    for name, measured in figures.items():
        file = find_model(name)
        card = ModelSession(file, device="cpu").card
        write_card(file, dataclasses.replace(card, metrics={"script": SCRIPT, **measured}))
        card = ModelSession(file, device="cpu").card
        (DOCS / "models" / f"{name}.md").write_text(card_page(card), encoding="utf-8")


def draw_photos(file: Path) -> None:
    """Draw mask and vector on the example photos, side by side."""
    recognizer, rows = open_recognizer(threads=1), []
    for photo in ("astronaut.png", "grace_hopper.jpg"):
        result = recognizer.analyze_image(ROOT / "examples" / "photos" / photo)
        (read,) = with_layers(recognizer, iter([result]), ("mask", "vector"))
        face = dataclasses.replace(read.faces[0], labels=(), probabilities=np.zeros(0, np.float32))
        alone = dataclasses.replace(read, faces=(face,))
        seen = [face.crop(alone.draw(layers=layers), margin=0.4) for layers in ((), ("mask",), ("vector",))]
        rows.append(np.hstack([cv2.resize(one, (260, 300), interpolation=cv2.INTER_AREA) for one in seen]))
    write_image(file, np.asarray(np.vstack(rows), np.uint8))


def page(known: dict[str, Any]) -> str:
    """Write the page from the figures."""
    text = (ROOT / "scripts" / "ferc.template.md").read_text(encoding="utf-8")
    masks, table, five = known["masks"], known["table"], known["table"]["ferplus-five"]
    made = {
        "five": results_table(known, ("ferplus-five", "fer2013-five")),
        "all": results_table(known, ("ferplus", "fer2013")),
        "recalls": recall_table(known),
        "masks": mask_table(masks),
        "iou": f"{masks['inside']:.3f}",
        "iou_met": "met" if masks["inside"] >= 0.92 else "missed",
        "read": exact_percent(table["fer2013"]["masked"]["read"]),
        "ours_common": exact_percent(five["masked"]["accuracy_common"]),
        "ours": exact_percent(five["masked"]["accuracy"]),
        "main": exact_percent(five["main"]["accuracy"]),
        "published": f"{PUBLISHED:.0%}",
        "gain": gain(five),
        "gain_points": gain(five, "points", "masked"),
        "gain_main": gain(five, "main", "masked"),
        "gain_fer2013": gain(table["fer2013-five"]),
        "learned": f"{known['learned']:,}",
        "mask_kb": f"{known['bytes']['mask'] / 1000:.0f}",
        "ferc_kb": f"{known['bytes']['ferc'] / 1000:.0f}",
        "mask_ms": f"{known['milliseconds']['mask']:.1f}",
        "ferc_ms": f"{known['milliseconds']['ferc']:.1f}",
        "with": ", ".join(f"{name} {number}" for name, number in known["with"].items()),
    }
    return fill_template(text, made)


def gain(rows: dict[str, Any], one: str = "masked", other: str = "plain") -> str:
    """Return the gain in points of one method over another, on the faces that FERC predicts both ways."""
    return f"{100 * (rows[one]['accuracy_common'] - rows[other]['accuracy_common']):+.1f}"


def results_table(known: dict[str, Any], heads: tuple[str, ...]) -> str:
    """Tabulate the methods: accuracy on all faces, and on those that FERC predicts."""
    rows = []
    for name, method in METHODS.items():
        row = {"method": method}
        for head in heads:
            found = known["table"][head][name]
            row[f"{TASKS[head]} ({found['n']:,})"] = accuracy_cell(found)
        row["faces with a prediction"] = exact_percent(known["table"][heads[0]][name]["read"])
        rows.append(row)
    return markdown_table(rows)


def accuracy_cell(found: dict[str, Any]) -> str:
    """Format the accuracy on all faces, and that on the faces that FERC predicts."""
    return f"{exact_percent(found['accuracy'])} ({exact_percent(found['accuracy_common'])})"


def recall_table(known: dict[str, Any]) -> str:
    """Tabulate the recall of each of the five expressions, on FER+ majorities."""
    rows = []
    for name in ("main", "masked", "plain"):
        found = known["table"]["ferplus-five"][name]
        cells = zip(known["labels"]["ferplus-five"], map(exact_percent, found["recalls"]), strict=True)
        rows.append({"method": METHODS[name], **dict(cells)})
    return markdown_table(rows)


def mask_table(masks: dict[str, Any]) -> str:
    """Tabulate the agreement of the masks with the teacher's oval."""
    rows = [
        ("mean, within the tile", f"{masks['inside']:.3f}"),
        ("median, within the tile", f"{masks['median']:.3f}"),
        ("mean, whole oval, including the part beyond the tile", f"{masks['whole']:.3f}"),
        ("mean of the hull of our 68 landmarks, for comparison (without forehead)", f"{masks['points']:.3f}"),
        ("tiles with 0.9 and more", exact_percent(masks["above_0.9"])),
        ("tiles with less than 0.8", exact_percent(masks["below_0.8"])),
        ("tiles", f"{masks['read']:,} of {masks['images']:,} in which the teacher sees a face"),
    ]
    return markdown_table([{"intersection over union, PrivateTest": name, "": value} for name, value in rows])


if __name__ == "__main__":
    main()
