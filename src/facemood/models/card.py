"""ModelCard: everything that inference and a reader must know about weights, as data inside the ONNX file."""

from __future__ import annotations

import dataclasses
import json
import reprlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facemood.atomic import replacing
from facemood.errors import ModelError, require
from facemood.models.card_rules import check_fields, read_json

METADATA_KEY = "facemood.card"
"""Where the card stands in the ONNX file's metadata."""

REQUIRED = ("name", "heads", "default_head")
"""The fields that every card has; the others have defaults."""

FREE = ("trained_on", "metrics")
"""The fields that hold tables of any form."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model is, how its input is made, and what is known of it.

    Attributes:
        name: What users call it.
        heads: For each output of the network, the label words of its logits in order.
        default_head: The head that is read where none is asked for.
        input_size: Width and height of the input in pixels.
        colour: ``"grey"``, ``"bgr"`` or ``"rgb"``.
        mean: What is subtracted from the pixels 0..255, a number for each channel.
        std: What they are divided by afterwards.
        temperature: For each head, what its logits are divided by before the softmax (Guo et al. 2017).
        prior: For each head, the share of each label among the training images.
        balance: For each head, how strongly ``prior="balanced"`` takes the prior out of its logits.
        certain: For each head, the confidence 0..1 from which on a reading counts as certain.
        framing: For each detector by name, the crop that the network wants, in units of the detector's box:
            left, top, right and bottom, where ``(0, 0, 1, 1)`` is the box itself.
        description: One sentence.
        version: Version of the weights.
        licence: SPDX name.
        trained_on: Dataset, split, counts.
        metrics: Figures by dataset and protocol.
        limits: Sentences that say what the model cannot do.
        task: What the outputs mean.

    Raises:
        ModelError: A field is of another type, out of its range, or does not agree with another.

    Example:
        >>> card = ModelCard("mine", heads={"mood": ("happy", "sad")}, default_head="mood")
        >>> ModelCard.from_json(card.to_json()) == card
        True
    """

    name: str
    heads: dict[str, tuple[str, ...]]
    default_head: str
    input_size: tuple[int, int] = (48, 48)
    colour: str = "grey"
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    temperature: dict[str, float] = field(default_factory=dict)
    prior: dict[str, tuple[float, ...]] = field(default_factory=dict)
    balance: dict[str, float] = field(default_factory=dict)
    certain: dict[str, float] = field(default_factory=dict)
    framing: dict[str, tuple[float, float, float, float]] = field(default_factory=dict)
    description: str = ""
    version: str = "1"
    licence: str = "Apache-2.0"
    trained_on: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    limits: tuple[str, ...] = ()
    task: str = "expression"

    def __post_init__(self) -> None:
        try:
            check_fields({entry.name: getattr(self, entry.name) for entry in dataclasses.fields(self)})
        except ValueError as error:
            raise ModelError(f"model {reprlib.repr(self.name)}: {error}") from None

    def to_json(self) -> str:
        """Return the card as one JSON text."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> ModelCard:
        """Read a card that `to_json` wrote; unknown keys of newer versions are passed over.

        Raises:
            ModelError: The text is no card, or a field is missing, of another type or out of its range.
        """
        try:
            table = read_json(text)
        except ValueError as error:
            raise ModelError(f"this is no facemood model card: {error}") from error
        missing = [field for field in REQUIRED if field not in table]
        if missing:
            raise ModelError(f"this is no facemood model card: the field {missing[0]!r} is missing")
        known = {entry.name for entry in dataclasses.fields(cls)}
        return cls(**{field: _frozen(field, value) for field, value in table.items() if field in known})

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], *, file: Path) -> ModelCard:
        """Read the card from an ONNX file's metadata.

        Raises:
            ModelError: The file carries no card, or one that is damaged; the message names file and field.
        """
        if METADATA_KEY not in metadata:
            raise ModelError(
                f"{file}: the ONNX file carries no facemood card, so its labels and input are not known; "
                "export the model with 'facemood export', or add a card with facemood.models.card.write_card"
            )
        try:
            return cls.from_json(metadata[METADATA_KEY])
        except ModelError as error:
            raise ModelError(f"{file}: {error}") from error


def write_card(file: Path, card: ModelCard) -> None:
    """Put a card into an ONNX file, in place of the one it has.

    Raises:
        MissingExtraError: The package onnx is not installed (extra ``train``).
        OutputError: The file cannot be written to.
    """
    onnx = require("onnx", extra="train")
    model = onnx.load(file)
    kept = {entry.key: entry.value for entry in model.metadata_props if entry.key != METADATA_KEY}
    onnx.helper.set_model_props(model, {**kept, METADATA_KEY: card.to_json()})
    with replacing(file, "wb") as whole:
        whole.write(model.SerializeToString())


def _frozen(field: str, value: Any) -> Any:
    """Turn JSON's lists into the tuples that a card holds; those of free tables stay lists."""
    if field not in FREE and isinstance(value, dict):
        return {key: _frozen(field, entry) for key, entry in value.items()}
    return tuple(value) if field not in FREE and isinstance(value, list) else value
