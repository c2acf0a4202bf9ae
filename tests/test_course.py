"""The chapters of the course run, print what they say, make their figures, and have an exercise with its answer."""

import itertools
import re
from pathlib import Path
from types import ModuleType

import cv2
import pytest

pytest.importorskip("matplotlib", reason="the course needs the extra plot")

from tests.conftest import ROOT, load_script

CHAPTERS = sorted((ROOT / "docs" / "course").glob("*.md"))


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_script("run_course")


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)
def test_a_chapter_runs_and_prints_what_it_says(chapter: Path, script: ModuleType, tmp_path: Path) -> None:
    page = chapter.read_text(encoding="utf-8")
    for package in ("skimage", "sklearn"):
        if f"from {package}" in page:
            pytest.importorskip(package, reason="chapter 4 needs the extras explain and study")
    found = script.run(page, tmp_path)
    assert len(found) == page.count("```python") > 2
    for said, printed in found:
        assert script.same(said, printed), f"the page says\n{said}but the code prints\n{printed}"
    for name in script.figures_of(page):
        made, shown = cv2.imread(str(tmp_path / name)), cv2.imread(str(script.IMAGES / name))
        assert made is not None
        assert shown is not None
        assert made.shape == shown.shape


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)
def test_a_chapter_is_short_and_has_a_figure_an_exercise_and_an_answer_that_runs(
    chapter: Path, script: ModuleType
) -> None:
    page = chapter.read_text(encoding="utf-8")
    assert page.count("\n") < 230
    assert script.figures_of(page)
    task, answer = re.findall(
        r"## Exercise\n\n(.+?)\n\n<details>\n<summary>Answer</summary>\n\n(.+?)\n\n</details>", page, re.DOTALL
    )[0]
    assert len(task) > 80
    assert re.search(r"```python\n.*?```\n\n```text\n", answer, re.DOTALL)


def test_there_are_eight_chapters_in_their_order_each_with_a_link_to_the_next() -> None:
    assert [chapter.stem.partition("-")[0] for chapter in CHAPTERS] == [str(number) for number in range(1, 9)]
    listed = re.findall(r"^\| \[.+?\]\(course/(.+?)\)", (ROOT / "docs" / "course.md").read_text(), flags=re.MULTILINE)
    assert listed == [chapter.name for chapter in CHAPTERS]
    for chapter, following in itertools.pairwise(CHAPTERS):
        assert f"]({following.name})\n" in chapter.read_text(encoding="utf-8")[-100:]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda chapter: chapter.stem)
def test_its_links_lead_somewhere(chapter: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)(?:#[\w-]+)?\)", chapter.read_text(encoding="utf-8"))
    assert targets
    assert [target for target in targets if "://" not in target and not (chapter.parent / target).exists()] == []


def test_what_is_not_printed_is_found(script: ModuleType, tmp_path: Path) -> None:
    page = "```python\nx = 2\n```\n\n```python\nprint(x)\n```\n\n```text\n3\n```\n"
    assert script.run(page, tmp_path) == [("", ""), ("3\n", "2\n")]


@pytest.mark.parametrize(
    ("said", "printed", "close"),
    [
        ("right 0.91\n", "right 0.94\n", True),
        ("right 0.91\n", "right 0.99\n", False),
        ("7 of 9\n", "8 of 9\n", False),
        ("[0. 1.] True\n", "[0. 1.] False\n", False),
        ("0.5 0.5\n", "0.5\n", False),
    ],
)
def test_decimal_numbers_may_differ_a_little_and_nothing_else(
    said: str, printed: str, close: bool, script: ModuleType
) -> None:
    assert script.same(said, printed) is close


def test_outputs_are_put_into_the_page(script: ModuleType, tmp_path: Path) -> None:
    page = "a\n\n```python\nx = 2\n```\n\nb\n\n```python\nprint(x)\n```\n\n```text\n3\n```\n\nc\n"
    written = script.with_outputs(page, [printed for _, printed in script.run(page, tmp_path)])
    assert written == page.replace("3", "2")
