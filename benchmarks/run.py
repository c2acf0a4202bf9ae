"""Measure everything and write it as a table: ``python benchmarks/run.py -o benchmarks/results.md``."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from classify import measure_classify
from machine import describe_machine
from measure import QUICK, Effort, Row
from memory import measure_memory
from network import measure_network
from peer_fer import compare_with_fer
from photo import measure_photo
from start import measure_start
from video import measure_live, measure_videos

from facemood.text import markdown_table

NO_PEER = "fer was not measured: no interpreter that has it was given (`--peer-python`)."

TABLES = (
    (
        "The network's floor",
        "The time that its arithmetic takes at the speed of a large matrix product.",
        measure_network,
    ),
    ("A face", "`EmotionRecognizer.classify` on crops of the network's size; milliseconds a face.", measure_classify),
    ("A photo of 640x480", "One face; from an array in memory, ONNX Runtime's own choice of threads.", measure_photo),
    (
        "A frame of a camera",
        "640x480, from the array to the drawn image; faces are tracked, and the detector runs every few frames.",
        measure_live,
    ),
    (
        "Videos",
        "`facemood analyze VIDEO -o t.csv -o t.jsonl -o t.html -o drawn.mp4`, 640x480, one face; peak of memory.",
        measure_videos,
    ),
    ("Cold start", "Whole processes, with files in the system's cache.", measure_start),
    ("Memory", "`facemood analyze FOLDER -o out.csv -o out.jsonl`, peak of resident memory.", measure_memory),
)


@dataclass(frozen=True, slots=True)
class Table:
    """One part of the results."""

    title: str
    text: str
    rows: list[Row]

    def to_markdown(self) -> str:
        """Return the part with its heading."""
        cells = [{column: show(value) for column, value in row.items()} for row in self.rows]
        return "\n\n".join([f"## {self.title}", self.text, *([markdown_table(cells)] if cells else [])])


def main() -> None:
    """Read the options, measure, and write Markdown and JSON."""
    parser = argparse.ArgumentParser(description="Measure facemood's speed and memory.")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the Markdown file; the JSON goes next to it")
    parser.add_argument("--peer-python", metavar="PATH", help="an interpreter that has fer installed, to compare with")
    parser.add_argument("--quick", action="store_true", help="only show that everything runs; the figures mean nothing")
    options = parser.parse_args()
    machine = describe_machine()
    tables = list(measure(QUICK if options.quick else Effort(), options.peer_python))
    write_results(options.output, machine, tables, quick=options.quick)


def measure(effort: Effort, peer_python: str | None) -> Iterator[Table]:
    """Yield one table after the other, and say on stderr which is being made."""
    for title, text, make in TABLES:
        print(f"{title} ...", file=sys.stderr)
        yield Table(title, text, make(effort))
    print("fer ...", file=sys.stderr)
    versions, rows = compare_with_fer(peer_python, effort) if peer_python else (NO_PEER, [])
    yield Table("Beside fer", versions, rows)


def write_results(file: Path, machine: dict[str, str], tables: list[Table], *, quick: bool) -> None:
    """Write the page for readers, and its numbers unrounded for programs."""
    warning = ["**A quick run: it shows that everything works; the figures mean nothing.**"] if quick else []
    facts = "\n".join(f"- {name}: {text}" for name, text in machine.items())
    parts = ["# Benchmarks", *warning, facts, *(table.to_markdown() for table in tables)]
    numbers = {"quick": quick, "machine": machine, "tables": {table.title: table.rows for table in tables}}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    file.with_suffix(".json").write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")


def show(value: str | int | float) -> str:
    """Write a cell: fractions with three figures that count.

    Example:
        >>> [show(value) for value in (1234.5, 12.345, 0.012345, 7, "x")]
        ['1234', '12.3', '0.0123', '7', 'x']
    """
    if not isinstance(value, float) or not value:
        return str(value)
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


if __name__ == "__main__":
    main()
