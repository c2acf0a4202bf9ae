"""The folder of a training run: what it says of itself, its checkpoints, and its history, read with all checks.

Each file may be cut, damaged or made by somebody else. What is wrong is a `RecipeError` that names the file and the
field. No pickle is executed: checkpoints are loaded with ``weights_only=True``.
"""

from __future__ import annotations

import json
import math
import reprlib
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from facemood.atomic import replacing
from facemood.errors import RecipeError
from facemood.train.recipe import Recipe
from facemood.train.recipe_file import recipe_from_dict

RUN_FILE = "run.json"
"""File of a run's facts: recipe, classes, counts, environment."""

LAST = "last.ckpt"
"""Checkpoint of the last epoch."""

BEST = "best.ckpt"
"""Checkpoint of the best epoch, where the recipe keeps it."""

HISTORY = "history.jsonl"
"""File of what was logged of each epoch, a JSON line each."""

FIRST_SIZE = 48
"""Side in pixels of the input of runs of version 0.1, which did not say it."""

MOST_CLASSES = 10_000
"""Classes of a head at most."""


def _is_count(value: Any, *, least: int = 0, most: int = 2**62) -> bool:
    """Tell whether a value is a whole number of a range."""
    return type(value) is int and least <= value <= most


def _are_texts(value: Any) -> bool:
    """Tell whether a value is a list of texts."""
    return isinstance(value, list) and all(isinstance(entry, str) for entry in value)


def _are_heads(value: Any) -> bool:
    """Tell whether a value is a table of heads with their number of classes."""
    return (
        isinstance(value, dict)
        and bool(value)
        and all(head.isidentifier() and _is_count(count, least=1, most=MOST_CLASSES) for head, count in value.items())
    )


def _are_images(value: Any) -> bool:
    """Tell whether a value is a table that names a split and counts its images."""
    counts = value.get("classes", {}) if isinstance(value, dict) else None
    return (
        isinstance(counts, dict)
        and isinstance(value.get("split"), str)
        and _is_count(value.get("images"))
        and all(map(_is_count, counts.values()))
    )


def _is_table(value: Any) -> bool:
    """Tell whether a value is a table."""
    return isinstance(value, dict)


def _are_tables(value: Any) -> bool:
    """Tell whether a value is a list of tables."""
    return isinstance(value, list) and all(map(_is_table, value))


FACTS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "recipe": ("a table", _is_table),
    "dataset": ("a text", lambda value: isinstance(value, str)),
    "classes": ("a list of labels", lambda value: _are_texts(value) and bool(value)),
    "heads": ("a table of heads with their numbers of classes", _are_heads),
    "input_size": ("a number of pixels", lambda value: _is_count(value, least=1, most=4096)),
    "trained_on": ("a table with split, images and classes", _are_images),
    "validated_on": ("a table with split and images", _are_images),
    "unreadable": ("a list of files", _are_texts),
    "weights": ("a table", _is_table),
    "teachers": ("a list of tables", _are_tables),
    "versions": ("a table", _is_table),
    "environment": ("a table", _is_table),
}
"""The fields of `RUN_FILE`: what each must be, in words and as a test."""

UNSAID: dict[str, Any] = {
    "input_size": FIRST_SIZE,
    "unreadable": [],
    "weights": {},
    "teachers": [],
    "versions": {},
    "environment": {},
}
"""What holds of a run whose `RUN_FILE` does not say it."""


def read_facts(run: Path) -> dict[str, Any]:
    """Read what a run wrote of itself when it began.

    Raises:
        RecipeError: The file is missing, damaged, or a field is missing or of another type.
    """
    file = run / RUN_FILE
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RecipeError(f"{file}: is missing or damaged ({error}); train again in another folder") from None
    if not isinstance(facts, dict):
        raise RecipeError(f"{file}: must hold a table, but holds {reprlib.repr(facts)}")
    facts = {**UNSAID, **facts}
    for field, (words, fits) in FACTS.items():
        if field not in facts:
            raise RecipeError(f"{file}: the field {field!r} is missing; train again in another folder")
        if not fits(facts[field]):
            raise RecipeError(f"{file}: {field} must be {words}, but is {reprlib.repr(facts[field])}")
    return facts


def read_recipe(run: Path) -> Recipe:
    """Return the recipe of a run.

    Raises:
        RecipeError: The folder holds no run, or its recipe is damaged.
    """
    table = read_facts(run)["recipe"]
    try:
        return recipe_from_dict(table)
    except RecipeError as error:
        raise RecipeError(f"{run / RUN_FILE}: {error}") from error


def read_checkpoint(file: Path) -> dict[str, Any]:
    """Load a checkpoint without executing anything that stands in it.

    Returns:
        What Lightning stored; ``"epoch"`` and ``"state_dict"`` are checked.

    Raises:
        RecipeError: It is missing, cut, damaged, or holds more than numbers and plain values, or no weights.
    """
    try:
        _check_archive(file)
        table = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # zipfile, pickle and torch have classes of their own for each kind of damage
        raise RecipeError(
            f"{file}: is missing, damaged or no checkpoint ({_first_line(error)}); train again in another folder"
        ) from error
    weights = table.get("state_dict") if isinstance(table, dict) else None
    if not isinstance(weights, Mapping) or not all(isinstance(value, Tensor) for value in weights.values()):
        raise RecipeError(f"{file}: state_dict must be a table of weights; this is no checkpoint of a run")
    if not _is_count(table.get("epoch")):
        raise RecipeError(f"{file}: epoch must be a whole number, but is {reprlib.repr(table.get('epoch'))}")
    return dict(table)


def load_weights_of(module: nn.Module, file: Path, checkpoint: Mapping[str, Any]) -> None:
    """Give a module the weights of a checkpoint.

    Args:
        module: The module.
        file: What messages call the checkpoint.
        checkpoint: As `read_checkpoint` gives it.

    Raises:
        RecipeError: They are of another network.
    """
    check_weights_of(module, file, checkpoint)
    module.load_state_dict(checkpoint["state_dict"])


def check_weights_of(module: nn.Module, file: Path, checkpoint: Mapping[str, Any]) -> None:
    """Make sure that a checkpoint's weights have the names and shapes of a module's.

    Raises:
        RecipeError: They are of another network.
    """
    own = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    given = {name: tuple(value.shape) for name, value in checkpoint["state_dict"].items()}
    wrong = sorted(str(name) for name in own.keys() | given.keys() if own.get(name) != given.get(name))
    if wrong:
        raise RecipeError(
            f"{file}: state_dict has not the weights of the network in {RUN_FILE}: {', '.join(wrong[:3])} "
            f"{'differs' if len(wrong) == 1 else 'differ'}"
        )


def read_history(run: Path) -> list[dict[str, Any]]:
    """Return what was logged of each epoch, in their order; of an epoch that was done twice, the last.

    Raises:
        RecipeError: The file is missing or empty, or a line of it is damaged.
    """
    file = run / HISTORY
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise RecipeError(f"{file}: is missing or damaged ({error})") from None
    epochs: dict[int, dict[str, Any]] = {}
    for number, text in enumerate(lines, start=1):
        line = _parse_line(text)
        if line is None:
            raise RecipeError(
                f"{file}, line {number}: must be a JSON table of numbers with epoch and seconds, but is "
                f"{reprlib.repr(text)}"
            )
        epochs[line["epoch"]] = line
    if not epochs:
        raise RecipeError(f"{file}: is empty; expected a line for each epoch")
    return [epochs[epoch] for epoch in sorted(epochs)]


def cut_history(run: Path, epochs: int) -> None:
    """Leave the lines of the first epochs in a run's history, one each, so that a resumed run goes on behind them.

    A run that was killed may have written a line, or half of one, for an epoch whose checkpoint it did not write.

    Args:
        run: The run's folder.
        epochs: Epochs whose weights are in its last checkpoint.

    Raises:
        OutputError: The file cannot be written to.
    """
    file = run / HISTORY
    text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    kept = {line["epoch"]: line for line in map(_parse_line, text.splitlines()) if line and line["epoch"] < epochs}
    wanted = "".join(json.dumps(kept[epoch]) + "\n" for epoch in sorted(kept))
    if wanted != text:
        with replacing(file, encoding="utf-8") as lines:
            lines.write(wanted)


def _parse_line(text: str) -> dict[str, Any] | None:
    """Return a line of the history, or None where it is damaged."""
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(line, dict) or not all(type(value) in (int, float) for value in line.values()):
        return None
    whole = _is_count(line.get("epoch")) and 0 <= line.get("seconds", -1) < math.inf
    return line if whole else None


def _check_archive(file: Path) -> None:
    """Refuse a checkpoint that is cut or whose bytes have changed: torch compares no checksums.

    Raises:
        OSError: It cannot be read.
        BadZipFile: It is no archive.
        ValueError: A part does not match its checksum, or is compressed, and so could unpack to any size.
    """
    with zipfile.ZipFile(file) as archive:
        if any(part.compress_type != zipfile.ZIP_STORED for part in archive.infolist()):
            raise ValueError("its parts are compressed, as no checkpoint's are")
        damaged = archive.testzip()
    if damaged is not None:
        raise ValueError(f"the part {damaged!r} does not match its checksum")


def _first_line(error: Exception) -> str:
    """Return what an error says, in one line; torch's advice for pickles, to load them anyway, is left out."""
    lines = str(error).splitlines() or [type(error).__name__]
    refused = [line for line in lines if "Unsupported" in line or "unsupported" in line]
    return f"it would run code: {refused[0].strip()}" if refused else lines[0][:200]
