"""What many tests share: where pictures and datasets are, a recognizer, and small made things."""

from __future__ import annotations

import gc
import importlib.util
import os
from collections.abc import Generator, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray

from facemood import EmotionRecognizer, Face
from facemood.labels import EXPRESSIONS

if TYPE_CHECKING:
    from tests.server.browser import Browser

if settings.get_current_profile_name() == "default":
    settings.register_profile("untimed", deadline=None)  # how long an example takes depends on what else runs
    settings.load_profile("untimed")

ROOT = Path(__file__).parents[1]
PHOTOS = ROOT / "examples" / "photos"
SHARED = ROOT.parent / "shared" / "data"
LONG = ("slow", "browser")
"""Markers of tests that take longest."""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage while tests are found, and never among what was imported for them: it stays to the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that at the end no process waits for another."""
    long = {item.path for item in items if any(item.get_closest_marker(one) for one in LONG)}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(scope="session")
def recognizer() -> EmotionRecognizer:
    return EmotionRecognizer(threads=1)


@pytest.fixture(scope="session")
def astronaut() -> Path:
    return PHOTOS / "astronaut.png"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The shared datasets, or a skip that says what is missing."""
    if not (SHARED / "fer2013").is_dir():
        pytest.skip(f"needs the shared datasets in {SHARED}, which are not part of the project")
    return SHARED


@pytest.fixture
def clean_environment(tmp_path: Path) -> dict[str, str]:
    """The environment of a new user: an empty home, and nothing said about telemetry, caches or thread pools."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH") if name in os.environ}
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    home.mkdir()
    temporary.mkdir()
    return {**kept, "HOME": str(home), "TMPDIR": str(temporary), "OMP_WAIT_POLICY": "PASSIVE"}


def load_script(name: str) -> ModuleType:
    """A file of scripts/ as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_face(
    box: tuple[float, float, float, float] = (10, 20, 50, 70), probabilities: NDArray[np.float32] | None = None
) -> Face:
    """A face whose strongest expression is happy."""
    if probabilities is None:
        probabilities = np.array([0.02, 0.01, 0.03, 0.7, 0.04, 0.05, 0.14, 0.01], np.float32)
    return Face(np.array(box, np.float32), score=0.9, labels=EXPRESSIONS, probabilities=probabilities)


@pytest.fixture
def unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Open windows on SDL's dummy display, which is invisible."""
    pytest.importorskip("pygame", reason="needs the extra live")
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium, whose camera sees a face."""
    from tests.server.browser import open_browser, portrait_camera

    folder = tmp_path_factory.mktemp("browser")
    with open_browser(folder, portrait_camera(folder)) as found:
        yield found
