"""Print a page of all commands: their help texts, options and examples, from the commands themselves.

python scripts/command_reference.py

The site shows it below docs/commands.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import typer.main

from facemood.cli.entry import COMMANDS, GROUPS, build_app
from facemood.cli.examples import EXAMPLES
from facemood.text import markdown_table


def command_reference() -> str:
    """Return the reference as Markdown: a section a command."""
    group = typer.main.get_command(build_app())
    found = dict(walk(group))
    order = [name for name in found if name.split()[0] in (*COMMANDS, *GROUPS)]
    return "\n".join(section(name, found[name]) for name in order)


def walk(group: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the commands that do something, with their full names."""
    for part, command in group.commands.items():
        full = f"{name} {part}".strip()
        if getattr(command, "invoke_without_command", False) or not hasattr(command, "commands"):
            yield full, command
        if hasattr(command, "commands"):
            yield from walk(command, full)


def section(name: str, command: Any) -> str:
    """Return what there is to know of a command; options stand in the groups of its help."""
    context = command.make_context(name, [], resilient_parsing=True)
    usage = " ".join(["facemood", name, *command.collect_usage_pieces(context)])
    parts = [f"## {name}", command.help.strip(), f"```text\n{usage}\n```"]
    for title, parameters in grouped(command.params).items():
        rows = (row(one, context) for one in parameters)
        parts.append(markdown_table([{title: names, "meaning": meaning} for names, meaning in rows]))
    if name in EXAMPLES:
        lines = "\n".join(f"facemood {line}" for line in EXAMPLES[name])
        parts.append(f"```sh\n{lines}\n```")
    return "\n\n".join(parts) + "\n"


def grouped(parameters: list[Any]) -> dict[str, list[Any]]:
    """Return parameters by the title of their group: arguments first, then options in the order of the help."""
    groups: dict[str, list[Any]] = {}
    for one in sorted(parameters, key=lambda one: str(one.param_type_name)):
        if not getattr(one, "hidden", False):
            groups.setdefault(getattr(one, "rich_help_panel", None) or one.param_type_name, []).append(one)
    return groups


def row(parameter: Any, context: Any) -> tuple[str, str]:
    """Return the names of a parameter, and its meaning with its default."""
    names, meaning = parameter.get_help_record(context)
    names = re.sub("<[^>]*>", "VALUE", names)
    if parameter.param_type_name == "argument":
        names = parameter.metavar or parameter.name
    return f"`{names}`".replace("|", "\\|"), cell(meaning)


def cell(text: str) -> str:
    """Return a text as the cell of a table."""
    return re.sub(r"\s+", " ", text).replace("|", "\\|").replace("<", "\\<").replace("[", "\\[").strip()


if __name__ == "__main__":
    print(command_reference())
