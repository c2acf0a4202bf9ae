"""The words: expression labels in ONE order, and how the datasets' own words map to them."""

from __future__ import annotations

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
