"""The words: expression labels in ONE order, and how the datasets' own words map to them."""

from __future__ import annotations

import reprlib
from collections import Counter
from collections.abc import Sequence

EXPRESSIONS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral", "contempt")
"""Every expression facemood knows. The first seven stand in FER2013's order (0..6)."""

BASIC_EXPRESSIONS = EXPRESSIONS[:7]
"""The seven classes of FER2013."""

FERPLUS_COLUMNS = (
    "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF",
)  # fmt: skip
"""The vote columns of FER+ in the order of its CSV; the last two are no expressions."""

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
    """Return the facemood label for a dataset's word, or the word itself, lower case, where there is none.

    Example:
        >>> canonical("Happiness"), canonical("angry"), canonical("boredom")
        ('happy', 'angry', 'boredom')
    """
    lower = word.strip().lower()
    return SYNONYMS.get(lower, lower)


def ordered(words: set[str]) -> tuple[str, ...]:
    """Sort label words: known expressions first in their fixed order, then the others by alphabet.

    Example:
        >>> ordered({"neutral", "bored", "angry"})
        ('angry', 'neutral', 'bored')
    """
    known = tuple(label for label in EXPRESSIONS if label in words)
    return known + tuple(sorted(words.difference(EXPRESSIONS)))


def check_labels(labels: Sequence[str]) -> None:
    """Refuse labels that cannot head a column or be drawn. Any other word is a label: quotes and commas are escaped.

    Args:
        labels: The labels of one head, in their order.

    Raises:
        ValueError: A label is no text, is empty, has characters that cannot be printed (such as a line break), begins
            or ends with a space, or stands twice.

    Example:
        >>> check_labels(["happy", 'so "so"', "müde"])
        >>> check_labels(["happy", "happy"])
        Traceback (most recent call last):
        ValueError: each label must stand once, but 'happy' stands 2 times
    """
    for label in labels:
        if not isinstance(label, str) or not label or not label.isprintable() or label != label.strip():
            raise ValueError(
                f"a label must be a text of printable characters without spaces around it, "
                f"but one is {reprlib.repr(label)}"
            )
    for label, times in Counter(labels).items():
        if times > 1:
            raise ValueError(f"each label must stand once, but {reprlib.repr(label)} stands {times} times")
