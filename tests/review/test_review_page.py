"""The page in Chromium: a person labels by keyboard, sees facemood's answer after, and goes on after a restart."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from facemood.review import HARD_TO_TELL, LabelStore, open_review
from facemood.review.moments import Origin
from tests.review.test_app import TOKEN, RunningReview, running_review
from tests.server.browser import Browser, Page
from tests.web.test_accessibility import RUN as RUN_AXE
from tests.web.test_accessibility import VIEWS, axe, set_view

__all__ = ["axe"]

pytestmark = pytest.mark.browser

FACE = "!document.getElementById('face').hidden && document.getElementById('face').naturalWidth > 0"
"""Whether the face is shown."""


def press(page: Page, key: str) -> None:
    """Press a key, as a user does."""
    text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
    code = {"Enter": 13, "ArrowLeft": 37, "ArrowRight": 39}.get(key, ord(key[0]))
    page.send("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, **text)
    page.send("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)


def begin(page: Page, server: RunningReview, rater: str) -> None:
    """Open the page, and start with a name."""
    page.open(f"{server.address}/?token={TOKEN}")
    page.run(f"document.getElementById('rater').value = {rater!r}")
    page.run("document.querySelector('#start button').click()")


@pytest.fixture
def page(browser: Browser, server: RunningReview) -> Iterator[Page]:
    """The page; afterwards nothing went wrong, and nobody else was asked."""
    with browser.page() as page:
        page.resize(1280, 860, still=True)
        yield page
        assert page.troubles() == []
        assert page.addresses() == {f"127.0.0.1:{server.port}"}


@pytest.fixture
def server(run: Path) -> Iterator[RunningReview]:
    with running_review(open_review(run, count=4)) as found:
        yield found


def test_a_person_labels_all_moments_by_keyboard(page: Page, server: RunningReview, run: Path) -> None:
    store, labels = server.store, server.store.sample.labels
    begin(page, server, "Anna")
    for place, moment in enumerate(store.sample.moments):
        page.wait(f"document.getElementById('place').innerText === '{place + 1} of 4' && {FACE}")
        known = store.sample.moments[moment]
        assert page.run("document.getElementById('answer').hidden")
        assert known.source not in page.run("document.documentElement.outerHTML")
        assert page.text("next") == "Skip"
        press(page, ("4", "0", "7", "4")[place])
        page.wait("!document.getElementById('answer').hidden")
        said = (labels[3], HARD_TO_TELL, labels[6], labels[3])[place]
        assert store.given["Anna"][moment].label == said
        assert page.text("says").startswith(f"facemood says {known.label}")
        assert (" too " in page.text("says")) == (known.label == said)
        assert f"You said {said}. {Path(known.source).name}" in page.text("where")
        assert page.run("document.activeElement.id") == "next"
        press(page, "Enter")
    page.wait("!document.getElementById('done').hidden")
    assert open_review(run).given == store.given
    page.run("document.querySelector('#done a').click()")
    page.wait("!!document.querySelector('.agreement')")
    assert "Anna" in page.run("document.body.innerText")


def test_a_label_can_be_changed_after_the_answer_and_moments_be_skipped(page: Page, server: RunningReview) -> None:
    store = server.store
    first, second, third, fourth = store.sample.moments
    begin(page, server, "Anna")
    page.wait(FACE)
    press(page, "ArrowRight")  # the first one is skipped
    page.wait("document.getElementById('place').innerText === '2 of 4'")
    for moment in (second, third, fourth):
        page.wait(FACE)
        page.run("document.querySelector('[data-label=happy]').click()")
        page.wait("!document.getElementById('answer').hidden")
        assert store.given["Anna"][moment].label == "happy"
        page.run("document.querySelector('[data-label=sad]').click()")
        page.wait("document.getElementById('where').innerText.startsWith('You said happy first, then sad')")
        page.click("next")
    page.wait("document.getElementById('place').innerText === '1 of 4'")  # it comes again at the end
    assert first not in store.given["Anna"]
    assert {(one.label, one.label_after) for one in store.given["Anna"].values()} == {("happy", "sad")}
    page.click("keys")
    press(page, "4")
    press(page, "ArrowRight")
    page.wait("document.getElementById('place').innerText === '2 of 4'")
    assert first not in store.given["Anna"]  # keys were turned off


def test_answers_are_shown_last_if_that_is_asked_for(browser: Browser, run: Path) -> None:
    store = open_review(run, count=3)
    with running_review(store, answers_last=True) as server, browser.page() as page:
        begin(page, server, "Anna")
        for place in range(3):
            page.wait(f"document.getElementById('place').innerText === '{place + 1} of 3' && {FACE}")
            press(page, "4")
            page.wait("!document.getElementById('answer').hidden")
            assert page.text("says").startswith("Saved" if place < 2 else "facemood says")
            press(page, "Enter")
        page.wait("!document.getElementById('done').hidden")
        page.click("again")
        page.wait("document.getElementById('place').innerText === '1 of 3'")
        assert page.text("says").startswith("facemood says")


def test_a_face_that_is_not_shown_cannot_be_labelled(browser: Browser, run: Path) -> None:
    """One image cannot be read, which is known only when it is asked for; the others can still be finished."""
    store = open_review(run, count=3)
    bad, *others = store.sample.moments
    (store.folder / "bad.png").write_bytes(b"no image")
    origin = Origin(str(store.folder / "bad.png"))
    moments = {**store.sample.moments, bad: replace(store.sample.moments[bad], origin=origin)}
    less = LabelStore(store.folder, replace(store.sample, moments=moments))
    with running_review(less) as server, browser.page() as page:
        begin(page, server, "Anna")
        page.wait("document.getElementById('notice').innerText.includes('You can skip this moment.')")
        press(page, "4")
        page.run("document.querySelector('[data-label=happy]').click()")
        assert page.run("[...document.querySelectorAll('#labels button')].every((one) => one.disabled)")
        for _ in others:
            press(page, "ArrowRight")
            page.wait(FACE)
            press(page, "7")
            page.wait("!document.getElementById('answer').hidden")
        press(page, "ArrowRight")
        page.wait("!document.getElementById('done').hidden")
        assert page.text("notice") == "1 of 3 moments cannot be shown, and were left out."
    assert list(less.given["Anna"]) == others


def test_it_goes_on_where_it_was(browser: Browser, run: Path) -> None:
    store = open_review(run, count=4)
    for moment in list(store.sample.moments)[:2]:
        store.put("Anna", moment, "happy")
    with running_review(open_review(run)) as server, browser.page() as page:
        page.open(f"{server.address}/?token={TOKEN}")
        assert page.text("known") == "Here already: Anna (2 of 4)."
        begin(page, server, "anna")
        page.wait("document.getElementById('place').innerText === '3 of 4'")
        assert page.run("document.getElementById('bar').value") == 2
        press(page, "ArrowLeft")
        page.wait("!document.getElementById('answer').hidden")
        assert page.run("document.querySelector('[aria-pressed=true]').dataset.label") == "happy"


def test_what_goes_wrong_is_said(browser: Browser, run: Path, tmp_path: Path) -> None:
    store = open_review(run, count=4)
    with running_review(LabelStore(store.folder, store.sample)) as server, browser.page() as page:
        begin(page, server, "a/b")
        page.wait("document.getElementById('notice').innerText.includes('cannot be a rater')")
        begin(page, server, "Anna")
        page.wait(FACE)
        (store.folder / "Anna.labels.csv").mkdir()  # so that it cannot be written
        press(page, "1")
        page.wait("document.getElementById('notice').innerText.startsWith('This label is not saved.')")
        assert page.run("document.getElementById('answer').hidden")


def test_every_state_is_accessible_and_fits(page: Page, server: RunningReview, axe: str) -> None:
    def check(state: str) -> None:
        for name, view in VIEWS.items():
            set_view(page, **view)
            assert page.run("document.documentElement.scrollWidth <= innerWidth"), f"{state}, {name}"
            assert page.run(RUN_AXE) == [], f"{state}, {name}"

    page.open(f"{server.address}/?token={TOKEN}")
    page.run(f"{axe}; true")
    check("start")
    page.run("document.getElementById('rater').value = 'Anna'; document.querySelector('#start button').click()")
    page.wait(FACE)
    check("a moment")
    press(page, "4")
    page.wait("!document.getElementById('answer').hidden")
    check("an answer")
    for _ in range(3):
        press(page, "ArrowRight")
        page.wait(FACE)
        page.wait("document.getElementById('answer').hidden")
        press(page, "7")
        page.wait("!document.getElementById('answer').hidden")
    press(page, "ArrowRight")
    page.wait("!document.getElementById('done').hidden")
    check("done")
    page.open(f"{server.address}/report")
    page.run(f"{axe}; true")
    page.run("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    check("report")


def test_a_narrow_screen_shows_face_and_labels_together(page: Page, server: RunningReview) -> None:
    page.resize(375, 667, still=True)
    begin(page, server, "Anna")
    page.wait(FACE)
    bottom = page.run("document.querySelector('[data-label=\"hard to tell\"]').getBoundingClientRect().bottom")
    assert bottom <= 667
