"""What a photo costs in operations: runs of networks, multiply-accumulates and memory, which no load changes."""

from __future__ import annotations

import dataclasses
import tracemalloc
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facemood import EmotionRecognizer
from facemood.models import FINDER, LANDMARKS, ModelSession, find_model
from facemood.schema import Image
from facemood.sources import load_image
from tests.conftest import PHOTOS

Value = TypeVar("Value")

MOST = {"one face": (7, 500), "seven faces": (7, 1620), "none": (5, 234)}
"""Most runs of networks and million multiply-accumulates of a photo of 640x480: what it costs, and one crop more for
the landmark network. The face detector takes those of a photo without a face."""

MOST_BYTES = 2_000_000
"""Most bytes of arrays at once while a photo of 640x480 is read, besides the photo itself, which has 921,600."""

KEPT_BYTES = 100_000
"""Most bytes that a result without an image keeps: seven faces with their landmarks take half of them."""


@cache
def macs(file: Path, shape: tuple[int, ...]) -> int:
    """Multiply-accumulates of one run, counted from the graph: convolutions and linear layers."""
    onnx = pytest.importorskip("onnx", reason="needs the extra train")
    model = onnx.load(file)
    for dim, size in zip(model.graph.input[0].type.tensor_type.shape.dim, shape, strict=True):
        dim.dim_value = size
    graph = onnx.shape_inference.infer_shapes(model).graph
    weights = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    weights |= {node.output[0]: weights[node.input[0]] for node in graph.node
                if node.op_type == "Cast" and node.input[0] in weights}  # fmt: skip
    sizes = {value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in graph.value_info}
    sizes |= {value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in graph.output}
    total = 0
    for node in graph.node:
        if node.op_type == "Conv":
            pixels = [size or shape[0] for size in sizes[node.output[0]][:1]] + sizes[node.output[0]][2:]
            total += int(np.prod(weights[node.input[1]]) * np.prod(pixels))
        elif node.op_type == "Gemm":
            total += int(np.prod(weights[node.input[1]])) * shape[0]
    return total


class Ledger:
    """Writes down each run of a network."""

    def __init__(self) -> None:
        self.runs: list[tuple[Path, tuple[int, ...]]] = []

    def names(self) -> Counter[str]:
        """How often each network ran."""
        return Counter(file.stem for file, _ in self.runs)

    def million_macs(self) -> float:
        """Million multiply-accumulates of all runs."""
        return sum(macs(file, shape) for file, shape in self.runs) / 1e6


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """Notes the runs of all sessions, which run as ever."""
    found, run = Ledger(), ModelSession._run

    def noted(self: ModelSession, wanted: list[str], batch: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        found.runs.append((self.file, batch.shape))
        return run(self, wanted, batch)

    monkeypatch.setattr(ModelSession, "_run", noted)
    return found


def view(faces: int) -> Image:
    """A photo of 640x480 with some faces."""
    image = np.full((480, 640, 3), 128, np.uint8)
    face = load_image(PHOTOS / "astronaut.png")[:260, 90:350]
    side = 440 if faces == 1 else 150
    for number in range(faces):
        x, y = 10 + 158 * (number % 4), 10 + 230 * (number // 4)
        image[y : y + side, x : x + side] = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
    return image


@pytest.mark.parametrize(("what", "faces"), [("one face", 1), ("seven faces", 7), ("none", 0)])
def test_a_photo_costs_no_more_operations(recognizer: EmotionRecognizer, ledger: Ledger, what: str, faces: int) -> None:
    found = recognizer.analyze_image(view(faces)) if faces else recognizer.detector(view(0))  # not tried turned
    assert len(list(found)) == faces
    runs, most = MOST[what]
    assert len(ledger.runs) <= runs
    assert ledger.million_macs() <= most


def test_all_faces_of_a_batch_are_classified_in_one_run(
    recognizer: EmotionRecognizer, ledger: Ledger, tmp_path: Path
) -> None:
    for number in range(4):
        cv2.imwrite(str(tmp_path / f"{number}.png"), view(1 + number))
    results = list(recognizer.stream(tmp_path, batch=4))
    assert [len(result.faces) for result in results] == [1, 2, 3, 4]
    assert ledger.names()["default"] == 1
    assert dict(ledger.runs)[find_model("default")][0] == 10


def test_a_recognizer_opens_one_session_for_each_of_its_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    opened, init = [], ModelSession.__init__

    def noted(self: ModelSession, file: Path, **options: Any) -> None:
        opened.append(file.stem)
        init(self, file, **options)

    monkeypatch.setattr(ModelSession, "__init__", noted)
    EmotionRecognizer(threads=1)
    assert Counter(opened) == Counter(["default", "finder", "landmarks"])


@pytest.mark.parametrize("faces", [1, 7])
def test_a_photo_takes_no_more_memory(recognizer: EmotionRecognizer, faces: int) -> None:
    image = view(faces)
    recognizer.analyze_image(image)  # what is kept for the next photo is loaded
    result, peak, kept = traced(lambda: dataclasses.replace(recognizer.analyze_image(image), image=None))
    assert len(result) == faces
    assert peak <= MOST_BYTES
    assert kept <= KEPT_BYTES


def test_a_large_jpeg_is_not_held_whole_where_no_face_that_counts_is_lost(tmp_path: Path) -> None:
    image = cv2.resize(view(1), (3200, 2400))
    cv2.imwrite(str(tmp_path / "a.jpg"), image)
    reader = EmotionRecognizer(threads=1, min_face=200)
    results, peak, _ = traced(lambda: list(reader.stream(tmp_path)))
    assert [len(result) for result in results] == [1]
    assert peak <= image.nbytes / 4


def traced(run: Callable[[], Value]) -> tuple[Value, int, int]:
    """What a call returns, the most bytes that it took at once, and those that are still taken."""
    tracemalloc.start()
    try:
        value = run()
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return value, peak, kept


def test_the_networks_cost_what_their_graphs_say() -> None:
    assert macs(find_model(LANDMARKS), (6, 1, 64, 64)) == 6 * macs(find_model(LANDMARKS), (1, 1, 64, 64))
    assert 60e6 < macs(find_model("default"), (1, 1, 48, 48)) < 200e6
    assert macs(find_model(FINDER), (1, 1, 272, 352)) < macs(find_model(FINDER), (1, 1, 512, 672))
