"""The models in the package, by name."""

from __future__ import annotations

from pathlib import Path

from facemood.errors import ModelError, did_you_mean

WEIGHTS = Path(__file__).parent / "weights"
"""Folder of the expression models."""

PARTS = WEIGHTS / "parts"
"""Folder of the other networks of the pipeline and of FERC."""

FINDER = "finder"
"""The face detector."""

LANDMARKS = "landmarks"
"""The landmark network."""


def list_models() -> list[str]:
    """Return the names of the expression models in the package.

    Example:
        >>> "default" in list_models()
        True
    """
    return sorted(file.stem for file in WEIGHTS.glob("*.onnx"))


def list_parts() -> list[str]:
    """Return the names of the face detector, the landmark network, and the networks of FERC.

    Example:
        >>> list_parts()
        ['ferc', 'finder', 'landmarks', 'mask']
    """
    return sorted(file.stem for file in PARTS.glob("*.onnx"))


def find_model(name: str | Path) -> Path:
    """Return the file of a model by its name or path.

    Raises:
        ModelError: There is no model with that name and no .onnx file at that path.
    """
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
