"""Write a study as a page with figures, such as docs/benchmarks.md."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from facemood.atomic import replacing
from facemood.evaluation import figures
from facemood.evaluation.evaluation_report import only_duplicates
from facemood.text import exact_percent, markdown_table, with_interval


def write_study(file: Path, study: dict[str, Any]) -> None:
    """Write a study as a page, with its figures in a folder and its numbers in a JSON file, both of the same name.

    Args:
        file: The page, such as ``docs/benchmarks.md``.
        study: The result of `make_study`.

    Raises:
        OutputError: A file cannot be written.
        MissingExtraError: The package matplotlib is not installed (extra ``plot``).
    """
    folder = file.with_suffix("")
    for model in study["models"]:
        if "close" in model:
            draw_study(model, folder)
    with replacing(file.with_suffix(".json"), encoding="utf-8") as text:
        json.dump(study, text, ensure_ascii=False, indent=1)
    with replacing(file, encoding="utf-8") as text:
        text.write(study_page(study, folder.name))


def draw_study(model: dict[str, Any], folder: Path) -> None:
    """Draw the figures of one model into a folder; their names begin with the model's name."""
    close, name = model["close"], model["model"]
    for number, protocol in enumerate(close["certainty"]):
        found = model["views"]["1"][protocol]
        target = folder / f"{name}-confusion-{number + 1}.svg"
        figures.draw_confusion(found["classes"], found["confusion"], target, title=protocol)
    certainty = close["certainty"]
    rules = {protocol: found["rule"] for protocol, found in certainty.items() if found.get("rule", {}).get("coverage")}
    figures.draw_coverage(
        {protocol: dict(found["coverage"]) for protocol, found in certainty.items()},
        folder / f"{name}-coverage.svg",
        certain={protocol: (rule["coverage"], rule["accuracy"]) for protocol, rule in rules.items()},
    )
    figures.draw_reliability(
        {protocol: found["reliability"] for protocol, found in certainty.items()}, folder / f"{name}-reliability.svg"
    )
    balance = {protocol: found for protocol, found in close["balance"].items() if found}
    figures.draw_balance(
        {protocol: found["curve"] for protocol, found in balance.items()},
        folder / f"{name}-balance.svg",
        chosen={protocol: found["strength"] for protocol, found in balance.items()},
    )
    figures.draw_corruptions(
        {kind: found["accuracy"] for kind, found in close["corruptions"].items()},
        {protocol: model["views"]["1"][protocol]["accuracy"] for protocol in certainty},
        folder / f"{name}-corruptions.svg",
    )


def study_page(study: dict[str, Any], folder: str) -> str:
    """Write a study as Markdown.

    Args:
        study: The result of `make_study`.
        folder: Path of the figures, relative to the page.
    """
    models = study["models"]
    spread = list(_spread(models))
    parts = [
        "# Accuracy of the models",
        f"Measured on {study['dataset']}, {study['split']}, by `facemood evaluate --report`; the numbers are in "
        f"[{folder}.json]({folder}.json).",
        "- **Training** images train the models. Near-duplicates of a test image, mirrored or not, are left out.\n"
        "- **PublicTest** images are used to fit the temperature, the confidence from which a prediction counts as "
        "certain, and the strength of the balance. No checkpoint is chosen: the averaged weights of the last epoch are "
        "kept.\n"
        f"- **{study['split']}** images are used for these figures only. *De-duplicated* leaves out those with a "
        "near-duplicate in Training.\n"
        "- *FER2013 labels* are the words of the web search that found an image; *FER+ majority* is what most of ten "
        "people saw, by the official rule. They agree on 63% of the images.\n"
        "- Test-time augmentation (TTA): one view is the face itself; two views add its mirror image; ten views add "
        "both, shifted by a sixteenth of the side towards the four corners.\n"
        "- In brackets: 95% confidence interval (bootstrap over the test set, 1,000 rounds).",
        "## Accuracy",
        markdown_table([row for model in _first_of_each(models) for row in _accuracy_rows(model)]),
        *only_duplicates(models[0]["views"]["1"].values()),
        *(["## Spread over seeds", markdown_table(spread)] if spread else []),
    ]
    for model in _first_of_each(models):
        parts += _close_up(model, folder)
    return "\n\n".join(parts) + "\n"


def _first_of_each(models: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the models that were studied in detail: the first of each recipe."""
    return [model for model in models if "close" in model]


def _accuracy_rows(model: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a row for each protocol."""
    for protocol, found in model["views"]["1"].items():
        more = {f"{views} views": exact_percent(model["views"][views][protocol]["accuracy"]) for views in ("2", "10")}
        yield {
            "model": model["model"],
            "MB": f"{model['bytes'] / 1e6:.2f}",
            "labels": protocol,
            "images": f"{found['n']:,}",
            "one view": with_interval(found["accuracy"], found["interval"]),
            **more,
            "macro-F1": with_interval(found["macro_f1"], found["macro_f1_interval"]),
            "mean recall": exact_percent(found["mean_recall"]),
        }


def _spread(models: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield mean and standard deviation over the seeds of each recipe with several seeds."""
    for first in _first_of_each(models):
        same = [model for model in models if model["recipe"] == first["recipe"]]
        for protocol in first["views"]["1"] if len(same) > 1 else ():
            row = {
                "recipe": first["recipe"],
                "seeds": ", ".join(str(model["seed"]) for model in same),
                "labels": protocol,
            }
            for views, title in (("1", "one view"), ("2", "2 views"), ("10", "10 views")):
                values = [100 * model["views"][views][protocol]["accuracy"] for model in same]
                row[title] = f"{statistics.mean(values):.1f} ± {statistics.stdev(values):.1f}%"
            yield row


def _close_up(model: dict[str, Any], folder: str) -> list[str]:
    """Return the details of one model: recalls, probabilities, selective prediction, balance, degraded images."""
    close, name, plain = model["close"], model["model"], model["views"]["1"]
    figure = f"{folder}/{name}"
    facts = model["trained_on"]
    trained = (
        f"Trained on {facts['images']:,} images in {facts['epochs']} epochs{model['origin']}. Seed {model['seed']}, "
        "single view."
    )
    return [
        f"## {name} in detail",
        trained,
        "### Recall of each expression",
        markdown_table(list(_recall_rows(plain, close["balance"]))),
        "\n".join(
            f"![Confusion of {name}: {protocol}]({figure}-confusion-{number + 1}.svg)"
            for number, protocol in enumerate(close["certainty"])
        ),
        "### Probabilities",
        markdown_table([_probabilities(plain[protocol]) for protocol in close["certainty"]]),
        "Each figure without the card's temperature and with it. ECE: expected calibration error, 15 bins. Votes: mean "
        "Jensen-Shannon distance to the distribution of people's votes, 0..1.",
        f"![Reliability of {name}]({figure}-reliability.svg)",
        "### Certain and uncertain",
        markdown_table([_rule(protocol, found) for protocol, found in close["certainty"].items() if "rule" in found]),
        "`face.certain` (selective prediction) says whether the confidence reaches a threshold, above which 90% of the "
        "predictions for PublicTest were right.",
        f"![Risk-coverage curve of {name}]({figure}-coverage.svg)",
        "### Balance",
        markdown_table([_balance(plain[protocol], found) for protocol, found in close["balance"].items() if found]),
        '`prior="balanced"` subtracts the logarithm of each label\'s share in Training, times the strength, from its '
        "logit (logit adjustment). The strength is the one with the highest mean recall on PublicTest that costs no "
        "more than 5 points of accuracy there.",
        f"![Accuracy and mean recall of {name} at all strengths]({figure}-balance.svg)",
        "### Degraded images",
        markdown_table(list(_corruption_rows(plain, close["corruptions"]))),
        "Accuracy at three levels of each corruption, in the order of the levels.",
        f"![Accuracy of {name} on degraded images]({figure}-corruptions.svg)",
    ]


def _recall_rows(plain: dict[str, Any], balance: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the recall of each class, with the dataset's prior and balanced."""
    labels = list(dict.fromkeys(label for protocol in balance for label in plain[protocol]["recall"]))
    labels.sort(key=lambda label: sum(label not in plain[protocol]["recall"] for protocol in balance))
    for protocol, balanced in balance.items():
        recalls = [("dataset", plain[protocol]["recall"])] + ([("balanced", balanced["recall"])] if balanced else [])
        for prior, recall in recalls:
            shares = {label: exact_percent(recall.get(label)) for label in labels}
            yield {"labels": protocol, "prior": prior, **shares}


def _probabilities(found: dict[str, Any]) -> dict[str, Any]:
    """Return the row on the quality of probabilities, before and after temperature scaling."""
    distance = found["vote_distance"]
    return {
        "labels": found["protocol"],
        "ECE": f"{exact_percent(found['ece_before_temperature'])} / {exact_percent(found['ece'])}",
        "NLL": f"{found['nll_before_temperature']:.3f} / {found['nll']:.3f}",
        "Brier": f"{found['brier_before_temperature']:.3f} / {found['brier']:.3f}",
        "votes": "-" if distance is None else f"{distance:.3f}",
    }


def _rule(protocol: str, found: dict[str, Any]) -> dict[str, Any]:
    """Return the row on the share and accuracy of certain predictions."""
    rule = found["rule"]
    return {
        "labels": protocol,
        "certain from": exact_percent(rule["confidence"]),
        "share certain": exact_percent(rule["coverage"]),
        "right among them": exact_percent(rule["accuracy"]),
    }


def _balance(plain: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Return the row on the effect of the balance."""
    return {
        "labels": plain["protocol"],
        "accuracy": f"{exact_percent(plain['accuracy'])} to {exact_percent(found['accuracy'])}",
        "mean recall": f"{exact_percent(plain['mean_recall'])} to "
        + with_interval(found["mean_recall"], found["mean_recall_interval"]),
        "strength": found["strength"],
    }


def _corruption_rows(plain: dict[str, Any], sweep: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the accuracy on degraded images, a row for each corruption."""
    protocols = list(next(iter(sweep.values()))["accuracy"])
    yield {"image": "original", "levels": "", **{key: exact_percent(plain[key]["accuracy"]) for key in protocols}}
    for kind, found in sweep.items():
        levels = ", ".join(f"{level:g}" for level in found["levels"])
        shares = {key: ", ".join(exact_percent(value) for value in found["accuracy"][key]) for key in protocols}
        yield {"image": kind, "levels": f"{levels} ({found['unit']})", **shares}
