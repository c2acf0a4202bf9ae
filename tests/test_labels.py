import pytest

from facemood.labels import BASIC_EXPRESSIONS, EXPRESSIONS, FERPLUS_COLUMNS, canonical, check_labels, ordered


def test_the_first_seven_are_in_the_order_of_fer2013() -> None:
    assert BASIC_EXPRESSIONS == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    assert (*BASIC_EXPRESSIONS, "contempt") == EXPRESSIONS


def test_every_expression_has_a_column_in_ferplus() -> None:
    assert {canonical(column) for column in FERPLUS_COLUMNS[:8]} == set(EXPRESSIONS)


def test_synonyms_become_known_labels_and_other_words_stay() -> None:
    assert [canonical(word) for word in ("Anger", " happiness ", "SURPRISED", "bored")] == [
        "angry",
        "happy",
        "surprise",
        "bored",
    ]


def test_known_labels_come_first_in_their_fixed_order() -> None:
    assert ordered({"zest", "neutral", "bored", "angry"}) == ("angry", "neutral", "bored", "zest")


def test_any_printable_text_is_a_label() -> None:
    check_labels(EXPRESSIONS)
    check_labels(["score", 'so "so"', "a, b", "müde", "😀", "Happy", "happy", "=1+1"])


@pytest.mark.parametrize("label", ["", " ", " happy", "so\nso", "a\x00", "\x1b[31m", "\ud800", "a\u200bb", 3, None])
def test_unreadable_labels_are_rejected(label: str) -> None:
    with pytest.raises(ValueError, match=r"a label must be a text of printable characters without spaces around it"):
        check_labels(["happy", label])


def test_a_repeated_label_is_rejected() -> None:
    with pytest.raises(ValueError, match="each label must be unique, but 'sad' occurs 3 times"):
        check_labels(["sad", "happy", "sad", "sad"])
