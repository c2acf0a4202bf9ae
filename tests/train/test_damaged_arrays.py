"""Files for training that are damaged, or that somebody else made: each error names the file, and none runs code."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from facemood.datasets import ExpressionDataset
from facemood.errors import DatasetError, FacemoodError, RecipeError
from facemood.train.faces.finder_network import FinderNetwork
from facemood.train.faces.material import read_labels
from facemood.train.faces.teach import load_weights, read_hard
from facemood.train.faces.train_loop import _restore
from facemood.train.perceptron import load_vectors


def stored(**arrays: object) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)  # type: ignore[arg-type]
    return stream.getvalue()


def pickled(name: str) -> bytes:
    """An archive whose array would call a function when it is unpacked."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        body = io.BytesIO()
        np.lib.format.write_array(body, np.array([Trap()], dtype=object), allow_pickle=True)
        archive.writestr(f"{name}.npy", body.getvalue())
    return stream.getvalue()


class Trap:
    """Fails the test when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        return pytest.fail, ("a pickle was executed",)


def read_vectors(file: Path) -> object:
    images = np.zeros((2, 48, 48), np.uint8)
    dataset = ExpressionDataset("mine", images, np.zeros(2, int), ("calm",), np.array(["Training"] * 2))
    return load_vectors(file, dataset)


READERS: dict[str, tuple[Callable[[Path], object], str, type[FacemoodError]]] = {
    "labels": (read_labels, "tile_points", DatasetError),
    "hard": (read_hard, "hard", DatasetError),
    "vectors": (read_vectors, "masked", DatasetError),
}
"""Each reader, with an array that its files have, and its error."""


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    "damage",
    ["empty", "text", "cut", "flipped", "missing array", "other shape", "words", "scalar", "pickle"],
)
def test_a_damaged_file_of_arrays_is_named(tmp_path: Path, reader: str, damage: str) -> None:
    read, array, error = READERS[reader]
    whole = stored(**{array: np.random.default_rng(0).normal(size=(40, 30))})
    data = {
        "empty": b"",
        "text": b"not an archive",
        "cut": whole[: len(whole) // 2],
        "flipped": whole[:300] + bytes(byte ^ 255 for byte in whole[300:340]) + whole[340:],
        "missing array": stored(other=np.zeros(3)),
        "other shape": stored(**{array: np.zeros((2, 3, 4, 5, 6))}),
        "words": stored(**{array: np.array(["a", "b"])}),
        "scalar": stored(**{array: np.float64(3)}),
        "pickle": pickled(array),
    }[damage]
    file = tmp_path / "made.npz"
    file.write_bytes(data)
    with pytest.raises(error, match=r"made\.npz"):
        read(file)
    assert file.read_bytes() == data


def saved(value: object) -> bytes:
    stream = io.BytesIO()
    torch.save(value, stream)
    return stream.getvalue()


@pytest.mark.parametrize("reader", ["weights", "checkpoint"])
@pytest.mark.parametrize("damage", ["empty", "text", "cut", "list", "other network", "pickle"])
def test_damaged_weights_of_a_face_network_are_named(tmp_path: Path, reader: str, damage: str) -> None:
    whole = saved(FinderNetwork().state_dict())
    data = {
        "empty": b"",
        "text": b"not a file of torch's",
        "cut": whole[: len(whole) // 2],
        "list": saved([1, 2]),
        "other network": saved({"step": 3, "network": {"a": torch.zeros(2)}}),
        "pickle": pickle.dumps(Trap()),
    }[damage]
    file = tmp_path / "made.pt"
    file.write_bytes(data)
    network = FinderNetwork()
    with pytest.raises(RecipeError, match=r"made\.pt"):
        load_weights(network, file) if reader == "weights" else _restore(file, {"network": network})
