"""Several threads of WebAssembly: only in an isolated page, and only if they are quicker in a trial."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from facemood import EmotionRecognizer
from facemood.web.static_site import write_site
from tests.conftest import PHOTOS
from tests.server.browser import open_browser
from tests.web.plain_server import PlainServer, serve_folder

pytestmark = pytest.mark.browser

ISOLATED = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}
"""Headers by which a page is isolated from others, so that its threads may share memory."""

READ = """(async () => {
  const { Reader } = await import("./app/web/page/reader.js");
  const reader = await Reader.open({ threads: 2 });
  const faces = await reader.read(await (await fetch("astronaut.png")).blob());
  return { isolated: crossOriginIsolated, info: reader.info, face: faces[0] };
})()"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainServer]:
    folder = tmp_path_factory.mktemp("threads") / "site"
    write_site(folder, models=["nano"], page=False)
    shutil.copy(PHOTOS / "astronaut.png", folder)
    (folder / "blank.html").write_text("<!doctype html><title>blank</title><body data-ready=1>")
    with serve_folder(folder) as server:
        yield server


def read(host: PlainServer, folder: Path) -> dict[str, Any]:
    """Let a page that asks for two threads read a portrait; compare with Python."""
    with open_browser(folder) as browser, browser.page() as page:
        page.open(f"{host.address}blank.html")
        told: dict[str, Any] = page.run(READ)
    expected = EmotionRecognizer("nano", threads=1).analyze_image(PHOTOS / "astronaut.png").faces[0]
    assert told["face"]["emotion"] == expected.emotion
    assert told["face"]["confidence"] == pytest.approx(expected.confidence, abs=0.005)
    return told


def test_a_page_that_is_not_isolated_has_one_thread(host: PlainServer, tmp_path: Path) -> None:
    told = read(host, tmp_path)
    assert not told["isolated"]
    assert told["info"]["threads"] == 1
    assert "trial" not in told["info"]


def test_an_isolated_page_has_two_threads_if_they_are_quicker(host: PlainServer, tmp_path: Path) -> None:
    host.special = ISOLATED
    told = read(host, tmp_path)
    assert told["isolated"]
    one, several = told["info"]["trial"]["one"], told["info"]["trial"]["several"]
    assert min(one, several) > 0
    assert told["info"]["threads"] == (2 if several < 0.8 * one else 1)
