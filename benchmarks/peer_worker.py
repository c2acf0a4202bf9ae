"""One tool, loaded once, that answers orders: ``python peer_worker.py TOOL OPTIONS PHOTO ...``.

It runs in the peer's environment too, so it needs OpenCV and the tool itself, and nothing else of this folder.
An order is a line of JSON on stdin, such as ``{"task": "photo", "photo": 0, "calls": 3}`` or
``{"task": "face", "photo": 0, "box": [200, 90, 120, 120], "calls": 30}``. The answer is a line of JSON on stdout.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import cv2

Box = list[int]
Readers = tuple[Callable[[Any], int], Callable[[Any, Box], Any]]
"""One function reads a photo and returns how many faces it found; one reads the face in a box x, y, width, height."""


def open_facemood(options: dict[str, Any]) -> Readers:
    """Load facemood."""
    recognizer = importlib.import_module("facemood").EmotionRecognizer(**options)

    def read_face(photo: Any, box: Box) -> Any:
        x, y, width, height = box
        return recognizer.classify([photo[y : y + height, x : x + width]])

    return lambda photo: len(recognizer.analyze_image(photo)), read_face


def open_fer(options: dict[str, Any]) -> Readers:
    """Load fer."""
    recognizer = importlib.import_module("fer.fer").FER(**options)
    return (
        lambda photo: len(recognizer.detect_emotions(photo)),
        lambda photo, box: recognizer.detect_emotions(photo, face_rectangles=[box]),
    )


TOOLS = {"facemood": open_facemood, "fer": open_fer}


def main() -> None:
    """Say hello with versions, then answer one order after the other until stdin ends."""
    tool, options, *files = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints must not get between the answers
    read_photo, read_face = TOOLS[tool](json.loads(options))
    photos = [cv2.imread(file) for file in files]
    hello = {"tool": tool, "version": importlib.metadata.version(tool), "python": platform.python_version()}
    print(json.dumps(hello), file=answers)
    for line in sys.stdin:
        order = json.loads(line)
        photo = photos[order["photo"]]
        call = partial(read_photo, photo) if order["task"] == "photo" else partial(read_face, photo, order["box"])
        print(json.dumps(take(call, order["calls"])), file=answers)


def take(call: Callable[[], Any], calls: int) -> dict[str, Any]:
    """Call several times; return the median of the milliseconds and the last answer, if it is a number."""
    times, answer = [], None
    for _ in range(calls):
        started = time.perf_counter()
        answer = call()
        times.append(1000 * (time.perf_counter() - started))
    return {"ms": statistics.median(times), "faces": answer if isinstance(answer, int) else 1}


if __name__ == "__main__":
    main()
