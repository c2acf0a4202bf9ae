"""The models inside the package, by name."""

from __future__ import annotations

from pathlib import Path

from facemood.errors import ModelError, did_you_mean

WEIGHTS = Path(__file__).parent / "weights"
PARTS = WEIGHTS / "parts"
"""Networks that the pipeline itself is made of; they read no expressions."""

DEFAULT_MODEL = "default"
FINDER, LANDMARKS = "finder", "landmarks"


def list_models() -> list[str]:
    """Name the expression models inside the package.

    Example:
        >>> DEFAULT_MODEL in list_models()
        True
    """
    return sorted(file.stem for file in WEIGHTS.glob("*.onnx"))


def list_parts() -> list[str]:
    """Name the networks that find faces and their landmarks, and those that FERC is made of.

    Example:
        >>> list_parts()
        ['ferc', 'finder', 'landmarks', 'mask']
    """
    return sorted(file.stem for file in PARTS.glob("*.onnx"))


def find_model(name: str | Path) -> Path:
    """Return the file of a model by its name, or check that a path leads to one.

    Raises:
        ModelError: There is no model of that name and no file at that path.
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
