"""Whether a card fits the network that it stands in: its input, its outputs and their labels.

What does not fit is a ValueError that names the card's field, or the input or output.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facemood.errors import did_you_mean
from facemood.models.card import ModelCard

FLOAT = "tensor(float)"
"""ONNX Runtime's word for an array of float32."""

LOGIT_TASKS = ("expression", "vector")
"""The tasks whose outputs are logits, one a label; those of other tasks have any form."""


def check_graph(card: ModelCard, inputs: Sequence[Any], outputs: Sequence[Any]) -> bool:
    """Make sure that a card fits the inputs and outputs that a network declares.

    Args:
        card: The card.
        inputs: The network's inputs with name, type and shape, as ONNX Runtime lists them.
        outputs: Its outputs likewise.

    Returns:
        Whether the network takes one face a run.

    Raises:
        ValueError: It does not fit.
    """
    if len(inputs) != 1:
        raise ValueError(f"the network has {len(inputs)} inputs, but must have one")
    _check_input(card, inputs[0])
    known = {output.name: output for output in outputs}
    for head, labels in card.heads.items():
        if head not in known:
            raise ValueError(
                f"heads names {head!r}, but the network's outputs are {', '.join(known)}.{did_you_mean(head, known)}"
            )
        _check_output(card, known[head], len(labels))
    return 1 in (_batch_of(part) for part in (inputs[0], *(known[head] for head in card.heads)))


def input_shape(card: ModelCard) -> tuple[int, ...]:
    """Return the shape of the input of one face.

    Example:
        >>> input_shape(ModelCard("m", {"mood": ("happy", "sad")}, "mood", input_size=(48, 64)))
        (1, 64, 48)
    """
    width, height = card.input_size
    return (width,) if card.task == "vector" else (len(card.mean), height, width)


def check_logits(card: ModelCard, found: Mapping[str, NDArray[Any]], count: int) -> None:
    """Make sure that a run gave a number a label for each of so many faces.

    Raises:
        ValueError: It did not.
    """
    if card.task not in LOGIT_TASKS:
        return
    for head, labels in card.heads.items():
        expected = (count, len(labels))
        if found[head].shape != expected or found[head].dtype != np.float32:
            raise ValueError(
                f"heads.{head} has {len(labels)} labels, so the output {head!r} must be float32 {_words(expected)} for "
                f"{count} faces, but is {found[head].dtype} {_words(found[head].shape)}"
            )


def _check_input(card: ModelCard, part: Any) -> None:
    """Make sure that the input is what the card says that it is made of."""
    if part.type != FLOAT:
        raise ValueError(f"the input {part.name!r} must be {FLOAT}, but is {part.type}")
    wanted: tuple[int | str, ...] = ("batch", *input_shape(card))
    fields = ("batch", "input_size") if card.task == "vector" else ("batch", "colour", "input_size", "input_size")
    if len(part.shape) != len(wanted):
        raise ValueError(f"the input {part.name!r} must be {_words(wanted)}, but is {_words(part.shape)}")
    _check_batch("input", part)
    for field, size, found in zip(fields[1:], wanted[1:], part.shape[1:], strict=True):
        if _is_fixed(found) and found != size:
            raise ValueError(
                f"{field} is {_value(card, field)}, so the input {part.name!r} must be {_words(wanted)}, but it is "
                f"{_words(part.shape)}"
            )


def _check_output(card: ModelCard, part: Any, labels: int) -> None:
    """Make sure that an output has a number a label, as far as its shape tells."""
    if part.type != FLOAT:
        raise ValueError(f"heads.{part.name}: the output {part.name!r} must be {FLOAT}, but is {part.type}")
    if card.task not in LOGIT_TASKS or not part.shape:  # no shape is an unknown one
        return
    if len(part.shape) != 2 or (_is_fixed(part.shape[1]) and part.shape[1] != labels):
        raise ValueError(
            f"heads.{part.name} has {labels} labels, so the output {part.name!r} must be {_words(('batch', labels))}, "
            f"but is {_words(part.shape)}"
        )
    _check_batch("output", part)


def _check_batch(kind: str, part: Any) -> None:
    """Make sure that a batch may have any size, or is 1."""
    if _is_fixed(part.shape[0]) and part.shape[0] != 1:
        raise ValueError(
            f"the {kind} {part.name!r} has a fixed batch of {part.shape[0]}; export the network with a batch of any "
            "size, or of 1"
        )


def _batch_of(part: Any) -> Any:
    """Return the size of the batch that an input or output declares."""
    return part.shape[0] if part.shape else None


def _is_fixed(size: Any) -> bool:
    """Tell whether a dimension has a size; others have a name, nothing, or -1."""
    return isinstance(size, int) and size >= 0


def _value(card: ModelCard, field: str) -> str:
    """Write the value of a field."""
    return " x ".join(map(str, card.input_size)) if field == "input_size" else card.colour


def _words(shape: Sequence[Any]) -> str:
    """Write a shape; what is free and has no name is a question mark."""
    return f"({', '.join('?' if size is None else str(size) for size in shape)})"
