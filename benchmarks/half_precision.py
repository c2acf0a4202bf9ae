"""What a training step costs in bfloat16, as a multiple of float32. Writes half_precision.json.

    python benchmarks/half_precision.py [--rounds N]

The networks of some recipes compute 32 random images forwards and backwards on one thread, by turns in both precisions.
The least CPU time of each counts. `facemood train` uses bfloat16 only where the processor has instructions for it.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import torch
from machine import describe_machine

from facemood.train import load_recipe
from facemood.train.half_precision import computes_in_half
from facemood.train.networks.zoo import build_network

RECIPES = ("default-start", "nano", "cnn48")
"""Recipes whose networks are measured."""

IMAGES = 32
"""Images of a step."""


def main() -> None:
    """Measure, print and write; a processor of the other kind keeps its entry."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    machine = describe_machine()
    torch.set_num_threads(1)
    has = computes_in_half("bfloat16", torch.device("cpu"))
    found = {"machine": machine, "times float32": {name: ratio(name, rounds) for name in RECIPES}}
    file = Path(__file__).with_suffix(".json")
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    known["with bfloat16" if has else "without bfloat16"] = found
    file.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(found, indent=1))


def ratio(name: str, rounds: int) -> float:
    """Return the CPU time of a step in bfloat16 as a multiple of float32."""
    recipe = load_recipe(name)
    size, channels = recipe.input.size or 48, 3 if recipe.input.colour == "rgb" else 1
    network = build_network(recipe, {"fer2013": 7, "ferplus": 8}, size=size).train()
    images = torch.randn(IMAGES, channels, size, size).to(memory_format=torch.channels_last)
    least = dict.fromkeys((False, True), float("inf"))
    for half in (False, True) * rounds:
        started = time.process_time()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            logits = network(images)
        loss = torch.stack([values.float().square().mean() for values in logits.values()]).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        least[half] = min(least[half], time.process_time() - started)
    return round(least[True] / least[False], 2)


if __name__ == "__main__":
    main()
