"""The models in the package, by name."""

from __future__ import annotations

import os
from pathlib import Path

from facemood.defaults import FP32
from facemood.errors import ModelError, OptionError, did_you_mean

WEIGHTS = Path(__file__).parent / "weights"
"""Folder of the expression models."""

PARTS = WEIGHTS / "parts"
"""Folder of the other networks of the pipeline and of FERC."""

FINDER = "finder"
"""The face detector."""

LANDMARKS = "landmarks"
"""The landmark network."""

APPEARANCE = "appearance"
"""The appearance network, which joins tracks of one person in a video."""

INT8 = "int8"
"""8-bit integers. The file ``NAME.int8.onnx`` is next to ``NAME.onnx``."""

PRECISIONS = (FP32, INT8)
"""In which numbers a network can compute."""


def list_models() -> list[str]:
    """Return the names of the expression models in the package.

    Example:
        >>> "default" in list_models()
        True
    """
    return _names_in(WEIGHTS)


def list_parts() -> list[str]:
    """Return the names of the face detector, the landmark and the appearance network, and the networks of FERC.

    Example:
        >>> list_parts()
        ['appearance', 'ferc', 'finder', 'landmarks', 'mask']
    """
    return _names_in(PARTS)


def _names_in(folder: Path) -> list[str]:
    """Return the names of the models in a folder; the int8 version of a model has the same name."""
    return sorted(file.stem for file in folder.glob("*.onnx") if not file.stem.endswith(f".{INT8}"))


def check_precision(precision: str) -> str:
    """Return a precision, after a check.

    Raises:
        OptionError: It is none of `PRECISIONS`.
    """
    if precision not in PRECISIONS:
        raise OptionError(f"precision must be {' or '.join(map(repr, PRECISIONS))}, but is {precision!r}")
    return precision


def find_model(name: str | Path, *, precision: str = FP32) -> Path:
    """Return the file of a model by its name or path.

    Args:
        name: The name of a model in the package, or the path of an .onnx file.
        precision: ``"fp32"``, or ``"int8"`` for the file that computes with 8-bit integers.

    Raises:
        ModelError: There is no model with that name and no .onnx file at that path, or it has no int8 file.
        OptionError: The precision is unknown.

    Example:
        >>> find_model("default", precision="int8").name
        'default.int8.onnx'
    """
    check_precision(precision)
    path = _find_file(name)
    if precision == FP32 or path.stem.endswith(f".{INT8}"):
        return path
    quantized = path.with_name(f"{path.stem}.{INT8}.onnx")
    if not quantized.is_file():
        raise ModelError(
            f"the model {str(name)!r} has no int8 file {quantized.name} next to it; use precision 'fp32', "
            f"or make the file with 'facemood export {name} --precision int8'"
        )
    return quantized


def _find_file(name: str | Path) -> Path:
    """Return the file of a model in single precision."""
    if not isinstance(name, str | os.PathLike):
        raise ModelError(f"a model is a name such as 'default', or the path of an .onnx file, but got {name!r}")
    for folder, names in ((WEIGHTS, list_models()), (PARTS, list_parts())):
        if str(name) in names:
            return folder / f"{name}.onnx"
    path = Path(name).expanduser()
    if path.suffix != ".onnx" or not path.is_file():
        raise ModelError(
            f"there is no model {str(name)!r}: expected one of {', '.join([*list_models(), 'ferc'])}, "
            f"or the path of an .onnx file.{did_you_mean(str(name), [*list_models(), 'ferc'])}"
        )
    return path
