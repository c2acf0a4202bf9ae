"""Figures of a running server, as Prometheus reads them."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Mapping

BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Upper bounds in seconds of the classes into which delays are counted."""

REASONS = {
    400: "malformed", 401: "token", 403: "site", 404: "unknown", 405: "method", 408: "slow", 409: "early", 413: "size",
    415: "format", 421: "host", 422: "content", 429: "rate", 503: "busy", 507: "disk",
}  # fmt: skip
"""Why requests are refused, by status."""

Labels = tuple[tuple[str, str], ...]

HELP = {
    "facemood_requests_total": ("counter", "Requests that were answered, by route and status."),
    "facemood_frames_total": ("counter", "Live frames that were answered."),
    "facemood_frames_dropped_total": ("counter", "Live frames that a newer one took the place of."),
    "facemood_faces_total": ("counter", "Faces that were read."),
    "facemood_connections": ("gauge", "Live connections that are open."),
    "facemood_waiting": ("gauge", "Turns that wait to be read."),
    "facemood_videos": ("gauge", "Videos, by state."),
    "facemood_refusals_total": ("counter", "What was refused, by reason."),
    "facemood_decoders_killed_total": ("counter", "Decoding processes that missed a deadline or died."),
    "facemood_oldest_waiting_seconds": ("gauge", "For how long the oldest turn waits."),
    "facemood_uploads": ("gauge", "Bodies of requests that arrive at this moment."),
    "facemood_resident_bytes": ("gauge", "Memory of the server and its decoding processes."),
    "facemood_disk_free_bytes": ("gauge", "What is free where videos are kept."),
    "facemood_live_seconds": ("histogram", "From a live frame's arrival to its answer."),
    "facemood_decode_seconds": ("histogram", "Decoding of images, with the time for which they waited for that."),
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
        self._delays: Counter[tuple[str, float]] = Counter()
        self._seconds: defaultdict[str, float] = defaultdict(float)
        self._answers: Counter[str] = Counter()
        self._lock = threading.Lock()

    def count(self, name: str, number: int = 1, **labels: str) -> None:
        """Add to a counter."""
        with self._lock:
            self._counts[name, tuple(labels.items())] += number

    def refuse(self, status: int) -> None:
        """Count a refusal, by the reason that its status tells."""
        self.count("facemood_refusals_total", reason=REASONS.get(status, "other"))

    def observe(self, seconds: float, name: str = "facemood_live_seconds") -> None:
        """Note how long something took, such as a live frame's way from its arrival to its answer."""
        with self._lock:
            self._answers[name] += 1
            self._seconds[name] += seconds
            for bound in BOUNDS:
                self._delays[name, bound] += seconds <= bound

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
        counts = [f'{name}_bucket{{le="{bound:g}"}} {self._delays[name, bound]}' for bound in BOUNDS]
        total = [f'{name}_bucket{{le="+Inf"}} {self._answers[name]}', f"{name}_sum {self._seconds[name]:.6f}"]
        return [*head, *counts, *total, f"{name}_count {self._answers[name]}"]


def _plain(kind: str, words: str) -> bool:
    """Tell whether a figure is a counter whose labels may be missing."""
    return kind == "counter" and "by" not in words.split()


def _braces(labels: Labels) -> str:
    """Return labels as they stand in a line."""
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels) + "}" if labels else ""
