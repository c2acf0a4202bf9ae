import pytest
from PIL import ImageFont

from facemood.labels import EXPRESSIONS
from facemood.render import fonts
from facemood.render.fonts import drawable, font_for, has_all


def test_pillows_default_font_has_our_labels() -> None:
    own = ImageFont.load_default(20)
    assert has_all(own, "".join(EXPRESSIONS) + " <>%0123456789")
    assert not has_all(own, "\u5f00\u5fc3")


def test_a_font_has_the_requested_size() -> None:
    small, large = (font_for("happy", size).getlength("happy") for size in (12, 24))
    assert 1.8 < large / small < 2.2


def test_without_system_fonts_accents_are_dropped_and_other_characters_are_question_marks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fonts, "SYSTEM_FONTS", ())
    for cached in (drawable, font_for):
        cached.cache_clear()
    assert [drawable(word) for word in ("happy", "fr\u00f6hlich", "\u5f00\u5fc3")] == ["happy", "frohlich", "??"]
    for cached in (drawable, font_for):
        cached.cache_clear()
