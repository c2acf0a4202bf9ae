"""ModelCard: everything that inference and users need to know about a model, stored in its ONNX file."""

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
from facemood.models.model_file import read_model_file
from facemood.models.operating_point import OperatingPoint

METADATA_KEY = "facemood.card"
"""Key of the card in the ONNX file's metadata."""

REQUIRED = ("name", "heads", "default_head")
"""Fields that every card must have; the others have defaults."""

FREE = ("trained_on", "metrics")
"""Fields with tables of any form."""


@dataclass(frozen=True, slots=True, repr=False)
class ModelCard:
    """Describes a model: its outputs, its input, its training, its figures and its limits.

    Attributes:
        name: The model's name.
        heads: Labels of the logits of each output of the network, in order.
        default_head: The head that is used by default.
        input_size: Width and height of the input in pixels.
        colour: ``"grey"``, ``"bgr"`` or ``"rgb"``.
        mean: Mean that is subtracted from the pixels 0..255, for each channel.
        std: Standard deviation by which the pixels are divided afterwards, for each channel.
        temperature: Temperature of each head, by which its logits are divided before the softmax (Guo et al. 2017).
        prior: Share of each label of each head among the training images.
        balance: Strength of ``prior="balanced"`` for each head (logit adjustment).
        certain: Confidence 0..1 of each head from which a prediction counts as certain (selective prediction).
        operating_point: The rule of ``prior="tuned"`` for each head that has one.
        framing: Crop that the network expects, for each detector by name: left, top, right and bottom in units of the
            detector's box, where ``(0, 0, 1, 1)`` is the box itself. ``"landmarks"``: the crop of an upright face, in
            units of its landmarks' size, from their mean (`stages.align`). Faces with landmarks are cut out by it.
        description: One sentence.
        version: Version of the weights.
        licence: SPDX name.
        trained_on: Dataset, split, counts.
        metrics: Figures by dataset and protocol.
        limits: Sentences on what the model cannot do.
        task: Kind of the outputs, such as ``"expression"``.

    Raises:
        ModelError: A field has a wrong type, is out of range, or does not agree with another field.

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
    operating_point: dict[str, OperatingPoint] = field(default_factory=dict)
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

    def __repr__(self) -> str:
        heads = ", ".join(self.heads)
        return f"<ModelCard: {self.name} {self.version}, {self.task}, {' x '.join(map(str, self.input_size))}, {heads}>"

    def to_json(self) -> str:
        """Return the card as one JSON text."""
        return json.dumps(dataclasses.asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> ModelCard:
        """Read a card from `to_json`; unknown keys of newer versions are ignored.

        Raises:
            ModelError: The text is not a card, or a field is missing, has a wrong type or is out of range.
        """
        try:
            table = read_json(text)
        except ValueError as error:
            raise ModelError(f"this is not a facemood model card: {error}") from error
        missing = [field for field in REQUIRED if field not in table]
        if missing:
            raise ModelError(f"this is not a facemood model card: the field {missing[0]!r} is missing")
        known = {entry.name for entry in dataclasses.fields(cls)}
        return cls(**{field: _frozen(field, value) for field, value in table.items() if field in known})

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str], *, file: Path) -> ModelCard:
        """Read the card from an ONNX file's metadata.

        Raises:
            ModelError: The file has no card, or a damaged one. The message names file and field.
        """
        if METADATA_KEY not in metadata:
            raise ModelError(
                f"{file}: the ONNX file has no facemood card, so its labels and input are not known; "
                "export the model with 'facemood export', or add a card with facemood.models.card.write_card"
            )
        try:
            return cls.from_json(metadata[METADATA_KEY])
        except ModelError as error:
            raise ModelError(f"{file}: {error}") from error


def write_card(file: Path, card: ModelCard) -> None:
    """Write a card into an ONNX file, replacing the one that it has.

    Raises:
        MissingExtraError: The package onnx is not installed (extra ``train``).
        ModelError: The file is not an ONNX model that contains its weights.
        OutputError: The file cannot be written.
    """
    onnx = require("onnx", extra="train")
    try:
        model = onnx.load_model_from_string(read_model_file(file))
    except ModelError:
        raise
    except Exception as error:  # protobuf's own
        raise ModelError(f"{file}: cannot be loaded as an ONNX model ({error})") from error
    kept = {entry.key: entry.value for entry in model.metadata_props if entry.key != METADATA_KEY}
    onnx.helper.set_model_props(model, {**kept, METADATA_KEY: card.to_json()})
    with replacing(file, "wb") as whole:
        whole.write(model.SerializeToString())


def _frozen(field: str, value: Any) -> Any:
    """Turn JSON's lists into tuples, except in free tables."""
    if field not in FREE and isinstance(value, dict):
        return {key: _frozen(field, entry) for key, entry in value.items()}
    return tuple(value) if field not in FREE and isinstance(value, list) else value
