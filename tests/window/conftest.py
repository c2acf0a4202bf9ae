from __future__ import annotations

import pytest


@pytest.fixture
def unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows open where nobody sees them."""
    pytest.importorskip("pygame", reason="needs the extra live")
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
