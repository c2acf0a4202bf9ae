"""The words of expressions in other languages, for pictures, plots and reports.

The files are those of the page, ``server/static/languages/CODE.json``: each English text with its translation.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import TypeAlias

from facemood.errors import OptionError, did_you_mean

ENGLISH = "en"
"""The language of labels, tables and JSON."""

FOLDER = Path(__file__).with_name("server") / "static" / "languages"
"""Where the files of other languages are."""

Say: TypeAlias = Callable[[str], str]
"""Returns the word for a label."""


@lru_cache(maxsize=1)
def list_languages() -> tuple[str, ...]:
    """Return the codes of all languages, English first.

    Example:
        >>> list_languages()
        ('en', 'de', 'es', 'fr', 'tr', 'zh')
    """
    return (ENGLISH, *sorted(file.stem for file in FOLDER.glob("*.json")))


def check_language(code: str) -> str:
    """Return the code of a language that there is.

    Raises:
        OptionError: There is no such language.
    """
    known = list_languages()
    if code not in known:
        raise OptionError(f"unknown language {code!r}; expected {', '.join(known)}.{did_you_mean(code, known)}")
    return code


def word_of(label: str, language: str = ENGLISH) -> str:
    """Return the word for a label in a language; labels that its file lacks, such as your own, stay as they are.

    Raises:
        OptionError: There is no such language.

    Example:
        >>> word_of("happy"), word_of("happy", "fr"), word_of("bored", "fr")
        ('happy', 'joie', 'bored')
    """
    return label if language == ENGLISH else _texts(language).get(label, label)


def speaker(language: str = ENGLISH) -> Say:
    """Return the function that says labels in a language.

    Raises:
        OptionError: There is no such language.
    """
    return partial(word_of, language=check_language(language))


@lru_cache(maxsize=16)
def _texts(language: str) -> Mapping[str, str]:
    """Read the file of a language."""
    texts: Mapping[str, str] = json.loads((FOLDER / f"{check_language(language)}.json").read_text(encoding="utf-8"))
    return texts
