"""What the tests of the page share: a written site, and a server with a page of it in a browser."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from facemood import EmotionRecognizer
from facemood.web.static_site import Site, write_site

if TYPE_CHECKING:
    from tests.server.browser import Browser, Page
    from tests.server.conftest import Running


@pytest.fixture(scope="session")
def nano_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The site with the small model. It is never changed."""
    return write_site(tmp_path_factory.mktemp("nano") / "new" / "site", models=["nano"])


@pytest.fixture(scope="session")
def copy_site(nano_site: Site) -> Callable[[Path], Path]:
    """Copies the site with the small model to a new folder, in which a test may change files."""
    return lambda folder: shutil.copytree(nano_site.folder, folder)


@pytest.fixture(scope="session")
def nano() -> EmotionRecognizer:
    return EmotionRecognizer("nano", threads=1)


@pytest.fixture(scope="module")
def server(nano: EmotionRecognizer) -> Iterator[Running]:
    """A server with the small model: one for each file, because tests count its requests."""
    from tests.server.conftest import running

    with running(nano) as found:
        yield found


@pytest.fixture
def page(browser: Browser, server: Running) -> Iterator[Page]:
    """The server's page; at the end it must not have complained."""
    with browser.page() as page:
        page.resize(1280, 860)
        page.open(server.address)
        page.send("DOM.enable")
        yield page
        assert page.troubles() == []
