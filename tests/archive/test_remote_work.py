"""What workers of Ray and Dask tell while they read a part."""

from __future__ import annotations

import pytest

from facemood.archive.remote_work import _Advance


class Notes:
    """Notes what is told; after so many times, nobody listens any more."""

    def __init__(self, most: int) -> None:
        self.told, self._most = list[tuple[str, float, int]](), most

    def tell(self, part: str, done: float, failed: int) -> None:
        if len(self.told) == self._most:
            raise ConnectionError("the driver is gone")
        self.told.append((part, done, failed))


def test_a_part_that_takes_long_is_told_now_and_then_and_goes_on_when_nobody_listens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr("facemood.archive.remote_work.time.monotonic", lambda: now[0])
    notes = Notes(most=2)
    advance = _Advance(notes, "1f")
    for second in range(20):
        now[0] = float(second)
        advance(second, 1)
    assert notes.told == [("1f", 5, 1), ("1f", 10, 1)]
