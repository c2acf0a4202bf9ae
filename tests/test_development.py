"""The developer's path: targets of make, hooks, versions of dependencies, and the version of a tree without git."""

from __future__ import annotations

import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import facemood
from tests import light
from tests.conftest import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, flags=re.MULTILINE))

REGISTRIES = re.compile(r"\b(pypi|pythonhosted|npmjs|yarnpkg|ghcr|quay)\.[a-z]")
"""Hosts of package registries. A project that names none can be built from any mirror."""

SETTINGS = (
    *(".ci/run", ".devcontainer/Dockerfile", ".devcontainer/devcontainer.json", ".npmrc", ".pre-commit-config.yaml"),
    *("Dockerfile", "Makefile", "noxfile.py", "package-lock.json", "package.json", "pyproject.toml"),
    *("requirements/oldest.txt", "requirements/release.txt"),
)


def pyproject() -> str:
    return (ROOT / "pyproject.toml").read_text()


def listed(name: str) -> list[str]:
    """The requirements that stand in one list of pyproject.toml (Python 3.10 has no reader of TOML)."""
    (found,) = re.findall(rf"^{name} = \[(.*?)\]$", pyproject(), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r'"([^"]+)"', found)


def test_make_help_lists_every_target() -> None:
    if shutil.which("make") is None:
        pytest.skip("needs make")
    told = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^make ([a-z-]+)", told, flags=re.MULTILINE)) == TARGETS - {"help"}


def test_every_target_is_phony() -> None:
    (phony,) = re.findall(r"^\.PHONY: (.*)$", MAKEFILE, flags=re.MULTILINE)
    assert set(phony.split()) == TARGETS


def test_hooks_and_continuous_integration_call_targets_that_exist() -> None:
    hooks = (ROOT / ".pre-commit-config.yaml").read_text()
    entries = re.findall(r"entry: (.*)", hooks)
    assert len(entries) == len(re.findall(r"- id:", hooks)) > 0
    called = [entry.removeprefix("make ") for entry in entries]
    called += re.findall(r"make ([a-z-]+)", (ROOT / ".ci" / "run").read_text())
    assert set(called) <= TARGETS
    assert re.findall(r"repo: (.*)", hooks) == ["local"]  # so that pre-commit itself downloads nothing


def test_coverage_and_the_fast_tests_choose_the_same_tests() -> None:
    assert f"FAST = {light.FAST}\n" in MAKEFILE
    recipes = dict(re.findall(r"^([a-z-]+):.*\n((?:\t.*\n)+)", MAKEFILE, flags=re.MULTILINE))
    assert '-m "$(FAST)"' in recipes["coverage"]


def test_continuous_integration_ends_with_the_test_command_of_the_readme() -> None:
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == "make test"
    assert re.search(r"^make test ", (ROOT / "README.md").read_text(), flags=re.MULTILINE)


@pytest.mark.parametrize("name", SETTINGS)
def test_no_setting_names_the_host_of_a_registry(name: str) -> None:
    assert REGISTRIES.findall((ROOT / name).read_text()) == []


def test_the_lock_file_says_what_package_json_asks_for_and_not_from_where() -> None:
    wanted = json.loads((ROOT / "package.json").read_text())
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert locked[""]["devDependencies"] == wanted["devDependencies"]
    assert [name for name, package in locked.items() if "resolved" in package] == []
    assert all("integrity" in package for name, package in locked.items() if name)
    assert wanted["private"] is True  # it cannot be published
    assert "dependencies" not in wanted  # and the pages need nothing


def test_the_oldest_dependencies_are_the_lower_bounds() -> None:
    lines = (ROOT / "requirements" / "oldest.txt").read_text().splitlines()
    pinned = dict(line.split("  #")[0].split(";")[0].split("==") for line in lines if not line.startswith("#"))
    bounds = dict(re.split(r">=", need.split(";")[0].split(",")[0]) for need in listed("dependencies") + listed("test"))
    assert bounds.keys() <= pinned.keys()
    for name, bound in bounds.items():
        assert re.match(rf"{re.escape(bound)}(\.\d+)*$", pinned[name]), f"{name}: {pinned[name]} is not {bound}"


def test_a_test_that_fails_for_a_missing_extra_names_it() -> None:
    outer = ImportError("facemood needs it")
    outer.__cause__ = ModuleNotFoundError("No module named 'torch'", name="torch.nn")
    assert light.missing_extra(outer) == "torch"
    assert light.missing_extra(ModuleNotFoundError("No module named 'facemood.x'", name="facemood.x")) is None
    assert light.missing_extra(AssertionError()) is None
    extras = set(re.findall(r"^([a-z]+) = \[", pyproject(), flags=re.MULTILINE))
    assert set(light.EXTRAS.values()) <= extras


def test_the_version_is_that_of_the_installed_package() -> None:
    assert facemood.__version__ == importlib.metadata.version("facemood")


def test_importing_the_package_does_not_look_for_the_version() -> None:
    code = "import facemood, sys; print('importlib.metadata' in sys.modules, '__version__' in vars(facemood))"
    isolated = [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r}); {code}"]
    done = subprocess.run(isolated, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_a_tree_that_was_never_installed_still_has_a_version() -> None:
    code = f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r}); import facemood; print(facemood.__version__)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "0+unknown"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a ZIP of the sources holds: the parts that a build needs, and no .git."""
    pytest.importorskip("hatch_vcs", reason="building needs hatch-vcs, of the extra dev")
    folder = tmp_path_factory.mktemp("zip") / "facemood-main"
    left_out = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src", folder / "src", ignore=left_out)
    for name in ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "CITATION.cff"):
        shutil.copy(ROOT / name, folder)
    return folder


def version_of_wheel(tree: Path, folder: Path) -> str:
    """Build a tree as pip does, and return the version in the wheel's metadata."""
    offline = ["--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([sys.executable, "-m", "pip", "wheel", "-q", *offline, "-w", folder, tree], check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        assert not [name for name in archive.namelist() if name.endswith(".d.ts")]
        (version,) = re.findall(r"^Version: (.*)$", archive.read(name).decode(), flags=re.MULTILINE)
    return str(version)


def fallback() -> str:
    (found,) = re.findall(r'^fallback-version = "(.*)"$', pyproject(), flags=re.MULTILINE)
    return str(found)


@pytest.fixture
def repository(exported: Path, tmp_path: Path) -> tuple[Path, list[str]]:
    """The same tree as a clone with one commit and no tag; and how git is called there."""
    if shutil.which("git") is None:
        pytest.skip("needs git")
    tree = tmp_path / "clone"
    shutil.copytree(exported, tree)
    git = ["git", "-C", str(tree), "-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "--no-gpg-sign", "-m", "all"]):
        subprocess.run([*git, *arguments], check=True)
    return tree, git


@pytest.mark.slow
def test_a_tree_without_git_is_built_with_the_fallback(exported: Path, tmp_path: Path) -> None:
    assert version_of_wheel(exported, tmp_path) == fallback()


@pytest.mark.slow
def test_a_clone_without_tags_comes_after_the_fallback(repository: tuple[Path, list[str]], tmp_path: Path) -> None:
    major, minor, patch = map(int, fallback().split("."))
    assert version_of_wheel(repository[0], tmp_path).startswith(f"{major}.{minor}.{patch + 1}.dev1+g")


@pytest.mark.slow
def test_only_a_tag_of_a_version_is_the_version(repository: tuple[Path, list[str]], tmp_path: Path) -> None:
    tree, git = repository
    subprocess.run([*git, "tag", "v12.3.4"], check=True)
    assert version_of_wheel(tree, tmp_path / "exact") == "12.3.4"
    subprocess.run([*git, "commit", "-q", "--no-gpg-sign", "--allow-empty", "-m", "next"], check=True)
    for other in ("before-the-move-2", "v2-experiment", "2024-06-01"):
        subprocess.run([*git, "tag", other], check=True)
    assert version_of_wheel(tree, tmp_path / "later").startswith("12.3.5.dev1+g")


def test_the_citation_and_the_fallback_name_the_same_version() -> None:
    assert f"\nversion: {fallback()}\n" in (ROOT / "CITATION.cff").read_text()


def test_the_page_has_each_id_once_and_asks_for_no_other() -> None:
    static = ROOT / "src" / "facemood" / "server" / "static"
    ids = re.findall(r'\bid="([^"]+)"', (static / "index.html").read_text())
    assert sorted(ids) == sorted(set(ids))
    others = {"api.js", "notebook.js"}  # of other pages
    modules = [file for file in static.glob("*.js") if file.name not in others]
    modules += (ROOT / "src" / "facemood" / "web" / "page").glob("*.js")
    asked = {name for file in modules for name in re.findall(r'\bpart\("([^"]+)"\)', file.read_text())}
    assert len(asked) > 20
    assert asked <= set(ids)


def test_the_tests_that_the_threat_model_names_are_there() -> None:
    named = set(re.findall(r"`(tests/[^`]+)`", (ROOT / "SECURITY.md").read_text()))
    assert len(named) > 20
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
