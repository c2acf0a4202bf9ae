import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemood.errors import MissingExtraError, require
from facemood.render.palette import colour_of
from facemood.render.plots import plot_timeline, stacking_order, time_ticks, visible_spans
from facemood.timeline import Track

WORDS = ("happy", "sad", "neutral")


def person(number: int = 1, *, times: tuple[float, ...] = (0, 1, 2, 6, 7), source: str = "a.mp4") -> Track:
    """A mostly happy person who is out of sight between the third and the fourth frame."""
    begin = np.array(times, np.float64)
    rows = np.tile(np.array([0.7, 0.2, 0.1], np.float32), (len(times), 1))
    return Track(
        source, number, WORDS, begin, begin + 1, rows, rows.argmax(axis=1), np.zeros((len(times), 4), np.float32)
    )


SHARES = "share, 95% interval"


def test_each_person_has_a_panel_of_areas_and_one_of_shares() -> None:
    figure = plot_timeline([person(1), person(4)])
    titles = [axes.get_title("left") for axes in figure.axes]
    assert titles == ["a.mp4, person 1", SHARES, "a.mp4, person 4", SHARES]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["happy", "sad", "neutral"]


def test_areas_are_empty_while_the_person_is_out_of_sight() -> None:
    areas = plot_timeline([person()]).axes[0]
    spans = sorted(
        {(round(box.x0), round(box.x1)) for box in (area.get_paths()[0].get_extents() for area in areas.collections)}
    )
    assert spans == [(0, 3), (6, 8)]
    assert len(areas.collections) == 2 * len(WORDS)


def test_areas_are_stacked_to_one_in_the_colours_of_their_labels() -> None:
    areas = plot_timeline([person(times=(0, 1))]).axes[0].collections
    heights = [(box.y0, box.y1) for box in (area.get_paths()[0].get_extents() for area in areas)]
    np.testing.assert_allclose(heights, [(0, 0.7), (0.7, 0.9), (0.9, 1)], atol=1e-6)
    colours = [np.rint(255 * np.asarray(area.get_facecolor())[0, :3]).astype(int).tolist() for area in areas]
    assert colours == [list(colour_of(label)) for label in WORDS]


def test_shares_are_bars_with_their_numbers() -> None:
    shares = plot_timeline([person()]).axes[1]
    assert [text.get_text() for text in shares.texts] == ["100%", "0%", "0%"]
    assert [label.get_text() for label in shares.get_yticklabels()] == list(WORDS)


def test_people_of_one_video_share_a_time_axis() -> None:
    figure = plot_timeline([person(1), person(2, times=(10, 11)), person(1, times=(50, 51), source="b.mp4")])
    assert [axes.get_xlim() for axes in figure.axes[::2]] == [(0, 12), (0, 12), (50, 52)]


def test_the_users_matplotlib_settings_are_ignored_and_kept() -> None:
    matplotlib = require("matplotlib", extra="plot")
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        areas = plot_timeline([person()]).axes[0]
        assert matplotlib.rcParams["font.size"] == 30
    assert areas.get_facecolor() == (1, 1, 1, 1)
    assert float(areas.title.get_fontsize()) < 30


def test_no_tracks_are_an_error() -> None:
    with pytest.raises(ValueError, match="no tracks to draw"):
        plot_timeline([])


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match="'matplotlib' is not installed.*extra 'plot'"):
        plot_timeline([person()])


def test_a_notebook_shows_the_figure() -> None:
    figure = plot_timeline([person()])
    assert figure._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]


@given(st.floats(0, 4000), st.floats(0.1, 100_000), st.integers(2, 12))
def test_ticks_are_round_few_and_inside(start: float, length: float, most: int) -> None:
    ticks = time_ticks(start, start + length, most=most)
    assert len(ticks) <= most
    assert all(start - 1e-3 <= time <= start + length + 1e-3 for time in ticks)
    steps = np.diff(list(ticks))
    np.testing.assert_allclose(steps, steps[:1].repeat(len(steps)), atol=1e-5)
    assert len(set(ticks.values())) == len(ticks)


def test_long_videos_have_a_tick_every_so_many_hours() -> None:
    assert list(time_ticks(0, 10 * 3600, most=6).values()) == [
        "0:00",
        "2:00:00",
        "4:00:00",
        "6:00:00",
        "8:00:00",
        "10:00:00",
    ]


def test_neutral_is_stacked_on_top() -> None:
    assert stacking_order(("neutral", "sad", "bored")) == ("sad", "bored", "neutral")


def test_no_frames_have_no_visible_spans() -> None:
    assert visible_spans(np.zeros(0), np.zeros(0)) == []
