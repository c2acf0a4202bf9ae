"""Write the notebooks of docs/notebooks as .ipynb files, for Jupyter and Colab.

    python scripts/make_notebooks.py

The first cell of each installs facemood from the address of a wheel and writes the sample photos, which are in the cell
itself. A test compares the files with the pages.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from pathlib import Path

import jupytext
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""

PAGES = ROOT / "docs" / "notebooks"
"""Where the notebooks are."""

EXTRAS = {"own-faces": "train,plot", "study": "study,plot", "explain": "explain", "interop": "data"}
"""Extras that a notebook needs; the others need `plot`."""

LINK = re.compile(r"\[([^\]]+)\]\([\w./-]+\.md(?:#[\w-]+)?\)")
"""A link to another page, which a notebook alone does not have."""


def main() -> None:
    """Write all notebooks."""
    for page in sorted(PAGES.glob("*.md")):
        page.with_suffix(".ipynb").write_text(to_notebook(page), encoding="utf-8")


def to_notebook(page: Path) -> str:
    """Return a page as the text of a notebook: no outputs, the same text each time."""
    notebook = jupytext.read(page)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number}"
        if cell.cell_type == "markdown":
            cell.source = LINK.sub(r"\1", cell.source)
    (setup,) = [cell for cell in notebook.cells if "setup" in cell.metadata.get("tags", ())]
    setup.source = "\n".join(first_cell(EXTRAS.get(page.stem, "plot")))
    setup.metadata.clear()
    del notebook.metadata["jupytext"]
    return str(jupytext.writes(notebook, fmt="ipynb"))


def first_cell(extras: str) -> Iterator[str]:
    """Yield the lines that install facemood and write the sample photos."""
    yield "# The address of facemood's wheel; of a file that you uploaded to Colab it is file:///content/NAME.whl."
    yield 'WHEEL = "https://example.org/facemood-0.1.0-py3-none-any.whl"'
    yield f'%pip install -q "facemood[{extras}] @ $WHEEL"'
    yield ""
    yield "# Two portraits in the public domain: NASA, and US Navy."
    yield "import base64"
    yield "from pathlib import Path"
    yield ""
    yield 'Path("photos").mkdir(exist_ok=True)'
    for photo in sorted((ROOT / "examples" / "photos").iterdir()):
        data = base64.b64encode(shrunk(photo)).decode()
        yield f'Path("photos/{photo.stem}.jpg").write_bytes(base64.b64decode("{data}"))'


def shrunk(photo: Path) -> bytes:
    """Return a sample photo as a small JPEG, as the first cell of the pages makes it."""
    with Image.open(photo) as image:
        image.thumbnail((320, 320))
        written = io.BytesIO()
        image.convert("RGB").save(written, "JPEG", quality=75)
        return written.getvalue()


if __name__ == "__main__":
    main()
