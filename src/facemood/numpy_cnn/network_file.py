"""Save networks as .npz files: the weights by name, and the layers as JSON."""

from __future__ import annotations

import dataclasses
import json
import os
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from facemood.array_files import check_array, read_arrays, text_of
from facemood.atomic import replacing
from facemood.errors import ModelError, did_you_mean
from facemood.numpy_cnn.layer import Floats, Layer, Shape

LAYERS = "layers"
"""Name of the entry that describes the layers."""

LARGEST_SIZE = 2**31
"""Sizes of an input lie below it."""


def write_archive(
    path: str | os.PathLike[str], layers: Sequence[Layer], input_shape: Shape, weights: Mapping[str, Floats]
) -> None:
    """Write a network.

    Raises:
        OutputError: The file cannot be written.
    """
    description = json.dumps({"input_shape": input_shape, "layers": [describe(layer) for layer in layers]})
    with replacing(path, "wb") as file:
        entries: dict[str, Any] = {LAYERS: np.array(description), **weights}
        np.savez_compressed(file, **entries)


def read_archive(path: str | os.PathLike[str]) -> tuple[list[Layer], Shape, dict[str, Floats]]:
    """Return layers without weights, the shape of one input, and the weights by name.

    Raises:
        ModelError: The file is missing, is not such an archive, or names an unknown layer.
    """
    try:
        arrays = read_arrays(path, needed=[LAYERS])
        layers, input_shape = _read_layers(text_of(LAYERS, arrays.pop(LAYERS)))
        for name, values in arrays.items():
            check_array(name, values, kind=np.floating, shape=values.shape)
    except FileNotFoundError:
        raise ModelError(f"{path}: there is no such file") from None
    except (OSError, ValueError, ModelError) as error:
        raise ModelError(
            f"{path}: is not a network of numpy_cnn; expected a file by Sequential.save ({error})"
        ) from error
    return layers, input_shape, arrays


def _read_layers(text: str) -> tuple[list[Layer], Shape]:
    """Return the layers and the shape of one input that a description names.

    Raises:
        ValueError: It is no JSON, or has not the form that `write_archive` gives it.
        ModelError: It names a layer that is not known, or options that it does not have.
    """
    try:
        table = json.loads(text)
        layers = [restore(layer) for layer in _field(table, "layers")]
    except RecursionError:
        raise ValueError(f"{LAYERS}: is nested too deep") from None
    shape = tuple(_field(table, "input_shape"))
    if not shape or not all(type(size) is int and 0 < size < LARGEST_SIZE for size in shape):
        raise ValueError(f"input_shape must be whole numbers from 1, but is {reprlib.repr(shape)}")
    return layers, shape


def _field(table: Any, name: str) -> list[Any]:
    """Return a list of a description."""
    found = table.get(name) if isinstance(table, dict) else None
    if not isinstance(found, list):
        raise ValueError(f"{LAYERS}: the field {name!r} must be a list, but is {reprlib.repr(found)}")
    return found


def describe(layer: Layer) -> dict[str, Any]:
    """Return a layer's kind and options as plain values.

    Example:
        >>> from facemood.numpy_cnn import Dense, Residual
        >>> describe(Residual([Dense(2)]))
        {'kind': 'Residual', 'body': [{'kind': 'Dense', 'units': 2}], 'shortcut': []}
    """
    options = {field.name: getattr(layer, field.name) for field in dataclasses.fields(layer) if field.init}
    return {"kind": type(layer).__name__, **{name: _plain(value) for name, value in options.items()}}


def restore(description: Mapping[str, Any]) -> Layer:
    """Return the layer of a description; your own layers are known once their module is imported.

    Raises:
        ModelError: There is no such kind of layer, or it has no such option.

    Example:
        >>> restore({"kind": "Dense", "units": 2})
        Dense(units=2)
    """
    if not isinstance(description, Mapping) or not isinstance(description.get("kind"), str):
        raise ModelError(f"a layer must be a table with its kind, but is {reprlib.repr(description)}")
    kinds = {kind.__name__: kind for kind in _kinds(Layer)}
    options = {name: _whole(value) for name, value in description.items() if name != "kind"}
    kind = description["kind"]
    if kind not in kinds:
        raise ModelError(f"unknown kind of layer {kind!r}; import its module first.{did_you_mean(kind, kinds)}")
    try:
        return kinds[kind](**options)
    except (TypeError, ValueError) as error:
        raise ModelError(f"the layer {kind} cannot be made with {reprlib.repr(options)} ({error})") from error


def _plain(value: Any) -> Any:
    """Return an option as a plain value; layers become descriptions."""
    return [describe(layer) for layer in value] if isinstance(value, list | tuple) else value


def _whole(value: Any) -> Any:
    """Return the option of a plain value."""
    return [restore(layer) for layer in value] if isinstance(value, list) else value


def _kinds(kind: type[Layer]) -> Iterator[type[Layer]]:
    """Yield all subclasses of a layer."""
    for subclass in kind.__subclasses__():
        yield subclass
        yield from _kinds(subclass)
