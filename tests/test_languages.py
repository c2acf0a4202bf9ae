"""The words of expressions in other languages: the same on the page, in pictures, plots and reports."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from facemood import Analysis, Result
from facemood.errors import OptionError
from facemood.labels import EXPRESSIONS
from facemood.languages import FOLDER, check_language, list_languages, speaker, word_of
from facemood.render import draw_faces, fonts
from facemood.sinks import open_sink
from tests.conftest import make_face

GREY = np.full((240, 320, 3), 128, np.uint8)


@pytest.fixture
def no_system_fonts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine that has Pillow's own font alone."""
    monkeypatch.setattr(fonts, "SYSTEM_FONTS", ())
    for cached in (fonts.font_for, fonts.drawable, fonts.drawable_word):
        cached.cache_clear()
    yield
    for cached in (fonts.font_for, fonts.drawable, fonts.drawable_word):
        cached.cache_clear()


def test_there_are_the_languages_of_the_page() -> None:
    page = (FOLDER.parent / "language.js").read_text(encoding="utf-8")
    listed = re.search(r"LANGUAGES = \{(.*)\}", page)
    assert listed is not None
    assert set(re.findall(r"(\w+): \"", listed[1])) == set(list_languages())


@pytest.mark.parametrize("language", list_languages()[1:])
def test_every_expression_has_a_word_of_its_own(language: str) -> None:
    words = [word_of(label, language) for label in EXPRESSIONS]
    assert len(set(words)) == len(EXPRESSIONS)
    assert sum(word == label for word, label in zip(words, EXPRESSIONS, strict=True)) <= 1  # neutral, in German


def test_own_labels_and_english_stay_as_they_are() -> None:
    assert word_of("bored", "de") == "bored"
    assert list(map(speaker(), EXPRESSIONS)) == list(EXPRESSIONS)


def test_an_unknown_language_is_refused_with_the_known_ones() -> None:
    with pytest.raises(OptionError, match=r"unknown language 'dee'; expected en, de, es, .*Did you mean 'de'"):
        check_language("dee")
    with pytest.raises(OptionError):
        draw_faces(GREY, [make_face()], language="dee")


def test_a_picture_has_the_words_of_its_language() -> None:
    drawn = {code: draw_faces(GREY, [make_face()], language=code) for code in ("en", "de", "fr")}
    assert len({image.tobytes() for image in drawn.values()}) == 3
    assert np.array_equal(drawn["en"], draw_faces(GREY, [make_face()]))


@pytest.mark.usefixtures("no_system_fonts")
def test_a_picture_is_english_where_no_font_has_the_characters() -> None:
    assert fonts.drawable_word("happy", "zh") == "happy"
    assert fonts.drawable_word("happy", "de") == "Freude"
    assert np.array_equal(draw_faces(GREY, [make_face()], language="zh"), draw_faces(GREY, [make_face()]))


def test_plots_have_the_words_or_english_ones() -> None:
    pytest.importorskip("matplotlib", reason="needs the extra plot")
    result = Result("a.jpg", size=(320, 240), faces=(make_face(),), labels=EXPRESSIONS, image=GREY)
    shown = {}
    for code in ("tr", "zh"):
        axes = result.plot(language=code).axes[1]
        shown[code] = {text.get_text(): text.get_fontweight() for text in axes.get_yticklabels()}
    assert list(shown["tr"]) == [word_of(label, "tr") for label in EXPRESSIONS]
    assert shown["tr"][word_of("happy", "tr")] == "bold"
    assert list(shown["zh"]) == list(EXPRESSIONS)  # matplotlib's font has no Chinese


def test_a_timeline_has_the_words_of_its_language() -> None:
    pytest.importorskip("matplotlib", reason="needs the extra plot")
    figure = Analysis(tuple(frames())).plot_timeline(language="de")
    assert "Freude" in {text.get_text() for text in figure.legends[0].get_texts()}
    assert "Freude" in {text.get_text() for text in figure.axes[1].get_yticklabels()}


def frames() -> Iterator[Result]:
    """A second of a video with one person."""
    for number in range(10):
        face = dataclasses.replace(make_face(), track_id=1)
        yield Result("a.mp4", number, number / 10, (320, 240), (face,), EXPRESSIONS)


def test_a_report_has_the_words_and_its_tables_stay_english(tmp_path: Path) -> None:
    photo = Result("a.jpg", size=(320, 240), faces=(make_face(),), labels=EXPRESSIONS, image=GREY)
    for name in ("report.html", "table.csv"):
        sink = open_sink(str(tmp_path / name), {"labels": list(EXPRESSIONS)}, language="de")
        for result in (photo, *frames()):
            sink.write(result)
        sink.close()
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert report.count("Freude") >= 6
    assert "happy" not in report.partition("<footer>")[0]  # whose settings are data
    assert "Freude" not in (tmp_path / "table.csv").read_text(encoding="utf-8")
