"""Write the first part of a model's card, from the facts of its run: labels, input, training data and limits."""

from __future__ import annotations

from typing import Any

from facemood.labels import EXPRESSIONS
from facemood.models.card import ModelCard
from facemood.models.card_rules import CHANNELS
from facemood.train.data.targets import VOTE_HEAD

LIMITS = (
    "It reads apparent expression from a still picture, not what a person feels or thinks.",
    "Faces turned far from the camera, covered or smaller than 30 pixels are read poorly.",
)
"""Limits of all models."""

FER2013_LIMITS = (
    "FER2013's labels come from web searches and are often wrong; people agree with them about 65% of the time.",
    "Disgust and contempt are rare in the training data, and are often missed.",
    "The training faces came from web searches; ages, skin tones and cultures are not balanced and not recorded, "
    "so accuracy for a group is unknown.",
    "FER2013's pictures were collected from the web for research, and their rights were never cleared: the weights are "
    "ours to license, the pictures are not.",
)
"""Limits of models that were trained on FER2013, or started from such a model."""

STARTED_LIMIT = (
    "It started from a network that learned from FER2013, whose pictures were collected from the web for research; "
    "their rights were never cleared."
)
"""Limit of models of other data that started from a model of the package."""

OWN_LIMITS = (
    "Whom the training images show, and who labelled them, is known to the one who trained it.",
    "How well it reads each group of people is unknown until it is measured: facemood evaluate --groups.",
)
"""Limits of models that were trained on a user's images."""

FEW = 30
"""A label with fewer training images is named among the limits."""

NOT_STATED = "not stated"
"""Licence of a model of a user's images whose recipe names none."""

KNOWN = ("fer2013", "ferplus")
"""Datasets that the package's own models learned from."""


def describe(facts: dict[str, Any]) -> ModelCard:
    """Return the card of an exported run, as far as the facts of the run go.

    Args:
        facts: The facts in ``run.json``, with ``epochs_done`` and, for averages, ``averaged_with`` or ``start_share``.
    """
    recipe, side = facts["recipe"], facts.get("input_size", 48)
    own, *others = facts["heads"]
    heads = {own: tuple(facts["classes"]), **dict.fromkeys(others, EXPRESSIONS)}
    colour = recipe.get("input", {}).get("colour", "grey")
    channels = CHANNELS[colour]
    return ModelCard(
        name=recipe["name"],
        description=recipe["description"],
        heads=heads,
        default_head=VOTE_HEAD if VOTE_HEAD in heads else own,
        input_size=(side, side),
        colour=colour,
        mean=(0.0,) * channels,
        std=(1.0,) * channels,
        trained_on={
            "dataset": facts["dataset"],
            **facts["trained_on"],
            "epochs": facts["epochs_done"],
            "recipe": recipe,
            **{key: facts[key] for key in ("weights", "teachers", "averaged_with", "start_share") if facts.get(key)},
        },
        licence=recipe["data"].get("licence") or ("Apache-2.0" if facts["dataset"] in KNOWN else NOT_STATED),
        limits=_limits(facts),
    )


def _limits(facts: dict[str, Any]) -> tuple[str, ...]:
    """Return the limits of a model, by the facts of its run."""
    if facts["dataset"] in KNOWN:
        return (*LIMITS, *FER2013_LIMITS)
    started = facts["recipe"]["network"].get("start", "")
    counts = facts["trained_on"].get("classes", {})
    few = [f"{word} ({count})" for word, count in counts.items() if count < FEW]
    return (
        *LIMITS,
        f"It knows the labels {', '.join(facts['classes'])}, and gives one of them to every face.",
        *([f"Labels with few training images are often wrong: {', '.join(few)}."] if few else ()),
        *([STARTED_LIMIT] if started else ()),
        *OWN_LIMITS,
    )
