from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from functools import partial

import numpy as np
import pytest

from facemood import EmotionRecognizer
from facemood.errors import ImageError
from facemood.schema import Frame
from facemood.server.engine import Engine
from facemood.server.niceness import NICENESS
from facemood.server.problems import Problem
from tests.moving_faces import read_photo


@pytest.fixture
def engine(recognizer: EmotionRecognizer) -> Iterator[Engine]:
    engine = Engine(recognizer, max_waiting=6)
    yield engine
    engine.close()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere threads have no niceness of their own")
def test_large_frames_give_way_to_small_ones(engine: Engine) -> None:
    found: list[int] = []

    def take() -> list[Frame]:
        found.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return [blank()]

    for large in (False, True):
        engine.read(take, engine.photos(), large=large).result()
    assert found[1] == min(19, found[0] + NICENESS)


def blank(number: int = 0) -> Frame:
    return Frame(np.full((48, 64, 3), 128, np.uint8), source=f"blank {number}", index=number)


def one_blank(number: int) -> list[Frame]:
    return [blank(number)]


def hold(engine: Engine) -> tuple[threading.Event, threading.Event]:
    """Keep the engine busy until the second event is set; the first tells that it is."""
    busy, free = threading.Event(), threading.Event()

    def take() -> list[Frame]:
        busy.set()
        free.wait(30)
        return []

    engine.read(take, engine.photos())
    assert busy.wait(30)
    return busy, free


def test_it_reads_what_the_library_reads(engine: Engine, recognizer: EmotionRecognizer) -> None:
    photo = read_photo("astronaut.png")
    (result,) = engine.read(lambda: [Frame(photo)], engine.photos()).result()
    (face,), (expected,) = result.faces, recognizer.analyze_image(photo).faces
    assert face.emotion == expected.emotion == "happy"
    np.testing.assert_allclose(face.probabilities, expected.probabilities, atol=1e-5)


def test_what_waits_is_read_in_one_run_and_everyone_gets_their_own(engine: Engine) -> None:
    _, free = hold(engine)
    photo = read_photo("astronaut.png")
    turns = [engine.read(partial(one_blank, number), engine.photos()) for number in range(3)]
    turns.append(engine.read(lambda: [Frame(photo, index=3), blank(4)], engine.photos()))
    free.set()
    results = [turn.result() for turn in turns]
    assert [[len(result) for result in part] for part in results] == [[0], [0], [0], [1, 0]]
    assert [result.index for part in results for result in part] == [0, 1, 2, 3, 4]
    assert (engine.runs, engine.frames) == (1, 5)


def test_the_trouble_of_one_is_not_that_of_others(engine: Engine) -> None:
    def broken() -> list[Frame]:
        raise ImageError("damaged")

    _, free = hold(engine)
    bad, good = engine.read(broken, engine.photos()), engine.read(lambda: [blank()], engine.photos())
    free.set()
    assert len(good.result()) == 1
    with pytest.raises(ImageError, match="damaged"):
        bad.result()


def test_a_turn_that_nobody_waits_for_is_left_out(engine: Engine) -> None:
    _, free = hold(engine)
    taken = []
    turn = engine.read(lambda: taken.append(1) or [blank()], engine.photos())  # type: ignore[func-returns-value]
    assert turn.cancel()
    free.set()
    assert len(engine.read(lambda: [blank()], engine.photos()).result()) == 1
    assert taken == []


def test_more_than_fit_are_refused(engine: Engine) -> None:
    _, free = hold(engine)
    turns = [engine.read(lambda: [blank()], engine.photos()) for _ in range(6)]
    with pytest.raises(Problem) as refused:
        engine.read(lambda: [blank()], engine.photos())
    assert refused.value.status == 503
    assert "Retry-After" in (refused.value.headers or {})
    free.set()
    assert all(len(turn.result()) == 1 for turn in turns)


def test_a_closed_engine_refuses(recognizer: EmotionRecognizer) -> None:
    engine = Engine(recognizer, max_waiting=4)
    engine.close()
    with pytest.raises(Problem):
        engine.read(lambda: [blank()], engine.photos())
