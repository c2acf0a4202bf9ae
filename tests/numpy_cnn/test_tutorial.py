"""The tutorial runs, prints the stated outputs, makes its figures, and its links work."""

import re
from pathlib import Path
from types import ModuleType

import cv2
import pytest

pytest.importorskip("matplotlib", reason="the tutorial needs the extra plot")

from tests.conftest import ROOT, load_script

PAGE = ROOT / "docs" / "tutorial" / "numpy-cnn.md"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_script("run_tutorial")


def test_the_tutorial_runs_and_prints_what_it_says(script: ModuleType, tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    found = script.run(page, tmp_path)
    assert len(found) == page.count("```python") == 10
    for said, printed in found:
        assert printed == said
    for name in script.figures_of(page):
        made, shown = cv2.imread(str(tmp_path / name)), cv2.imread(str(script.IMAGES / name))
        assert made is not None
        assert shown is not None
        assert made.shape == shown.shape


def test_its_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", PAGE.read_text(encoding="utf-8"))
    assert len(targets) > 5
    assert [target for target in targets if "://" not in target and not (PAGE.parent / target).exists()] == []


def test_what_is_not_printed_is_found(script: ModuleType, tmp_path: Path) -> None:
    page = "```python\nx = 2\n```\n\n```python\nprint(x)\n```\n\n```text\n3\n```\n"
    assert script.run(page, tmp_path) == [("", ""), ("3\n", "2\n")]
