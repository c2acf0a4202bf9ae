"""How far a share of the time may be from the share of a longer video: sampling intervals of shares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from facemood.wilson import wilson_interval


def share_interval(on: NDArray[np.bool_], weights: NDArray[np.float64], *, runs: int) -> tuple[float, float]:
    """Return the 95% sampling interval of the share of the time for which a label holds.

    Frames are no independent samples: an expression lasts. A label that comes and goes is taken for a Markov chain with
    two states, so its share p has the variance of n = (a / p + b / (1 - p)) / 2 independent samples. a and b count the
    runs of frames with the label and without it; n is at most the number of frames. The interval is Wilson's (1927).

    Args:
        on: (T,) whether the label holds in each frame, in order of time.
        weights: (T,) duration of each frame.
        runs: Number of runs of any label; n of a label that always or never holds.

    Returns:
        The ends of the interval, 0..1.

    Example:
        >>> on = np.array([True] * 50 + [False] * 50)
        >>> [round(end, 2) for end in share_interval(on, np.ones(100), runs=2)]
        [0.09, 0.91]
    """
    share = float(weights[on].sum() / weights.sum())
    starts = np.flatnonzero(np.diff(on.astype(np.int8), prepend=2) != 0)
    with_label = int(on[starts].sum())
    both = 0 < share < 1
    number = (with_label / share + (len(starts) - with_label) / (1 - share)) / 2 if both else float(runs)
    return wilson_interval(share, min(max(number, 1.0), float(len(on))))
