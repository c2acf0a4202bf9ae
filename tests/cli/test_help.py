"""The help names only what exists, and is whole in narrow and wide terminals."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from facemood.cli.entry import build_app
from facemood.cli.examples import EXAMPLES
from facemood.datasets.readers import KINDS
from facemood.explain import METHODS, SEGMENTERS
from facemood.explain.fill import HIDES
from facemood.ferc.system import MODEL as FERC
from facemood.languages import list_languages
from facemood.models import ModelSession, find_model, list_models
from facemood.models.registry import PRECISIONS
from facemood.models.runtime import DEVICES
from facemood.models.test_time_augmentation import SHIFTS
from facemood.render.anonymize import METHODS as ANONYMIZE
from facemood.render.overlay import LAYERS
from facemood.stages.classify import PRIORS
from facemood.stages.detect import DETECTORS
from facemood.tracking import SMOOTH
from tests.cli.conftest import Run

VALUES = {
    "anonymize": set(ANONYMIZE),
    "data": set(KINDS),
    "detector": {*DETECTORS} - {"yunet"} | {"yunet:FILE.onnx"},
    "device": set(DEVICES),
    "draw": set(LAYERS),
    "head": set(ModelSession(find_model("default"), device="cpu").card.heads),
    "hide": set(HIDES),
    "language": set(list_languages()),
    "method": set(METHODS),
    "precision": set(PRECISIONS),
    "prior": set(PRIORS),
    "segmenter": {*SEGMENTERS, "all"},
    "views": set(map(str, SHIFTS)),
}
"""The values of each option that takes one of a few words."""

LISTED = re.compile(r"(?:[\w:.-]+, )*[\w:.-]+ or [\w:.-]*\w")
"""A list such as ``default, nano, steady or ferc``."""


def walk(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield all commands with their full names, the application itself with an empty one."""
    yield name, command
    for part, inner in getattr(command, "commands", {}).items():
        yield from walk(inner, f"{name} {part}".strip())


COMMANDS = dict(walk(typer.main.get_command(build_app())))


def parameters() -> list[Any]:
    """Return each parameter of each command that has a help text."""
    found = [
        pytest.param(parameter, id=f"{name} {parameter.name}")
        for name, command in COMMANDS.items()
        for parameter in command.params
        if parameter.help
    ]
    assert len(found) > 100
    return found


def texts_of(command: Any) -> list[str]:
    """Return the help texts of a command, its own and those of its parameters."""
    return [text for text in (command.help, *(parameter.help for parameter in command.params)) if text]


def listed(text: str) -> set[str]:
    """Return the names in the first list of a text."""
    found = LISTED.search(text)
    assert found, text
    return set(re.split(r", | or ", found[0]))


@pytest.mark.parametrize("parameter", [one for one in parameters() if one.values[0].name in VALUES])
def test_every_value_exists_and_every_existing_value_is_named(parameter: Any) -> None:
    assert listed(parameter.help) == VALUES[parameter.name]


@pytest.mark.parametrize("parameter", [one for one in parameters() if one.values[0].name == "model"])
def test_every_named_model_exists(parameter: Any) -> None:
    if "facemood models" not in parameter.help:
        assert set(list_models()) <= listed(parameter.help) <= {*list_models(), FERC}
    defaults = parameter.default if isinstance(parameter.default, list) else [parameter.default]
    assert parameter.required or set(defaults) <= set(list_models())


def test_recipes_and_their_keys_exist() -> None:
    pytest.importorskip("torch", reason="needs the extra train")
    from facemood.train import list_recipes, load_recipe

    texts = {parameter.name: parameter.help for parameter in COMMANDS["train"].params}
    (recipe,) = re.findall(r"such as ([\w-]+)", texts["recipe"])
    (setting,) = re.findall(r"[\w.]+=\w+", texts["settings"])
    assert recipe in list_recipes()
    assert load_recipe(recipe, overrides=[setting]).train.epochs == 20


def test_the_setting_belongs_to_the_default_segmenter() -> None:
    parameters = {parameter.name: parameter for parameter in COMMANDS["explain"].params}
    (setting,) = re.findall(r"(\w+)=\d+", parameters["settings"].help)
    assert setting in SEGMENTERS[parameters["segmenter"].default]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_named_option_exists(name: str) -> None:
    command = COMMANDS[name]
    own = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    named = {option for text in texts_of(command) for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)}
    assert named <= own


@pytest.mark.parametrize("name", COMMANDS)
def test_every_named_command_exists(name: str) -> None:
    for text in texts_of(COMMANDS[name]):
        for words in re.findall(r"`facemood ([^`]*)`", text):
            assert words in COMMANDS


@pytest.mark.parametrize(
    "name", [name for name, command in COMMANDS.items() if name and not hasattr(command, "commands")]
)
def test_every_command_has_an_example_that_it_understands(name: str) -> None:
    command = COMMANDS[name]
    assert command.epilog
    for line in EXAMPLES[name]:
        assert f"facemood {line}" in command.epilog
        assert line.startswith(name)
        arguments = shlex.split(line.removeprefix(name))
        context = command.make_context(name, [], resilient_parsing=True)
        _, left, _ = command.make_parser(context).parse_args(arguments)
        assert left == []


def test_examples_are_of_commands() -> None:
    assert set(EXAMPLES) <= set(COMMANDS)


def test_the_default_of_smoothing_is_the_librarys() -> None:
    found = [parameter for command in COMMANDS.values() for parameter in command.params if parameter.name == "smooth"]
    assert {parameter.show_default for parameter in found} == {f"{SMOOTH:g}"}


def test_views_promise_no_accuracy_that_was_not_measured() -> None:
    (text,) = {parameter.help for command in COMMANDS.values() for parameter in command.params
               if parameter.name == "views" and "test-time" in parameter.help}  # fmt: skip
    assert "accura" not in text


def without_spaces(text: str) -> str:
    """Return a text without white space, the lines of boxes and the quotes of code."""
    return re.sub(r"[\s`│╭╮╰╯─]", "", text)


@pytest.mark.parametrize(
    ("name", "columns"), [*((name, 60) for name in COMMANDS), ("", 100), ("live", 100), ("soft-labels", 100)]
)
def test_help_is_whole(facemood: Run, name: str, columns: int) -> None:
    done = facemood(*name.split(), "--help", columns=columns)
    assert max(map(len, done.stdout.splitlines())) <= columns
    shown = without_spaces(done.stdout)
    inner = [command.help for command in getattr(COMMANDS[name], "commands", {}).values()]
    texts = [*texts_of(COMMANDS[name]), *(text.partition("\n\n")[0] for text in inner)]
    assert [text for text in texts if without_spaces(text) not in shown] == []
