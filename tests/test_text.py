import dataclasses
import json
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from facemood.text import (
    clock,
    count,
    exact_percent,
    fill_template,
    joined,
    markdown_table,
    percent,
    share_percent,
    with_interval,
)
from tests.conftest import ROOT, make_face


@given(st.integers(0, 10**7))
def test_a_clock_tells_the_time(hundredths: int) -> None:
    parts = clock(hundredths / 100, decimals=2).split(":")
    seconds = sum(float(part) * 60**place for place, part in enumerate(reversed(parts)))
    assert round(100 * seconds) == hundredths


def test_clocks_carry_over_what_they_round() -> None:
    assert [clock(59.96, decimals=1), clock(3599.6), clock(-1.5, decimals=1)] == ["1:00.0", "1:00:00", "-0:01.5"]


@given(st.floats(0, 1))
def test_shares_are_none_or_all_only_where_they_are(share: float) -> None:
    text = share_percent(share)
    assert (text == "0%") == (share == 0)
    assert (text == "100%") == (share == 1)


@given(st.floats(0, 1))
@example(0.005)
@example(0.995)
def test_a_probability_is_never_certain(probability: float) -> None:
    text = percent(probability)
    assert text not in {"0%", "100%"}
    assert text in {"<1%", ">99%"} or abs(float(text.rstrip("%")) / 100 - probability) <= 0.005 + 1e-9


def test_tables_and_shares() -> None:
    assert markdown_table([]) == "None."
    assert markdown_table([{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]).splitlines()[1:] == [
        "|---|---|",
        "| 1 | x |",
        "| 2 | y |",
    ]
    assert [exact_percent(value) for value in (0.0, 0.12345, 1.0, None)] == ["0.0%", "12.3%", "100.0%", "-"]


def test_an_interval_stands_behind_its_share() -> None:
    assert with_interval(0.5, (0.4567, 1.0)) == "50.0% (45.7 to 100.0)"


def test_one_is_singular_and_none_is_plural() -> None:
    assert [count(number, "face") for number in (0, 1, 1234)] == ["0 faces", "1 face", "1,234 faces"]
    assert [count(number, "person", "people") for number in (0, 1)] == ["0 people", "1 person"]


@given(st.lists(st.text("abc", min_size=1), max_size=5))
def test_lists_name_every_word_in_order_with_one_and(words: list[str]) -> None:
    text = joined(words)
    assert text.count(" and ") == (len(words) > 1)
    assert text.replace(" and ", ", ") == ", ".join(words)


def test_names_that_a_template_lacks_and_values_that_look_like_names_change_nothing() -> None:
    page = fill_template("{{a}} {{b}} {{a}} {{c}}", {"b": "2", "a": "{{b}}", "unused": "x"})
    assert page == "{{b}} 2 {{b}} {{c}}"


PAGE = ROOT / "src" / "facemood" / "server" / "static"
"""The page's modules."""


def from_page(expression: str, value: object) -> object:
    """Evaluate an expression of ``value`` with functions of the page."""
    if shutil.which("node") is None:
        pytest.skip("needs Node.js")
    code = (
        f"const {{ percent, certaintyOf }} = await import({json.dumps((PAGE / 'words.js').as_uri())});"
        f"const {{ viewOf }} = await import({json.dumps((PAGE / 'people.js').as_uri())});"
        "let text = ''; for await (const part of process.stdin) text += part;"
        f"const value = JSON.parse(text); console.log(JSON.stringify({expression}));"
    )
    command = ["node", "--no-warnings", "--input-type=module", "-e", code]
    done = subprocess.run(command, input=json.dumps(value), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_the_page_writes_every_probability_as_python_does() -> None:
    values = [step / 10_000 for step in range(10_001)]
    assert from_page("value.map(percent)", values) == [percent(value) for value in values]


@pytest.mark.parametrize(
    ("shares", "ranked"),
    [
        ((1e-7, 2e-7, 0.9999, 3e-6, 9e-6), ["happy", "angry", "disgust", "surprise", "neutral"]),
        ((0.1, 0.39999, 0.40001, 0.05, 0.05), ["happy", "disgust", "angry", "surprise", "neutral"]),
    ],
)
def test_the_page_ranks_probabilities_that_are_equal_after_rounding_as_python_does(
    shares: tuple[float, ...], ranked: list[str]
) -> None:
    labels = ("angry", "disgust", "happy", "surprise", "neutral")
    face = dataclasses.replace(make_face(), labels=labels, probabilities=np.array(shares, np.float32))
    assert [label for label, _ in face.top(5)] == ranked
    assert from_page("viewOf(value, 0, true).ranked.map(([label]) => label)", face.to_dict()) == ranked
    assert from_page("viewOf(value, 0, false).label", face.to_dict()) == face.emotion


def test_the_pages_words_do_not_contradict_its_bars() -> None:
    cases = [(own / 23, other / 23, sure) for own in range(24) for other in range(24 - own) for sure in (True, False)]
    said = from_page("value.map(([a, b, sure]) => certaintyOf([['happy', a], ['sad', b]], sure))", cases)
    assert isinstance(said, list)
    for (own, other, sure), words in zip(cases, said, strict=True):
        assert (words == "turning sad") == (other - own >= 0.15)
        assert (words == "or sad, hard to tell") == (abs(own - other) < 0.15)
        assert words not in ("clearly", "probably") or (own > other and sure)
