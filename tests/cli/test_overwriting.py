"""No command writes over what it reads."""

from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.mark.parametrize(
    "command",
    [
        "learn show in.png -o in.png",
        "learn show in.png -o ./model.onnx --model model.onnx",
        "learn filters in.png -o link.png",
        "learn train --data fer2013:in.npz -o in.npz",
        "evaluate --data in.csv --report in.csv",
        "evaluate model.json --data in.csv --report model.md",
        "export run --data fer2013:in.csv -o in.csv",
        "soft-labels run --data in.csv -o in.csv",
    ],
)
def test_an_output_that_is_an_input_is_refused(facemood: Run, tmp_path: Path, command: str) -> None:
    for name in ("in.png", "in.npz", "in.csv", "model.onnx", "model.json"):
        (tmp_path / name).write_text(name)
    (tmp_path / "link.png").symlink_to("in.png")
    done = facemood(*command.split())
    assert done.returncode == 2
    assert "no input is ever written over" in done.stderr
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "in.png": "in.png", "in.npz": "in.npz", "in.csv": "in.csv", "model.onnx": "model.onnx", "link.png": "in.png",
        "model.json": "model.json",
    }  # fmt: skip
