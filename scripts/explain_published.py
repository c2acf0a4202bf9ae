"""Explain a reproduced network as its study did, beside ours; write docs/published-explanations.json and its page.

    python scripts/explain_published.py DATA MODEL [--samples N] [--work DIR]

DATA is FER2013 with its FER+ votes, MODEL an exported network with the labels of FER+, such as
runs/vgg16-ferplus-focal-cpu/model.onnx. Of each label, six images of PrivateTest are explained by LIME with three
segmenters, by MODEL and by `nano`: how often is each region of the face among those that decide? The explanations
of each image are drawn into DIR, which nothing of the repository shows; the page shows the portrait of a shipped photo.
Results per image are kept in DIR, so an interrupted run goes on. ``--page`` only rewrites the page, from the figures.

It needs the extras ``explain`` and ``plot``. With VGG16 at 48 pixels and 1,000 samples, an explanation takes 19 CPU
seconds. 144 are measured and drawn.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""

sys.path.insert(0, str(ROOT))

from facemood import EmotionRecognizer  # noqa: E402
from facemood.datasets import ExpressionDataset, open_dataset  # noqa: E402
from facemood.evaluation.figures import drawing  # noqa: E402
from facemood.explain import ExplainOptions, InputScorer, explain_crop, traits_of  # noqa: E402
from facemood.explain.figure import draw_explanations  # noqa: E402
from facemood.explain.regions import REGIONS  # noqa: E402
from facemood.explain.segmenters import SEGMENTERS  # noqa: E402
from facemood.models import ModelSession, find_model  # noqa: E402
from facemood.render import write_image  # noqa: E402
from facemood.text import fill_template, markdown_table  # noqa: E402
from scripts.explanations_page import SHOWN  # noqa: E402
from scripts.measure_explanations import (  # noqa: E402
    Ledger,
    PointReader,
    Tile,
    sum_regions,
    summarize_regions,
    tile_of,
)

DOCS = ROOT / "docs"
"""Where the page goes."""

NAME = "published-explanations"
"""Name of the page, its figures and its images."""

OURS = "nano"
"""The model of ours that stands beside."""

SPLIT = "PrivateTest"
"""The images that are explained."""

EACH = 6
"""Images of each label, as in the study."""

SAMPLES = 1000
"""LIME's samples for each image."""

WATCHED = "contempt"
"""The label whose images are listed one by one."""

PHOTO = ROOT / "examples" / "photos" / "astronaut.png"
"""The photo whose explanations the page shows."""


def main() -> None:
    """Explain, and write figures and page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?")
    parser.add_argument("model", nargs="?")
    parser.add_argument("--samples", type=int, default=SAMPLES)
    parser.add_argument("--work", type=Path, default=Path("runs/published-explanations"))
    parser.add_argument("--page", action="store_true")
    options = parser.parse_args()
    figures = DOCS / f"{NAME}.json"
    if not options.page:
        if options.model is None:
            parser.error("expected the dataset and a model, or --page")
        if options.model == OURS:
            parser.error(f"MODEL: expected another network than {OURS!r}, which stands beside it anyway")
        known = measure(open_dataset(options.data), options.model, options.work, samples=options.samples)
        figures.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
        draw_portrait(options.model, DOCS / "images" / f"{NAME}.jpg", samples=options.samples)
    known = json.loads(figures.read_text(encoding="utf-8"))
    draw_regions(known, DOCS / "explanations" / f"{NAME}.svg")
    (DOCS / f"{NAME}.md").write_text(page(known), encoding="utf-8")


def measure(
    dataset: ExpressionDataset, model: str, work: Path, *, samples: int = SAMPLES, each: int = EACH
) -> dict[str, Any]:
    """Explain the images of each label by both models.

    Args:
        dataset: FER2013 with votes.
        model: Name or file of the network that is explained beside ours.
        work: Folder of the results and of the drawn explanations.
        samples: LIME's samples for each image.
        each: Images of each label.
    """
    scorers = {name: open_scorer(name) for name in (model, OURS)}
    part = dataset.split(SPLIT).ferplus_majority()
    tiles, right = choose(part, list(scorers.values()), each)
    digests = {name: sha256(find_model(name).read_bytes()).hexdigest() for name in scorers}
    ledgers = {name: Ledger(work / f"{digests[name][:12]}-{samples}.jsonl", until=math.inf) for name in scorers}
    drawn = "-".join([*(digest[:12] for digest in digests.values()), str(samples)])
    for tile in tiles:
        file = work / "drawn" / drawn / f"{tile.label}-{tile.row}.png"
        explain_tile(tile, [(scorers[name], ledgers[name]) for name in scorers], file, samples=samples)
    found, about = {}, {}
    for name, scorer in scorers.items():
        rows = [ledgers[name].known[f"{tile.row}/{kind}"] for tile in tiles for kind in SEGMENTERS]
        key = "ours" if name == OURS else "theirs"
        found[key] = {"regions": summarize_regions(rows), WATCHED: watched_rows(rows)}
        card = scorer.session.card
        about[key] = {
            "name": card.name, "sha256": digests[name], "size": list(card.input_size),
            "bytes": find_model(name).stat().st_size,
            "right": {label: int(right[key][part.labels == number].sum()) for number, label in enumerate(part.classes)},
        }  # fmt: skip
    counts = {label: int((part.labels == number).sum()) for number, label in enumerate(part.classes)}
    shown = {label: sum(tile.label == label for tile in tiles) for label in part.classes}
    return {"samples": samples, "images": counts, "explained": shown, "models": about, **found}


def open_scorer(name: str) -> InputScorer:
    """Open a model with the head that knows the labels of FER+."""
    session = ModelSession(find_model(name), device="cpu")
    head = next((head for head, labels in session.card.heads.items() if WATCHED in labels), None)
    if head is None:
        raise SystemExit(f"{name}: no head of this model knows {WATCHED!r}; expected a model with the labels of FER+")
    return InputScorer(session, head)


def predicted(scorer: InputScorer, part: ExpressionDataset) -> NDArray[np.bool_]:
    """Return for each image whether a model says its label, (N,)."""
    order = [scorer.labels.index(label) for label in part.classes]
    blocks = (part.pixels[at : at + 128] for at in range(0, len(part), 128))
    logits = np.concatenate([scorer.session.run(block)[scorer.head] for block in blocks])
    return np.asarray(logits[:, order].argmax(axis=1) == part.labels)


def choose(
    part: ExpressionDataset, scorers: Sequence[InputScorer], each: int
) -> tuple[list[Tile], dict[str, NDArray[np.bool_]]]:
    """Choose images with 68 landmarks at random: those that all models read rightly, then those that the first does.

    Returns:
        The images, label by label, and which of all images each model reads rightly.
    """
    right = [predicted(scorer, part) for scorer in scorers]
    order = np.random.default_rng(0).permutation(len(part))
    best_first = order[np.argsort(-(2 * right[0].astype(int) + right[-1])[order], kind="stable")].tolist()
    reader = PointReader(scorers[-1])
    tiles: list[Tile] = []
    for number in range(len(part.classes)):
        rows = (row for row in best_first if part.labels[row] == number)
        several = (tile for row in rows if (tile := tile_of(part, row, reader.read(part.pixels[row]))) is not None)
        tiles += itertools.islice(several, each)
    return tiles, {"theirs": right[0], "ours": right[-1]}


def watched_rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the probability of each image of the watched label, and the share of the weight on the traits."""
    traits = [REGIONS.index(region) for region in traits_of(WATCHED)]
    found: dict[int, dict[str, Any]] = {}
    for one in rows:
        if one["label"] == WATCHED:
            entry = found.setdefault(one["row"], {"row": one["row"], "probability": round(one["probability"], 4)})
            entry["area"] = round(sum(one["areas"][number] for number in traits), 4)
            share = sum(one["shares"][number] for number in traits)
            entry[one["kind"]] = None if math.isnan(share) else round(share, 4)  # no superpixel supports the label
    return list(found.values())


def explain_tile(tile: Tile, models: Sequence[tuple[InputScorer, Ledger]], file: Path, *, samples: int) -> None:
    """Explain an image by all segmenters and models, each once: for the ledger of the model, and for the picture.

    An image is left out whose picture is there. Where a run broke off, it is explained anew: a ledger keeps no maps.
    """
    if file.exists() and all(f"{tile.row}/{kind}" in ledger.known for _, ledger in models for kind in SEGMENTERS):
        return
    made = []
    for scorer, ledger in models:
        for kind in SEGMENTERS:
            options = ExplainOptions(segmenter=kind, samples=samples)
            made.append(explain_crop(scorer, tile.image, options, label=tile.label))
            ledger.fill([(f"{tile.row}/{kind}", partial(sum_regions, tile, kind, made[-1]))])
    file.parent.mkdir(parents=True, exist_ok=True)
    write_image(file, draw_explanations(made))


def draw_portrait(model: str, file: Path, *, samples: int) -> None:
    """Draw the explanations of the shipped photo: three segmenters by the model, and three by ours."""
    made = []
    for name in (model, OURS):
        recognizer = EmotionRecognizer(model=name, head=open_scorer(name).head, prior="dataset")
        for kind in SEGMENTERS:
            made += recognizer.explain(PHOTO, segmenter=kind, samples=samples)[:1]
    image = draw_explanations(made)
    scale = 1000 / image.shape[1]
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    written, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 60])
    assert written
    file.write_bytes(data.tobytes())


def draw_regions(known: Mapping[str, Any], file: Path) -> None:
    """Draw how many of each label's images have each region among the deciding ones, for models and segmenters."""
    with drawing(file, height=6.4) as figure:
        grid = figure.subplots(2, len(SEGMENTERS), sharex=True, sharey=True)
        for (key, kind), axes in zip(itertools.product(("theirs", "ours"), SEGMENTERS), grid.flat, strict=True):
            table = known[key]["regions"][kind]
            counts = np.array([[counted(entry, region) for region in SHOWN] for entry in table.values()])
            axes.imshow(counts, cmap="Blues", vmin=0, vmax=EACH + 2, aspect="auto")
            for (row, column), count in np.ndenumerate(counts):
                axes.text(column, row, str(count), ha="center", va="center", fontsize=8)
            axes.set_xticks(range(len(SHOWN)), SHOWN, rotation=60)
            axes.set_yticks(range(len(table)), list(table))
            axes.set_title(f"{known['models'][key]['name']}, {kind}")
            axes.grid(visible=False)


def counted(entry: Mapping[str, Any], region: str) -> int:
    """Return in how many images a region carries an eighth or more of the positive weight."""
    return round(float(entry["significant"][region]) * int(entry["images"]))


def page(known: Mapping[str, Any]) -> str:
    """Write the page from the figures."""
    theirs, ours = known["models"]["theirs"], known["models"]["ours"]
    labels = list(known["images"])
    return fill_template(
        (ROOT / "scripts" / f"{NAME}.template.md").read_text(encoding="utf-8"),
        {
            "theirs": theirs["name"],
            "ours": ours["name"],
            "side": str(theirs["size"][0]),
            "sha256": theirs["sha256"],
            "megabytes": f"{theirs['bytes'] / 1e6:.1f}",
            "samples": f"{known['samples']:,}",
            "each": str(max(known["explained"].values())),
            "images": markdown_table([image_row(label, known) for label in labels]),
            "regions": "\n\n".join(f"**{kind}**\n\n{markdown_table(region_rows(known, kind))}" for kind in SEGMENTERS),
            "traits": " and ".join(traits_of(WATCHED)),
            "contempt": "\n\n".join(
                f"By `{known['models'][key]['name']}`:\n\n{markdown_table(contempt_rows(known[key][WATCHED]))}"
                for key in ("theirs", "ours")
            ),
            "same": same_words(known),
        },
    )


def image_row(label: str, known: Mapping[str, Any]) -> dict[str, str]:
    """Return how many images of a label there are, how many are right, and how many are explained."""
    count = known["images"][label]
    right = {
        f"right by `{model['name']}`": f"{model['right'][label]:,} of {count:,}" for model in known["models"].values()
    }
    return {"label": label, **right, "explained": str(known["explained"][label])}


def region_rows(known: Mapping[str, Any], kind: str) -> list[dict[str, str]]:
    """Return the table of a segmenter: the counts by the network, and by ours."""
    theirs, ours = (known[key]["regions"][kind] for key in ("theirs", "ours"))
    return [
        {
            "label": label,
            "images": str(entry["images"]),
            **{region: f"{counted(entry, region)}, {counted(ours[label], region)}" for region in SHOWN},
        }
        for label, entry in theirs.items()
    ]


def contempt_rows(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return the table of the watched label's images."""
    return [
        {
            "image": f"row {one['row']}",
            "probability": f"{one['probability']:.0%}",
            **{kind: "-" if one[kind] is None else f"{one[kind]:.0%} of {one['area']:.0%}" for kind in SEGMENTERS},
        }
        for one in rows
    ]


def same_words(known: Mapping[str, Any]) -> str:
    """Say for how many labels both models have the same first region, for each segmenter."""
    said = []
    for kind in SEGMENTERS:
        theirs, ours = (known[key]["regions"][kind] for key in ("theirs", "ours"))
        same = sum(first_region(theirs[label]) == first_region(ours[label]) for label in theirs)
        said.append(f"{same} of {len(theirs)} labels with {kind}")
    return ", ".join(said)


def first_region(entry: Mapping[str, Any]) -> str:
    """Return the region inside the face with the most weight for its size."""
    inside = [region for region in SHOWN if region != "outside"]
    return max(inside, key=lambda region: entry["weight"][region] / max(entry["area"][region], 0.005))


if __name__ == "__main__":
    main()
