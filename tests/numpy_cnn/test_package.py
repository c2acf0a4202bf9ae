"""The package depends only on NumPy and on facemood's modules for errors and atomic files."""

import ast
import sys
from pathlib import Path

import pytest

from facemood import numpy_cnn
from facemood.numpy_cnn import Layer, checks
from facemood.numpy_cnn.network_file import describe, restore
from tests.test_architecture import imports_of

FILES = sorted(Path(numpy_cnn.__file__).parent.glob("*.py"))

LONGEST = 45
"""Largest number of lines of a function, so that students can read it."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_it_imports_numpy_and_little_of_the_house(path: Path) -> None:
    allowed = (
        "numpy",
        "facemood.numpy_cnn",
        "facemood.errors",
        "facemood.atomic",
        "facemood.array_files",
        "matplotlib",
    )
    names = {name for name in imports_of(ast.parse(path.read_text())) if not name.startswith(allowed)}
    assert names <= sys.stdlib_module_names | {"__future__", "collections.abc"}
    assert path.name == "drawings.py" or "matplotlib" not in path.read_text()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_its_files_and_functions_are_short(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") < 200
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < LONGEST, node.name


def test_the_public_names_are_there_and_hold_every_layer() -> None:
    assert [name for name in numpy_cnn.__all__ if not hasattr(numpy_cnn, name)] == []
    assert len(set(numpy_cnn.__all__)) == len(numpy_cnn.__all__)
    kinds = {type(layer).__name__ for layer, _, _ in checks.examples().values()}
    assert kinds <= set(numpy_cnn.__all__)


def test_every_layer_is_documented_with_what_it_keeps_and_survives_its_description() -> None:
    for layer, _, _ in checks.examples().values():
        text = type(layer).__doc__ or ""
        assert "Keeps: " in text
        assert "Example:" in text
        assert describe(restore(describe(layer))) == describe(layer)
    assert "a subclass" in (Layer.__doc__ or "")
