import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from facemood.errors import MissingExtraError, OutputError, require
from facemood.evaluation import figures
from facemood.evaluation.corruptions import CORRUPTIONS

Draw = Callable[[Path], None]

CONFUSION = np.array([[60, 35, 5], [10, 990, 0], [0, 0, 0]])
COVERAGE = {"FER2013": {1.0: 0.712, 0.6: 0.87, 0.4: 0.93}, "FER+": {1.0: 0.868, 0.6: 0.968, 0.4: 0.985}}
BALANCE = {
    "FER2013": [(0.0, 0.712, 0.68), (0.5, 0.706, 0.691), (1.0, 0.687, 0.695)],
    "FER+": [(0.0, 0.868, 0.7), (0.5, 0.85, 0.754), (1.0, 0.818, 0.77)],
}
BINS = {"FER2013": [(0.1, 0.0, 0), (0.4, 0.35, 20), (0.95, 0.93, 1800)], "FER+": [(0.5, 0.52, 30), (0.97, 0.98, 900)]}
SWEEP = {name: {"FER2013": [0.7, 0.65, 0.5], "FER+": [0.85, 0.8, 0.7]} for name in CORRUPTIONS}
CLEAN = {"FER2013": 0.712, "FER+": 0.868}

DRAWN: dict[str, Draw] = {
    "confusion": lambda file: figures.draw_confusion(("angry", "happy", "sad"), CONFUSION, file, title="A title"),
    "coverage": partial(figures.draw_coverage, COVERAGE, certain={"FER+": (0.75, 0.952)}),
    "balance": partial(figures.draw_balance, BALANCE, chosen={"FER2013": 0.5, "FER+": 1.0}),
    "reliability": partial(figures.draw_reliability, BINS),
    "corruptions": partial(figures.draw_corruptions, SWEEP, CLEAN),
}
"""The functions that draw each figure into a file."""

TEXTS = {
    "confusion": {"A title", "true", "predicted", "angry", "n = 1,000", "n = 0", "60%", "35", "99%", "990"},
    "coverage": {
        "FER2013 71.2%",
        "FER+ 86.8%",
        "certain: 75% of faces, 95.2% right",
        "coverage: share of the faces with a prediction",
    },
    "balance": {"FER2013", "FER+", "dataset (strength 0)", "balanced (strength 0.5)", "balanced (strength 1)"},
    "reliability": {"FER2013", "FER+", "overconfident", "mean confidence (area: faces, at most 1,800)", "100%"},
    "corruptions": {"FER2013", "FER+", "clean", *CORRUPTIONS, "0.7", "16", "degrees", "accuracy"},
}
"""Some of the texts of each figure."""


def texts_of(file: Path) -> list[str]:
    """The texts of an SVG file."""
    root = ElementTree.parse(file).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    return ["".join(text.itertext()).strip() for text in root.iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_is_an_svg_file_with_its_texts(name: str, tmp_path: Path) -> None:
    file = tmp_path / "new" / f"{name}.svg"
    DRAWN[name](file)
    assert set(texts_of(file)) >= TEXTS[name]
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("name", DRAWN)
def test_figures_are_reproducible_with_any_user_settings(name: str, tmp_path: Path) -> None:
    matplotlib = require("matplotlib", extra="plot")
    DRAWN[name](tmp_path / "one.svg")
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "red", "svg.fonttype": "path"}):
        DRAWN[name](tmp_path / "other.svg")
        assert matplotlib.rcParams["font.size"] == 20  # and what the user has set stays
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "other.svg").read_bytes()


@pytest.mark.parametrize("name", DRAWN)
def test_without_matplotlib_the_extra_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match="'matplotlib' is not installed.*extra 'plot'"):
        DRAWN[name](tmp_path / "none.svg")
    assert not list(tmp_path.iterdir())


def test_counts_can_be_lists(tmp_path: Path) -> None:
    DRAWN["confusion"](tmp_path / "one.svg")
    figures.draw_confusion(("angry", "happy", "sad"), CONFUSION.tolist(), tmp_path / "other.svg", title="A title")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "other.svg").read_bytes()


def test_a_file_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="it is a folder"):
        DRAWN["coverage"](tmp_path)


def test_curves_need_no_certain_points(tmp_path: Path) -> None:
    figures.draw_coverage(COVERAGE, tmp_path / "a.svg", certain=None)
    assert not [text for text in texts_of(tmp_path / "a.svg") if text.startswith("certain")]


def test_strength_0_is_marked_once_if_it_is_chosen(tmp_path: Path) -> None:
    figures.draw_balance({"FER+": BALANCE["FER+"]}, tmp_path / "a.svg", chosen={"FER+": 0.0})
    marks = [text for text in texts_of(tmp_path / "a.svg") if "strength" in text]
    assert marks == ["dataset (strength 0)"]


def test_names_of_lines_that_end_together_do_not_overlap(tmp_path: Path) -> None:
    curves = {name: {0.5: 0.9, 1.0: 0.8} for name in ("one", "two", "three")}
    figures.draw_coverage(curves, tmp_path / "a.svg", certain=None)
    root = ElementTree.parse(tmp_path / "a.svg").getroot()
    ends = [text for text in root.iter("{http://www.w3.org/2000/svg}text") if "80.0%" in "".join(text.itertext())]
    heights = sorted(float(text.attrib["y"]) for text in ends)
    assert len(heights) == 3
    assert min(np.diff(heights)) > 10


def test_a_sweep_can_have_other_and_fewer_corruptions(tmp_path: Path) -> None:
    figures.draw_corruptions({"fog": {"FER+": [0.8, 0.7, 0.6]}}, CLEAN, tmp_path / "a.svg")
    assert {"fog", "level", "clean", "1", "2", "3", "FER+"} <= set(texts_of(tmp_path / "a.svg"))
