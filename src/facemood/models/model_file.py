"""The bytes of an ONNX file, whole: a model whose weights lie in other files is refused.

ONNX lets a tensor name another file for its numbers (external data). Such a model is no single file that can be copied,
and could name files that are not its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from facemood.errors import ModelError

LARGEST = 2**31 - 1
"""Bytes of an ONNX file at most; protocol buffers allow no more."""

PARTS = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse tensor"},
    "function": {7: "node"},
    "node": {5: "attribute"},
    "attribute": {
        5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse tensor", 23: "sparse tensor",
    },
    "sparse tensor": {1: "tensor", 2: "tensor"},
}  # fmt: skip
"""For each message of ONNX, the fields by which tensors are reached; the numbers stand in its onnx.proto."""

NAME, EXTERNAL_DATA, DATA_LOCATION = 8, 13, 14
"""Fields of a tensor: its name, where its numbers lie, and whether they lie elsewhere."""


def read_model_file(file: Path) -> bytes:
    """Read an ONNX file that holds its weights itself.

    Raises:
        ModelError: The file cannot be read, is too large, or keeps weights in other files.
    """
    try:
        size = file.stat().st_size
        data = file.read_bytes() if size <= LARGEST else b""
    except OSError as error:
        raise ModelError(f"{file}: cannot be read ({error.strerror})") from error
    if size > LARGEST:
        raise ModelError(f"{file}: cannot be loaded as an ONNX model (it has {size:,} bytes; the most are {LARGEST:,})")
    try:
        name = find_external(data)
    except (IndexError, ValueError) as error:
        raise ModelError(f"{file}: cannot be loaded as an ONNX model ({error})") from error
    if name is not None:
        raise ModelError(
            f"{file}: the tensor {name!r} is external data, which lies in another file; keep all weights in the model: "
            "onnx.save(onnx.load(FILE), NEW_FILE)"
        )
    return data


def find_external(model: bytes) -> str | None:
    """Return the name of a tensor whose numbers lie in another file, or None where all lie in the model.

    Args:
        model: An ONNX file.

    Raises:
        IndexError: It names other files and is cut within a number.
        ValueError: It names other files and is no protocol buffer.

    Example:
        >>> find_external(b"")
    """
    if b"location" not in model:  # the key of every reference to a file
        return None
    return next(_external_tensors(model), None)


def _external_tensors(model: bytes) -> Iterator[str]:
    """Yield the names of tensors whose numbers lie elsewhere."""
    from facemood.numpy_cnn.onnx_weights import read_fields  # loads all layers, and hardly a model gets here

    left: list[tuple[str, bytes]] = [("model", model)]
    while left:
        kind, data = left.pop()
        fields = list(read_fields(data))
        if kind == "tensor":
            if any(_is_elsewhere(number, value) for number, value in fields):
                yield _name_of(fields)
            continue
        parts = PARTS[kind]
        left += [(parts[number], value) for number, value in fields if number in parts and isinstance(value, bytes)]


def _is_elsewhere(number: int, value: int | bytes) -> bool:
    """Tell whether a field of a tensor says that its numbers lie in another file."""
    return number == EXTERNAL_DATA or (number == DATA_LOCATION and value != 0)


def _name_of(fields: list[tuple[int, int | bytes]]) -> str:
    """Return a tensor's name."""
    names = [value for number, value in fields if number == NAME and isinstance(value, bytes)]
    return names[-1].decode(errors="replace") if names else ""
