"""The memory of the tab stays flat while frames are read: no frame is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.moving_faces import read_photo
from tests.server.browser import open_browser
from tests.web.plain_server import serve_folder

pytestmark = pytest.mark.browser

WIDTH, HEIGHT = 960, 720
"""Pixels of the frames."""

FRAMES = 40
"""Frames between the two measurements; those that come before bring the memory to its usual size."""

OPEN = """(async () => {
  const { Reader } = await import("./app/web/page/reader.js");
  const reader = await Reader.open();
  window.picture = await createImageBitmap(await (await fetch("picture.png")).blob());
  window.scene = await reader.scene({ minFace: 60 });
  window.frame = 0;
  window.read = async (count) => {
    let found = 0;
    for (const last = frame + count; frame < last; frame++) {
      found += (await scene.read(picture, frame / 15)).faces.length;
    }
    return found;
  };
})()"""


def test_the_memory_stays_flat_while_frames_are_read(copy_site: Callable[[Path], Path], tmp_path: Path) -> None:
    folder = copy_site(tmp_path / "site")
    picture = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    picture[100:612, 200:712] = read_photo("astronaut.png")
    cv2.imwrite(str(folder / "picture.png"), picture)
    (folder / "blank.html").write_text("<!doctype html><title>blank</title><body data-ready=1>")
    with serve_folder(folder) as server, open_browser(tmp_path) as browser, browser.page() as page:
        page.open(f"{server.address}blank.html")
        page.run(OPEN)
        assert page.run(f"read({FRAMES})") == FRAMES
        before = browser.renderer_memory()
        assert page.run(f"read({FRAMES})") == FRAMES
        grown = browser.renderer_memory() - before
    assert grown < FRAMES * WIDTH * HEIGHT * 4 / 2  # half of what the frames would take
