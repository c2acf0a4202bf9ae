"""A file of two kilobytes cannot take gigabytes: not while it is opened, and not while it runs."""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from facemood.errors import ModelError
from facemood.models import ModelSession
from facemood.models.memory_limit import OPENING, limited_growth
from tests.models.made import SIDE, dense_nodes, make_model

resource = pytest.importorskip("resource", reason="the limits are those of Unix")
linux = pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")

ROWS = 120_000
"""A square of so many numbers takes 58 GB."""


def constant(name: str, values: np.ndarray) -> NodeProto:
    """A node that gives an array."""
    return helper.make_node("Constant", [], [name], value=numpy_helper.from_array(values))


def node(kind: str, *names: str, **settings: Any) -> NodeProto:
    """A node with inputs, then one output."""
    return helper.make_node(kind, names[:-1], names[-1:], **settings)


def with_huge(*nodes: NodeProto) -> list[NodeProto]:
    """The usual network, to whose output the sum of an array ``"huge"`` is added."""
    usual = dense_nodes()
    usual[-1].output[0] = "o"
    return [*nodes, node("ReduceSum", "huge", "sum", keepdims=0), *usual, node("Add", "o", "sum", "out")]


SIZE = np.array([ROWS, ROWS], np.int64)
COLUMN, ROW = np.zeros((ROWS, 1), np.float32), np.zeros((1, ROWS), np.float32)

GIANTS: dict[str, list[NodeProto]] = {
    "a shape": [constant("S", SIZE), node("ConstantOfShape", "S", "huge")],
    "a shape that is worked out": [
        constant("S", SIZE // 2), node("Add", "S", "S", "T"), constant("c", np.zeros((1, 1), np.float32)),
        node("Expand", "c", "T", "huge"),
    ],
    "a sum": [constant("A", COLUMN), constant("B", ROW), node("Add", "A", "B", "huge")],
    "a product": [constant("A", COLUMN), constant("B", ROW), node("MatMul", "A", "B", "huge")],
    "tiles": [constant("A", np.zeros((1, 1), np.float32)), constant("S", SIZE), node("Tile", "A", "S", "huge")],
    "noise": [helper.make_node("RandomNormal", [], ["huge"], shape=SIZE.tolist())],
    "a range": [
        *(constant(name, np.array(value, np.float32)) for name, value in (("a", 0), ("b", 1e10), ("c", 1))),
        node("Range", "a", "b", "c", "huge"),
    ],
    "the faces": [node("ReduceSum", "x", "q", keepdims=0), constant("S", SIZE), node("Expand", "q", "S", "huge")],
}  # fmt: skip
"""Where an array of tens of gigabytes comes from."""

OPEN = """
import resource, sys
from pathlib import Path
from facemood.errors import ModelError
from facemood.errors import ModelError
from facemood.models import ModelSession, runtime

runtime.OPENING = int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_AS, (12 << 30, 12 << 30))  # for this machine's sake, should the guard fail
try:
    ModelSession(Path(sys.argv[1]), device="cpu")
    print("opened")
except ModelError as error:
    print("refused:", error)
status = Path("/proc/self/status")  # ru_maxrss would begin with the memory of the process that started this one
lines = status.read_text().splitlines() if status.is_file() else ["VmHWM: 0"]
print(next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM")))
"""


def open_elsewhere(file: Path, *, limit: int = OPENING) -> tuple[str, int]:
    """What another process says when it opens a model, and its peak memory in MB."""
    command = [sys.executable, "-c", OPEN, str(file), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.stderr == ""
    said, peak = done.stdout.strip().rsplit("\n", 1)
    return said, int(peak)


@pytest.mark.parametrize("case", GIANTS)
def test_a_network_that_wants_tens_of_gigabytes_is_refused_before_it_has_them(case: str, tmp_path: Path) -> None:
    said, peak = open_elsewhere(make_model(tmp_path / "giant.onnx", nodes=with_huge(*GIANTS[case])))
    assert said.startswith(f"refused: {tmp_path / 'giant.onnx'}: ")
    assert peak < 600


@linux
def test_many_arrays_below_the_limit_of_one_are_refused_together(tmp_path: Path) -> None:
    number = 8
    side = constant("side", np.array([7_000]))  # 196 MB each
    shape = node("Concat", "side", "side", "S", axis=0)
    parts = [constant(f"c{index}", np.full((1, 1), index, np.float32)) for index in range(number)]
    huge = [node("Expand", f"c{index}", "S", f"h{index}") for index in range(number)]
    squares = [node("Mul", f"h{index}", f"h{index}", f"s{index}") for index in range(number)]
    total = node("Sum", *(f"s{index}" for index in range(number)), "huge")
    nodes = with_huge(side, shape, *parts, *huge, *squares, total)
    said, peak = open_elsewhere(make_model(tmp_path / "giant.onnx", nodes=nodes), limit=2**29)
    assert said.startswith(f"refused: {tmp_path / 'giant.onnx'}: cannot be loaded as an ONNX model")
    assert peak < 1000


def test_a_network_that_grows_with_its_pixels_fails_when_it_runs_and_then_runs_on(tmp_path: Path) -> None:
    """It passes the trial with black faces; a bright one asks for 58 GB."""
    grow = [
        node("ReduceMax", "x", "most", keepdims=0),
        node("Cast", "most", "count", to=TensorProto.INT64),
        constant("one", np.array([1], np.int64)),
        node("Reshape", "count", "one", "row"),
        node("Concat", "row", "row", "S", axis=0),
        constant("c", np.zeros((1, 1), np.float32)),
        node("Expand", "c", "S", "huge"),
    ]
    file = make_model(tmp_path / "grows.onnx", {"std": [0.001]}, nodes=with_huge(*grow))
    session = ModelSession(file, device="cpu")
    dark, bright = np.zeros((1, SIDE, SIDE), np.uint8), np.full((1, SIDE, SIDE), 120, np.uint8)
    assert session.run(dark)["out"].tolist() == [[0, 0]]
    with pytest.raises(ModelError, match=r"grows\.onnx: the network cannot be run"):
        session.run(bright)
    assert session.run(dark)["out"].tolist() == [[0, 0]]


@linux
def test_the_limit_holds_inside_alone_and_comes_back_as_it_was() -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with limited_growth(2**28):
        with pytest.raises(MemoryError):
            bytearray(2**30)
        with limited_growth(2**30), pytest.raises(MemoryError):  # an inner limit widens no outer one
            bytearray(2**30 - 2**20)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    assert len(bytearray(2**30)) == 2**30


@linux
def test_threads_that_open_models_at_once_leave_no_limit_behind() -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)

    def use() -> None:
        for _ in range(200):
            with limited_growth(2**30):
                pass

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
