from __future__ import annotations

import pytest


@pytest.fixture
def unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Open windows on SDL's dummy display, which is invisible."""
    pytest.importorskip("pygame", reason="needs the extra live")
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
