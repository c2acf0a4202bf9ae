"""The notebooks as files for Jupyter and Colab: as the pages say, without outputs, and complete in themselves."""

from __future__ import annotations

import ast
import base64
import json
import re
from pathlib import Path

import pytest

from facemood import EmotionRecognizer
from tests.conftest import ROOT, load_script

PAGES = sorted((ROOT / "docs" / "notebooks").glob("*.md"))


def cells_of(page: Path) -> list[dict[str, object]]:
    """The cells of the file beside a page."""
    found: list[dict[str, object]] = json.loads(page.with_suffix(".ipynb").read_text(encoding="utf-8"))["cells"]
    return found


def source_of(cell: dict[str, object]) -> str:
    return "".join(str(line) for line in cell["source"])  # type: ignore[attr-defined]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_file_is_what_the_script_makes_of_its_page(page: Path) -> None:
    pytest.importorskip("jupytext", reason="needs the extra docs")
    made = json.loads(load_script("make_notebooks").to_notebook(page))
    given = json.loads(page.with_suffix(".ipynb").read_text(encoding="utf-8"))
    setup = next(number for number, cell in enumerate(made["cells"]) if cell["cell_type"] == "code")
    made["cells"].pop(setup)  # its photos are compressed again, by another version of the encoder
    given["cells"].pop(setup)
    assert made["cells"] == given["cells"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_file_has_no_output_and_python_that_is_complete(page: Path) -> None:
    code = [cell for cell in cells_of(page) if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    for cell in code:
        ast.parse(re.sub(r"^%pip .*$", "", source_of(cell), flags=re.MULTILINE))
    assert not any("FACEMOOD_EXAMPLES" in source_of(cell) for cell in code)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_first_cell_installs_a_wheel_and_brings_photos_with_faces(
    page: Path, recognizer: EmotionRecognizer
) -> None:
    first = source_of(next(cell for cell in cells_of(page) if cell["cell_type"] == "code"))
    assert re.search(r'^WHEEL = "https://[^"]+\.whl"$', first, flags=re.MULTILINE)
    (extras,) = re.findall(r'^%pip install -q "facemood\[([\w,]+)\] @ \$WHEEL"$', first, flags=re.MULTILINE)
    assert set(extras.split(",")) <= {"data", "explain", "plot", "study", "train"}
    photos = re.findall(r'Path\("photos/([\w.]+)"\)\.write_bytes\(base64\.b64decode\("([^"]+)"\)\)', first)
    assert [name for name, _ in photos] == ["astronaut.jpg", "grace_hopper.jpg"]
    assert [len(recognizer.analyze_image(base64.b64decode(data))) for _, data in photos] == [1, 1]


def test_every_notebook_is_listed() -> None:
    listed = re.findall(r"\(notebooks/([\w-]+)\.ipynb\)", (ROOT / "docs" / "notebooks.md").read_text())
    assert sorted(listed) == [page.stem for page in PAGES]
    assert len(listed) == 6
