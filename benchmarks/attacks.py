"""Measure what attacks on a server cost its other clients: ``python benchmarks/attacks.py -o benchmarks/attacks.json``.

Two clients stay the same: one sends a live picture of 640x480 five times a second, one posts a photo of 640x480 five
times a second. Their median delay is measured without an attack and under each of those in `tests.server.attacks`. The
attacker is a process of its own, with less precedence, at another address of this machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from machine import describe_machine  # noqa: E402
from measure import facemood_command  # noqa: E402
from serve import port_of  # noqa: E402

from tests.server.attacks import ATTACKS, TOKENS, medians, memory_of, wait_for, watch  # noqa: E402

LEAD = 0.5
"""Seconds for which an attack runs before the clients are measured."""


def main() -> None:
    """Read the options, measure, print the table and write the figures."""
    parser = argparse.ArgumentParser(description="Measure what attacks on a server cost its other clients.")
    parser.add_argument("-o", "--output", type=Path, help="the JSON file")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each attack lasts")
    parser.add_argument("--only", nargs="*", choices=list(ATTACKS), help="these attacks alone")
    parser.add_argument("--show", type=Path, help="print the table of a JSON file, and measure nothing")
    options = parser.parse_args()
    if options.show:
        print(table(json.loads(options.show.read_text())["attacks"]))
        return
    rows = [measure(name, options.seconds) for name in options.only or ATTACKS]
    print(table(rows))
    if options.output:
        options.output.write_text(json.dumps({"machine": describe_machine(), "attacks": rows}, indent=1) + "\n")


def measure(name: str, seconds: float) -> dict[str, Any]:
    """Start a server, and return the delays without and under one attack, and the memory that the server took."""
    command, token = [facemood_command(), "serve", "--port", "0"], TOKENS.get(name, "")
    known = {**os.environ, "FACEMOOD_TOKEN": token}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=known) as server:
        try:
            port = port_of(server)
            asyncio.run(watch(port, 2, token))
            before, memory = medians(asyncio.run(watch(port, seconds / 2, token))), Memory(server.pid)
            attack = [sys.executable, "-m", "tests.server.attacks", name, str(port), str(seconds + LEAD)]
            with subprocess.Popen(
                attack, cwd=ROOT, preexec_fn=lambda: os.nice(10), stdout=subprocess.PIPE, text=True
            ) as attacker:
                wait_for(attacker)
                time.sleep(LEAD)
                under = asyncio.run(watch(port, seconds, token))
                attacker.kill()
            return {
                "attack": name,
                "what": (ATTACKS[name].__doc__ or "").strip(),
                "live ms": before[0],
                "live ms under it": medians(under)[0],
                "photo ms": before[1],
                "photo ms under it": medians(under)[1],
                "slowest ms": max(*under[0], *under[1]),
                "answers": len(under[0]) + len(under[1]),
                "peak MB": memory.stop(),
            }
        finally:
            server.terminate()


class Memory:
    """Watches the resident memory of a process and its children (Linux)."""

    def __init__(self, process: int) -> None:
        self.process, self.peak, self.goes_on = process, 0.0, True
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def stop(self) -> float:
        """Return the peak in MB."""
        self.goes_on = False
        self.thread.join()
        return self.peak

    def _watch(self) -> None:
        while self.goes_on:
            self.peak = max(self.peak, memory_of(self.process))
            time.sleep(0.05)


def table(rows: list[dict[str, Any]]) -> str:
    """Return the figures as a Markdown table."""
    lines = ["| attack | live | photo | slowest answer | memory at its peak |", "|---|---|---|---|---|"]
    for row in rows:
        live, post = (f"{row[f'{kind} ms']:.0f} -> {row[f'{kind} ms under it']:.0f} ms" for kind in ("live", "photo"))
        times = row["live ms under it"] / row["live ms"], row["photo ms under it"] / row["photo ms"]
        lines.append(
            f"| {row['what'].rstrip('.')} | {live} ({times[0]:.1f}x) | {post} ({times[1]:.1f}x) "
            f"| {row['slowest ms']:.0f} ms | {row['peak MB']:.0f} MB |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
