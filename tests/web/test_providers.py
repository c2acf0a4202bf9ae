"""What runs the networks: one thread; several in an isolated page, if they are quicker in a trial; WebGPU."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from facemood import EmotionRecognizer
from facemood.web.static_site import write_site
from tests.conftest import PHOTOS
from tests.server.browser import Browser, Page
from tests.web.plain_server import PlainServer, serve_folder

pytestmark = pytest.mark.browser

ISOLATED = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}
"""Headers by which a page is isolated from others, so that its threads may share memory."""

READ = """(async () => {
  const { Reader } = await import("./app/web/page/reader.js");
  const reader = await Reader.open(SETTINGS);
  const faces = await reader.read(await (await fetch("astronaut.png")).blob());
  reader.close();
  return { isolated: crossOriginIsolated, info: reader.info, face: faces[0] };
})()"""

SHOWN = "document.querySelector('.word')?.innerText"
"""The first card's word."""


@pytest.fixture(scope="module")
def host(copy_site: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainServer]:
    folder = copy_site(tmp_path_factory.mktemp("threads") / "site")
    shutil.copy(PHOTOS / "astronaut.png", folder)
    (folder / "blank.html").write_text("<!doctype html><title>blank</title><body data-ready=1>")
    with serve_folder(folder) as server:
        yield server


def read(page: Page, **settings: object) -> dict[str, Any]:
    """Let a page open the networks and read a portrait; compare with Python."""
    told: dict[str, Any] = page.run(READ.replace("SETTINGS", json.dumps(settings)))
    expected = EmotionRecognizer("nano", threads=1).analyze_image(PHOTOS / "astronaut.png").faces[0]
    assert told["face"]["emotion"] == expected.emotion
    assert told["face"]["confidence"] == pytest.approx(expected.confidence, abs=0.005)
    return told


def test_a_page_that_is_not_isolated_has_one_thread(browser: Browser, host: PlainServer) -> None:
    with browser.page() as page:
        page.open(f"{host.address}blank.html")
        told = read(page, threads=2)
    assert not told["isolated"]
    assert (told["info"]["device"], told["info"]["threads"]) == ("wasm", 1)
    assert "trial" not in told["info"]


def test_an_isolated_page_has_two_threads_if_they_are_quicker_and_remembers_that(
    browser: Browser, host: PlainServer
) -> None:
    with serve_folder(host.folder) as isolated, browser.page() as page:
        isolated.special = ISOLATED
        page.open(f"{isolated.address}blank.html")
        told, again = read(page, threads=2), read(page, threads=2)
    assert told["isolated"]
    one, several = told["info"]["trial"]["one"], told["info"]["trial"]["several"]
    assert min(one, several) > 0
    assert told["info"]["threads"] == (2 if several < 0.8 * one else 1)
    assert again["info"] == told["info"]  # the same milliseconds: there was no second trial


def test_the_service_worker_isolates_the_page_of_a_plain_host_from_the_second_visit_on(
    browser: Browser, tmp_path: Path
) -> None:
    site = write_site(tmp_path / "site", models=["nano"], isolate=True)
    with serve_folder(site.folder) as plain, browser.page() as page:
        page.open(plain.address)
        assert not page.run("crossOriginIsolated")
        page.wait("!!navigator.serviceWorker.controller")
        for offline in (False, True):
            plain.offline = offline
            page.open(plain.address)
            assert page.run("crossOriginIsolated")
            page.choose("photo-file", PHOTOS / "astronaut.png")
            assert page.wait(SHOWN).lower() == "happy"
        assert page.addresses() == {f"127.0.0.1:{plain.server_port}"}


def test_without_webgpu_the_reader_says_why_and_takes_webassembly(
    browser: Browser, host: PlainServer, copy_site: Callable[[Path], Path], tmp_path: Path
) -> None:
    with browser.page() as page:
        page.open(f"{host.address}blank.html")
        info = read(page, provider="webgpu")["info"]
        assert info["device"] == "wasm"
        assert info["fallback"].startswith("WebAssembly reads here: this site was written without WebGPU")
    listing = json.loads((host.folder / "files.json").read_text())
    listing["engine"]["ort.webgpu.min.mjs"] = listing["engine"]["ort.wasm.min.mjs"]
    folder = copy_site(tmp_path / "site")  # a site with WebGPU, as far as this browser without an adapter looks
    (folder / "files.json").write_text(json.dumps(listing))
    for name in ("blank.html", "astronaut.png"):
        shutil.copy(host.folder / name, folder)
    settings = json.loads((folder / "settings.json").read_text())
    (folder / "settings.json").write_text(json.dumps({**settings, "provider": "webgpu"}))
    with serve_folder(folder) as other, browser.page() as page:
        page.open(f"{other.address}blank.html")
        info = read(page, provider="webgpu")["info"]
        assert info["device"] == "wasm"
        assert "no adapter" in info["fallback"]
        page.open(other.address)  # the page says so too
        assert info["fallback"] in page.wait("document.getElementById('engine').innerText")


def test_the_page_says_why_it_has_one_thread_where_several_cannot_start(browser: Browser, host: PlainServer) -> None:
    """A host may send the headers with some files only; browsers then refuse the workers of the runtime."""
    with serve_folder(host.folder) as isolated, browser.page() as page:
        isolated.special, isolated.bare = ISOLATED, "/engine/"
        page.open(isolated.address)
        assert page.run("crossOriginIsolated")
        assert "One thread reads here: " in page.wait("document.getElementById('engine').innerText")


def test_that_several_threads_cannot_start_is_remembered(browser: Browser, host: PlainServer) -> None:
    """They may take half a minute to fail: that is lost once, not with each visit."""
    kept = "Object.entries(localStorage).find(([key]) => key.startsWith('facemood threads'))"
    with serve_folder(host.folder) as isolated, browser.page() as page:
        isolated.special, isolated.bare = ISOLATED, "/engine/"
        page.open(f"{isolated.address}blank.html")

        def keep(**values: object) -> None:
            entry = json.dumps({"of": known["of"], **values})
            page.run(f"localStorage.setItem({json.dumps(key)}, {json.dumps(entry)})")

        told = read(page, threads=2)["info"]
        key, value = page.run(kept)
        known = json.loads(value)
        assert (told["threads"], known["threads"]) == (1, 1)
        assert told["fallback"] == f"One thread reads here: {known['fallback']}"
        keep(threads=2, trial={"one": 20, "several": 10})  # they started once, and cannot any more
        assert read(page, threads=2)["info"] == told
        assert json.loads(page.run(kept)[1]) == known
        keep(threads=1, fallback="as told before.")  # these words can only come from what is kept: nothing is tried
        assert read(page, threads=2)["info"] == {**told, "fallback": "One thread reads here: as told before."}
