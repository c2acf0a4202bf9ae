"""Formulas over named numbers: parsed by an own small parser, never run as code.

A formula has numbers, names, ``+ - * /``, ``min`` and ``max``, comparisons and parentheses, with the precedence that
they have in Python. A comparison is 1 where it holds and 0 where it does not; ``0.2 < AU12 < 0.6`` holds if both do.
"""

from __future__ import annotations

import itertools
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from facemood.errors import OptionError

MOST_CHARACTERS = 1000
"""Most characters of a formula."""

MOST_DEPTH = 50
"""Most parentheses, calls and signs within each other."""

TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[^\W\d]\w*)|(?P<sign><=|>=|==|!=|\S))"
)
"""The next part of a formula: a number, a name, or an operator."""

COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
"""The comparisons."""

ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
"""The arithmetic operators of two numbers."""

FUNCTIONS: Mapping[str, Callable[[Sequence[float]], float]] = {"min": min, "max": max}
"""The functions, each of two or more numbers."""


class FormulaStep(NamedTuple):
    """One step of a formula in postfix order.

    Attributes:
        kind: ``"number"``, ``"name"``, ``"negate"``, ``"compare"``, an operator of `ARITHMETIC`, or one of `FUNCTIONS`.
        value: The number; the name; the comparisons between the last numbers; or how many of them a function takes.
    """

    kind: str
    value: Any = 2


@dataclass(frozen=True)
class Formula:
    """A formula that was parsed.

    Args:
        text: The formula.

    Attributes:
        text: As it was given.
        names: The names in it, each once, in their order.

    Raises:
        OptionError: The text is no formula. The message says at which character.

    Example:
        >>> formula = Formula("min(AU04, AU01) - AU12 / 2")
        >>> formula.names, round(formula.value({"AU01": 0.9, "AU04": 0.6, "AU12": 0.2}), 3)
        (('AU04', 'AU01', 'AU12'), 0.5)
        >>> Formula("happy > 0.5").value({}) is None
        True
    """

    text: str
    names: tuple[str, ...] = field(init=False)
    steps: tuple[FormulaStep, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        steps = tuple(_FormulaParser(self.text).parse())
        object.__setattr__(self, "steps", steps)
        names = dict.fromkeys(step.value for step in steps if step.kind == "name")
        object.__setattr__(self, "names", tuple(names))

    def value(self, known: Mapping[str, float]) -> float | None:
        """Return the value of the formula.

        Args:
            known: Numbers by name.

        Returns:
            The value, not clipped; None if a name is missing, or if the value is not finite, as after a division by 0.
        """
        if any(name not in known for name in self.names):
            return None
        stack: list[float] = []
        try:
            for kind, value in self.steps:
                if kind == "number":
                    stack.append(value)
                elif kind == "name":
                    stack.append(float(known[value]))
                elif kind == "negate":
                    stack.append(-stack.pop())
                else:
                    count = len(value) + 1 if kind == "compare" else value
                    numbers = stack[-count:]
                    del stack[-count:]
                    stack.append(_apply(kind, value, numbers))
        except ZeroDivisionError:
            return None
        return stack[0] if math.isfinite(stack[0]) else None


def _apply(kind: str, value: Any, numbers: Sequence[float]) -> float:
    """Return the value of an operator or function of some numbers."""
    if kind == "compare":
        pairs = zip(value, itertools.pairwise(numbers), strict=True)
        return float(all(COMPARE[sign](*pair) for sign, pair in pairs))
    return FUNCTIONS[kind](numbers) if kind in FUNCTIONS else ARITHMETIC[kind](*numbers)


class _FormulaParser:
    """Turns a formula into steps, by recursive descent; the loosest operators come first."""

    def __init__(self, text: str) -> None:
        self.text, self.steps, self.depth = text, list[FormulaStep](), 0
        if len(text) > MOST_CHARACTERS:
            raise OptionError(f"a formula has at most {MOST_CHARACTERS:,} characters, but this one has {len(text):,}")
        self.parts = list(TOKEN.finditer(text.rstrip()))
        self.place = 0

    def parse(self) -> list[FormulaStep]:
        """Parse the whole text."""
        self.comparison()
        if self.place < len(self.parts):
            raise self.error("an operator, or the end")
        return self.steps

    @property
    def kind(self) -> str | None:
        """What the next part is: ``"number"``, ``"name"`` or ``"sign"``; None at the end."""
        return self.parts[self.place].lastgroup if self.place < len(self.parts) else None

    @property
    def word(self) -> str:
        """The next part; empty at the end."""
        return self.parts[self.place].group().strip() if self.place < len(self.parts) else ""

    def take(self) -> str:
        """Return the next part, and go on."""
        word, self.place = self.word, self.place + 1
        return word

    def comparison(self) -> None:
        """Parse sums with comparisons between them."""
        self.sum()
        signs = []
        while self.word in COMPARE:
            signs.append(self.take())
            self.sum()
        if signs:
            self.steps.append(FormulaStep("compare", tuple(signs)))

    def sum(self) -> None:
        """Parse products with ``+`` and ``-`` between them."""
        self.product()
        while self.word in ("+", "-"):
            sign = self.take()
            self.product()
            self.steps.append(FormulaStep(sign))

    def product(self) -> None:
        """Parse factors with ``*`` and ``/`` between them."""
        self.factor()
        while self.word in ("*", "/"):
            sign = self.take()
            self.factor()
            self.steps.append(FormulaStep(sign))

    def factor(self) -> None:
        """Parse a number, a name, a call, something in parentheses, or one of these with a sign."""
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise OptionError(
                f"a formula has at most {MOST_DEPTH} parentheses within each other, but this one has more"
            )
        kind, word = self.kind, self.word
        if kind == "number":
            self.steps.append(FormulaStep("number", float(self.take())))
        elif kind == "name" and word in FUNCTIONS:
            self.call()
        elif kind == "name":
            self.steps.append(FormulaStep("name", self.take()))
        elif word in ("+", "-"):
            self.take()
            self.factor()
            self.steps += [FormulaStep("negate")] if word == "-" else []
        elif word == "(":
            self.take()
            self.comparison()
            self.expect(")", "an operator or )")
        else:
            raise self.error("a number, a name, min(, max( or (")
        self.depth -= 1

    def call(self) -> None:
        """Parse a function with two or more values."""
        name, count = self.take(), 1
        self.expect("(", f"( after {name}")
        self.comparison()
        while self.word == "," or count == 1:
            self.expect(",", "an operator or a comma: min and max take two or more values")
            self.comparison()
            count += 1
        self.expect(")", "an operator, a comma or )")
        self.steps.append(FormulaStep(name, count))

    def expect(self, word: str, told: str) -> None:
        """Go on behind a part that must come next."""
        if self.word != word:
            raise self.error(told)
        self.take()

    def error(self, expected: str) -> OptionError:
        """Return an error that says what was expected in place of the next part."""
        if self.place < len(self.parts):
            part = self.parts[self.place]
            found = f"{self.word!r} at character {part.end() - len(self.word) + 1}"
        else:
            found = "the end"
        return OptionError(f"expected {expected}, but got {found}")
