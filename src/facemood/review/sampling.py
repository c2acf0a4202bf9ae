"""Random samples of moments that can be drawn in one pass, and made larger later.

Each moment has a random priority, and the smallest ones are the sample (sequential random sampling by keys). With the
key ``-log(u) / weight`` for uniform u, it is a sample without replacement in which the next moment is always drawn with
a probability proportional to its weight (Efraimidis and Spirakis 2006). u is a hash of seed and moment, so the sample
does not depend on the order of the rows, and a larger one begins with the smaller one.
"""

from __future__ import annotations

import hashlib
import heapq
import math
from collections.abc import Callable, Iterable, Mapping

from facemood.errors import OptionError, did_you_mean
from facemood.review.moments import Moment

UNIFORM = "uniform"
"""Kind of sample: every face has the same chance. Its agreement is an estimate for all faces."""

RARE = "rare"
"""Kind of sample: every label has the same chance, however rare it is."""

UNCERTAIN = "uncertain"
"""Kind of sample: the less confident facemood was, the higher the chance."""

WEIGHTED = (RARE, UNCERTAIN)
"""Kinds of samples whose agreement holds for the sample only."""

LEAST = 0.01
"""Lowest weight by uncertainty, so that every face can be drawn."""


def priority(seed: int, identity: str, weight: float = 1.0) -> float:
    """Return the random priority of a moment; smaller ones are drawn first.

    Args:
        seed: Seed of the sample.
        identity: ID of the moment.
        weight: Above 0; moments of twice the weight are drawn twice as soon.

    Example:
        >>> priority(0, "a") == priority(0, "a", 2.0) * 2
        True
    """
    digest = hashlib.blake2b(f"{seed}\n{identity}".encode(), digest_size=8).digest()
    uniform = (int.from_bytes(digest, "big") + 1) / 2**64
    return -math.log(uniform) / weight


def weigher(kind: str, counts: Mapping[str, int]) -> Callable[[Moment], float]:
    """Return what weighs a moment in a kind of sample.

    Args:
        kind: `UNIFORM`, `RARE` or `UNCERTAIN`.
        counts: Number of faces with each label.

    Raises:
        OptionError: There is no such kind.
    """
    if kind == UNIFORM:
        return lambda moment: 1.0
    if kind == RARE:
        return lambda moment: 1 / counts[moment.label]
    if kind == UNCERTAIN:
        return lambda moment: max(LEAST, 1 - moment.confidence)
    raise OptionError(f"unknown sample {kind!r}; expected {' or '.join(WEIGHTED)}.{did_you_mean(kind, WEIGHTED)}")


def draw(moments: Iterable[Moment], count: int, *, seed: int, weigh: Callable[[Moment], float]) -> list[Moment]:
    """Draw moments without replacement, in constant memory.

    Args:
        moments: All moments, each once.
        count: How many to draw; fewer if there are fewer.
        seed: Seed of the sample.
        weigh: Returns the weight of a moment.

    Returns:
        The sample in the order in which it was drawn; its first part is a sample of the same kind.
    """
    return heapq.nsmallest(count, moments, key=lambda moment: priority(seed, moment.id, weigh(moment)))
