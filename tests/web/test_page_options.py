"""Options of the page in a real browser: languages, action units, tables and overviews of photos, narrow pages."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from facemood import EmotionRecognizer
from facemood.facs import CODES
from facemood.table import ANGLE_COLUMNS, columns_for
from tests.conftest import PHOTOS
from tests.moving_faces import read_photo
from tests.server.browser import Page
from tests.server.conftest import Running

pytestmark = pytest.mark.browser

SHOWN = "document.querySelector('.word')?.innerText"
"""The first card's word."""

MAX_DIFFERENCE = {**dict.fromkeys(CODES, 0.02), **{column.name: 0.3 for column in ANGLE_COLUMNS}}
"""Largest differences of action units and of angles in degrees: landmarks differ by up to 0.05 pixels."""


def choose_language(page: Page, code: str) -> None:
    page.run(f"(() => {{ const menu = document.getElementById('language'); menu.value = {code!r};"
             " menu.dispatchEvent(new Event('change')); })()")  # fmt: skip
    page.wait(f"document.documentElement.lang === {code!r}")


def test_the_page_speaks_the_chosen_language_and_remembers_it(page: Page, server: Running) -> None:
    page.choose("photo-file", PHOTOS / "astronaut.png")
    assert page.wait(SHOWN).lower() == "happy"
    choose_language(page, "de")
    page.wait(f"{SHOWN} === 'Freude'")
    assert page.text("stop") == "Schließen"
    assert page.run("document.getElementById('why').title") == "Welche Teile des Gesichts für das Wort sprechen"
    assert page.text("photo-words") == "Fotos: 1, Gesichter: 1"
    page.open(server.address)
    assert page.text("title") == "Was zeigt dieses Gesicht?"
    assert "dieser Rechner" in page.text("where")
    choose_language(page, "zh")
    assert page.text("title") == "这张脸表现出什么？"  # noqa: RUF001
    choose_language(page, "en")
    assert page.text("title") == "What does this face show?"
    assert "this machine" in page.text("where")


def rows_of(page: Page, folder: Path) -> list[dict[str, str]]:
    """Save the table of photos, and return its rows."""
    folder.mkdir()
    files = page.download("#photo-links a", folder)
    rows = list(csv.DictReader(io.StringIO(files["table.csv"].decode())))
    assert len(json.loads(files["results.json"])["results"]) == len({row["source"] for row in rows})
    return rows


@pytest.mark.parametrize("reader", ["server", "tab"])
def test_photos_are_saved_as_the_table_of_python(
    page: Page, nano: EmotionRecognizer, tmp_path: Path, reader: str
) -> None:
    if reader == "tab":
        page.wait("!document.getElementById('in-tab').hidden")
        page.click("in-tab")
    page.click("units")
    photos = [PHOTOS / "astronaut.png", PHOTOS / "grace_hopper.jpg"]
    page.choose("photo-file", *photos)
    page.wait(SHOWN)
    assert "AU12 lip corner puller" in page.run("document.querySelector('.units').innerText")
    rows = rows_of(page, tmp_path / "saved")
    columns = columns_for(nano.labels)
    assert list(rows[0]) == [column.name for column in columns]
    expected = [row for photo in photos for row in nano.analyze(photo).values()]
    for row, other in zip(rows, expected, strict=True):
        assert row["source"] == Path(str(other["source"])).name
        for name, value in other.items():
            if name in MAX_DIFFERENCE:
                assert float(row[name]) == pytest.approx(value, abs=MAX_DIFFERENCE[name]), name
            elif isinstance(value, float):
                assert float(row[name]) == pytest.approx(value, abs=0.11), name
            elif name not in ("source", "certain"):
                assert row[name] == ("" if value is None else str(value)), name


def test_photos_are_read_again_where_action_units_are_missing(page: Page) -> None:
    page.wait("!document.getElementById('in-tab').hidden")
    page.click("in-tab")
    page.choose("photo-file", PHOTOS / "astronaut.png")
    page.wait(SHOWN)
    page.click("units")
    page.wait("document.querySelector('.units')?.innerText.includes('AU12')")
    page.click("units")
    page.wait("document.querySelector('.units').hidden")


def test_a_photo_of_many_people_has_an_overview(page: Page, tmp_path: Path) -> None:
    photo = np.asarray(cv2.resize(read_photo("astronaut.png")[:300, 100:400], (200, 200)), np.uint8)
    cv2.imwrite(str(tmp_path / "many.png"), np.tile(photo, (2, 3, 1)))
    page.choose("photo-file", PHOTOS / "astronaut.png")
    page.wait(SHOWN)
    assert page.run("document.getElementById('overview').hidden")
    page.choose("photo-file", tmp_path / "many.png")
    page.wait("document.querySelectorAll('.person').length === 6")
    assert page.text("overview-title") == "6 faces"
    assert page.run("document.querySelector('#overview-counts dt').innerText") == "happy"
    assert page.run("document.querySelector('#overview-counts .share').innerText") == "6"


def test_the_page_says_what_each_of_its_buttons_does(page: Page) -> None:
    page.choose("photo-file", PHOTOS / "astronaut.png")
    page.wait(SHOWN)
    page.run("document.getElementById('help').open = true")
    listed = "[...document.querySelectorAll('#buttons dt')].map((one) => one.innerText)"
    page.wait(f"{listed}.length > 0")
    shown = "[...document.querySelectorAll('#tools button, #views button')].filter((one) => one.checkVisibility())"
    names = set(page.run(f"{shown}.map((one) => one.innerText.trim())")) - {"Close", "Previous", "Next", "More"}
    assert set(page.run(listed)) == names
    assert {"Words only", "Why", "Snapshot", "A+"} <= names
    choose_language(page, "de")
    page.wait(f"{listed}.includes('Nur Wörter')")
    assert "Große Wörter ohne das Bild" in page.run("document.getElementById('buttons').innerText")


def test_a_narrow_page_has_its_buttons_in_one_place(page: Page) -> None:
    in_tools = "document.getElementById('tools').contains(document.getElementById('views'))"
    assert not page.run(in_tools)
    page.resize(375, 860)
    page.wait(in_tools)
    page.choose("photo-file", PHOTOS / "astronaut.png")
    page.wait(SHOWN)
    height = "document.getElementById('views').getBoundingClientRect().height"
    assert page.run(height) == 0
    page.click("more-tools")
    assert page.run(height) > 0
    assert page.run("document.getElementById('more-tools').getAttribute('aria-expanded')") == "true"
    page.click("compact")  # hides the image's buttons, so its own must be elsewhere
    assert not page.run(in_tools)
    page.click("compact")
    page.resize(1280, 860)
    page.wait(f"!({in_tools})")
    assert page.run(height) > 0
