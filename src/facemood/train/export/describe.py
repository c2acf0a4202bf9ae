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

OWN_LIMITS = ("Whom the training images show, and who labelled them, is known to the one who trained it.",)
"""Limits of models that were trained on a user's images."""


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
        limits=_limits(facts["dataset"], start=recipe["network"].get("start", "")),
    )


def _limits(dataset: str, *, start: str) -> tuple[str, ...]:
    """Return the limits of a model, by its training data."""
    known = dataset in ("fer2013", "ferplus")
    return (*LIMITS, *(FER2013_LIMITS if known or start else ()), *(() if known else OWN_LIMITS))
