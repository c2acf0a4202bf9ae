"""What the engine for the browser measures action units with: the package's parameters as one JSON file."""

from __future__ import annotations

import json
from typing import Any

from facemood.facs import KEYS, LEARNED, UNITS
from facemood.stages.action_units.estimate import WIDTHS
from facemood.stages.action_units.taught import neutral_faces, weights
from facemood.stages.pose import generic_face

UNIT_FILE = "action_units.json"
"""Name of the file among those of the engine."""


def unit_parameters() -> bytes:
    """Return the parameters as JSON, `UnitParameters` of ``action_units.js``.

    Raises:
        ModelError: The package's own files are damaged.
    """
    neutral, taught = neutral_faces(), weights()
    units: list[dict[str, Any]] = [
        {
            "keys": list(unit.keys),
            "part": unit.part,
            "way": unit.way,
            "weights": taught.units[place].tolist() if unit.way == LEARNED else None,
            "slopes": neutral.slopes[:, place].tolist(),
            "spread": float(neutral.spread[place]),
            "sideSpread": float(neutral.side_spread[place]),
            "width": float(WIDTHS[KEYS.index(unit.code)]),
        }
        for place, unit in enumerate(UNITS)
    ]
    parameters = {
        "face": generic_face().astype(float).tolist(),
        "units": units,
        "usual": taught.usual.tolist(),
        "cover": taught.cover.tolist(),
        "bias": taught.bias.tolist(),
    }
    return json.dumps(parameters, separators=(",", ":")).encode()
