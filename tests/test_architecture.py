"""Imports run down only: read from the import statements, so that no one has to remember it."""

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "facemood"

LAYERS = [
    {
        "defaults",
        "labels",
        "languages",
        "facs",
        "affect",
        "formula",
        "errors",
        "filenames",
        "geometry",
        "spacing",
        "switches",
        "squares",
        "text",
        "toml_text",
        "array_files",
        "wilson",
        "imaging",
        "child_process",
    },
    {"locks", "atomic", "originals", "progress", "numpy_cnn"},
    {"table", "data_frames", "participants", "csv_dialect", "codebooks", "schema", "derived", "render", "models"},
    {"results", "peer_reading", "plan_file", "stages", "sources", "datasets", "frame_batches"},
    {"timeline"},
    {"analysis", "study", "tracking", "flow", "expression_changes", "sinks", "outputs", "isolation", "strategy"},
    {"pipeline", "window"},
    {"stream", "explain", "scene_start", "people_search", "same_people", "video_segments", "video_orientation"},
    {"recognizer", "crop_reader"},
    {"ferc"},
    {"loading"},
    {"server", "notebook", "web", "archive"},
    {"review"},
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
    "optuna": "train",
    "h5py": None,
    "lime": None,
    "skimage": None,
    "pandas": None,
    "matplotlib": None,
    "pygame": "window",
    **dict.fromkeys(("fastapi", "starlette", "pydantic"), "server review"),
    "uvicorn": "server",
    "python_multipart": "server",
    "mss": None,
    **dict.fromkeys(("ray", "distributed", "dask", "cryptography"), None),
    **dict.fromkeys(("scipy", "sklearn", "pyreadstat", "xlsxwriter"), None),
}
"""Packages of extras, and the parts that may import them at their heads."""

FILES = sorted(path for path in SOURCE.rglob("*.py") if path != SOURCE / "__init__.py")


@cache
def tree_of(path: Path) -> ast.Module:
    """A file's syntax tree."""
    return ast.parse(path.read_text())


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


def test_the_document_lists_these_layers() -> None:
    text = (SOURCE.parents[1] / "docs" / "architecture.md").read_text()
    block = text.partition("    cli > ")[2].partition("\n\n")[0]
    listed = [set(layer.replace("\n", " ").replace(",", " ").split()) for layer in f"cli > {block}".split(">")]
    assert listed[::-1] == [layer for layer in LAYERS if layer != {"__main__"}]


def layer_of(part: str) -> int:
    """How far a part stands above the ground."""
    return next(height for height, parts in enumerate(LAYERS) if part in parts)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_run_down_only(path: Path) -> None:
    own = [name.split(".")[1] for name in imports_of(tree_of(path)) if name.startswith("facemood.")]
    assert [part for part in own if layer_of(part) > layer_of(part_of(path))] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_packages_of_extras_stay_in_their_part(path: Path) -> None:
    head = ast.Module([node for node in tree_of(path).body if isinstance(node, ast.Import | ast.ImportFrom)], [])
    names = {name.partition(".")[0] for name in imports_of(head)}
    assert {
        name for name in names & EXTRA_ONLY.keys() if part_of(path) not in (EXTRA_ONLY[name] or "").split()
    } == set()


STAND_ON = {"detect": {"landmarks"}, "action_units": {"landmarks", "pose"}}
"""Stages that stand on others: the finder's second look, and units that are measured on points freed of the pose."""


def test_toml_is_read_in_one_place_that_older_pythons_have_too() -> None:
    found = {path.name for path in FILES if {"tomllib", "tomli"} & set(imports_of(tree_of(path)))}
    assert found == {"toml_text.py"}


def test_stages_do_not_import_each_other_but_for_those_that_stand_on_others() -> None:
    for path in (SOURCE / "stages").rglob("[a-z]*.py"):
        own = path.relative_to(SOURCE / "stages").parts[0].removesuffix(".py")
        names = [name for name in imports_of(tree_of(path)) if name.startswith("facemood.stages.")]
        others = {name.split(".")[2] for name in names} - {own}
        assert others <= STAND_ON.get(own, set())


def test_files_are_named_after_what_they_hold() -> None:
    assert not {path.stem for path in FILES} & {"utils", "helpers", "core", "common", "misc"}


def test_a_module_name_stands_once() -> None:
    names = [path.stem for path in SOURCE.rglob("*.py") if path.stem not in {"__init__", "__main__"}]
    names += [path.parent.name for path in SOURCE.rglob("__init__.py")]
    assert [name for name, times in Counter(names).items() if times > 1] == []


def test_a_public_class_name_stands_once() -> None:
    bodies = [node for path in SOURCE.rglob("*.py") for node in tree_of(path).body]
    names = [node.name for node in bodies if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]
    assert [name for name, times in Counter(names).items() if times > 1] == []


LAZY_FOR_DISPLAY = {("facemood.schema", "facemood.render")}
"""Imports inside functions that may lead back up, because a notebook displays a value: (importer, imported)."""

MODULES = {
    ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in SOURCE.rglob("*.py")
    if path != SOURCE / "__init__.py"  # which imports nothing at run time, but loads public names on first use
}
"""All modules and packages, by the names under which they are imported."""

Graph = Mapping[str, set[str]]
"""What each module imports."""


def run_time_imports(tree: ast.AST, *, in_functions: bool) -> Iterator[ast.Import | ast.ImportFrom]:
    """The import statements that run when a module is imported, and those that run in its functions if asked for."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not in_functions:
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        yield from run_time_imports(node, in_functions=in_functions)


def imported_by(module: str, tree: ast.AST, *, in_functions: bool) -> set[str]:
    """The modules that are loaded for a module's imports; a package is loaded for each module inside of it."""
    named = []
    for node in run_time_imports(tree, in_functions=in_functions):
        if isinstance(node, ast.Import):
            named += [alias.name for alias in node.names]
        else:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            named += [name if name in MODULES else str(node.module) for name in inner]
    packages = [".".join(name.split(".")[:depth]) for name in named for depth in range(2, name.count(".") + 1)]
    outer = {
        name for name in packages if not module.startswith(f"{name}.")
    }  # its own packages are being loaded already
    return (outer | set(named)) & MODULES.keys() - {module}


@cache
def graph_of(*, in_functions: bool) -> dict[str, set[str]]:
    """What each module imports at run time."""
    trees = {name: tree_of(path) for name, path in MODULES.items()}
    return {name: imported_by(name, tree, in_functions=in_functions) for name, tree in trees.items()}


def merged(graph: Graph, depth: int) -> dict[str, set[str]]:
    """The graph of packages down to a depth of names: 2 for the parts of the house, such as `facemood.stages`."""
    parts: dict[str, set[str]] = {}
    for module, names in graph.items():
        own = ".".join(module.split(".")[:depth])
        parts.setdefault(own, set()).update({".".join(name.split(".")[:depth]) for name in names} - {own})
    return parts


def circle_in(graph: Graph, *, allowed: Iterable[tuple[str, str]] = ()) -> list[str]:
    """The modules of a circle, each imported by the next one; empty if there is none."""
    left = {name: {one for one in names if (name, one) not in set(allowed)} for name, names in graph.items()}
    try:
        TopologicalSorter(left).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.mark.parametrize("depth", [2, 3, 9])
def test_no_imports_run_in_a_circle(depth: int) -> None:
    assert circle_in(merged(graph_of(in_functions=False), depth)) == []
    assert circle_in(merged(graph_of(in_functions=True), depth), allowed=LAZY_FOR_DISPLAY) == []


def test_every_lazy_import_for_display_is_one_that_would_be_a_circle() -> None:
    for pair in LAZY_FOR_DISPLAY:
        assert pair[1] in graph_of(in_functions=True)[pair[0]]
        assert set(pair) <= set(circle_in(graph_of(in_functions=True), allowed=LAZY_FOR_DISPLAY - {pair}))


def test_a_circle_is_found() -> None:
    assert set(circle_in({"a": {"b"}, "b": {"c"}, "c": {"b"}})) == {"b", "c"}
    assert circle_in({"a": {"b"}, "b": {"c"}, "c": {"b"}}, allowed=[("c", "b")]) == []
    code = (
        "if TYPE_CHECKING:\n import facemood.cli\nimport facemood.stages.pose\ndef f():\n from facemood import render\n"
    )
    at_import = {"facemood.stages", "facemood.stages.pose"}
    assert imported_by("facemood.schema", ast.parse(code), in_functions=False) == at_import
    assert imported_by("facemood.schema", ast.parse(code), in_functions=True) == {*at_import, "facemood.render"}
    assert imported_by("facemood.stages.align", ast.parse(code), in_functions=False) == {"facemood.stages.pose"}


def test_stages_hold_no_state() -> None:
    """What changes from one frame to the next stands in `tracking`: no method of a stage sets an attribute."""
    changes = []
    for path in (SOURCE / "stages").rglob("*.py"):
        for kind in [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.ClassDef)]:
            methods = [node for node in kind.body if isinstance(node, ast.FunctionDef) and node.name != "__init__"]
            targets = [node for method in methods for node in ast.walk(method) if isinstance(node, ast.Attribute)]
            changes += [f"{path.stem}.{kind.name}.{node.attr}" for node in targets if isinstance(node.ctx, ast.Store)]
    assert changes == []


@pytest.mark.parametrize("part", sorted({part_of(path) for path in FILES} - {"cli", "server"}))
def test_a_constant_stands_alone_with_its_docstring(part: str) -> None:
    for path in (path for path in FILES if part_of(path) == part):
        body = tree_of(path).body
        for node, after in zip(body, [*body[1:], None], strict=True):
            if (
                isinstance(node, ast.Assign)
                and ast.unparse(node.targets[0]).strip("()").replace("_", "").replace(", ", "").isupper()
            ):
                assert isinstance(node.targets[0], ast.Name), f"{path.name}: {ast.unparse(node)}"
                explained = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
                assert explained or node.targets[0].id.startswith("__"), f"{path.name}: {node.targets[0].id}"
