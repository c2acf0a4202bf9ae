from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from facemood.errors import ModelError
from facemood.schema import Face
from facemood.sources import load_image
from facemood.stages.detect import DetectOptions, HogDetector, YuNetDetector, open_detector, select_faces


def face(side: float, score: float = 0.9) -> Face:
    return Face(np.array([0, 0, side, side], np.float32), score=score)


def test_faces_that_count_come_largest_first() -> None:
    faces = [face(40), face(90), face(20), face(60, score=0.3), face(50)]
    kept = select_faces(faces, DetectOptions(min_size=30, threshold=0.5))
    assert [found.size[0] for found in kept] == [90, 50, 40]
    assert len(select_faces(faces, DetectOptions(max_faces=1))) == 1


@pytest.mark.parametrize("options", [{"min_size": 0}, {"threshold": 1.5}, {"max_faces": 0}])
def test_impossible_options_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="expected min_size > 0, threshold 0..1"):
        DetectOptions(**options)  # type: ignore[arg-type]


def test_hog_finds_a_portrait_at_its_place(astronaut: Path) -> None:
    image = load_image(astronaut)
    (found,) = HogDetector()(image)
    np.testing.assert_allclose(found.box, [176, 77, 266, 167], atol=12)
    assert 0.5 < found.score < 1


def test_hog_boxes_follow_the_face(astronaut: Path) -> None:
    image = load_image(astronaut)
    (before,) = HogDetector()(image)
    canvas = np.full((700, 800, 3), 128, np.uint8)
    canvas[100:612, 200:712] = image
    after = max(HogDetector()(canvas), key=lambda found: found.score)
    np.testing.assert_allclose(after.box - before.box, [200, 100, 200, 100], atol=8)


def test_hog_is_stricter_with_a_higher_threshold(astronaut: Path) -> None:
    assert HogDetector(DetectOptions(threshold=0.99))(load_image(astronaut)) == []


def test_hog_enlarges_for_small_faces_within_a_bound() -> None:
    detector = HogDetector(DetectOptions(min_size=36))
    assert detector.scale(np.zeros((480, 640, 3), np.uint8)) == pytest.approx(2)
    for shape in ((3000, 4000, 3), (20000, 10, 3)):
        image = np.zeros(shape, np.uint8)
        assert detector.scale(image) ** 2 * shape[0] * shape[1] <= detector.WORK_PIXELS + 1


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 300, 3), (40, 1, 3)])
def test_hog_takes_any_size(shape: tuple[int, int, int]) -> None:
    assert HogDetector()(np.zeros(shape, np.uint8)) == []


@pytest.mark.dataset
def test_hog_finds_all_annotated_faces(shared_data: Path) -> None:
    import json

    detector, found, wanted, extra = HogDetector(), 0, 0, 0
    for name, marked in json.loads((shared_data / "photos" / "faces.json").read_text()).items():
        boxes = [result.box for result in detector(load_image(shared_data / "photos" / name))]
        hits = [any(overlap(np.array(entry["box"]), box) > 0.4 for box in boxes) for entry in marked]
        found, wanted, extra = found + sum(hits), wanted + len(hits), extra + len(boxes) - sum(hits)
    assert (found, wanted, extra) == (43, 43, 0)


def overlap(left: np.ndarray, right: np.ndarray) -> float:
    """Intersection over union of two boxes."""
    sides = np.minimum(left[2:], right[2:]) - np.maximum(left[:2], right[:2])
    shared = float(np.prod(np.maximum(sides, 0)))
    return shared / (float(np.prod(left[2:] - left[:2])) + float(np.prod(right[2:] - right[:2])) - shared)


def test_an_unknown_detector_is_named() -> None:
    with pytest.raises(ModelError, match="unknown detector 'haar'"):
        open_detector("haar", DetectOptions())
    with pytest.raises(ModelError, match="needs its file: yunet:FILE.onnx"):
        open_detector("yunet", DetectOptions())


def test_yunet_needs_its_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no such file"):
        open_detector(f"yunet:{tmp_path}/no.onnx", DetectOptions())
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(ModelError, match="OpenCV cannot load it"):
        open_detector(f"yunet:{tmp_path}/text.onnx", DetectOptions())


def bright_cell_network(side: int) -> onnx.ModelProto:
    """A network with YuNet's inputs and outputs that takes each bright 32-pixel cell for a face of 64 pixels."""
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
        "box": np.log([[[np.e**0.5, np.e**0.5, 2, 2]]]).astype(np.float32),  # centre of the cell, twice its size
        "points": np.full((1, 1, 10), 0.5, np.float32),
    }
    values = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, side, side])
    tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    order = sorted(outputs, key=lambda value: ["cls", "obj", "bbox", "kps"].index(value.name.partition("_")[0]))
    graph = helper.make_graph(nodes, "bright", [values], order, tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def test_yunet_boxes_and_points_come_through(tmp_path: Path) -> None:
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
