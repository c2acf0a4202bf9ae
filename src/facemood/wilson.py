"""Wilson's interval of a share (Wilson 1927)."""

from __future__ import annotations

import math

Z = 1.96
"""Standard score of a 95% interval."""


def wilson_interval(share: float, number: float) -> tuple[float, float]:
    """Return the 95% confidence interval of a share of independent samples; it is useful for few samples, too.

    Args:
        share: The share, 0..1.
        number: Number of samples, above 0.

    Example:
        >>> [round(end, 2) for end in wilson_interval(1.0, 10)]
        [0.72, 1.0]
    """
    middle = (share + Z**2 / (2 * number)) / (1 + Z**2 / number)
    half = Z * math.sqrt(share * (1 - share) / number + Z**2 / (4 * number**2)) / (1 + Z**2 / number)
    return max(middle - half, 0.0), min(middle + half, 1.0)
