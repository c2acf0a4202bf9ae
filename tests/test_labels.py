from facemood.labels import BASIC_EXPRESSIONS, EXPRESSIONS, FERPLUS_COLUMNS, canonical, ordered


def test_the_first_seven_stand_in_the_order_of_fer2013() -> None:
    assert BASIC_EXPRESSIONS == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    assert (*BASIC_EXPRESSIONS, "contempt") == EXPRESSIONS


def test_every_expression_has_a_column_in_ferplus() -> None:
    assert {canonical(column) for column in FERPLUS_COLUMNS[:8]} == set(EXPRESSIONS)


def test_words_of_other_datasets_become_ours_and_own_words_stay() -> None:
    assert [canonical(word) for word in ("Anger", " happiness ", "SURPRISED", "bored")] == [
        "angry",
        "happy",
        "surprise",
        "bored",
    ]


def test_known_labels_come_first_in_their_fixed_order() -> None:
    assert ordered({"zest", "neutral", "bored", "angry"}) == ("angry", "neutral", "bored", "zest")
