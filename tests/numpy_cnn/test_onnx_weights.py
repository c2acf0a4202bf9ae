"""Protocol buffers are read as the package onnx writes them."""

import pytest
from onnx import StringStringEntryProto, TensorProto

from facemood.numpy_cnn.onnx_weights import read_fields


def test_fields_are_read_as_they_were_written() -> None:
    tensor = TensorProto(name="W", data_type=300, dims=[2, 3], raw_data=b"abc")
    assert sorted(read_fields(tensor.SerializeToString()), key=str) == [
        (1, 2),
        (1, 3),
        (2, 300),
        (8, b"W"),
        (9, b"abc"),
    ]
    assert list(read_fields(StringStringEntryProto(key="k").SerializeToString())) == [(1, b"k")]
    assert list(read_fields(b"\x0d\x01\x02\x03\x04\x11" + bytes(8))) == [(1, b"\x01\x02\x03\x04"), (2, bytes(8))]


def test_truncated_data_and_other_formats_are_errors() -> None:
    with pytest.raises(IndexError):
        list(read_fields(b"\x08\x80"))
    with pytest.raises(ValueError, match="a field ends at byte 7, but there are 3"):
        list(read_fields(b"\x0a\x05a"))
    with pytest.raises(ValueError, match="unknown kind 3"):
        list(read_fields(b"\x0b"))
    with pytest.raises(ValueError, match="more than 64 bits"):
        list(read_fields(b"\x08" + b"\xff" * 11 + b"\x01"))
