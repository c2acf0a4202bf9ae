"""Names of inputs: an escape that can be turned back, and texts that no terminal takes for more."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemood.errors import FacemoodError, SourceError
from facemood.filenames import escape_name, printable, unescape_name

NAMES = st.binary(max_size=40).map(lambda data: data.decode("utf-8", "surrogateescape"))
"""File names as the system gives them: any bytes."""

TRICKY = st.lists(st.sampled_from(["\\", "x", "u", "d8", "e9", "\udce9", "\ud83d", "a", "é", "/", "c3"])).map("".join)
"""Texts around which an escape could go wrong."""


@given(st.one_of(NAMES, TRICKY, st.text()))
def test_any_name_is_stored_as_utf8_and_turned_back(name: str) -> None:
    stored = escape_name(name).encode("utf-8").decode("utf-8")
    assert unescape_name(stored) == name


@given(st.one_of(NAMES, TRICKY), st.one_of(NAMES, TRICKY))
def test_no_two_names_become_one(first: str, second: str) -> None:
    assert (escape_name(first) == escape_name(second)) == (first == second)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\\")))
def test_names_in_utf8_without_a_backslash_stay_as_they_are(name: str) -> None:
    assert escape_name(name) == name


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        ("caf\udce9.png", r"caf\xe9.png"),
        (r"caf\xe9.png", r"caf\\xe9.png"),
        ("caf\\\udce9.png", r"caf\\\xe9.png"),
        (r"C:\photos\x.png", r"C:\photos\x.png"),
        ("half \ud83d.png", r"half \ud83d.png"),
        ("\udce6\udc97\udca5.png", "日.png"),  # bytes that Python did not decode, under an ASCII locale say
    ],
)
def test_what_is_escaped_and_how(name: str, stored: str) -> None:
    assert escape_name(name) == stored


@given(st.text(alphabet=st.characters(categories=["Cc", "Cf", "Cs", "Lu", "Zl", "Zp"])))
def test_what_is_shown_has_one_line_and_no_control_character(text: str) -> None:
    shown = printable(text)
    shown.encode("utf-8")
    assert len(shown.splitlines()) <= 1
    assert not any(
        character < " " or "\x7f" <= character <= "\x9f" or character in "\u202e\u2066" for character in shown
    )


def test_bytes_that_are_utf8_after_all_are_shown_as_text() -> None:
    assert printable("\udce6\udc97\udca5 \udce9") == r"日 \xe9"


def test_messages_of_errors_are_printable() -> None:
    assert str(SourceError("a\x1b[2J\nfacemood: all is well.png: no")) == r"a\x1b[2J\nfacemood: all is well.png: no"
    assert str(FacemoodError("first line\nsecond\x07")) == "first line\nsecond\\x07"


def test_the_log_is_printable(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "facemood"):
        logging.getLogger("facemood").warning("%s: of %d", "a\n\x1b[31m\udce9.jpg", 3)
        logging.getLogger("facemood").warning("plain %s", "name")
    assert [record.getMessage() for record in caplog.records] == [r"a\n\x1b[31m\xe9.jpg: of 3", "plain name"]
