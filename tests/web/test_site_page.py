"""The static site in a real browser, with a made video as its camera: it reads, and asks nobody but its own host."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from facemood import EmotionRecognizer
from facemood.table import RAW, columns_for
from facemood.text import percent
from facemood.web.site_server import SiteServer
from facemood.web.static_site import Site
from tests.conftest import PHOTOS
from tests.server.browser import Browser, Page, open_browser, portrait_camera
from tests.web.plain_server import BASE, PlainServer, serve_folder

pytestmark = pytest.mark.browser

SHOWN = "document.querySelector('.word')?.innerText"
"""The first card's word."""

NOTICE = "document.getElementById('notice').innerText"


@pytest.fixture
def host(copy_site: Callable[[Path], Path], tmp_path: Path) -> Iterator[PlainServer]:
    """A host of a copy of the site, which a test may damage. Each has an origin of its own, so nothing is kept."""
    with serve_folder(copy_site(tmp_path / "site" / "copy")) as server:
        yield server


@pytest.fixture
def page(browser: Browser, host: PlainServer) -> Iterator[Page]:
    with browser.page() as page:
        page.resize(1280, 860)
        page.open(host.address)
        yield page
        assert page.addresses() == {f"127.0.0.1:{host.server_port}"}
        assert all(path.startswith(BASE) for path in host.asked if path != "/favicon.ico")


def read_photos(page: Page, *files: Path) -> None:
    page.choose("photo-file", *files)
    page.run("document.getElementById('photo-file').dispatchEvent(new Event('change'))")


def test_the_start_page_says_that_images_stay_in_the_tab(page: Page) -> None:
    text = page.run("document.body.innerText")
    assert "never leave your device" in text
    assert "server" not in text
    assert "API" not in text
    assert page.run("document.querySelectorAll('#meanings dt').length") == 8
    assert page.troubles() == []


def test_the_camera_is_read_in_the_tab(page: Page, host: PlainServer) -> None:
    page.click("choose-camera")
    assert page.wait(SHOWN).lower() == "happy"
    page.wait("document.getElementById('pace').innerText.includes('images/s')")
    page.wait("document.querySelector('.person h3').innerText.includes('Person 1')")
    asked = len(host.asked)
    page.wait("parseInt(document.getElementById('pace').innerText) > 0")
    page.click("stop")
    assert page.run("document.getElementById('live').hidden")
    assert len(host.asked) == asked  # nothing is sent while it reads
    assert page.troubles() == []


def test_a_recording_has_the_columns_of_the_table(page: Page, tmp_path: Path) -> None:
    page.click("choose-camera")
    page.wait(SHOWN)
    page.click("record")
    page.wait("parseInt(document.getElementById('recorded').innerText) >= 3")
    page.click("record")
    page.wait("document.querySelectorAll('#downloads a').length === 3")
    (tmp_path / "saved").mkdir()
    files = page.download("#downloads a", tmp_path / "saved")
    rows = list(csv.DictReader(io.StringIO(files["table.csv"].decode())))
    whole: dict[str, Any] = json.loads(files["results.json"])
    labels = EmotionRecognizer("nano").labels
    assert list(rows[0]) == [column.name for column in columns_for(labels, (RAW,))]
    assert rows[0]["emotion"] == whole["results"][0]["faces"][0]["emotion"] == "happy"
    assert rows[0]["track_id"] == "1"
    assert len(rows[0]["happy"].partition(".")[2]) <= 4
    assert whole["info"]["model"] == "nano"


def test_photos_are_read_and_damaged_ones_are_named(page: Page, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.jpg"
    damaged.write_bytes((PHOTOS / "grace_hopper.jpg").read_bytes()[:300])
    read_photos(page, PHOTOS / "astronaut.png", damaged)
    expected = EmotionRecognizer("nano").analyze_image(PHOTOS / "astronaut.png").faces[0]
    assert page.wait(SHOWN).lower() == expected.emotion
    assert percent(expected.confidence) in page.run("document.querySelector('.how').innerText")
    assert "damaged.jpg: The picture cannot be decoded" in page.run(NOTICE)
    read_photos(page, damaged)
    page.wait("!document.getElementById('start').hidden")
    assert "damaged.jpg" in page.run(NOTICE)


def test_a_huge_picture_is_refused_in_plain_words(page: Page, tmp_path: Path) -> None:
    huge = tmp_path / "huge.png"
    cv2.imwrite(str(huge), np.zeros((7200, 7200), np.uint8))
    read_photos(page, huge)
    assert "52 million pixels; expected at most 50 million" in page.wait(NOTICE)


def test_it_reads_offline_after_the_first_visit(page: Page, host: PlainServer) -> None:
    page.wait("navigator.serviceWorker.ready.then((one) => one.active.state === 'activated')")
    page.wait("!!navigator.serviceWorker.controller")
    host.offline = True
    page.open(host.address)
    read_photos(page, PHOTOS / "astronaut.png")
    assert page.wait(SHOWN).lower() == "happy"


def test_no_request_leaves_the_origin_not_even_from_a_worker(host: PlainServer, tmp_path: Path) -> None:
    """The browser's own log has every request, with the page or worker on whose behalf it was made."""
    log = tmp_path / "requests.json"
    with (
        open_browser(tmp_path, portrait_camera(tmp_path), (f"--log-net-log={log}",)) as browser,
        browser.page() as page,
    ):
        page.open(host.address)
        page.click("units")
        page.click("choose-camera")
        assert page.wait(SHOWN).lower() == "happy"
        page.click("stop")
        page.send("DOM.enable")
        read_photos(page, PHOTOS / "astronaut.png")
        page.wait(SHOWN)
        page.wait("!!navigator.serviceWorker.controller")
    own = host.address.removesuffix(BASE)
    lines = [line for line in log.read_text(encoding="utf-8").splitlines() if f'"initiator":"{own}"' in line]
    asked = [address for line in lines for address in re.findall(r'"url":"([^"]+)"', line)]
    assert {f"{host.address}{name}" for name in ("files.json", "app/web/engine.js", "sw.js")} <= set(asked)
    assert [one for one in asked if not one.startswith((f"{own}/", f"blob:{own}/", "data:"))] == []


def test_it_can_be_installed_next_to_another_site_of_the_same_host(page: Page, host: PlainServer) -> None:
    page.wait("!!navigator.serviceWorker.controller")
    assert page.send("Page.getAppManifest")["errors"] == []
    assert page.send("Page.getInstallabilityErrors")["installabilityErrors"] == []
    assert page.send("Page.getAppId")["appId"] == host.address


def test_a_file_of_another_version_is_named(browser: Browser, host: PlainServer) -> None:
    listing = json.loads((host.folder / "files.json").read_text())
    part = host.folder / listing["engine"]["landmarks.onnx"]["path"]
    shutil.copy(host.folder / listing["engine"]["finder.onnx"]["path"], part)
    with browser.page() as page:
        page.open(host.address)
        assert "its hash differs" in page.wait(NOTICE)
        assert part.name in page.run(NOTICE)


@pytest.mark.parametrize("missing", ["ort-wasm-simd-threaded.wasm", "nano.onnx"])
def test_a_file_that_was_not_copied_is_named(browser: Browser, host: PlainServer, missing: str) -> None:
    listing = json.loads((host.folder / "files.json").read_text())
    part = host.folder / listing["engine"][missing]["path"]
    part.unlink()
    with browser.page() as page:
        page.open(host.address)
        assert f"{part.name} is missing (404)" in page.wait(NOTICE)
        page.click("choose-camera")
        page.wait("document.getElementById('video').videoWidth > 0")
        assert f"{part.name} is missing" in page.wait(NOTICE)


def test_the_policy_of_facemood_web_serve_lets_the_page_read(browser: Browser, nano_site: Site) -> None:
    with SiteServer(nano_site.folder, base="/faces") as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        with browser.page() as page:
            page.open(server.address)
            read_photos(page, PHOTOS / "astronaut.png")
            assert page.wait(SHOWN).lower() == "happy"
            assert page.troubles() == []
            refused = page.send("Runtime.evaluate", expression="eval('1')", allowUnsafeEvalBlockedByCSP=False)
        server.shutdown()
    assert refused["result"]["className"] == "EvalError"
