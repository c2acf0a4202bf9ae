"""A model's card as a Markdown page."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from facemood.models.card import ModelCard
from facemood.models.graph_check import LOGIT_TASKS
from facemood.text import exact_percent, markdown_table


def card_page(card: ModelCard) -> str:
    """Write a card as Markdown.

    Args:
        card: The card.

    Returns:
        The page: outputs, input, training data, figures and limits.
    """
    sections = [
        f"# Model card: {card.name}\n\n{card.description}.\n\nTask {card.task}, version {card.version}, "
        f"licence {card.licence}.",
        "## What it gives\n\n" + _heads(card),
        "## Its input\n\n" + _input(card),
        "## What it was trained on\n\n" + _as_known(_training, card.trained_on),
        "## Figures\n\n" + _as_known(_figures, card.metrics),
        "## Limits\n\n" + "\n".join(f"- {sentence}" for sentence in card.limits),
    ]
    return "\n\n".join(sections) + "\n"


def origin_of(facts: Mapping[str, Any]) -> str:
    """Return a phrase on the weights that a network started from and was averaged with, if any.

    Args:
        facts: A card's `trained_on`.

    Example:
        >>> origin_of({"recipe": {"network": {"start": "nano"}}, "averaged_with": [{"train.seed": 2}]})
        ' from the weights of nano; the mean of its weights and those of another run (train.seed = 2)'
    """
    start = table_at(table_at(facts, "recipe"), "network").get("start")
    others = [f"{found.get('name', 'another run')} ({_settings(found)})" for found in facts.get("averaged_with", ())]
    mean = f"; the mean of its weights and those of {' and of '.join(others)}" if others else ""
    if isinstance(share := facts.get("start_share"), int | float) and start:
        mean += f"; {share:.0%} of its weights are those that it started from, the others are its own"
    return (f" from the weights of {start}" if start else "") + mean


def table_at(facts: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return the table at a key, or an empty one, because other tools may write free tables in any form.

    Example:
        >>> table_at({"recipe": {"name": "nano"}}, "recipe"), table_at({"recipe": "mine"}, "recipe")
        ({'name': 'nano'}, {})
    """
    found = facts.get(key)
    return found if isinstance(found, Mapping) else {}


def _settings(settings: Mapping[str, Any]) -> str:
    """List the settings of a recipe, without its name and description."""
    return ", ".join(f"{key} = {value}" for key, value in settings.items() if "." in key)


def _heads(card: ModelCard) -> str:
    """List the heads with their labels and temperatures."""
    lines = []
    if card.task not in LOGIT_TASKS:
        lines = [f"- `{head}` ({len(names)} numbers): {_listed(names)}" for head, names in card.heads.items()]
        return "\n".join(lines)
    for head, labels in card.heads.items():
        default = ", the default" if head == card.default_head else ""
        fitted = f"; temperature {card.temperature.get(head, 1.0)}"
        if head in card.certain:
            fitted += f"; certain from {exact_percent(card.certain[head])}"
        if head in card.balance:
            fitted += f"; balance {card.balance[head]}"
        if head in card.operating_point:
            fitted += f"; {_tuned(card, head)}"
        lines.append(f"- `{head}` ({len(labels)} expressions{default}{fitted}): {', '.join(labels)}")
    return "\n".join(lines)


def _tuned(card: ModelCard, head: str) -> str:
    """Describe the operating point of a head."""
    point = card.operating_point[head]
    mixed = f"{point['weight']} of {point['second']}, " if point["second"] != head else ""
    return (
        f"tuned: {mixed}strength {point['strength']}, temperature {point['temperature']}, certain from "
        f"{exact_percent(point['certain'])}"
    )


def _listed(names: tuple[str, ...]) -> str:
    """List the names of an output's numbers; if there are many, only the first and the last."""
    return ", ".join(names) if len(names) <= 20 else f"{', '.join(names[:4])} ... {names[-1]}"


def _input(card: ModelCard) -> str:
    """Describe the network's input."""
    width, height = card.input_size
    if card.task == "vector":
        return f"{width} distances between the parts of a face, in units of its size, as `facemood.ferc` measures them."
    size = f"{width} x {height} pixels" if card.task != "detection" else "Any size whose sides are multiples of 16"
    text = f"{size}, {card.colour}; pixels 0..255 minus {list(card.mean)}, divided by {list(card.std)}."
    if not card.framing:
        return text
    crops = "\n".join(f"- `{name}`: {list(box)}{_measured(card, name)}" for name, box in card.framing.items())
    return (
        f"{text}\n\nThe crop (left, top, right, bottom), in units of the detector's box; `landmarks`: of a face that "
        f"is turned upright, in units of its landmarks' size, from their mean:\n\n{crops}"
    )


def _as_known(write: Callable[[dict[str, Any]], str], facts: dict[str, Any]) -> str:
    """Write facts with a function for facemood's own models; if it fails, write them as JSON."""
    try:
        return write(facts)
    except (AttributeError, KeyError, TypeError, ValueError):
        return f"```json\n{json.dumps(facts, indent=1, ensure_ascii=False)}\n```"


def _measured(card: ModelCard, detector: str) -> str:
    """Describe how a framing was measured."""
    found = table_at(table_at(card.metrics, "framing"), detector)
    if not {"tiles", "found"} <= found.keys():
        return ""
    return f", measured by `facemood export` on {found['tiles']:,} enlarged training tiles ({found['found']:,} found)"


def _training(facts: dict[str, Any]) -> str:
    """Describe the training data."""
    if not facts:
        return "Not stated."
    counts = ", ".join(f"{label} {count:,}" for label, count in facts.get("classes", {}).items())
    source = f"{facts['dataset']}, split {facts['split']}: {facts['images']:,} images"
    spent = f"{facts['steps']:,} batches" if "steps" in facts else f"{facts.get('epochs', '?')} epochs"
    return f"{source}{f' ({counts})' if counts else ''}; {spent}{origin_of(facts)}."


def _figures(measured: dict[str, Any]) -> str:
    """Tabulate the figures."""
    if "script" in measured:
        said = [{"on": name, "figure": value} for name, value in measured.items() if name != "script"]
        return f"Measured by `{measured['script']}`.\n\n{markdown_table(said)}"
    rows = [
        {
            "split and labels": name,
            "n": f"{found['n']:,}",
            "accuracy": exact_percent(found["accuracy"]),
            "macro-F1": exact_percent(found["macro_f1"]),
            "ECE before / after temperature": " / ".join(
                exact_percent(found[key]) for key in ("ece_before_temperature", "ece")
            ),
        }
        for name, found in measured.items()
        if "accuracy" in found
    ]
    return (
        'Single view, through this file, with `prior="dataset"` (`facemood export` measured them, '
        "`facemood evaluate --prior dataset` repeats them).\n\n" + markdown_table(rows)
    )
