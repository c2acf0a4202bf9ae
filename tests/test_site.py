"""The site: built without a warning and without a network, found by newcomers, read by everybody, searched offline."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

import facemood
from facemood.cli.entry import COMMANDS
from tests.conftest import ROOT
from tests.server.browser import Browser, Page, open_browser
from tests.web.test_accessibility import AXE, RUN

pytestmark = pytest.mark.timeout(1800)
"""The first test waits for the site to be built, which takes minutes where much else runs."""

TASKS = {
    "I have a folder of holiday photos and want a table of the expressions": "photos",
    "I have filmed an interview with two people and want to know who smiles when": "videos",
    "I want to see my own expression in the camera right now": "live",
    "My participants watched two clips; do they smile more in one of them?": "study",
    "My reviewers ask how far its labels agree with those of people": "review",
    "I want other labels: bored and interested, from my own photos": "own-faces",
    "It says angry. Which part of the face is that?": "explain",
    "My colleagues, who do not program, want to drop photos on a page": "server",
    "I want it on my web site, and the images must not be uploaded": "browser",
    "I have 200,000 photos and a machine with many cores": "scale",
    "I need AU12 and AU04 for a paper on FACS": "action-units",
    "My program has its own face detector; I only need the expressions": "embedding",
    "Does it work for people like mine?": "limits",
}
"""What a newcomer who knows Python wants, and the page that the start page must link to."""

LOADED = {
    "img": "src", "script": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src", "embed": "src",
    "object": "data", "input": "src", "track": "src",
}  # fmt: skip
"""Elements that load something, and the attribute that says what."""

VIEWS = {"wide": (1280, False), "dark": (1280, True), "narrow": (375, False)}
"""Width in CSS pixels, and whether the theme is dark."""

SHOWN = (
    "docs/index",
    "docs/api",
    "docs/commands",
    "docs/study",
    "docs/faq",
    "docs/glossary",
    "docs/explain",
    "docs/notebooks/study",
    "docs/course/4-before-networks",
    "README",
)
"""Pages that axe looks at: one of each kind."""


class Links(HTMLParser):
    """What a page links to, what it loads, and the anchors it has."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attrs}
        self.anchors.update(known[name] for name in ("id", "name") if name in known)
        if tag == "a" and "href" in known:
            self.links.append(known["href"])
        if tag == "link" and known.get("rel") not in ("canonical", "next", "prev", "search", "index", "author"):
            self.loaded.append(known["href"])
        if LOADED.get(tag) in known:
            self.loaded.append(known[LOADED[tag]])


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site once, as ``make docs`` does; a warning is an error. Where a proxy is asked, nobody answers."""
    pytest.importorskip("myst_nb", reason="needs the extra docs")
    folder = tmp_path_factory.mktemp("site")
    options = ["-q", "-W", "--keep-going", "-b", "html", "-c", "docs/site", "-d", str(folder / "cache")]
    build = [sys.executable, "-m", "sphinx", *options, ".", str(folder / "html")]
    nowhere = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
    environment = {**os.environ, **nowhere}
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return folder / "html"


@pytest.fixture(scope="session")
def pages(site: Path) -> dict[Path, Links]:
    return {page: Links(page) for page in site.rglob("*.html")}


def test_every_task_is_one_click_from_the_start_page() -> None:
    start = (ROOT / "docs" / "index.md").read_text()
    tasks = start.partition("## What do you want to do?")[2].partition("\n## ")[0]
    linked = re.findall(r"^- \[\*\*[^]]+\*\*\]\(([\w-]+)\.md(?:#[\w-]+)?\): \S", tasks, flags=re.MULTILINE)
    assert sorted(linked) == sorted(TASKS.values())


def test_every_page_of_the_repository_is_in_the_list_of_pages() -> None:
    start = (ROOT / "docs" / "index.md").read_text()
    lists = [start, *((ROOT / "docs" / f"{name}.md").read_text() for name in ("course", "notebooks"))]
    blocks = re.findall(r"```{toctree}\n(.*?)```", "".join(lists), flags=re.DOTALL)
    entries = {line for block in blocks for line in block.splitlines() if line and not line.startswith(":")}
    listed = {(ROOT / "docs" / f"{re.sub('.*<|>', '', entry)}.md").resolve() for entry in entries}
    written = {*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")}
    assert listed >= written - {ROOT / "docs" / "index.md"}


@pytest.mark.slow
def test_links_and_anchors_within_the_site_lead_somewhere(site: Path, pages: dict[Path, Links]) -> None:
    wrong = []
    for page, found in pages.items():
        for link in found.links:
            address, anchor = urldefrag(unquote(link))
            if "://" in address or address.startswith(("mailto:", "data:")):
                continue
            target = (page.parent / address).resolve() if address else page
            if not target.is_file() or (anchor and target in pages and anchor not in pages[target].anchors):
                wrong.append(f"{page.relative_to(site)}: {link}")
    assert len(pages) > 40
    assert wrong == []


@pytest.mark.slow
def test_no_page_loads_anything_from_elsewhere(site: Path, pages: dict[Path, Links]) -> None:
    loaded = [(page.name, place) for page, found in pages.items() for place in found.loaded]
    assert len(loaded) > 100
    assert [one for one in loaded if re.match(r"(https?:)?//", one[1])] == []
    styles = [style.read_text(encoding="utf-8") for style in site.rglob("*.css")]
    assert [
        url for style in styles for url in re.findall(r"(?:url\(|@import )['\"]?((?:https?:)?//[^)'\"]*)", style)
    ] == []


@pytest.mark.slow
def test_the_reference_has_every_public_name_and_every_command(pages: dict[Path, Links], site: Path) -> None:
    names = pages[site / "docs" / "api.html"].anchors
    assert [name for name in facemood.__all__ if f"facemood.{name}" not in names | {"facemood.__version__"}] == []
    assert set(COMMANDS) <= pages[site / "docs" / "commands.html"].anchors
    shown = re.sub("<[^>]+>", "", (site / "docs" / "commands.html").read_text(encoding="utf-8"))
    assert "--participants" in shown
    assert "facemood archive status out/" in shown


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium without a network: each name and address is nowhere."""
    with open_browser(tmp_path_factory.mktemp("reader"), options=("--proxy-server=127.0.0.1:9",)) as found:
        yield found


def visit(page: Page, address: str) -> None:
    """Open a file and wait until it is loaded, with its scripts."""
    page.send("Page.navigate", url=address)
    page.wait(f"location.href === {address!r} && document.readyState === 'complete'")


@pytest.mark.slow
@pytest.mark.browser
def test_the_search_works_from_a_file(reader: Browser, site: Path) -> None:
    with reader.page() as page:
        visit(page, f"{(site / 'search.html').as_uri()}?q=baseline")
        page.wait("document.querySelectorAll('#search-results li a').length > 3")
        found = page.run("[...document.querySelectorAll('#search-results li a')].map((one) => one.href)")
        assert any("docs/videos.html" in address for address in found)
        assert page.addresses() == {""}  # files have no host


@pytest.mark.slow
@pytest.mark.browser
def test_the_first_page_leads_to_the_start_page(reader: Browser, site: Path) -> None:
    with reader.page() as page:
        page.send("Page.navigate", url=(site / "index.html").as_uri())
        page.wait("document.querySelectorAll('.tasks li a').length === 13")
        assert page.addresses() == {""}


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("name", SHOWN)
def test_axe_finds_nothing(reader: Browser, site: Path, name: str) -> None:
    if not AXE.is_file():
        pytest.skip("needs axe-core: run 'npm ci'")
    with reader.page() as page:
        for view, (width, dark) in VIEWS.items():
            page.resize(width, 900, dark=dark, still=True)
            visit(page, (site / f"{name}.html").as_uri())
            assert page.troubles() == []
            page.run(f"{AXE.read_text(encoding='utf-8')}; true")
            assert page.run(RUN) == [], view
            assert page.run("document.documentElement.scrollWidth <= innerWidth"), view
            page.events.clear()  # axe asked for the style sheets, which no file may do
