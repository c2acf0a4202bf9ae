"""Save networks as .npz files: the weights by name, and the layers as JSON."""

from __future__ import annotations

import dataclasses
import json
import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from facemood.atomic import replacing
from facemood.errors import ModelError, did_you_mean
from facemood.numpy_cnn.layer import Floats, Layer, Shape

LAYERS = "layers"
"""Name of the entry that describes the layers."""


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
        with np.load(Path(path), allow_pickle=False) as archive:
            arrays = dict(archive)
        description = json.loads(str(arrays.pop(LAYERS)))
        layers, input_shape = [restore(layer) for layer in description["layers"]], tuple(description["input_shape"])
    except FileNotFoundError:
        raise ModelError(f"{path}: there is no such file") from None
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path}: is not a network of numpy_cnn; expected a file by Sequential.save") from error
    return layers, input_shape, arrays


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
    kinds = {kind.__name__: kind for kind in _kinds(Layer)}
    options = {name: _whole(value) for name, value in description.items() if name != "kind"}
    kind = description["kind"]
    if kind not in kinds:
        raise ModelError(f"unknown kind of layer {kind!r}; import its module first.{did_you_mean(kind, kinds)}")
    try:
        return kinds[kind](**options)
    except (TypeError, ValueError) as error:
        raise ModelError(f"the layer {kind} cannot be made with {options} ({error})") from error


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
