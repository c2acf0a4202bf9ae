"""What can go wrong while a tab reads, in a real browser: each fault has a plain message, and a way on."""

from __future__ import annotations

import contextlib
import csv
import io
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import pytest

from tests.conftest import PHOTOS
from tests.moving_faces import read_photo
from tests.server.browser import OPTIONS, Browser, Page, open_browser, portrait_camera
from tests.videos import make_video
from tests.web.plain_server import PlainServer, serve_folder

pytestmark = pytest.mark.browser

SHOWN = "document.querySelector('.word')?.innerText"
"""The first card's word."""

NOTICE = "document.getElementById('notice').innerText"

STALLED = "This page could not start. Open it over http or https, not as a file"

GRAPHICS = (
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--enable-gpu-rasterization",
)

DRAWN = """(() => {
  const { width, height } = document.getElementById('picture');
  const { data } = document.getElementById('picture').getContext('2d').getImageData(0, 0, width, height);
  return data.every((value, at) => at % 4 < 3 || value === 255);
})()"""
"""Whether the photo is there."""

SCARCE = "--js-flags=--wasm-max-mem-pages=300"
"""19 MB for WebAssembly: the networks are opened, but a photo is too much for them."""


@pytest.fixture(scope="module")
def host(copy_site: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainServer]:
    with serve_folder(copy_site(tmp_path_factory.mktemp("site") / "site")) as server:
        yield server


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser with a camera, which asks whether it may be used."""
    folder = tmp_path_factory.mktemp("browser")
    options = ("--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={portrait_camera(folder)}")
    with open_browser(folder, options=options) as found:
        yield found


@pytest.fixture
def page(browser: Browser, host: PlainServer) -> Iterator[Page]:
    with browser.page() as page:
        page.resize(1280, 860)
        page.open(host.address)
        yield page


def allow_camera(page: Page, setting: str) -> None:
    page.send("Browser.setPermission", permission={"name": "camera"}, setting=setting)


def test_a_camera_that_is_not_allowed_or_taken_away_can_be_chosen_again(page: Page) -> None:
    allow_camera(page, "denied")
    page.click("choose-camera")
    assert "The camera was not allowed. Allow it" in page.wait(NOTICE)
    allow_camera(page, "granted")
    page.click("choose-camera")
    page.wait(f"{SHOWN}?.toLowerCase() === 'happy'")
    allow_camera(page, "denied")  # it is taken away
    page.wait(f"{NOTICE}.includes('The camera was taken away.')")
    assert not page.run("document.getElementById('start').hidden")
    allow_camera(page, "granted")
    page.click("choose-camera")
    page.wait(f"{SHOWN}?.toLowerCase() === 'happy'")
    assert page.run(NOTICE) == ""


def test_a_camera_that_is_missing_is_named_in_the_browser_s_own_error(host: PlainServer, tmp_path: Path) -> None:
    options = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream=device-count=0")
    with open_browser(tmp_path, options=options) as browser, browser.page() as page:
        page.open(host.address)
        page.click("choose-camera")
        assert page.wait(NOTICE).startswith("There is no camera. Plug one in")


def test_a_camera_that_is_in_use_is_named(page: Page) -> None:
    """A made camera is never in use: here the call that opens cameras fails as the standard has it."""
    fail = "async () => { throw new DOMException('', 'NotReadableError') }"
    page.run(f"navigator.mediaDevices.getUserMedia = {fail}")
    page.click("choose-camera")
    assert page.wait(NOTICE).startswith("The camera is in use. Close the other program")


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("script-src 'self'", "blocks WebAssembly. Allow script-src 'self' 'wasm-unsafe-eval'"),
        ("worker-src 'none'", "The worker cannot run"),
        ("connect-src 'none'", "settings.json"),
    ],
)
def test_a_policy_of_the_host_that_blocks_the_engine_is_named(
    browser: Browser, host: PlainServer, policy: str, expected: str
) -> None:
    with (
        serve_folder(host.folder) as strict,
        browser.page() as page,
    ):  # of an origin of its own: nothing is kept of others
        strict.special["Content-Security-Policy"] = policy
        page.send("Page.navigate", url=strict.address)
        assert expected in page.wait(NOTICE)


def test_a_page_that_cannot_start_says_what_to_do(browser: Browser, host: PlainServer) -> None:
    """Where a module is missing, no code runs, so the page itself says so, after a while."""
    module = host.folder / "app" / "server" / "static" / "people.js"
    folder = host.folder
    with serve_folder(folder) as fresh, browser.page() as page:
        shutil.move(module, folder / "away")
        try:
            assert STALLED in seen_after_a_while(page, fresh.address)
        finally:
            shutil.move(folder / "away", module)
        page.send("Emulation.setScriptExecutionDisabled", value=True)
        assert STALLED in seen_after_a_while(page, fresh.address)
        assert STALLED in seen_after_a_while(page, (folder / "index.html").as_uri())
        page.send("Emulation.setScriptExecutionDisabled", value=False)
        assert STALLED in seen_after_a_while(page, (folder / "index.html").as_uri())
        page.open(fresh.address)
        assert STALLED not in page.run("document.body.innerText")


def seen_after_a_while(page: Page, address: str) -> str:
    """Open a page whose clock of animations runs quickly, and return what it shows once something stalled."""
    page.send("Animation.enable")
    page.send("Animation.setPlaybackRate", playbackRate=40)
    page.send("Page.navigate", url=address)
    hint = "document.getElementById('stalled')"
    return str(page.wait(f"{hint} && getComputedStyle({hint}).visibility === 'visible' && document.body.innerText"))


def test_networks_that_are_gone_for_a_moment_are_loaded_with_the_next_source(
    browser: Browser, host: PlainServer
) -> None:
    network = next(host.folder.glob("engine/landmarks-*"))
    shutil.move(network, host.folder / "away")
    try:
        with serve_folder(host.folder) as fresh, browser.page() as page:  # of an origin of its own: nothing is kept
            page.open(fresh.address)
            assert f"{network.name} is missing (404)" in page.wait(NOTICE)
            shutil.move(host.folder / "away", network)
            page.send("DOM.enable")
            page.choose("photo-file", PHOTOS / "astronaut.png")
            assert page.wait(SHOWN).lower() == "happy"
            assert page.run(NOTICE) == ""
    finally:
        if not network.exists():
            shutil.move(host.folder / "away", network)


def test_memory_that_runs_out_is_named_and_the_networks_are_opened_again(host: PlainServer, tmp_path: Path) -> None:
    small = tmp_path / "small.png"
    cv2.imwrite(str(small), cv2.resize(read_photo("astronaut.png")[40:220, 140:320], (72, 72)))
    with open_browser(tmp_path / "scarce", options=(SCARCE,)) as browser, browser.page() as page:
        page.open(host.address)
        page.send("DOM.enable")
        page.choose("photo-file", PHOTOS / "astronaut.png")
        assert "The browser has no memory left for the networks" in page.wait(NOTICE)
        page.choose("photo-file", small)
        assert page.wait(SHOWN).lower() == "happy"


def test_a_video_waits_while_the_page_is_hidden_and_no_frame_is_lost(
    browser: Browser, page: Page, tmp_path: Path
) -> None:
    picture = read_photo("astronaut.png")[:240, 100:420]
    video = make_video(tmp_path / "talk.webm", [picture] * 25, fps=10, codec="libvpx-vp9")
    page.send("Emulation.setFocusEmulationEnabled", enabled=False)
    page.drop(video, "video/webm")
    page.click("video-read")
    page.wait("/^[2-9] frames/.test(document.getElementById('video-words').innerText)")
    with browser.page() as other:
        other.send("Page.bringToFront")
        page.wait("document.hidden")
        page.wait("document.getElementById('video-words').innerText.startsWith('Waiting. Show this page again')")
    page.send("Page.bringToFront")
    page.wait("document.getElementById('video-words').innerText.startsWith('All 25 frames')")
    (tmp_path / "saved").mkdir()
    files = page.download("#video-results a", tmp_path / "saved")
    rows = list(csv.DictReader(io.StringIO(files["table.csv"].decode())))
    assert [float(row["timestamp"]) for row in rows] == [pytest.approx(number / 10) for number in range(25)]


def test_canvases_that_the_browser_takes_away_are_drawn_again_and_the_camera_goes_on(
    host: PlainServer, tmp_path: Path
) -> None:
    """All contexts are lost when the process ends that draws; it is started again."""
    with (
        graphics_browser(tmp_path) as browser,
        browser.page() as page,
    ):
        page.open(host.address)
        page.run("window.restored = 0; picture.addEventListener('contextrestored', () => (window.restored += 1))")
        page.click("choose-camera")
        page.wait(SHOWN)
        page.send("Browser.crashGpuProcess")
        page.wait("restored === 1")
        page.click("record")
        page.wait("parseInt(document.getElementById('recorded').innerText) > 3")
        assert page.run(NOTICE) == ""
        page.click("stop")
        page.drop(PHOTOS / "astronaut.png", "image/png")
        page.wait(SHOWN)
        page.send("Browser.crashGpuProcess")
        page.wait("restored === 2")
        page.wait(DRAWN)


@contextlib.contextmanager
def graphics_browser(folder: Path) -> Iterator[Browser]:
    """Start a browser that draws by a graphics processor, which is made up of code."""
    options = tuple(option for option in OPTIONS if option != "--disable-gpu")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.server.browser.OPTIONS", [*options, *GRAPHICS])
        with open_browser(folder, portrait_camera(folder)) as browser:
            yield browser


def test_the_camera_is_read_while_the_page_is_hidden(browser: Browser, page: Page) -> None:
    allow_camera(page, "granted")
    page.send("Emulation.setFocusEmulationEnabled", enabled=False)
    page.click("choose-camera")
    page.wait(SHOWN)
    page.click("record")
    with browser.page() as other:
        other.send("Page.bringToFront")
        page.wait("document.hidden")
        count = "parseInt(document.getElementById('recorded').innerText)"
        first = page.wait(count)
        page.wait(f"{count} > {first} + 2")
