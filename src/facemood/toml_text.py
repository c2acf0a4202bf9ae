"""Read TOML in all versions of Python, whatever its nesting."""

from __future__ import annotations

import sys
from typing import Any


def parse_toml(text: str) -> dict[str, Any]:
    """Parse TOML.

    Raises:
        ValueError: It is none, or is nested too deep.

    Example:
        >>> parse_toml("epochs = 20")
        {'epochs': 20}
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("its tables and lists are nested too deep") from None
