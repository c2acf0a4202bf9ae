"""Formulas mean what the same text means in Python, and other text is refused with a message that says where."""

from __future__ import annotations

import ast
import math
import operator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemood import OptionError
from facemood.formula import MOST_CHARACTERS, MOST_DEPTH, Formula

NAMES = ("AU01", "AU12L", "happy", "müde", "a_1")

REFERENCE: dict[type, Any] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.Eq: operator.eq, ast.NotEq: operator.ne,
}  # fmt: skip
"""What the operators mean that Python's parser finds."""


def reference(node: Any, known: dict[str, float]) -> float:
    """The value of what Python's own parser reads in the text."""
    match node:
        case ast.Expression():
            return reference(node.body, known)
        case ast.Constant():
            return float(str(node.value))
        case ast.Name():
            return known[node.id]
        case ast.UnaryOp():
            return float(REFERENCE[type(node.op)](reference(node.operand, known)))
        case ast.BinOp():
            return float(REFERENCE[type(node.op)](reference(node.left, known), reference(node.right, known)))
        case ast.Compare():
            values = [reference(one, known) for one in (node.left, *node.comparators)]
            pairs = zip(node.ops, values[:-1], values[1:], strict=True)
            return float(all(REFERENCE[type(sign)](one, other) for sign, one, other in pairs))
        case ast.Call(func=ast.Name(id="min" | "max" as name)):
            return {"min": min, "max": max}[name](reference(one, known) for one in node.args)
    raise AssertionError(ast.dump(node))


def joined(draw: st.DrawFn, parts: list[str], signs: list[str]) -> str:
    """Parts with operators, and any spaces, between them."""
    space = st.sampled_from(["", " ", "  ", "\t"])
    text = parts[0]
    for part in parts[1:]:
        text += draw(space) + draw(st.sampled_from(signs)) + " " + draw(space) + part
    return text


@st.composite
def formulas(draw: st.DrawFn, depth: int = 3) -> str:
    """The text of a formula."""
    if depth == 0:
        number = st.floats(0, 1e6).map(lambda value: f"{value:g}")
        return draw(st.sampled_from(NAMES) | number | st.sampled_from([".5", "1.", "2e-3", "0"]))
    inner = formulas(depth=depth - 1)
    kind = draw(st.sampled_from(["sum", "product", "compare", "call", "sign", "bare"]))
    if kind in ("sum", "product", "compare"):
        signs = {"sum": ["+", "-"], "product": ["*", "/"], "compare": ["<", "<=", ">", ">=", "==", "!="]}[kind]
        parts = draw(st.lists(inner, min_size=2, max_size=3))
        return joined(draw, [f"({part})" if draw(st.booleans()) else part for part in parts], signs)
    if kind == "call":
        parts = draw(st.lists(inner, min_size=2, max_size=3))
        return f"{draw(st.sampled_from(['min', 'max']))}({', '.join(parts)})"
    return f"{draw(st.sampled_from('+-'))}{draw(inner)}" if kind == "sign" else draw(inner)


@given(formulas(), st.lists(st.floats(-2, 2), min_size=len(NAMES), max_size=len(NAMES)))
def test_a_formula_means_what_it_means_in_python(text: str, values: list[float]) -> None:
    known = dict(zip(NAMES, values, strict=True))
    try:
        expected = reference(ast.parse(text.strip(), mode="eval"), known)
    except ZeroDivisionError:
        expected = math.nan
    found = Formula(text).value(known)
    assert found == expected if math.isfinite(expected) else found is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 - 2 - 3", -4), ("8 / 4 / 2", 1), ("2 + 3 * 4", 14), ("-2 * -3", 6), ("(2 + 3) * 4", 20),
        ("0.2 < AU01 < 0.6", 1), ("0.2 < AU01 < 0.4", 0), ("(AU01 > 0.4) * happy", 0.25), ("max(AU01, happy, 2)", 2),
        ("1e-1 + .5 + 2.", 2.6), ("min(AU01, 1) - happy", 0.25),
    ],
)  # fmt: skip
def test_values(text: str, value: float) -> None:
    assert Formula(text).value({"AU01": 0.5, "happy": 0.25}) == pytest.approx(value)


def test_a_missing_unit_leaves_the_cell_empty() -> None:
    formula = Formula("max(AU04, AU12)")
    assert formula.value({"AU04": 0.5}) is None
    assert formula.value({"AU04": 0.5, "AU12": 0.1}) == 0.5


@pytest.mark.parametrize("text", ["AU01 / 0", "1 / (AU01 - AU01)", "1e308 * 1e308", "1e308 * 10 - 1e308 * 10"])
def test_what_is_not_finite_leaves_the_cell_empty(text: str) -> None:
    assert Formula(text).value({"AU01": 0.5}) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "expected a number, a name, min(, max( or (, but got the end"),
        ("AU01 AU02", "expected an operator, or the end, but got 'AU02' at character 6"),
        ("min(AU01)", "expected an operator or a comma: min and max take two or more values, but got ')' at character"),
        ("min AU01", "expected ( after min, but got 'AU01' at character 5"),
        ("(AU01 + 1", "expected an operator or ), but got the end"),
        ("AU01 +* 2", "but got '*' at character 7"),
        ("AU01 ** 2", "but got '*' at character 7"),
        ("AU01 = 2", "but got '=' at character 6"),
        ("happy and sad", "but got 'and' at character 7"),
        ("__import__('os')", "but got '(' at character 11"),
        ("AU01.real", "but got '.' at character 5"),
        ("[AU01]", "but got '[' at character 1"),
        ("min(AU01, AU02,)", "but got ')' at character 16"),
        ("3 AU01", "but got 'AU01' at character 3"),
        ("3AU01", "but got 'AU01' at character 2"),
        ("happy > ", "but got the end"),
        ("0 <> 1", "but got '>' at character 4"),
        ('"happy"', "but got '\"' at character 1"),
    ],
)  # fmt: skip
def test_other_text_is_refused_and_the_message_says_where(text: str, told: str) -> None:
    with pytest.raises(OptionError) as error:
        Formula(text)
    assert told in str(error.value)


def test_a_huge_formula_is_refused() -> None:
    with pytest.raises(OptionError, match=f"at most {MOST_CHARACTERS:,} characters"):
        Formula("1" + "+1" * MOST_CHARACTERS)
    with pytest.raises(OptionError, match=f"at most {MOST_DEPTH} parentheses"):
        Formula("(" * 400 + "1" + ")" * 400)
    with pytest.raises(OptionError, match=f"at most {MOST_DEPTH} parentheses"):
        Formula("-" * 400 + "1")


@given(st.text(max_size=40))
def test_any_text_is_a_formula_or_refused(text: str) -> None:
    try:
        formula = Formula(text)
    except OptionError:
        return
    known = dict.fromkeys(formula.names, 0.5)
    value = formula.value(known)
    assert value is None or math.isfinite(value)
