"""scripts/figures.toml names everything that is made from networks, once, and only what is there."""

from __future__ import annotations

import os
import re
import shlex
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.figures_table import Entry, read_table
from tests.conftest import ROOT
from tests.forking import HEAVY, LIGHT, ForkServer
from tests.test_documented_commands import understand

TABLE = read_table()

SAYS = re.compile(
    r"(?:written|[Mm]easured|these pictures)\b[^.]*? by `(?:(?:scripts|benchmarks)/\w+\.py|facemood evaluate --report)`"
    r"|`(?:scripts|benchmarks)/\w+\.py` writes (?:this|the) page"
)
"""How a page says that a script writes it."""

KINDS = ("docs/*.json", "docs/models/*.md", "docs/benchmarks/*", "docs/explanations/*", "docs/images/*",
         "docs/course/*.md", "docs/notebooks/*.ipynb", "benchmarks/*.json", "benchmarks/results.md")  # fmt: skip
"""Files that are all made by a command."""


def lines_of(entry: Entry) -> Iterator[list[str]]:
    """The commands of an entry as words; a file after ``>`` is left out."""
    for command in entry.commands:
        words = shlex.split(command)
        yield words[: words.index(">")] if ">" in words else words


def program_of(words: list[str]) -> tuple[str, ...]:
    """What is run: a script, or a module of Python."""
    return tuple(words[1:3] if words[1] == "-m" else words[1:2])


COMMANDS = [(entry.name, words) for entry in TABLE.made.values() for words in lines_of(entry)]

PROGRAMS = sorted({program_of(words) for _, words in COMMANDS if words[0] == "python" and "pytest" not in words})


def places() -> Counter[str]:
    """How many entries write each file."""
    found = Counter[str]()
    for entry in TABLE.made.values():
        for pattern in entry.writes:
            assert list(ROOT.glob(pattern)), f"{entry.name} writes {pattern}, which is not there"
            found.update({str(file.relative_to(ROOT)) for file in ROOT.glob(pattern)})
    return found


def test_every_file_of_figures_is_written_by_one_entry() -> None:
    known = places()
    files = {str(file.relative_to(ROOT)) for kind in KINDS for file in ROOT.glob(kind)}
    assert len(files) > 60
    assert {file: known[file] for file in sorted(files) if known[file] != 1} == {}
    assert {file: number for file, number in known.items() if number > 1} == {}


def test_every_page_that_says_that_it_is_written_is_written_by_one_entry() -> None:
    known = places()
    pages = [page for page in (ROOT / "docs").glob("*.md") if SAYS.search(" ".join(page.read_text("utf-8").split()))]
    assert len(pages) >= 17
    assert {page.name: known[f"docs/{page.name}"] for page in pages if known[f"docs/{page.name}"] != 1} == {}


def test_every_page_with_a_template_is_found_by_what_it_says() -> None:
    for template in (ROOT / "scripts").glob("*.template.md"):
        page = ROOT / "docs" / template.name.replace(".template", "")
        assert SAYS.search(" ".join(page.read_text("utf-8").split())), page.name


def test_every_script_that_measures_is_in_the_table() -> None:
    scripts = {f"scripts/{file.name}" for file in (ROOT / "scripts").glob("measure_*.py")}
    assert len(scripts) >= 18
    assert scripts <= {name for program in PROGRAMS for name in program}


def test_every_network_of_the_package_is_in_the_table_and_every_network_exists() -> None:
    named = [file for files in TABLE.networks.values() for file in files]
    assert len(named) == len(set(named))
    weights = {str(file.relative_to(ROOT)) for file in (ROOT / "src/facemood/models/weights").rglob("*.onnx")}
    assert weights <= {*named}
    assert all((ROOT / file).is_file() for file in named)
    for entry in TABLE.made.values():
        assert {*entry.networks, *entry.cards} <= {*TABLE.networks}, entry.name


def test_entries_come_after_what_they_need() -> None:
    """So nothing is outdated at once by what is made below it: neither weights, nor the digests that pages name."""
    names = list(TABLE.made)
    for place, entry in enumerate(TABLE.made.values()):
        assert TABLE.before(entry) <= {*names[:place]}, entry.name
        below = [TABLE.made[name] for name in names[place + 1 :]]
        pages = any(file.startswith(("docs/", "benchmarks/")) for file in entry.writes)
        late = {name for one in below for name in (*TABLE.written(one), *(one.cards if pages else ()))}
        assert not late & {*entry.networks}, f"{entry.name} depends on what is written afterwards"


def test_folders_and_pages_that_are_named_exist() -> None:
    for entry in TABLE.made.values():
        assert entry.minutes >= 0
        assert all((ROOT / page).is_file() for page in entry.copy), entry.name
        named = re.findall(r"WORK/([\w-]+)", " ".join(entry.commands))
        assert {*named} <= {*TABLE.made}, entry.name


def test_tests_that_hold_pages_to_figures_are_run() -> None:
    run = {word for words in lines_of(TABLE.made["stored-values"]) for word in words if word.startswith("tests/")}
    assert all((ROOT / file).is_file() for file in run)
    assert {f"tests/{file.name}" for file in (ROOT / "tests").glob("test_*_page.py")} <= run


@pytest.mark.parametrize(("name", "words"), [one for one in COMMANDS if one[1][0] == "facemood"])
def test_a_command_of_facemood_is_understood(name: str, words: list[str]) -> None:
    understand(words[1:])


@pytest.fixture(scope="module")
def server() -> Iterator[ForkServer]:
    """Forks the scripts of a process that has imported what most of them import."""
    server = ForkServer((*LIGHT, *HEAVY))
    yield server
    server.close()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: Path(program[-1]).stem)
def test_options_exist(program: tuple[str, ...], server: ForkServer) -> None:
    given = {word for _, words in COMMANDS if program_of(words) == program for word in words if word.startswith("-")}
    given -= {"-m"}
    script = ROOT / program[-1]
    if script.is_file() and "ArgumentParser" not in script.read_text(encoding="utf-8"):
        assert {len(words) for _, words in COMMANDS if program_of(words) == program} == {2}  # it takes no words
        return
    path = program[-1] if program[0] == "-m" else str(script)
    asked = server.run(["--help"], ROOT, os.environ, timeout=120, program=path)
    if "MissingExtraError" in asked.stderr or "ModuleNotFoundError" in asked.stderr:
        pytest.skip(f"{program[-1]} needs an extra: {asked.stderr.splitlines()[-1]}")
    assert asked.returncode == 0, asked.stderr
    options = {*re.findall(r"(?<![\w-])--?[a-z][\w-]*", asked.stdout)}
    assert given <= options
