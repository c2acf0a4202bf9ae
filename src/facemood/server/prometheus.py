"""Figures of a running server, as Prometheus reads them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping

BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Upper bounds in seconds of the classes into which delays are counted."""

Labels = tuple[tuple[str, str], ...]

HELP = {
    "facemood_requests_total": ("counter", "Requests that were answered, by route and status."),
    "facemood_frames_total": ("counter", "Live frames that were answered."),
    "facemood_frames_dropped_total": ("counter", "Live frames that a newer one took the place of."),
    "facemood_faces_total": ("counter", "Faces that were read."),
    "facemood_connections": ("gauge", "Live connections that are open."),
    "facemood_waiting": ("gauge", "Turns that wait to be read."),
    "facemood_videos": ("gauge", "Videos, by state."),
    "facemood_live_seconds": ("histogram", "From a live frame's arrival to its answer."),
}


class Metrics:
    """Counts what happens. All methods may be called from any thread.

    Example:
        >>> metrics = Metrics()
        >>> metrics.count("facemood_faces_total", 2)
        >>> "facemood_faces_total 2" in metrics.text({})
        True
    """

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, Labels]] = Counter()
        self._delays: Counter[float] = Counter()
        self._seconds, self._answers = 0.0, 0
        self._lock = threading.Lock()

    def count(self, name: str, number: int = 1, **labels: str) -> None:
        """Add to a counter."""
        with self._lock:
            self._counts[name, tuple(labels.items())] += number

    def observe(self, seconds: float) -> None:
        """Note a live frame's delay."""
        with self._lock:
            self._answers, self._seconds = self._answers + 1, self._seconds + seconds
            for bound in BOUNDS:
                self._delays[bound] += seconds <= bound

    def value(self, name: str, **labels: str) -> int:
        """Return a counter's value."""
        return self._counts[name, tuple(labels.items())]

    def text(self, gauges: Mapping[tuple[str, Labels], float]) -> str:
        """Return everything in Prometheus' text format.

        Args:
            gauges: What is at this moment, by name and labels.
        """
        with self._lock:
            values: dict[tuple[str, Labels], float] = {(name, ()): 0 for name, kind in HELP.items() if _plain(*kind)}
            values.update(self._counts)
            lines = [line for name in HELP for line in self._lines(name, {**values, **gauges})]
        return "\n".join(lines) + "\n"

    def _lines(self, name: str, values: Mapping[tuple[str, Labels], float]) -> list[str]:
        """Return the lines of one figure."""
        kind, words = HELP[name]
        head = [f"# HELP {name} {words}", f"# TYPE {name} {kind}"]
        if kind != "histogram":
            own = [(labels, value) for (key, labels), value in values.items() if key == name]
            return head + [f"{name}{_braces(labels)} {value:g}" for labels, value in own]
        counts = [f'{name}_bucket{{le="{bound:g}"}} {self._delays[bound]}' for bound in BOUNDS]
        total = [f'{name}_bucket{{le="+Inf"}} {self._answers}', f"{name}_sum {self._seconds:.6f}"]
        return [*head, *counts, *total, f"{name}_count {self._answers}"]


def _plain(kind: str, words: str) -> bool:
    """Tell whether a figure is a counter whose labels may be missing."""
    return kind == "counter" and "by" not in words.split()


def _braces(labels: Labels) -> str:
    """Return labels as they stand in a line."""
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels) + "}" if labels else ""
