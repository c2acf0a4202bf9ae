"""Imports run down only: read from the import statements, so that no one has to remember it."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "facemood"

LAYERS = [
    {"labels", "facs", "errors", "geometry"},
    {"atomic", "progress", "numpy_cnn"},
    {"table", "schema", "render", "models"},
    {"results", "stages", "sources", "datasets"},
    {"timeline"},
    {"analysis", "tracking", "flow", "sinks", "crop_strategy"},
    {"pipeline", "window"},
    {"stream", "explain"},
    {"recognizer"},
    {"ferc"},
    {"loading"},
    {"server", "notebook"},
    {"evaluation"},
    {"train"},
    {"cli"},
    {"__main__"},
]
"""From the ground up. A module imports from its own layer or from those below."""

EXTRA_ONLY = {
    "torch": "train",
    "lightning": "train",
    "onnx": "train",
    "lime": None,
    "skimage": None,
    "pandas": None,
    "matplotlib": None,
    "pygame": "window",
    **dict.fromkeys(("fastapi", "starlette", "pydantic"), "server"),
    "uvicorn": None,
    "mss": None,
}
"""Packages of extras, and the one part that may import them at its head."""

FILES = sorted(path for path in SOURCE.rglob("*.py") if path != SOURCE / "__init__.py")


def part_of(path: Path) -> str:
    """The part of the house a file belongs to."""
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports_of(tree: ast.AST) -> Iterator[str]:
    """The modules that import statements name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def layer_of(part: str) -> int:
    """How far a part stands above the ground."""
    return next(height for height, parts in enumerate(LAYERS) if part in parts)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_run_down_only(path: Path) -> None:
    own = [name.split(".")[1] for name in imports_of(ast.parse(path.read_text())) if name.startswith("facemood.")]
    assert [part for part in own if layer_of(part) > layer_of(part_of(path))] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_packages_of_extras_stay_in_their_part(path: Path) -> None:
    head = ast.Module(
        [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)], []
    )
    names = {name.partition(".")[0] for name in imports_of(head)}
    assert {name for name in names & EXTRA_ONLY.keys() if EXTRA_ONLY[name] != part_of(path)} == set()


STAND_ON = {"detect": {"landmarks"}, "action_units": {"landmarks", "pose"}}
"""Stages that stand on others: the finder's second look, and units that are measured on points freed of the pose."""


def test_stages_do_not_import_each_other_but_for_those_that_stand_on_others() -> None:
    for path in (SOURCE / "stages").rglob("[a-z]*.py"):
        own = path.relative_to(SOURCE / "stages").parts[0].removesuffix(".py")
        names = [name for name in imports_of(ast.parse(path.read_text())) if name.startswith("facemood.stages.")]
        others = {name.split(".")[2] for name in names} - {own}
        assert others <= STAND_ON.get(own, set())


def test_files_are_named_after_what_they_hold() -> None:
    assert not {path.stem for path in FILES} & {"utils", "helpers", "core", "common", "misc"}


def test_a_module_name_stands_once() -> None:
    names = [path.stem for path in SOURCE.rglob("*.py") if path.stem not in {"__init__", "__main__"}]
    names += [path.parent.name for path in SOURCE.rglob("__init__.py")]
    assert [name for name, times in Counter(names).items() if times > 1] == []
