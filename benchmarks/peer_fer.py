"""facemood and fer side by side: the same photos, in turn, in one run, as ratios."""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from example_photos import write_photos
from measure import Effort, Row, time_process

from facemood import open_recognizer

WORKER = Path(__file__).with_name("peer_worker.py")
PHOTO_CALLS, FACE_CALLS = 3, 30
"""How often a tool does the same before the other takes its turn: alone on the machine and warm."""

FER_SMALLEST = 50
"""The smallest face that fer looks for where nothing else is asked for."""

STARTS = {
    "process that imports": (
        "from facemood import EmotionRecognizer",
        "from fer.fer import FER",
    ),
    "process that reads one photo": (
        "import sys; from facemood import EmotionRecognizer; EmotionRecognizer().analyze_image(sys.argv[1])",
        "import sys; from fer.fer import FER; FER(mtcnn=False).detect_emotions(sys.argv[1])",
    ),
}
"""What both do from a process's start to its end. `import facemood` alone would be no match: it loads nothing yet."""


class Worker:
    """A tool in a process of its own, warm and waiting for orders.

    Args:
        python: The interpreter that has the tool.
        tool: ``"facemood"`` or ``"fer"``.
        options: Keyword arguments of the tool's class.
        photos: Files that the orders number.

    Raises:
        RuntimeError: The process ended instead of answering.
    """

    def __init__(self, python: str, tool: str, options: dict[str, Any], photos: Sequence[Path]) -> None:
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - as long as the process
        command = [python, str(WORKER), tool, json.dumps(options), *map(str, photos)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True, bufsize=1
        )
        self.hello = self._answer()

    def order(self, **order: Any) -> dict[str, Any]:
        """Give an order and wait for the answer."""
        assert self._process.stdin is not None  # it is a pipe
        self._process.stdin.write(json.dumps(order) + "\n")
        return self._answer()

    def close(self) -> None:
        """End the process and wait for that."""
        self._process.communicate()
        self._log.close()

    def _answer(self) -> dict[str, Any]:
        """Read one line of the process."""
        assert self._process.stdout is not None  # it is a pipe
        line = self._process.stdout.readline()
        if not line:
            self._log.seek(0)
            raise RuntimeError(f"{self._process.args!r} ended without an answer:\n{self._log.read()[-2000:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def compare_with_fer(peer_python: str, effort: Effort) -> tuple[str, list[Row]]:
    """Let both tools take turns.

    Args:
        peer_python: Interpreter of an environment in which fer is installed.
        effort: How many turns.

    Returns:
        What was compared, in words, and the rows. A ratio is fer's time by facemood's: above 1 facemood is faster.
    """
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        photos = write_photos(Path(folder))
        rows = list(_compare_starts(peer_python, photos[0], effort))

        def open_worker(python: str, tool: str, **options: Any) -> Worker:
            worker = Worker(python, tool, options, photos)
            stack.callback(worker.close)
            return worker

        fer = open_worker(peer_python, "fer", mtcnn=False)
        ours = open_worker(sys.executable, "facemood", device="cpu")
        alike = open_worker(sys.executable, "facemood", device="cpu", min_face=FER_SMALLEST)
        orders = [{"task": "photo", "photo": number, "calls": PHOTO_CALLS} for number in range(len(photos))]
        rows.append(_compare("640x480 photo, both as they come", ours, fer, orders, effort))
        rows.append(_compare(f"640x480 photo, faces from {FER_SMALLEST} pixels", alike, fer, orders, effort))
        rows.append(_compare("classification of a given face", ours, fer, list(_face_orders(photos)), effort))
    versions = " and ".join("{tool} {version} (Python {python})".format(**worker.hello) for worker in (ours, fer))
    return versions, rows


def _compare_starts(peer_python: str, photo: Path, effort: Effort) -> Iterator[Row]:
    """Start processes of either in turn."""
    for what, (our_code, their_code) in STARTS.items():
        times = [
            (
                time_process([sys.executable, "-c", our_code, str(photo)]),
                time_process([peer_python, "-c", their_code, str(photo)]),
            )
            for _ in range(effort.starts + 1)
        ]
        yield _ratio(what, times[1:])  # the first of each fills the system's cache


def _compare(what: str, ours: Worker, theirs: Worker, orders: list[dict[str, Any]], effort: Effort) -> Row:
    """Give the same orders to both in turn; the first round of all warms up."""
    rounds = [[(ours.order(**order), theirs.order(**order)) for order in orders] for _ in range(effort.rounds + 1)]
    pairs = [(our["ms"], their["ms"]) for answers in rounds[1:] for our, their in answers]
    found = [sum(answer["faces"] for answer in side) for side in zip(*rounds[-1], strict=True)]
    return _ratio(what, pairs, faces=f"{found[0]} and {found[1]}")


def _face_orders(photos: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """Make the orders to read the largest face of each photo, in the box that facemood's detector gives."""
    recognizer = open_recognizer(device="cpu")
    for number, file in enumerate(photos):
        x1, y1, x2, y2 = recognizer.detect(file)[0].box.clip(0).round().astype(int).tolist()
        yield {"task": "face", "photo": number, "box": [x1, y1, x2 - x1, y2 - y1], "calls": FACE_CALLS}


def _ratio(what: str, pairs: Sequence[tuple[float, float]], *, faces: str = "") -> Row:
    """Return the row of pairs of milliseconds, ours and theirs. The ratio is the median of the pairs' ratios."""
    ours, theirs = zip(*pairs, strict=True)
    ratios = [their / our for our, their in pairs]
    return {
        "what": what,
        "facemood median ms": statistics.median(ours),
        "facemood min ms": min(ours),
        "fer median ms": statistics.median(theirs),
        "fer min ms": min(theirs),
        "fer / facemood": statistics.median(ratios),
        "runs": len(pairs),
        "faces found": faces,
    }
