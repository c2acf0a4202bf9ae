"""Quick commands give the values and the errors of Typer's own, and load no pydantic to do so."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.core import TyperCommand
from typer.testing import CliRunner

from facemood.cli.quick_start import QuickCommand, is_ready


def shout(text: str | None) -> str | None:
    """A callback, as options have them."""
    if text == "wrong":
        raise typer.BadParameter("it is wrong")
    return text and text.upper()


def application(kind: type[TyperCommand]) -> tuple[typer.Typer, list[tuple[Any, ...]]]:
    """A command of a kind with parameters of all types that ours have, and what its calls were given."""
    app, calls = typer.Typer(), []

    @app.command(cls=kind)
    def show(
        names: Annotated[list[str] | None, typer.Argument()] = None,
        word: Annotated[str | None, typer.Option("--word", callback=shout)] = None,
        layer: Annotated[list[str] | None, typer.Option("--layer")] = None,
        share: Annotated[float, typer.Option("--share", min=0, max=1)] = 0.4,
        count: Annotated[int | None, typer.Option("--count", min=1)] = None,
        size: Annotated[float, typer.Option("--size")] = 24,
        loud: Annotated[bool, typer.Option("--loud")] = False,
    ) -> None:
        calls.append((names, word, layer, share, count, size, loud))

    return app, calls


QUICK, OWN = application(QuickCommand), application(TyperCommand)

TEXT = st.sampled_from(["a", "wrong", "", "0.5", "2", "-1", "1e3", "nan", "x y", "--"])
PIECES = st.one_of(
    TEXT.map(lambda text: (text,)),
    st.just(("--loud",)),
    st.tuples(st.sampled_from(["--word", "--layer", "--share", "--count", "--size", "--no"]), TEXT),
)


@given(st.lists(PIECES, max_size=5))
def test_values_and_errors_are_those_of_typer(pieces: list[tuple[str, ...]]) -> None:
    arguments = [argument for piece in pieces for argument in piece]
    outcomes = []
    for app, calls in (QUICK, OWN):
        calls.clear()
        ended = CliRunner().invoke(app, arguments)
        outcomes.append((ended.exit_code, ended.output, list(map(repr, calls))))
    assert outcomes[0] == outcomes[1]


def test_defaults_keep_their_declared_types() -> None:
    app, calls = QUICK
    calls.clear()
    assert CliRunner().invoke(app, []).exit_code == 0
    assert list(map(repr, calls)) == ["(None, None, None, 0.4, None, 24.0, False)"]


@pytest.mark.parametrize(
    ("given_value", "declared", "ready"),
    [(None, int, True), ("2", str, True), ("2", int, False), (2, int, True), (2, float, False), (True, int, False),
     (("a",), list[str], True), ((), list[str], True), (("a", 1), list[str], False), ("a", list[str], False)],
)  # fmt: skip
def test_a_value_is_ready_if_it_has_its_type(given_value: Any, declared: Any, ready: bool) -> None:
    assert is_ready(given_value, declared) is ready
