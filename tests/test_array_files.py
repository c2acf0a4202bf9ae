"""Damaged .npz files are a ValueError that says why; nothing in them is executed or unpacked beyond a limit."""

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from facemood import array_files
from facemood.array_files import DAMAGED, check_array, read_arrays, text_of


class Marking:
    """A pickle of it makes a folder when it is loaded."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.place),)


def write_member(file: Path, data: bytes, *, kind: int = zipfile.ZIP_STORED) -> Path:
    """An archive with one member ``a.npy``."""
    with zipfile.ZipFile(file, "w", kind) as archive:
        archive.writestr("a.npy", data)
    return file


def npy(header: str, data: bytes = b"", *, version: bytes = b"\x01\x00") -> bytes:
    """A .npy file with any header."""
    text = header.encode() + b"\n"
    return b"\x93NUMPY" + version + len(text).to_bytes(2 if version == b"\x01\x00" else 4, "little") + text + data


@given(
    arrays.arrays(
        st.sampled_from([np.uint8, np.int16, np.float32, np.bool_]), arrays.array_shapes(min_dims=0, min_side=0)
    )
)
def test_arrays_come_back_as_they_went(array: np.ndarray) -> None:
    stream = io.BytesIO()
    np.savez_compressed(stream, one=array, two=np.asfortranarray(array), text=np.array("größer"))
    file = Path(os.environ.get("TMPDIR", "/tmp"), f"arrays-{os.getpid()}.npz")
    file.write_bytes(stream.getvalue())
    found = read_arrays(file, needed=["one", "two"])
    file.unlink()
    for name in ("one", "two"):
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
    assert text_of("text", found["text"]) == "größer"


def test_no_pickle_is_loaded(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    np.savez(tmp_path / "evil.npz", a=np.array([Marking(mark)], dtype=object))
    with pytest.raises(ValueError, match="the array 'a' is damaged .holds Python objects, which are not loaded"):
        read_arrays(tmp_path / "evil.npz")
    assert not mark.exists()
    np.load(tmp_path / "evil.npz", allow_pickle=True)["a"]
    assert mark.exists()  # so the trap works


HEADERS = {
    "an array larger than memory": npy(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000, 1000000)}"
    ),
    "an array larger than its data": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (9,)}", b"\0" * 8),
    "a negative size": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", b"\0" * 8),
    "a size beyond 64 bits": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}"),
    "an unknown type": npy("{'descr': '<q9', 'fortran_order': False, 'shape': (1,)}", b"\0" * 8),
    "objects inside of rows": npy("{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (1,)}", b"\0" * 8),
    "no table": npy("[]"),
    "a call": npy("__import__('os').mkdir('called')"),
    "nested brackets": npy("(" * 60000, version=b"\x02\x00"),
    "another version": b"\x93NUMPY\x09\x00" + b"\0" * 20,
    "no array": b"hello",
    "nothing": b"",
}


@pytest.mark.parametrize("case", HEADERS)
def test_a_damaged_header_is_said(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"the array 'a' is damaged|it is no \.npz file"):
        read_arrays(write_member(tmp_path / "bad.npz", HEADERS[case]))
    assert not (tmp_path / "called").exists()


@pytest.mark.parametrize("kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_file_that_is_cut_or_changed_anywhere_is_a_valueerror(kind: int, tmp_path: Path) -> None:
    stream = io.BytesIO()
    np.save(stream, np.arange(300))
    whole = write_member(tmp_path / "a.npz", stream.getvalue(), kind=kind).read_bytes()
    random = np.random.default_rng(0)
    outcomes = set()
    for place in [*range(0, len(whole), 7), *range(60)]:
        changed = bytearray(whole)
        changed[place] ^= 1 << int(random.integers(8))
        for data in (whole[:place], bytes(changed)):
            (tmp_path / "bad.npz").write_bytes(data)
            try:
                found = read_arrays(tmp_path / "bad.npz", needed=["a"])["a"]
            except ValueError as error:
                outcomes.add(str(error).split(" (")[0])
            else:
                np.testing.assert_array_equal(found, np.arange(300))  # a byte that nobody reads
    assert DAMAGED in outcomes


def test_an_archive_that_unpacks_to_more_than_the_limit_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.BytesIO()
    np.save(stream, np.zeros(10_000_000, np.uint8))
    bomb = write_member(tmp_path / "bomb.npz", stream.getvalue(), kind=zipfile.ZIP_LZMA)
    assert bomb.stat().st_size < 3000
    assert len(read_arrays(bomb)["a"]) == 10_000_000
    monkeypatch.setattr(array_files, "MOST_BYTES", 1_000_000)
    with pytest.raises(ValueError, match="its arrays have 10,000,128 bytes; the most are 1,000,000"):
        read_arrays(bomb)


def test_what_is_missing_or_cannot_be_opened_is_said(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", a=np.ones(1))
    with pytest.raises(ValueError, match="the array 'b' is missing"):
        read_arrays(tmp_path / "a.npz", needed=["a", "b"])
    for gone in (tmp_path / "gone.npz", tmp_path):
        with pytest.raises(OSError):  # noqa: PT011 - which one is the system's to say
            read_arrays(gone)


@pytest.mark.parametrize(
    "array", [np.zeros((8, 3, 1), np.uint8), np.zeros((8, 3)), np.zeros(8, np.uint8), np.array("a")]
)
def test_another_shape_or_type_is_said(array: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"the array 'keys' must be \(8, any\) of uint8, but is"):
        check_array("keys", array, kind=np.uint8, shape=(8, None))
    with pytest.raises(ValueError, match="the array 'about' must be"):
        text_of("about", array if array.ndim else np.array(1))
