import os
import sys
from collections.abc import Iterator

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from facemood import EmotionRecognizer
from facemood.errors import MissingExtraError, SourceError
from facemood.sources.live import open_live
from facemood.sources.live.screen import parse_screen
from tests.conftest import PHOTOS
from tests.window.display import SIZE, shown_picture, virtual_display

PLACES = some.tuples(*[some.integers(-5000, 5000)] * 2, *[some.integers(1, 5000)] * 2)


@pytest.fixture(scope="module")
def shared_display() -> Iterator[str]:
    with virtual_display() as name:
        yield name


@pytest.fixture
def display(shared_display: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("DISPLAY", shared_display)
    return shared_display


@given(place=PLACES, blanks=some.sampled_from(["", " "]))
def test_regions_are_four_numbers(place: tuple[int, int, int, int], blanks: str) -> None:
    assert parse_screen(f",{blanks}".join(map(str, place))) == place


@given(some.integers(0, 99))
def test_monitors_are_one_number(number: int) -> None:
    assert parse_screen(str(number)) == number


@pytest.mark.parametrize("text", ["1,2,3", "1,2,3,4,5", "0,0,0,10", "0,0,10,-1", "-1"])
def test_other_numbers_are_refused(text: str) -> None:
    with pytest.raises(SourceError, match="expected a monitor from 1, or X,Y,WIDTH,HEIGHT"):
        parse_screen(text)


@pytest.mark.parametrize("text", ["Zoom Meeting", "a,b,c,d", "--5", "1.5"])
def test_window_titles_are_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(SourceError, match="windows cannot be selected by title; give the window's position"):
        parse_screen(text)


def test_without_mss_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mss", None)
    with pytest.raises(MissingExtraError, match="Install the extra 'live'"):
        open_live("screen")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a display")
def test_without_a_display_the_screen_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(SourceError, match="there is no display"):
        open_live("screen")


@pytest.mark.display
def test_a_face_on_the_screen_is_found(display: str, recognizer: EmotionRecognizer) -> None:
    photo = cv2.imread(str(PHOTOS / "astronaut.png"))
    assert photo is not None
    picture = np.ascontiguousarray(photo[:440, :500], np.uint8)
    with shown_picture(display, picture), open_live("screen", rate=30) as source:
        frame = next(source)
    left, top = (SIZE[0] - 500) // 2, (SIZE[1] - 440) // 2
    assert (frame.source, frame.size) == ("screen", SIZE)
    np.testing.assert_array_equal(frame.image[top : top + 440, left : left + 500], picture)
    assert [face.emotion for face in recognizer.analyze_image(frame.image)] == ["happy"]


@pytest.mark.display
def test_a_region_is_a_part_of_the_screen(display: str) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (300, 400, 3), np.uint8)
    with (
        shown_picture(display, picture),
        open_live("screen:1") as whole,
        open_live("screen:210,160,120,90") as part,
    ):
        seen, cut = next(whole).image, next(part).image
    np.testing.assert_array_equal(cut, seen[160:250, 210:330])
    assert cut.std() > 50


@pytest.mark.display
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("screen:2", r"no such monitor; available: screen:1 \(0,0,800,600\)"),
        ("screen:700,0,200,100", "reaches beyond the screen"),
        ("screen:-1,0,20,10", "reaches beyond the screen"),
    ],
)
def test_an_area_outside_the_screen_is_an_error_that_lists_the_monitors(display: str, name: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        open_live(name)


@pytest.mark.display
def test_a_lost_display_ends_cleanly(monkeypatch: pytest.MonkeyPatch) -> None:
    with virtual_display() as name:
        monkeypatch.setitem(os.environ, "DISPLAY", name)
        source = open_live("screen", rate=100, waits=(0.01,))
        next(source)
    with pytest.raises(SourceError, match="screen: it went away and did not come back after 1 tries"):
        list(source)
