"""The page on precision says what was measured, and fp32 and int8 agree as far as it says."""

from types import ModuleType

import pytest

from facemood.defaults import DEFAULT_PRECISION, FP32
from tests.conftest import ROOT, load_script


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_script("measure_precision")


def test_the_page_is_made_from_the_figures(script: ModuleType) -> None:
    page = (ROOT / "docs" / "precision.md").read_text()
    assert page == script.page(*map(script.figures_of, script.FIGURES)), "run: measure_precision.py --page"


def test_the_page_names_the_default() -> None:
    page = (ROOT / "docs" / "precision.md").read_text()
    assert DEFAULT_PRECISION == FP32
    assert f"## Which is the default\n\n{FP32}." in page


def test_what_the_page_says_of_an_older_cpu_holds(script: ModuleType) -> None:
    older = script.figures_of("without-vnni.json")
    assert older["same label as int8 here"] == 1
    assert older["same label as fp32 here"] >= 0.985
    assert older["nll"]["int8 emulated"] - older["nll"]["fp32 here"] <= 0.005
    assert len(set(older["faces in photos"].values())) == 1
