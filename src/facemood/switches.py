"""Options that are on or off."""

from __future__ import annotations

import numpy as np

from facemood.errors import OptionError


def check_switches(**switches: object) -> None:
    """Refuse options that are neither on nor off: ``"no"`` would turn one on, as every text is true.

    Args:
        switches: The options by name.

    Raises:
        OptionError: One is not True or False.

    Example:
        >>> check_switches(same_people="no")
        Traceback (most recent call last):
        facemood.errors.OptionError: same_people must be True or False, but is 'no'
    """
    for name, value in switches.items():
        if not isinstance(value, bool | np.bool_):
            raise OptionError(f"{name} must be True or False, but is {value!r}")
