"""Commands with many options show them in groups, in terminals of any width and in the reference."""

from __future__ import annotations

import re
from typing import Any

import pytest

from facemood.cli.option_groups import GROUPS, MANY, TITLES
from tests.cli.conftest import Run
from tests.cli.test_help import COMMANDS
from tests.conftest import load_script


def options_of(command: Any) -> list[Any]:
    """The options of a command, that for help too."""
    context = command.make_context("facemood", [], resilient_parsing=True)
    return [one for one in command.get_params(context) if one.param_type_name == "option"]


LONG = [name for name, command in COMMANDS.items() if len(options_of(command)) >= MANY]
"""The commands whose help has groups."""


def test_the_longest_commands_have_groups() -> None:
    assert {"analyze", "live", "serve", "explain"} <= set(LONG)


def test_every_name_in_a_group_is_that_of_an_option() -> None:
    known = {option.name for name in LONG for option in options_of(COMMANDS[name])}
    assert set(TITLES) == known


@pytest.mark.parametrize("columns", [60, 100])
@pytest.mark.parametrize("name", LONG)
def test_the_help_has_each_group_once_and_no_other_option(facemood: Run, name: str, columns: int) -> None:
    shown = facemood(name, "--help", columns=columns).stdout
    wanted = [title for title in GROUPS if any(TITLES[one.name] == title for one in options_of(COMMANDS[name]))]
    titles = re.findall(r"^(?:╭─ )?([A-Z][a-z ]+)(?::$| ─+╮)", shown, flags=re.MULTILINE)
    assert [title for title in titles if title != "Arguments"] == wanted


def test_the_reference_has_the_groups_of_the_help() -> None:
    page = load_script("command_reference").command_reference()
    section = page.partition("## analyze\n")[2].partition("\n## ")[0]
    assert [title for title in GROUPS if f"| {title} |" in section] == [title for title in GROUPS if title not in
            ("Explanation", "Address and access")]  # fmt: skip
