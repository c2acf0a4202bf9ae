"""Check a card against the network in its file: input, outputs and labels.

A mismatch raises a ValueError that names the card's field, or the input or output.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facemood.errors import did_you_mean
from facemood.models.card import ModelCard

FLOAT = "tensor(float)"
"""ONNX Runtime's name for an array of float32."""

LOGIT_TASKS = ("expression", "vector")
"""Tasks whose outputs are logits, one per label; outputs of other tasks have any shape."""


def check_graph(card: ModelCard, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
    """Check a card against the inputs and outputs that a network declares.

    Args:
        card: The card.
        inputs: The network's inputs with name, type and shape, as ONNX Runtime lists them.
        outputs: Its outputs, in the same form.

    Raises:
        ValueError: They do not match.
    """
    if len(inputs) != 1:
        raise ValueError(f"the network must have one input, but has {len(inputs)}")
    _check_input(card, inputs[0])
    known = {output.name: output for output in outputs}
    for head, labels in card.heads.items():
        if head not in known:
            raise ValueError(
                f"heads names {head!r}, but the network's outputs are {', '.join(known)}.{did_you_mean(head, known)}"
            )
        _check_output(card, known[head], len(labels))


def takes_one_face(card: ModelCard, inputs: Sequence[Any], outputs: Sequence[Any]) -> bool:
    """Return whether a network that `check_graph` has accepted takes one face per run.

    Args:
        card: The card.
        inputs: The network's inputs, as for `check_graph`.
        outputs: Its outputs.
    """
    parts = [*inputs, *(output for output in outputs if output.name in card.heads)]
    return any(bool(part.shape) and part.shape[0] == 1 for part in parts)


def input_shape(card: ModelCard) -> tuple[int, ...]:
    """Return the shape of the input for one face.

    Example:
        >>> input_shape(ModelCard("m", {"mood": ("happy", "sad")}, "mood", input_size=(48, 64)))
        (1, 64, 48)
    """
    width, height = card.input_size
    return (width,) if card.task == "vector" else (len(card.mean), height, width)


def check_logits(card: ModelCard, found: Mapping[str, NDArray[Any]], count: int) -> None:
    """Check that a run gave one number per label for each of `count` faces.

    Raises:
        ValueError: The shape or type of an output is wrong.
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
    """Check the input against the card."""
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
    """Check that an output has one number per label, as far as its shape is declared."""
    if part.type != FLOAT:
        raise ValueError(f"heads.{part.name}: the output {part.name!r} must be {FLOAT}, but is {part.type}")
    if card.task not in LOGIT_TASKS or not part.shape:  # an undeclared shape
        return
    if len(part.shape) != 2 or (_is_fixed(part.shape[1]) and part.shape[1] != labels):
        raise ValueError(
            f"heads.{part.name} has {labels} labels, so the output {part.name!r} must be {_words(('batch', labels))}, "
            f"but is {_words(part.shape)}"
        )
    _check_batch("output", part)


def _check_batch(kind: str, part: Any) -> None:
    """Check that the batch has any size, or is 1."""
    if _is_fixed(part.shape[0]) and part.shape[0] != 1:
        raise ValueError(
            f"the {kind} {part.name!r} has a fixed batch of {part.shape[0]}; export the network with a batch of any "
            "size, or of 1"
        )


def _is_fixed(size: Any) -> bool:
    """Return whether a dimension has a fixed size; others have a name, None or -1."""
    return isinstance(size, int) and size >= 0


def _value(card: ModelCard, field: str) -> str:
    """Format the value of a field."""
    return " x ".join(map(str, card.input_size)) if field == "input_size" else card.colour


def _words(shape: Sequence[Any]) -> str:
    """Format a shape; a free dimension without a name is a question mark."""
    return f"({', '.join('?' if size is None else str(size) for size in shape)})"
