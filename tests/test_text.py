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
