"""Valence and arousal, derived from probabilities and action units by published formulas; nothing here is learned.

The formulas are those of the FaceReader Methodology Note (Loijens & Krips, Noldus Information Technology), applied to
facemood's own probabilities and action units. So the values are not those of FaceReader.

- Valence is the intensity of happy minus that of the strongest negative expression: angry, disgust, fear or sad.
- Arousal is the mean of the five largest corrected activations. The corrected activation of a unit is its intensity
  minus the person's mean intensity in the last 60 seconds, or 0 if that is negative. Closed eyes (AU43) count
  inversely.

A published comparison found that FaceReader's arousal correlates more with the valence that people report than with the
arousal that they report (Höfling, Gerdes, Föhl & Alpers 2020, Frontiers in Psychology 11:1388). Nothing suggests that
this is better here.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

VALENCE = "valence"
"""Name of the measure of valence."""

AROUSAL = "arousal"
"""Name of the measure of arousal."""

HAPPY = "happy"
"""The positive expression."""

NEGATIVE = ("angry", "disgust", "fear", "sad")
"""The negative expressions. Surprise and contempt count neither way, as in the source."""

EYES_CLOSED = "AU43"
"""The unit that counts inversely."""

AROUSAL_UNITS = (
    "AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU09", "AU10", "AU12", "AU14", "AU15", "AU17", "AU20", "AU23",
    "AU24", "AU25", "AU26", "AU27", EYES_CLOSED,
)  # fmt: skip
"""The action units of arousal: those of the source, without AU18, which is not measured here."""

STRONGEST = 5
"""How many of the largest corrected activations are averaged."""

PAST_SECONDS = 60.0
"""Length of a person's recent past in seconds."""

Activations = NDArray[np.float64]
"""(N,) float64 activations 0..1 in the order of `AROUSAL_UNITS`; NaN if unknown."""


def valence_of(probabilities: Mapping[str, float]) -> float | None:
    """Return the valence of a face, -1..1: happy minus the strongest of the negative expressions.

    Args:
        probabilities: Probability of each label, 0..1.

    Returns:
        The valence; None if there is no happy, or no negative expression.

    Example:
        >>> round(valence_of({"happy": 0.8, "sad": 0.1, "fear": 0.05, "neutral": 0.05}), 2)
        0.7
    """
    negative = [probabilities[label] for label in NEGATIVE if label in probabilities]
    return float(probabilities[HAPPY] - max(negative)) if HAPPY in probabilities and negative else None


def activations_of(units: Mapping[str, float]) -> Activations:
    """Return the activations of a face, (N,) float64: the intensities of `AROUSAL_UNITS`, that of closed eyes inverted.

    Args:
        units: Intensities 0..1 by code, as `Face.action_units` holds them.
    """
    known = np.array([units.get(code, np.nan) for code in AROUSAL_UNITS])
    known[-1] = 1 - known[-1]
    return known


def arousal_of(now: Activations, usual: Activations) -> float | None:
    """Return the arousal of a face, 0..1.

    Args:
        now: Its activations.
        usual: Mean activations in the person's recent past.

    Returns:
        The mean of the five largest rises above the past; None if fewer than five units are known.

    Example:
        >>> usual = np.full(len(AROUSAL_UNITS), 0.1)
        >>> now = usual.copy()
        >>> now[:2] = 0.9, 0.6
        >>> round(arousal_of(now, usual), 2), arousal_of(usual, usual)
        (0.26, 0.0)
    """
    rises = now - usual
    rises = np.maximum(rises[~np.isnan(rises)], 0)
    return float(np.sort(rises)[-STRONGEST:].mean()) if len(rises) >= STRONGEST else None
