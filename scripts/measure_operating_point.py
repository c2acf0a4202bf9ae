"""Choose and measure the default's operating point; write docs/operating-point.json and docs/operating-point.md.

    python scripts/measure_operating_point.py DATA [NEWS] [--fit] [--model NAME ...]

DATA is FER2013 with its FER+ votes. NEWS is a folder with photos of one face each and a table ``labels.csv`` (file,
label). ``--fit`` first fits the operating point of the models on PublicTest again, and rewrites their cards and the
pages of the cards; nothing else on a card changes. A model is a name, or the file of a model for a try, which changes
no page. It takes a minute for each model on one core. ``--page`` only rewrites the page, from the figures.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Callable
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
from facemood.evaluation import metrics  # noqa: E402
from facemood.evaluation.calibration import FINE_STRENGTHS, FLOOR, WEIGHT  # noqa: E402
from facemood.evaluation.protocol import MAJORITY, Outcome, compare_all, run_all  # noqa: E402
from facemood.models import find_model, run_views  # noqa: E402
from facemood.models.card import ModelCard  # noqa: E402
from facemood.models.card_markdown import card_page  # noqa: E402
from facemood.models.operating_point import adjusted_logits, pool  # noqa: E402
from facemood.models.registry import list_models  # noqa: E402
from facemood.sources import read_one_image  # noqa: E402
from facemood.stages.classify import PRIORS, Logits, calibrate, probabilities_of  # noqa: E402
from facemood.text import exact_percent, fill_template, markdown_table, with_interval  # noqa: E402
from facemood.train.export.fit_calibration import refit_operating_point  # noqa: E402
from scripts.network_digest import digest  # noqa: E402

DOCS = ROOT / "docs"
"""Where the page goes."""

CHOOSE, REPORT = "PublicTest", "PrivateTest"
"""The split to choose by, and the split that is only reported."""

COUNTED = ("angry", "happy", "neutral", "sad", "surprise")
"""The expressions of the news photos whose mean recall is counted."""

WEIGHTS = (0.1, 0.2, 0.3, 0.4, 0.5)
"""Weights of the second head among the candidates."""

GOALS = {"accuracy": 0.85, "mean_recall": 0.78, "news_accuracy": 0.80, "news_mean_recall": 0.77}
"""What a candidate must reach, 0..1."""

Floats = NDArray[np.float32]


def main() -> None:
    """Fit if asked to, measure, and write figures and page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", help="the dataset, fer2013:DIR")
    parser.add_argument("news", nargs="?", type=Path, help="a folder of photos with labels.csv")
    parser.add_argument("--model", action="append", help="a model's name or file; all that are shipped without it")
    parser.add_argument("--fit", action="store_true", help="fit the operating point again, and rewrite the card")
    parser.add_argument("--page", action="store_true", help="write the page from the figures that are there")
    options = parser.parse_args()
    figures = DOCS / "operating-point.json"
    if not options.page:
        dataset = open_dataset(options.data)
        models = options.model or list_models()
        if options.fit:
            for model in models:
                fit(model, dataset)
        known = json.loads(figures.read_text(encoding="utf-8")) if figures.is_file() else {}
        found = {
            model: measure(model, dataset, options.news, known.get(model, {}), choose=options.fit) for model in models
        }
        if not set(models) <= set(list_models()):
            print(json.dumps(found, indent=1))
            return
        figures.write_text(json.dumps(known | found, indent=1) + "\n", encoding="utf-8")
    (DOCS / "operating-point.md").write_text(page(json.loads(figures.read_text(encoding="utf-8"))), encoding="utf-8")


def fit(model: str, dataset: ExpressionDataset) -> None:
    """Fit a model's operating point on PublicTest, and rewrite its card and the card's page."""
    card = refit_operating_point(find_model(model), dataset.split(CHOOSE))
    if model in list_models():
        (DOCS / "models" / f"{model}.md").write_text(card_page(card), encoding="utf-8")


def measure(
    model: str, dataset: ExpressionDataset, news: Path | None, known: dict[str, Any], *, choose: bool
) -> dict[str, Any]:
    """Return the figures of a model.

    Args:
        model: Its name or file.
        dataset: FER2013 with votes.
        news: The news photos; without them, their figures stay as they are.
        known: The figures so far.
        choose: Whether the candidates are those of the choice from now on.
    """
    cv2.setNumThreads(1)
    recognizer = EmotionRecognizer(model, threads=1)
    card, head = recognizer.card, recognizer.pipeline.head
    outcomes = {split: predict(recognizer, dataset, split) for split in (CHOOSE, REPORT)}
    photos = None if news is None else read_news(recognizer, news)
    columns = [card.heads[head].index(label) for label in COUNTED]
    kept = known if photos is None else {}
    finder = digest("finder")
    now = kept.get("candidates") or list(candidates(card, head, outcomes[CHOOSE], photos, columns))
    return {
        "model": digest(model),
        "head": head,
        "point": card.operating_point[head],
        **{
            split: {prior: figures_of(card, head, prior, found.all_logits, found.labels) for prior in PRIORS}
            for split, found in outcomes.items()
        },
        "news": kept.get("news")
        or (photos and {prior: figures_of(card, head, prior, *photos, counted=columns) for prior in PRIORS}),
        "finder": kept.get("finder") or finder,
        "candidates": now,
        "chosen": {"finder": finder, "candidates": now} if choose or "chosen" not in known else known["chosen"],
    }


def predict(recognizer: EmotionRecognizer, dataset: ExpressionDataset, split: str) -> Outcome:
    """Return the logits and majority labels of the tiles of a split."""
    part = dataset.split(split)
    found = compare_all(recognizer.card, part, run_all(recognizer.session, part.images))
    return next(outcome for outcome in found if outcome.protocol == MAJORITY)


def read_news(recognizer: EmotionRecognizer, folder: Path) -> tuple[dict[str, Floats], NDArray[np.int64]]:
    """Read photos end to end: the logits of the largest face of each, NaN without one, and the labels as columns."""
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    labels = [recognizer.labels.index(row["label"]) for row in rows]
    logits = {
        head: np.full((len(rows), len(names)), np.nan, np.float32) for head, names in recognizer.card.heads.items()
    }
    for number, row in enumerate(rows):
        image = read_one_image(folder / row["file"]).image
        faces = recognizer.analyze_image(image).faces
        if faces:
            largest = max(faces, key=lambda face: float(np.prod(face.box[2:] - face.box[:2])))
            crops = recognizer.pipeline.crops(image, [largest])
            for head, values in run_views(recognizer.session, crops, views=1).items():
                logits[head][number] = values[0]
    return logits, np.array(labels)


def figures_of(
    card: ModelCard,
    head: str,
    prior: str,
    logits: Logits,
    labels: NDArray[np.int64],
    *,
    counted: list[int] | None = None,
) -> dict[str, Any]:
    """Return accuracy, mean recall and recalls with one prior, 0..1, with 95% intervals; a missed face is wrong."""
    probabilities = probabilities_of(card, head, logits, prior=prior)
    confusion = confusion_of(probabilities, labels)
    found: dict[str, Any] = {"n": len(labels)}
    for name, share in (("accuracy", share_right), ("mean_recall", recall_over(counted))):
        ends = metrics.bootstrap_interval(confusion, share)
        found[name] = round(share(confusion), 4)
        found[f"{name}_interval"] = [round(end, 4) for end in ends]
    read = ~np.isnan(probabilities).any(axis=1)
    recalls = dict(zip(card.heads[head], recalls_of(confusion).tolist(), strict=True))
    return found | {
        "missed": int((~read).sum()),
        "ece": round(metrics.expected_calibration_error(probabilities[read], labels[read]), 4),
        "recall": {label: None if np.isnan(value) else round(value, 4) for label, value in recalls.items()},
        "images": dict(zip(card.heads[head], np.bincount(labels, minlength=len(recalls)).tolist(), strict=True)),
    }


def confusion_of(probabilities: Floats, labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count true by predicted classes, (K, K + 1); faces that were not found are in the last column."""
    classes = probabilities.shape[1]
    missed = np.isnan(probabilities).any(axis=1)
    predicted = np.where(missed, classes, np.nan_to_num(probabilities).argmax(axis=1))
    return np.bincount(labels * (classes + 1) + predicted, minlength=classes * (classes + 1)).reshape(classes, -1)


def recalls_of(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the recall of each class, NaN for a class without images."""
    totals = confusion.sum(axis=1)
    hits = confusion[:, : len(confusion)].diagonal()
    found = np.full(len(totals), np.nan)
    np.divide(hits, totals, out=found, where=totals > 0)
    return found


def share_right(confusion: NDArray[np.int64]) -> float:
    """Return the accuracy."""
    return float(confusion[:, : len(confusion)].trace() / confusion.sum())


def recall_over(counted: list[int] | None) -> Callable[[NDArray[np.int64]], float]:
    """Return a function for the mean recall of some classes; of all classes for None."""
    return lambda confusion: float(np.nanmean(recalls_of(confusion)[slice(None) if counted is None else counted]))


def candidates(
    card: ModelCard,
    head: str,
    tiles: Outcome,
    photos: tuple[dict[str, Floats], NDArray[np.int64]] | None,
    counted: list[int],
) -> list[dict[str, Any]]:
    """Fit each candidate on PublicTest, and measure it there and on the news photos."""
    second = card.operating_point[head]["second"]
    rules: list[tuple[str, float]] = [("one head", 0.0)]
    if second != head:
        rules += [(form, weight) for form in ("probabilities", "log-probabilities") for weight in WEIGHTS]
    found = [fitted(card, (head, second), rule, tiles, (0.0,)) | {"form": "dataset"} for rule in rules[:1]]
    found += [fitted(card, (head, second), rule, tiles, FINE_STRENGTHS) for rule in rules]
    for row in found:
        if photos is not None:
            confusion = confusion_of(mixed(card, (head, second), row, photos[0], row["strength"]), photos[1])
            row["news_accuracy"] = round(share_right(confusion), 4)
            row["news_mean_recall"] = round(recall_over(counted)(confusion), 4)
            row["mean"] = round(float(np.mean([row[name] for name in GOALS])), 4)
    return found


def fitted(
    card: ModelCard, heads: tuple[str, str], rule: tuple[str, float], tiles: Outcome, strengths: tuple[float, ...]
) -> dict[str, Any]:
    """Return a rule with its strength, and its two figures on PublicTest."""
    row: dict[str, Any] = {"form": rule[0], "weight": rule[1]}
    curve = []
    for strength in strengths:
        confusion = confusion_of(mixed(card, heads, row, tiles.all_logits, strength), tiles.labels)
        curve.append((share_right(confusion), recall_over(None)(confusion), strength))
    best = max([point for point in curve if point[0] >= FLOOR] or [max(curve)], key=lambda point: point[0] + point[1])
    return row | {"strength": best[2], "accuracy": round(best[0], 4), "mean_recall": round(best[1], 4)}


def mixed(card: ModelCard, heads: tuple[str, str], row: dict[str, Any], logits: Logits, strength: float) -> Floats:
    """Return the answer of a candidate as logits: (N, K)."""
    labels, weight = {"labels": card.heads[heads[0]], "second_labels": card.heads[heads[1]]}, row["weight"]
    answers = [calibrate(card, head, logits[head]) for head in heads]
    priors = [np.asarray([card.prior[head]], np.float32) for head in heads]
    if row["form"] == "probabilities":
        pooled, prior = (
            np.log((1 - weight) * own + weight * np.exp(pool(own, other, **labels, weight=1)))
            for own, other in (answers, priors)
        )
    else:
        pooled, prior = (pool(own, other, **labels, weight=weight) for own, other in (answers, priors))
    point = {"second": heads[1], "weight": weight, "strength": strength, "temperature": 1.0, "certain": 1.0}
    return adjusted_logits(pooled, prior[0], point)  # type: ignore[arg-type]


def page(known: dict[str, Any]) -> str:
    """Fill the template with the figures."""
    text = (ROOT / "scripts" / "operating-point.template.md").read_text(encoding="utf-8")
    first = known["default"]
    parts = {
        "weight": str(WEIGHT),
        "floor": f"{FLOOR:.0%}",
        "candidates": markdown_table([candidate_row(row) for row in first["chosen"]["candidates"]]),
        "chosen_finder": first["chosen"]["finder"],
        "now": told_now(first),
        "private_recall": exact_percent(first[REPORT]["tuned"]["mean_recall"]),
        "figures": markdown_table([row for model, found in known.items() for row in figure_rows(model, found)]),
        "recalls": markdown_table([row for model, found in known.items() for row in recall_rows(model, found)]),
        "points": markdown_table([{"model": model, **found["point"]} for model, found in known.items()]),
        "digests": ", ".join(f"{model} {found['model']}" for model, found in known.items()),
    }
    return fill_template(text, parts)


def told_now(found: dict[str, Any]) -> str:
    """Say which candidate leads when all of them are measured with the present face detector."""
    rows, point = found["candidates"], found["point"]
    best = max(rows, key=lambda row: row["mean"])
    own = next(row for row in rows if (row["form"], row["weight"]) == ("log-probabilities", point["weight"]))
    return (
        f"With the present one ({found['finder']}), {best['form']} with a weight of {best['weight']} and a strength "
        f"of\n{best['strength']} lead with a mean of {exact_percent(best['mean'])}; the chosen rule has "
        f"{exact_percent(own['mean'])}."
    )


def candidate_row(row: dict[str, Any]) -> dict[str, str]:
    """Return a row of the table of candidates; figures that miss a goal are in italics."""
    shares = {name: exact_percent(row.get(name)) for name in (*GOALS, "mean")}
    marked = {
        name: share if name not in GOALS or row.get(name, 0) >= GOALS[name] else f"*{share}*"
        for name, share in shares.items()
    }
    names = {"accuracy": "accuracy", "mean_recall": "mean recall", "news_accuracy": "news accuracy"}
    names |= {"news_mean_recall": "news mean recall", "mean": "mean of four"}
    form = {"one head": "FER+ head", "dataset": 'FER+ head, `prior="dataset"`'}.get(row["form"], row["form"])
    weight = "-" if not row["weight"] else str(row["weight"])
    return {"rule": form, "weight": weight, "strength": str(row["strength"])} | {
        title: marked[name] for name, title in names.items()
    }


def figure_rows(model: str, found: dict[str, Any]) -> list[dict[str, str]]:
    """Return the rows on accuracy and mean recall of a model, for each prior."""
    rows = []
    for name, title in ((CHOOSE, f"FER+ {CHOOSE}"), (REPORT, f"FER+ {REPORT}"), ("news", "news photos")):
        for prior, figures in (found[name] or {}).items():
            row = {"model": model, "images": title, "prior": prior, "n": str(figures["n"])}
            row["accuracy"] = with_interval(figures["accuracy"], figures["accuracy_interval"])
            row["mean recall"] = with_interval(figures["mean_recall"], figures["mean_recall_interval"])
            rows.append(row | {"ECE": exact_percent(figures["ece"])})
    return rows


def recall_rows(model: str, found: dict[str, Any]) -> list[dict[str, str]]:
    """Return the rows on the recall of each expression on PrivateTest."""
    return [
        {"model": model, "prior": prior} | {label: exact_percent(value) for label, value in figures["recall"].items()}
        for prior, figures in found[REPORT].items()
    ]


if __name__ == "__main__":
    main()
