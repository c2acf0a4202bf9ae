"""Names of inputs as text: a reversible escape for tables, and a safe form for terminals, logs and pages.

A file name is bytes on most systems, and Python holds bytes that are not UTF-8 as lone surrogates, which no UTF-8 file
can store. Tables and JSON use `escape_name`; `unescape_name` gives the name back, ready for `open`.
"""

from __future__ import annotations

import logging
import re

FIRST_BYTE = 0xDC00
"""Surrogate that stands for the byte 0 in a file name (`surrogateescape`); the byte 0xE9 is 0xDC00 + 0xE9."""

BYTES: re.Pattern[str] = re.compile("[\udc80-\udcff]+")
"""Bytes of a file name that Python could not decode."""

CODE = r"x[89a-f][0-9a-f]|ud[89a-f][0-9a-f]{2}"
"""What follows the backslash of an escape: a byte from 0x80 on, or a lone surrogate that is no byte."""

TO_ESCAPE: re.Pattern[str] = re.compile(rf"(\\*)(?:([\ud800-\udfff])|(?={CODE}))")
"""Backslashes before what is escaped, or before text that could be taken for an escape."""

ESCAPED: re.Pattern[str] = re.compile(rf"(\\+)({CODE})")
"""An escape, or text that could be taken for one, with the backslashes before it."""

UNPRINTABLE: re.Pattern[str] = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)
"""Control characters (ANSI escapes begin with one), line separators, marks that reverse text, and lone surrogates."""

SHORT = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}
"""Control characters with an escape of their own."""


def escape_name(name: str) -> str:
    r"""Return a name that UTF-8 can store; only names that are not UTF-8 change, and those that look escaped.

    A byte that is not UTF-8 becomes ``\xNN`` with two lower-case hexadecimal digits, any other lone surrogate
    ``\udNNN``. Backslashes right before such a text are doubled, so that no two names become one.

    Example:
        >>> escape_name("caf\udce9.png"), escape_name("café.png"), escape_name(r"C:\new\a.png")
        ('caf\\xe9.png', 'café.png', 'C:\\new\\a.png')
        >>> print(escape_name(r"a\xe9.png"))
        a\\xe9.png
    """
    return TO_ESCAPE.sub(lambda found: 2 * found[1] + (_code_of(found[2]) if found[2] else ""), _decoded(name))


def unescape_name(text: str) -> str:
    r"""Return the name that `escape_name` made a text from, as `open` and `os` take it.

    Example:
        >>> unescape_name(r"caf\xe9.png") == "caf\udce9.png", unescape_name("a.png"), unescape_name(r"a\\xe9.png")
        (True, 'a.png', 'a\\xe9.png')
    """
    return ESCAPED.sub(_unescape, text)


def printable(text: str, *, lines: bool = False) -> str:
    r"""Return a text that no terminal, log or page takes for more than text: control characters are written out.

    Args:
        text: Names, or a message that holds names.
        lines: Whether line breaks and tabs stay.

    Example:
        >>> print(printable("a\x1b[31m\n\u202egpj.exe"))
        a\x1b[31m\n\u202egpj.exe
    """
    return UNPRINTABLE.sub(
        lambda found: found[0] if lines and found[0] in "\n\t" else _written(found[0]), _decoded(text)
    )


def printable_record(record: logging.LogRecord) -> bool:
    """Make a log message printable; a filter that lets every record through."""
    message = record.getMessage()
    shown = printable(message)
    if shown != message:
        record.msg, record.args = shown, ()
    return True


logging.getLogger("facemood").addFilter(printable_record)


def _decoded(name: str) -> str:
    """Decode bytes that are UTF-8 after all; Python leaves them as they are where the locale is ASCII."""
    return BYTES.sub(lambda found: found[0].encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape"), name)


def _code_of(surrogate: str) -> str:
    """Write a lone surrogate as an escape."""
    number = ord(surrogate)
    return f"\\x{number - FIRST_BYTE:02x}" if BYTES.match(surrogate) else f"\\u{number:04x}"


def _unescape(found: re.Match[str]) -> str:
    """Return what an escape stands for: an odd number of backslashes begins one, an even number is text."""
    half, odd = divmod(len(found[1]), 2)
    if not odd:
        return "\\" * half + found[2]
    number = int(found[2][1:], 16)
    return "\\" * half + chr(number if found[2][0] == "u" else FIRST_BYTE + number)


def _written(character: str) -> str:
    """Write a character out."""
    if "\ud800" <= character <= "\udfff":
        return _code_of(character)
    number = ord(character)
    return SHORT.get(character) or (f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}")
