"""Models with external data anywhere are rejected; other models are read unchanged."""

import os
import stat
from pathlib import Path

import pytest
from onnx import TensorProto, helper, numpy_helper

from facemood.errors import ModelError
from facemood.models import ModelSession, find_model, list_models
from facemood.models.model_file import find_external, read_model_file
from tests.models.made import WEIGHTS, dense_nodes, external_tensor, make_model


@pytest.mark.parametrize("location", ["weights.bin", "./weights.bin", "../secret.bin", "/dev/zero", "link.bin", "gone"])
def test_external_data_are_rejected_even_if_the_file_exists(
    location: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    for file in (folder / "weights.bin", tmp_path / "secret.bin"):
        file.write_bytes(WEIGHTS.tobytes())
    (folder / "link.bin").symlink_to(tmp_path / "secret.bin")
    monkeypatch.chdir(folder)
    make_model(folder / "own.onnx", weights=external_tensor(location))
    with pytest.raises(ModelError, match=r"own\.onnx: the tensor 'W' is external data in another file; .*onnx\.save\("):
        ModelSession(folder / "own.onnx")


def test_external_data_in_a_constant_or_a_branch_are_found(tmp_path: Path) -> None:
    constant = helper.make_node("Constant", [], ["V"], value=external_tensor("weights.bin", name="V"))
    branch = helper.make_graph(
        [constant], "branch", [], [helper.make_tensor_value_info("V", TensorProto.FLOAT, WEIGHTS.shape)]
    )
    choice = helper.make_node("If", ["yes"], ["V2"], then_branch=branch, else_branch=branch)
    for nodes in ([constant, *dense_nodes("V")], [choice, *dense_nodes("V2")]):
        file = make_model(tmp_path / "own.onnx", nodes=nodes)
        with pytest.raises(ModelError, match="the tensor 'V' is external data"):
            read_model_file(file)


def test_the_word_location_alone_is_not_external_data(tmp_path: Path) -> None:
    weights = numpy_helper.from_array(WEIGHTS, "location")
    file = make_model(tmp_path / "own.onnx", weights=weights, nodes=dense_nodes("location"))
    assert find_external(file.read_bytes()) is None
    assert ModelSession(file).outputs == ("out",)


@pytest.mark.parametrize("name", list_models())
def test_a_complete_model_is_read_unchanged(name: str) -> None:
    assert read_model_file(find_model(name)) == find_model(name).read_bytes()


def test_damaged_files_with_external_data_are_rejected(tmp_path: Path) -> None:
    file = tmp_path / "own.onnx"
    for rest in (b"\x0b", b"\xff", b"\xff" * 20 + b"\x01", b"\x3a\x7f"):
        file.write_bytes(b"\x0a\x08location" + rest)
        with pytest.raises(ModelError, match=r"own\.onnx: cannot be loaded as an ONNX model"):
            read_model_file(file)


def test_an_unreadable_or_too_large_file_is_rejected(tmp_path: Path) -> None:
    large = tmp_path / "large.onnx"
    with large.open("wb") as file:
        file.truncate(2**31)  # a hole: nothing is written
    with pytest.raises(ModelError, match="it has 2,147,483,648 bytes"):
        ModelSession(large)
    with pytest.raises(ModelError, match=r"folder\.onnx: cannot be read"):
        (tmp_path / "folder.onnx").mkdir()
        ModelSession(tmp_path / "folder.onnx")
    closed = make_model(tmp_path / "closed.onnx")
    closed.chmod(0)
    if os.access(closed, os.R_OK):
        closed.chmod(stat.S_IRUSR)
        pytest.skip("this user may read every file")
    with pytest.raises(ModelError, match=r"closed\.onnx: cannot be read \(Permission denied\)"):
        ModelSession(closed)
