"""The page in every state, checked by axe-core: no finding, in both themes, on narrow screens, with forced colours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.moving_faces import read_photo
from tests.server.browser import Browser, Page
from tests.server.conftest import Running
from tests.videos import make_video
from tests.web.test_page_options import choose_language

pytestmark = pytest.mark.browser

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"

SHOWN = "document.querySelector('.word')?.innerText"
"""The first card's word."""

RUN = """axe.run(document, { resultTypes: ["violations", "incomplete"] }).then(({ violations }) =>
  violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 200)).join(" | ")}`))"""

VIEWS: dict[str, dict[str, Any]] = {
    "narrow": {"width": 375, "dark": False, "text": 1.75},
    "tablet": {"width": 768, "dark": True},
    "wide": {"width": 1280, "dark": False},
    "zoomed": {"width": 640, "height": 400, "dark": True},  # 1280 x 800 at 200%
    "forced": {"width": 1280, "dark": True, "forced": True},
}
"""Sizes in CSS pixels, themes, and the size of the text."""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two faces, no face, and a video."""
    folder = tmp_path_factory.mktemp("files")
    photo = read_photo("astronaut.png")
    cv2.imwrite(str(folder / "two.png"), np.hstack([photo, photo]))
    cv2.imwrite(str(folder / "many.png"), np.tile(photo[:300, 100:400], (2, 3, 1)))
    cv2.imwrite(str(folder / "grey.png"), np.full((240, 320, 3), 128, np.uint8))
    make_video(folder / "talk.webm", [photo[:480, :480]] * 4, fps=10, codec="libvpx-vp9")
    return {file.stem: file for file in folder.iterdir()}


@pytest.fixture(scope="module")
def axe() -> str:
    if not AXE.is_file():
        pytest.skip("needs axe-core: run 'npm ci'")
    return AXE.read_text(encoding="utf-8")


def set_view(page: Page, *, width: int, dark: bool, height: int = 860, forced: bool = False, text: float = 1) -> None:
    page.resize(width, height, dark=dark, still=True)
    if forced:
        features = [
            {"name": "forced-colors", "value": "active"}, {"name": "prefers-color-scheme", "value": "dark"},
        ]  # fmt: skip
        page.send("Emulation.setEmulatedMedia", features=features)
    page.run(f"document.documentElement.style.setProperty('--size', '{text}')")


def check(page: Page, state: str) -> None:
    """Check the page as it is in each view: nothing is cut off, and axe finds nothing."""
    for name, view in VIEWS.items():
        set_view(page, **view)
        if page.run("document.querySelector('#more-tools:not([hidden])[aria-expanded=false]') !== null"):
            page.click("more-tools")
        assert page.run("document.documentElement.scrollWidth <= innerWidth"), f"{state}, {name}"
        assert page.run(RUN) == [], f"{state}, {name}"


def test_every_state_is_accessible(browser: Browser, server: Running, files: dict[str, Path], axe: str) -> None:
    with browser.page() as page:
        page.open(server.address)
        page.wait("!document.getElementById('in-tab').hidden")
        page.run(f"{axe}; true")
        check(page, "start")
        page.click("in-tab")
        page.drop(Path(__file__), "text/x-python")
        check(page, "start, with a notice")
        page.click("choose-camera")
        page.wait(SHOWN)
        page.click("record")
        page.wait("parseInt(document.getElementById('recorded').innerText) >= 1")
        check(page, "camera, recording")
        page.click("record")
        page.wait("document.querySelectorAll('#downloads a').length === 3")
        for name in ("why", "cover", "smooth", "units", "calm"):
            page.click(name)
        page.run("document.querySelectorAll('.meanings').forEach((one) => { one.open = true; })")
        page.wait("document.querySelectorAll('#buttons dt').length > 8")
        check(page, "camera, recorded, with maps, hidden faces, the meanings and the help")
        page.click("compact")
        check(page, "words only")
        page.click("compact")
        page.drop(files["two"], "image/png")
        page.wait("document.querySelectorAll('.person').length === 2")
        check(page, "photo")
        page.drop(files["many"], "image/png")
        page.wait("document.querySelectorAll('.person').length === 6")
        choose_language(page, "de")
        check(page, "photo of many people, in German")
        choose_language(page, "en")
        page.drop(files["grey"], "image/png")
        page.wait("!document.getElementById('nobody').hidden")
        check(page, "nobody")
        page.drop(files["talk"], "video/webm")
        page.wait(SHOWN)
        check(page, "video")
        page.click("video-read")
        page.wait("document.querySelectorAll('#video-results a').length === 2")
        check(page, "video, was read")
