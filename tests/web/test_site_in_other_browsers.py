"""The static site in Firefox and in WebKit, the engine of Safari: below a path of a plain server, live, and offline."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from facemood import EmotionRecognizer
from facemood.text import percent
from facemood.web.static_site import Site
from tests.conftest import PHOTOS
from tests.web.driven_page import DrivenPage
from tests.web.firefox import open_firefox
from tests.web.plain_server import BASE, PlainServer, serve_folder
from tests.web.webkit import open_webkit

pytestmark = pytest.mark.browser

BROWSERS = {"firefox": open_firefox, "webkit": open_webkit}


@pytest.fixture(scope="module", params=["firefox", pytest.param("webkit", marks=pytest.mark.slow)])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DrivenPage]:
    """The page of a browser."""
    with BROWSERS[request.param](tmp_path_factory.mktemp(request.param)) as page:
        yield page


@pytest.fixture(scope="module")
def host(page: DrivenPage, nano_site: Site) -> Iterator[PlainServer]:
    """A server for each browser: what it was asked for is counted, and in the end it is offline."""
    with serve_folder(nano_site.folder) as server:
        yield server


def read_portrait(page: DrivenPage) -> None:
    """Let the page read a photo, and compare what it shows with what Python reads."""
    expected = EmotionRecognizer("nano", threads=1).analyze_image(PHOTOS / "astronaut.png").faces[0]
    page.choose("photo-file", PHOTOS / "astronaut.png")
    assert page.wait("document.querySelector('.word')?.innerText").lower() == expected.emotion
    assert percent(expected.confidence) in page.run("document.querySelector('.how').innerText")


def test_a_photo_is_read_below_a_path_without_special_headers(page: DrivenPage, host: PlainServer) -> None:
    page.open(host.address)
    read_portrait(page)
    assert all(path.startswith(BASE) for path in host.asked if path != "/favicon.ico")


@pytest.mark.parametrize("page", ["firefox"], indirect=True)  # its fake camera plays; WebKit is started without one
def test_a_camera_is_read(page: DrivenPage, host: PlainServer) -> None:
    page.open(host.address)
    page.run("document.getElementById('choose-camera').click()")
    page.wait("parseInt(document.getElementById('pace').innerText) > 0")
    page.run("document.getElementById('stop').click()")
    assert page.run("document.getElementById('live').hidden")


def test_it_reads_offline_after_the_first_visit(page: DrivenPage, host: PlainServer) -> None:
    page.open(host.address)
    page.wait("navigator.serviceWorker.ready.then((one) => one.active.state === 'activated')")
    page.wait("!!navigator.serviceWorker.controller")
    host.offline = True
    page.open(host.address)
    read_portrait(page)
