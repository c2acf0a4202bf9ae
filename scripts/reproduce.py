"""Train published recipes under one protocol; write docs/reproductions.json and the page docs/reproductions.md.

    python scripts/reproduce.py DATA [RECIPE ...] [--budget full] [--runs DIR]

DATA holds FER2013 with FER+ votes. Without a recipe, the script trains all of them in turn. An interrupted run
continues, and measured figures are kept. The budget ``cpu`` is for two cores and an evening: fewer epochs, smaller
images, part of the images; the page lists each such setting. ``--page`` only rewrites the page, from the figures.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import os
import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facemood.datasets import ExpressionDataset
from facemood.datasets.splits import split_off
from facemood.evaluation.protocol import predict_split, score
from facemood.models import ModelSession
from facemood.stages.classify import calibrate
from facemood.text import exact_percent, fill_template, markdown_table, with_interval
from facemood.train import fit, load_recipe
from facemood.train.cached_features import FEATURES
from facemood.train.data.divide import open_data
from facemood.train.export import export
from facemood.train.recipe import Recipe
from facemood.train.run_folder import BEST, LAST, read_history
from facemood.train.run_report import training_seconds

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""

FIGURES = ROOT / "docs" / "reproductions.json"
"""Where the numbers are kept."""

PAGE = ROOT / "docs" / "reproductions.md"
"""Where the page goes."""

TEMPLATE = ROOT / "scripts" / "reproductions.template.md"
"""The page without its numbers."""

PUBLISHED: dict[str, dict[str, Any]] = tomllib.loads((ROOT / "scripts" / "reproductions.toml").read_text("utf-8"))
"""What was published, by the name of the row that repeats it."""

COLUMNS = (
    "recipe",
    "claim",
    "claimed on",
    "ours",
    "mean recall",
    "precision / recall at one half",
    "evaluated on",
    "training images",
    "start",
    "epochs",
    "hours",
    "budget",
)
"""Columns of the table."""

UNSAID = ("network.pretrained", "network.weights_sha256")
"""Settings that the budget leaves out, because the start names what they are about."""

SEED = 1
"""Seed of training, and of the images that are split off."""


def main() -> None:
    """Train, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("recipes", nargs="*", help="of " + ", ".join(PUBLISHED))
    parser.add_argument("--budget", choices=("cpu", "full"), default="cpu")
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--page", action="store_true")
    options = parser.parse_args()
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    for name in () if options.page else options.recipes or PUBLISHED:
        print(name, file=sys.stderr)
        run = options.runs / f"{name}-{options.budget}"
        known = {**read_figures(), name: reproduce(name, options.data, run, small=options.budget == "cpu")}
        FIGURES.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.write_text(page(read_figures()), encoding="utf-8")


def read_figures() -> dict[str, Any]:
    """Return the figures so far, by recipe."""
    known: dict[str, Any] = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
    return known


def reproduce(name: str, data: Path, run: Path, *, small: bool) -> dict[str, Any]:
    """Train one recipe and measure it on PrivateTest, single view."""
    published = PUBLISHED[name]
    settings = published["small"] if small else []
    recipe = load_recipe(recipe_of(name), overrides=[*settings, f"train.seed={SEED}"])
    whole = open_data(recipe, f"{published['data']}:{data}")
    dataset = take_part(whole, published.get("part", 1.0) if small else 1.0)
    shared = run.parent / run.name.replace(name, published.get("features", name)) / FEATURES
    fit(recipe, dataset, run, resume=(run / LAST).exists(), features=shared)
    export(run, dataset, run / "model.onnx")
    session = ModelSession(run / "model.onnx", device="cpu")
    outcome = predict_split(session, whole, split="PrivateTest")[0]
    test = score(session.card, outcome).to_dict()
    kept = ("protocol", "n", "accuracy", "interval", "macro_f1", "mean_recall", "recall", "classes", "confusion")
    return {
        "settings": settings,
        "images": session.card.trained_on["images"],
        "epochs": session.card.trained_on["epochs"],
        "seconds": round(training_seconds(read_history(run))),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}",
        "start": start_of(recipe, session.card.trained_on.get("weights", {})),
        "test": {key: test[key] for key in kept},
        "at_half": at_half(calibrate(session.card, outcome.head, outcome.logits), outcome.labels),
        "files": {file.name: describe(file) for file in (run / "model.onnx", run / BEST) if file.exists()},
    }


def recipe_of(name: str) -> str:
    """Return the recipe of a row. Most rows are called as their recipe is; some train one recipe in another way."""
    return str(PUBLISHED[name].get("recipe", name))


def describe(file: Path) -> dict[str, Any]:
    """Return the size and the SHA-256 of a file of a run, which is kept outside the repository."""
    return {"bytes": file.stat().st_size, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}


def start_of(recipe: Recipe, weights: dict[str, str]) -> str:
    """Name the weights that a network starts from.

    Args:
        recipe: The recipe.
        weights: What the model's card says of the file that it started from.
    """
    if weights:
        return weights.get("package", weights["file"])
    timm = recipe.network.kind.startswith("timm:")
    return "ImageNet" if timm and recipe.network.pretrained else recipe.network.start or "scratch"


def take_part(dataset: ExpressionDataset, share: float) -> ExpressionDataset:
    """Keep a stratified part of the training images, and all images of the other splits."""
    if share == 1.0:
        return dataset
    training = dataset.usage == "Training"
    kept = ~training
    kept[training] = split_off(dataset.subset(training), share, seed=SEED)
    return dataset.subset(kept)


def at_half(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> dict[str, float]:
    """Return precision and recall as Keras counts them: of the classes that reach a probability of 0.5.

    Args:
        probabilities: (N, K).
        labels: (N,).
    """
    chosen = probabilities >= 0.5
    hits = chosen[np.arange(len(labels)), labels].sum()
    return {
        "precision": round(float(hits / max(chosen.sum(), 1)), 4),
        "recall": round(float(hits / len(labels)), 4),
    }


def page(known: dict[str, Any]) -> str:
    """Write the page from the template."""
    names = [name for name in PUBLISHED if name in known]
    rows = [row(name, known[name]) if name in known else missing_row(name) for name in PUBLISHED]
    counted = [name for name in names if "confusion" in known[name]["test"]]
    texts = {
        "rows": markdown_table(rows),
        "recalls": "\n\n".join(recalls(known, names)),
        "files": "\n".join(files(name, known[name]) for name in names if "files" in known[name]) or "None yet.",
        "confusions": "\n\n".join(confusion(name, known[name]["test"]) for name in counted) or "None yet.",
        "machine": ", or ".join(sorted({known[name]["machine"] for name in names})),
        "reasons": "\n".join(f"- `{name}`: {PUBLISHED[name]['why']}" for name in PUBLISHED),
    }
    return fill_template(TEMPLATE.read_text(encoding="utf-8"), texts)


def row(name: str, found: dict[str, Any]) -> dict[str, Any]:
    """Return a recipe's row: the claim, and our result."""
    test, half = found["test"], found["at_half"]
    budget = ", ".join(setting for setting in found["settings"] if not setting.startswith(UNSAID))
    cells = (
        f"`{name}`",
        PUBLISHED[name]["claim"],
        PUBLISHED[name]["claimed_on"],
        with_interval(test["accuracy"], test["interval"]),
        exact_percent(test["mean_recall"]),
        f"{exact_percent(half['precision'])} / {exact_percent(half['recall'])}",
        f"{test['n']:,} ({test['protocol']})",
        f"{found['images']:,}",
        found["start"],
        f"{found['epochs']} of {load_recipe(recipe_of(name)).train.epochs}",
        f"{found['seconds'] / 3600:.2f}",
        budget or "as published",
    )
    return dict(zip(COLUMNS, cells, strict=True))


def missing_row(name: str) -> dict[str, Any]:
    """Return the row of a recipe that was not reproduced."""
    published = PUBLISHED[name]
    said = {"recipe": f"`{name}`", "claim": published["claim"], "claimed on": published["claimed_on"]}
    return {**dict.fromkeys(COLUMNS, "-"), **said, "ours": "not reproduced"}


def recalls(known: dict[str, Any], names: list[str]) -> list[str]:
    """Return a table of the classes' recalls for each set of classes."""
    tables: dict[tuple[str, ...], list[dict[str, str]]] = {}
    for name in names:
        found = known[name]["test"]["recall"]
        cells = {label: exact_percent(value) for label, value in found.items()}
        tables.setdefault(tuple(found), []).append({"recipe": f"`{name}`", **cells})
    return [markdown_table(rows) for rows in tables.values()]


def files(name: str, found: dict[str, Any]) -> str:
    """Return a line with the command that trains a network, and with the files that it gives."""
    described = ", ".join(
        f"`{file}` ({about['bytes'] / 1e6:.1f} MB, SHA-256 `{about['sha256']}`)"
        for file, about in found["files"].items()
    )
    return f"- `python scripts/reproduce.py DATA {name}` gave {described}"


def confusion(name: str, test: dict[str, Any]) -> str:
    """Return a confusion matrix as a table, with its caption."""
    rows = [
        {"labelled": label, **{word: f"{count:,}" for word, count in zip(test["classes"], line, strict=True)}}
        for label, line in zip(test["classes"], test["confusion"], strict=True)
    ]
    return f"`{name}`, images by their label and by what the network says:\n\n{markdown_table(rows)}"


if __name__ == "__main__":
    main()
