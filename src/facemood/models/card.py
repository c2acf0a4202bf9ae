"""ModelCard: everything that inference and a reader must know about weights, as data inside the ONNX file."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from facemood.atomic import replacing
from facemood.errors import ModelError, require

METADATA_KEY = "facemood.card"
"""Where the card stands in the ONNX file's metadata."""

COLOURS = ("grey", "bgr", "rgb")


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
        if self.colour not in COLOURS:
            raise ModelError(f"model {self.name!r}: colour must be one of {', '.join(COLOURS)}, but is {self.colour!r}")
        if self.default_head not in self.heads:
            raise ModelError(
                f"model {self.name!r}: the default head {self.default_head!r} is not among {', '.join(self.heads)}"
            )
        channels = 1 if self.colour == "grey" else 3
        if len(self.mean) != channels or len(self.std) != channels:
            raise ModelError(f"model {self.name!r}: mean and std need {channels} numbers for {self.colour} input")

    def to_json(self) -> str:
        """Return the card as one JSON text."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> ModelCard:
        """Read a card that `to_json` wrote; unknown keys of newer versions are passed over.

        Raises:
            ModelError: The text is no card.
        """
        try:
            table = json.loads(text)
            names = {entry.name for entry in dataclasses.fields(cls)}
            known = {key: _hashable(value) for key, value in table.items() if key in names}
            known["heads"] = {head: tuple(labels) for head, labels in table["heads"].items()}
            for key in ("framing", "prior"):
                known[key] = {name: tuple(values) for name, values in table.get(key, {}).items()}
            return cls(**known)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelError(f"this is no facemood model card ({error})") from error

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], *, file: Path) -> ModelCard:
        """Read the card from an ONNX file's metadata.

        Raises:
            ModelError: The file carries no card.
        """
        if METADATA_KEY not in metadata:
            raise ModelError(
                f"{file}: the ONNX file carries no facemood card, so its labels and input are not known; "
                "export the model with 'facemood export', or add a card with facemood.models.card.write_card"
            )
        return cls.from_json(metadata[METADATA_KEY])


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


def _hashable(value: Any) -> Any:
    """Turn JSON's lists into the tuples that a card holds."""
    return tuple(value) if isinstance(value, list) else value
