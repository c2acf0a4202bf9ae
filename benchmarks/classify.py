"""Milliseconds a face that is cut out already: one at a time and 32 together, on one thread and on two."""

from __future__ import annotations

import statistics

import numpy as np
from measure import Effort, Row, repeat, time_call, timing
from network import matmul_gflops, total_macs

from facemood import EmotionRecognizer, open_recognizer

BATCHES = (1, 32)
THREADS = (1, 2)


def measure_classify(effort: Effort) -> list[Row]:
    """Time `EmotionRecognizer.classify`, and say how much of the machine's speed it reaches."""
    macs = total_macs()
    rows = []
    for threads in THREADS:
        recognizer = open_recognizer(device="cpu", threads=threads)
        roof = matmul_gflops(threads, effort)
        for batch in BATCHES:
            times = _time_faces(recognizer, batch, effort)
            reached = 2e-6 * macs / statistics.median(times)
            rows.append(
                timing(
                    f"a face, batch {batch}, threads={threads}",
                    times,
                    **{"GFLOP/s": reached, "matrix product GFLOP/s": roof, "reached %": 100 * reached / roof},
                )
            )
    return rows


def _time_faces(recognizer: EmotionRecognizer, batch: int, effort: Effort) -> list[float]:
    """Return the milliseconds a face of each run. Noise serves as faces: no layer's time depends on the values."""
    width, height = recognizer.card.input_size
    crops = np.random.default_rng(0).integers(0, 256, (batch, height, width), np.uint8)
    return [time / batch for time in repeat(lambda: time_call(lambda: recognizer.classify(crops)), effort.seconds)]
