from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from facemood.errors import ModelError
from facemood.stages.detect import DetectOptions, YuNetDetector, open_detector


def test_yunet_needs_its_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no such file"):
        open_detector(f"yunet:{tmp_path}/no.onnx", DetectOptions())
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(ModelError, match="OpenCV cannot load it"):
        open_detector(f"yunet:{tmp_path}/text.onnx", DetectOptions())


def bright_cell_network(side: int) -> onnx.ModelProto:
    """A network with YuNet's inputs and outputs that reports a face of 64 pixels for each bright 32-pixel cell."""
    nodes, outputs = [], []
    for stride in (8, 16, 32):
        cells = (side // stride) ** 2
        nodes += [
            helper.make_node("AveragePool", ["input"], [f"p{stride}"], kernel_shape=[stride] * 2, strides=[stride] * 2),
            helper.make_node("ReduceMean", [f"p{stride}", "axis"], [f"m{stride}"], keepdims=0),
            helper.make_node("Reshape", [f"m{stride}", "flat"], [f"r{stride}"]),
            helper.make_node("Mul", [f"r{stride}", "scale" if stride == 32 else "nought"], [f"cls_{stride}"]),
            helper.make_node("Identity", [f"cls_{stride}"], [f"obj_{stride}"]),
            helper.make_node("Mul", [f"r{stride}", "nought"], [f"z{stride}"]),
            helper.make_node("Add", [f"z{stride}", "box"], [f"bbox_{stride}"]),
            helper.make_node("Add", [f"z{stride}", "points"], [f"kps_{stride}"]),
        ]
        widths = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
        outputs += [
            helper.make_tensor_value_info(f"{name}_{stride}", TensorProto.FLOAT, [1, cells, width])
            for name, width in widths.items()
        ]
    constants: dict[str, np.ndarray] = {
        "axis": np.array([1], np.int64),
        "flat": np.array([1, -1, 1], np.int64),
        "scale": np.array([1 / 255], np.float32),
        "nought": np.array([0], np.float32),
        "box": np.array([[[0.5, 0.5, np.log(2), np.log(2)]]], np.float32),  # centre of the cell, twice its size
        "points": np.full((1, 1, 10), 0.5, np.float32),
    }
    values = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, side, side])
    tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    order = sorted(outputs, key=lambda value: ["cls", "obj", "bbox", "kps"].index(value.name.partition("_")[0]))
    graph = helper.make_graph(nodes, "bright", [values], order, tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def test_boxes_and_points_of_yunet_are_converted(tmp_path: Path) -> None:
    file = tmp_path / "yunet.onnx"
    onnx.save(bright_cell_network(128), file)
    image = np.zeros((128, 128, 3), np.uint8)
    cv2.rectangle(image, (32, 64), (63, 95), (255, 255, 255), -1)
    (found,) = YuNetDetector(file)(image)
    np.testing.assert_allclose(found.box, [16, 48, 80, 112], atol=1)
    assert found.score == pytest.approx(1, abs=1e-3)
    assert found.landmarks is not None
    np.testing.assert_allclose(found.landmarks, np.tile([48, 80], (5, 1)), atol=1)
    assert YuNetDetector(file)(np.zeros((128, 128, 3), np.uint8)) == []
