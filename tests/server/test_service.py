"""The end of a server, whatever it is doing."""

from __future__ import annotations

import threading

from facemood import EmotionRecognizer
from facemood.schema import Frame
from facemood.server.limits import ServerOptions
from facemood.server.prometheus import Metrics
from facemood.server.service import Service


def test_it_ends_at_once_if_it_does_nothing(recognizer: EmotionRecognizer) -> None:
    service = Service(recognizer, ServerOptions(), Metrics())
    assert not service.ended
    assert service.close()
    assert service.ended
    assert not service.videos.folder.path.exists()


def test_work_that_does_not_end_is_abandoned(recognizer: EmotionRecognizer) -> None:
    service = Service(recognizer, ServerOptions(), Metrics())
    busy, free = threading.Event(), threading.Event()

    def take() -> list[Frame]:
        busy.set()
        free.wait()
        return []

    try:
        answer = service.engine.read(take, service.engine.photos(), large=True)
        assert busy.wait(60)
        waiting = service.engine.read(list, service.engine.photos(), large=True)
        assert not service.close(patience=0.1)
        assert waiting.cancelled()
        assert not service.videos.folder.path.exists()
    finally:
        free.set()
    assert answer.result(60) == []
    assert service.close(patience=60), "it was closed twice"
