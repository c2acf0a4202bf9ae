"""WebGPU in Chromium, on a graphics processor made of code: it reads as Python does, and says when it is lost."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from facemood import EmotionRecognizer
from facemood.web.static_site import write_site
from tests.conftest import PHOTOS
from tests.server.browser import OPTIONS, Page, open_browser
from tests.web.plain_server import serve_folder

pytestmark = [pytest.mark.browser, pytest.mark.slow]

GRAPHICS = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-unsafe-swiftshader"]

OPEN = """(async () => {
  const { Reader } = await import("./app/web/page/reader.js");
  window.reader = await Reader.open({ provider: "webgpu" });
  window.portrait = await (await fetch("portrait.png")).blob();
  return reader.info.device;
})()"""

READ = "reader.read(portrait).then(([face]) => face, ({ message }) => ({ message }))"


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """An empty page of a site with WebGPU, and with a small portrait."""
    if not (package := os.environ.get("ONNXRUNTIME_WEB")):
        pytest.skip("needs the unpacked npm package onnxruntime-web: name its folder in ONNXRUNTIME_WEB")
    write_site(tmp_path / "site", models=["nano"], webgpu=Path(package))
    shutil.copy(PHOTOS / "astronaut.png", tmp_path / "site" / "portrait.png")
    (tmp_path / "site" / "blank.html").write_text("<!doctype html><title>blank</title><body data-ready=1>")
    monkeypatch.setattr(
        "tests.server.browser.OPTIONS", [*(option for option in OPTIONS if option != "--disable-gpu"), *GRAPHICS]
    )
    with serve_folder(tmp_path / "site") as server, open_browser(tmp_path) as browser, browser.page() as page:
        page.open(f"{server.address}blank.html")
        if not page.run("navigator.gpu?.requestAdapter().then((adapter) => adapter !== null)"):
            pytest.skip("this Chromium has no WebGPU in software")
        yield page


def test_webgpu_reads_as_python_and_a_lost_graphics_processor_is_named(page: Page) -> None:
    expected = EmotionRecognizer("nano", threads=1).analyze_image(PHOTOS / "astronaut.png").faces[0]
    assert page.run(OPEN) == "webgpu"
    face = page.run(READ)
    assert face["emotion"] == expected.emotion
    assert face["confidence"] == pytest.approx(expected.confidence, abs=0.005)
    page.send("Browser.crashGpuProcess")
    page.wait("reader.closed")
    assert page.run(READ)["message"].startswith("The graphics processor was lost (")
    assert page.run(OPEN) == "webgpu"  # the way on
