"""Teach the small networks by finished teachers: soft labels, students, models, and their figures on PublicTest.

    python scripts/distil.py DATA TEACHER [TEACHER ...] [--students default-upright nano-upright] [--runs DIR]

DATA is FER2013 with its FER+ votes, TEACHER the folder of a finished run, such as runs/teacher-lite0. The soft labels
of three earlier networks are averaged in (``--add ""`` for none). Each student starts from the shipped model. DIR gets
``teachers.npz``, a run and two models for each student (the run alone, and its mean with the start), and
``distilled.json``. An interrupted run continues. The students take about two hours on one core.

Teachers that are right on most training labels know them by heart, and teach their mistakes. Train such a teacher
twice, each time without one half of the images, and give both folders:

    for fold in 0 1; do
      facemood train teacher-lite0 --data DATA --run runs/half-$fold --set data.folds=2 --set data.fold=$fold
    done
    python scripts/distil.py DATA runs/half-0 runs/half-1
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""

sys.path.insert(0, str(ROOT))

from facemood.atomic import replacing  # noqa: E402
from facemood.datasets import ExpressionDataset, open_dataset  # noqa: E402
from facemood.evaluation import evaluate  # noqa: E402
from facemood.models import ModelSession, find_model  # noqa: E402
from facemood.text import exact_percent, markdown_table  # noqa: E402
from facemood.train import fit, load_recipe  # noqa: E402
from facemood.train.data.soft_labels import SEEN, read_soft_labels, write_soft_labels  # noqa: E402
from facemood.train.export import export  # noqa: E402
from facemood.train.run_folder import LAST  # noqa: E402
from facemood.train.teachers import label_by_teachers  # noqa: E402

logger = logging.getLogger("facemood")

STARTS = {"default-upright": "default", "nano-upright": "nano"}
"""The shipped model that each student starts from."""

SHARES = (0.0, 0.5)
"""Shares of the start in the weights of a student's models."""

KNOWN = 0.85
"""Accuracy on the training labels of FER2013 above which teachers are taken to know them by heart. The three networks
that taught the shipped models have 0.817."""


def main() -> None:
    """Label, teach, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("teachers", type=Path, nargs="+")
    parser.add_argument("--students", nargs="*", choices=STARTS, default=list(STARTS))
    parser.add_argument("--add", default="soft_labels/fer2013-ensemble.npz", help="soft labels that are averaged in")
    parser.add_argument("--views", type=int, choices=(1, 2, 10), default=10)
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--set", dest="settings", action="append", default=[], help="as for facemood train")
    options = parser.parse_args()
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    dataset = open_dataset(f"fer2013:{options.data}").with_clusters()
    options.runs.mkdir(parents=True, exist_ok=True)
    labels = options.runs / "teachers.npz"
    if not labels.exists():
        label(options.teachers, dataset, labels, add=options.add, views=options.views)
    told = read_soft_labels(str(labels)).about
    if told.get(SEEN, {}).get("fer2013", {}).get("accuracy", 0) > KNOWN:
        logger.warning("the teachers know the training labels by heart; see this script's help")
    found = {}
    for student in options.students:
        found[STARTS[student]] = figures(find_model(STARTS[student]), dataset)
        found.update(teach(student, dataset, labels, options.runs, options.settings))
    with replacing(options.runs / "distilled.json", encoding="utf-8") as text:
        json.dump({"teachers": told, "PublicTest": found}, text, indent=1)
    print(markdown_table([{"model": name, **shown(values)} for name, values in found.items()]))


def label(teachers: Sequence[Path], dataset: ExpressionDataset, file: Path, *, add: str, views: int) -> None:
    """Write the soft labels of teachers, averaged with those of a file."""
    added = read_soft_labels(add) if add else None
    write_soft_labels(file, label_by_teachers(teachers, dataset, views=views, added=added))


def teach(
    student: str, dataset: ExpressionDataset, labels: Path, runs: Path, settings: Sequence[str]
) -> dict[str, dict[str, float]]:
    """Train a student, write its models, and return their figures by the names of their files."""
    own = [f"network.start='{STARTS[student]}'", f"distill.labels='{labels.resolve()}'"]
    run = runs / student
    fit(load_recipe(student, overrides=[*own, *settings]), dataset, run, resume=(run / LAST).exists())
    models = {share: runs / f"{student}-{share:g}.onnx" for share in SHARES}
    for share, file in models.items():
        export(run, dataset, file, start_share=share)
    return {file.name: figures(file, dataset) for file in models.values()}


def figures(model: Path, dataset: ExpressionDataset) -> dict[str, float]:
    """Return a model's accuracy on PublicTest by protocol, single view."""
    session = ModelSession(model, device="cpu")
    found = evaluate(session, dataset, split="PublicTest", prior="dataset")
    return {one.protocol: float(one.to_dict()["accuracy"]) for one in found}


def shown(values: dict[str, float]) -> dict[str, Any]:
    """Write accuracies for a table."""
    return {protocol: exact_percent(value) for protocol, value in values.items()}


if __name__ == "__main__":
    main()
