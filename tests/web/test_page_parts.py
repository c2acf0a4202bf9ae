"""Parts of the page in Node: where labels are written, what the calm mode shows, and the texts of each language."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from facemood.labels import EXPRESSIONS
from facemood.web.engine_files import PACKAGE
from tests.web.in_node import in_javascript

STATIC = PACKAGE / "server" / "static"
LANGUAGES = sorted((STATIC / "languages").glob("*.json"))
CANVAS = {"width": 800, "height": 600}

TABLES = re.compile(r"const (?:MEANINGS|RESULT_NAMES|words|OFFER|NO_TIMES) = (\{[^}]*\}|\"[^\"]*\")")
"""Texts that the page takes from a table, or gives a name."""

NAMES = {"facemood", "·", "A\N{MINUS SIGN}", "A+"}
"""Texts of the page that are the same in all languages."""


class Texts(HTMLParser):
    """Collects what people read and hear of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {value for name, value in attrs if name in ("title", "aria-label") and value}

    def handle_data(self, data: str) -> None:
        self.found |= {data.strip()} - {""}


def called(code: str) -> list[str]:
    """Return the texts in the calls of `t`, which may choose between two."""
    found = []
    for call in re.finditer(r"\bt\((?!\))", code):
        depth, end = 1, call.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(code[end], 0)
            end += 1
        inside = re.sub(r"kind === \"\w+\"", "", code[call.end() : end])
        found += re.findall(r"\"((?:[^\"\\]|\\.)+)\"", inside.split(", { ")[0])
    return found


def texts_of_the_page() -> set[str]:
    """Every text that the page can show, in English."""
    page = Texts()
    html = (STATIC / "index.html").read_text(encoding="utf-8").split("</head>")[1]
    page.feed(re.sub(r'<p id="stalled".*?</p>', "", html))  # shown only where no code runs that could translate it
    found = page.found - NAMES
    others = {"api.js", "notebook.js", "language.js"}
    for file in (*STATIC.glob("*.js"), *(PACKAGE / "web" / "page").glob("*.js")):
        code = file.read_text(encoding="utf-8")
        if file.name in others:
            continue
        found |= set(called(code))
        for table in TABLES.findall(code):
            values = re.findall(r"(?:: |^)\"([^\"]+)\"", table)
            found |= set(values)
    return found | set(EXPRESSIONS)


@pytest.mark.parametrize("file", LANGUAGES, ids=lambda file: str(file.stem))
def test_each_language_has_every_text_of_the_page(file: Path) -> None:
    texts = json.loads(file.read_text(encoding="utf-8"))
    expected = texts_of_the_page()
    assert len(expected) > 100
    assert sorted(expected - set(texts)) == []
    assert sorted(set(texts) - expected) == []
    for english, other in texts.items():
        assert other.strip() == other != ""
        assert sorted(re.findall(r"\{\w+\}", english)) == sorted(re.findall(r"\{\w+\}", other)), english


def test_the_menu_offers_each_language_that_has_a_file() -> None:
    offered = re.search(r"LANGUAGES = \{(.*?)\}", (STATIC / "language.js").read_text(encoding="utf-8"))
    assert offered is not None
    codes = re.findall(r"(\w+): ", offered[1])
    assert sorted(codes) == sorted(["en", *(file.stem for file in LANGUAGES)])
    assert {"de", "es", "fr", "tr", "zh"} <= set(codes)


def covered(one: dict[str, float], other: dict[str, float]) -> float:
    """Return the area that two labels share."""
    sides = [
        min(one[first] + one[length], other[first] + other[length]) - max(one[first], other[first])
        for first, length in (("left", "width"), ("top", "height"))
    ]
    return max(sides[0], 0) * max(sides[1], 0)


def test_labels_do_not_cover_each_other_and_stay_in_the_image() -> None:
    random = np.random.default_rng(2)
    room = {"height": 30, "gap": 5, "canvas": CANVAS}
    tasks = []
    for count in (1, 2, 9, 30):
        corners = random.uniform((0, 0), (740, 540), (count, 2))
        boxes = np.concatenate([corners, corners + random.uniform(20, 60, (count, 1))], axis=1)
        tasks.append({"call": "places", "boxes": boxes.tolist(), "widths": [[160, 110, 20]] * count, "room": room})
    for places in in_javascript(tasks):
        shown = [place for place in places if place]
        assert len(shown) >= 0.7 * len(places)
        for one in shown:
            assert one["left"] >= 0 <= one["top"]
            assert one["left"] + one["width"] <= CANVAS["width"]
            assert one["top"] + one["height"] <= CANVAS["height"]
        assert all(covered(one, other) <= 0.05 * 160 * 30 for one, other in combinations(shown, 2))


def test_a_single_label_is_above_its_face_or_below_where_there_is_no_room() -> None:
    room = {"height": 30, "gap": 5, "canvas": CANVAS}
    task = {"call": "places", "widths": [[160]], "room": room}
    (above,), (below,) = in_javascript(
        [{**task, "boxes": [[100, 100, 200, 200]]}, {**task, "boxes": [[700, 10, 790, 90]]}]
    )
    assert (above["left"], above["top"], above["choice"]) == (100, 65, 0)
    assert (below["left"], below["top"]) == (640, 95)


def test_the_calm_mode_shows_what_lasts() -> None:
    times = [number / 2 for number in range(26)]
    labels = ["happy"] * 3 + ["sad"] * 2 + ["happy"] * 3 + ["fear", "sad"] * 3 + ["sad"] * 12
    (shown,) = in_javascript([{"call": "calm", "times": times, "labels": labels}])
    words = [view["label"] for view in shown]
    change = words.index("sad")
    assert set(words[:change]) == {"happy"}
    assert set(words[change:]) == {"sad"}
    assert times[change] - times[13] == 2.0  # from the frame in which it led for good
    assert [view["box"][0] for view in shown] == list(range(26))  # boxes follow at once
    assert shown[7]["confidence"] == 0  # the numbers stay too
