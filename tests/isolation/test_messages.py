"""Messages between a decoding process and its owner."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from facemood.isolation.messages import LENGTHS, MOST_BODY, MOST_HEAD, read_message, write_message

Pipe = tuple[io.FileIO, io.FileIO]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    source, target = os.pipe()
    with io.FileIO(source) as reader, io.FileIO(target, "w") as writer:
        yield reader, writer


@pytest.mark.parametrize("size", [0, 1, 3_000_000])
def test_a_message_arrives_as_it_was_sent(pipe: Pipe, size: int) -> None:
    body = np.random.default_rng(0).integers(0, 256, size, np.uint8)
    thread = threading.Thread(target=write_message, args=(pipe[1], {"do": "this", "name": "ä"}, body.data))
    thread.start()
    head, found = read_message(pipe[0])
    thread.join()
    assert head == {"do": "this", "name": "ä"}
    assert np.array_equal(found, body)
    assert found.flags.writeable  # images of answers are drawn on


@pytest.mark.parametrize("lengths", [(MOST_HEAD + 1, 0), (2, MOST_BODY + 1), (2, (1 << 64) - 1)])
def test_a_process_cannot_make_its_owner_reserve_memory_without_end(pipe: Pipe, lengths: tuple[int, int]) -> None:
    pipe[1].write(LENGTHS.pack(*lengths) + b"{}")
    with pytest.raises(EOFError, match="too long"):
        read_message(pipe[0])


def test_a_message_that_breaks_off(pipe: Pipe) -> None:
    pipe[1].write(LENGTHS.pack(2, 10) + b"{}" + b"12345")
    pipe[1].close()
    with pytest.raises(EOFError, match="gone"):
        read_message(pipe[0])
