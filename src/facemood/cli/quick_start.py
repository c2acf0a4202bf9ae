"""Commands that start quickly: values that are what they should be are not converted. Their help has groups."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias, get_args, get_origin

from typer.core import TyperCommand, TyperGroup

from facemood.cli.option_groups import sections_of, with_groups

Process: TypeAlias = Callable[[Any, Any], Any]
"""Turns what was given for a parameter into its value: takes the context and what was given."""


class QuickCommand(TyperCommand):
    """A command that leaves a value alone if it has the declared type: text, a list of texts, and defaults.

    New versions of Typer convert every value with pydantic, which takes as long to load as NumPy. Numbers that the user
    types are still converted and checked that way.
    """

    def get_params(self, ctx: Any) -> Any:
        """Return the parameters, those of Typer too; many options are in the order of their groups."""
        return _quickened(with_groups(super().get_params(ctx)))

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the options of a plain help text in their groups, as boxes have them."""
        for title, lines in sections_of(self.get_params(ctx), ctx).items():
            with formatter.section(title):
                formatter.write_dl(lines)


class QuickGroup(TyperGroup):
    """A group of commands that leaves values alone as `QuickCommand` does."""

    def get_params(self, ctx: Any) -> Any:
        """Return the parameters, those of Typer too."""
        return _quickened(super().get_params(ctx))


def _quickened(parameters: list[Any]) -> list[Any]:
    """Let parameters convert only what needs it. Those of an older Typer, which converts quickly, stay as they are."""
    for parameter in parameters:
        declared = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)
        if declared is not None and "process_value" not in vars(parameter):
            parameter.process_value = partial(_process, parameter, declared, parameter.process_value)
    return parameters


def _process(parameter: Any, declared: Any, convert: Process, context: Any, given: Any) -> Any:
    """Return the value of a parameter; Typer converts what has another type, and says what is missing."""
    if not is_ready(given, declared) or (parameter.required and not given):
        return convert(context, given)
    if get_origin(declared) is list:
        given = list(given or ())
    return parameter.callback(context, parameter, given) if parameter.callback else given


def is_ready(given: Any, declared: Any) -> bool:
    """Return whether what was given for a parameter needs no conversion to its type.

    Args:
        given: Text from the command line, several of them, a default, or None.
        declared: The type of the parameter, without None.

    Example:
        >>> is_ready("a.jpg", str), is_ready(("a.jpg", "b.jpg"), list[str]), is_ready(None, float)
        (True, True, True)
        >>> is_ready("0.5", float), is_ready(24, float), is_ready(("1", "2"), list[int])
        (False, False, False)
    """
    if given is None or type(given) is declared:
        return True
    several = get_origin(declared) is list and isinstance(given, list | tuple)
    return several and all(type(one) in get_args(declared) for one in given)
