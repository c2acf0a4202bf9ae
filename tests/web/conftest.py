"""One written site for all tests of the browser's engine."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from facemood.web.static_site import Site, write_site


@pytest.fixture(scope="session")
def nano_site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The site with the small model. It is never changed."""
    return write_site(tmp_path_factory.mktemp("nano") / "new" / "site", models=["nano"])


@pytest.fixture(scope="session")
def copy_site(nano_site: Site) -> Callable[[Path], Path]:
    """Copies the site with the small model to a new folder, in which a test may change files."""
    return lambda folder: shutil.copytree(nano_site.folder, folder)
