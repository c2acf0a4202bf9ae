"""Expression labels in their fixed order, and the map from the datasets' words to them."""

from __future__ import annotations

import reprlib
from collections import Counter
from collections.abc import Sequence

EXPRESSIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral", "contempt")
"""All expression labels. The first seven are in FER2013's order (0..6)."""

BASIC_EXPRESSIONS = EXPRESSIONS[:7]
"""The seven classes of FER2013."""

FERPLUS_COLUMNS = (
    "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF",
)  # fmt: skip
"""The vote columns of FER+ in the order of its CSV file; the last two are not expressions."""

SYNONYMS = {
    "anger": "angry",
    "disgusted": "disgust",
    "fearful": "fear",
    "afraid": "fear",
    "happiness": "happy",
    "joy": "happy",
    "sadness": "sad",
    "surprised": "surprise",
    "neutrality": "neutral",
    "calm": "neutral",
    "contemptuous": "contempt",
}
"""Words that datasets use for our labels."""


def canonical(word: str) -> str:
    """Return the facemood label for a dataset's word, or the word itself in lower case if there is none.

    Example:
        >>> canonical("Happiness"), canonical("angry"), canonical("boredom")
        ('happy', 'angry', 'boredom')
    """
    lower = word.strip().lower()
    return SYNONYMS.get(lower, lower)


def ordered(words: set[str]) -> tuple[str, ...]:
    """Sort labels: known expressions first, in their fixed order, then the others alphabetically.

    Example:
        >>> ordered({"neutral", "bored", "angry"})
        ('angry', 'neutral', 'bored')
    """
    known = tuple(label for label in EXPRESSIONS if label in words)
    return known + tuple(sorted(words.difference(EXPRESSIONS)))


def check_labels(labels: Sequence[str]) -> None:
    """Reject labels that cannot be a column name or be drawn. Quotes and commas are allowed: they are escaped.

    Args:
        labels: The labels of one head, in their order.

    Raises:
        ValueError: A label is not a text, is empty, has characters that cannot be printed (such as a line break),
            begins or ends with a space, or is repeated.

    Example:
        >>> check_labels(["happy", 'so "so"', "müde"])
        >>> check_labels(["happy", "happy"])
        Traceback (most recent call last):
        ValueError: each label must be unique, but 'happy' occurs 2 times
    """
    for label in labels:
        if not isinstance(label, str) or not label or not label.isprintable() or label != label.strip():
            raise ValueError(
                f"a label must be a text of printable characters without spaces around it, "
                f"but one is {reprlib.repr(label)}"
            )
    for label, times in Counter(labels).items():
        if times > 1:
            raise ValueError(f"each label must be unique, but {reprlib.repr(label)} occurs {times} times")
