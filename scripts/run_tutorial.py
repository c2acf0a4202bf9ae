"""Run the code of a tutorial, compare its output with the page, and copy its figures to docs/images.

    python scripts/run_tutorial.py docs/tutorial/numpy-cnn.md

The code blocks run in order, as one program, in a temporary folder that contains ``photo.png``.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""

IMAGES = ROOT / "docs" / "images"
"""Where figures go."""

PHOTO = ROOT / "examples" / "photos" / "astronaut.png"
"""The photo that the page reads."""

BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n^```text\n(.*?)^```\n)?", flags=re.DOTALL | re.MULTILINE)
"""A block of Python, and its expected output if a block of text follows."""

FIGURE = re.compile(r"\]\(\.\./images/([^)]+)\)")
"""A link to a figure."""


def main() -> None:
    """Run a page and copy its figures; exit with 1 if an output differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", type=Path)
    page = parser.parse_args().page.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        wrong = [(said, printed) for said, printed in run(page, Path(folder)) if said != printed]
        for said, printed in wrong:
            print(f"the page says\n{said}but the code prints\n{printed}", file=sys.stderr)
        if wrong:
            sys.exit(1)
        for figure in figures_of(page):
            shutil.copyfile(Path(folder, figure), IMAGES / figure)


def run(page: str, folder: Path) -> list[tuple[str, str]]:
    """Run all blocks in a folder; return the expected and the actual output of each."""
    shutil.copyfile(PHOTO, folder / "photo.png")
    names: dict[str, Any] = {"__name__": "tutorial"}
    found = []
    with inside(folder):
        for code, said in BLOCK.findall(page):
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                exec(code, names)
            found.append((said, printed.getvalue()))
    return found


def figures_of(page: str) -> list[str]:
    """Return the file names of the figures on a page."""
    return FIGURE.findall(page)


@contextlib.contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Work in a folder while the block lasts, as contextlib.chdir does from Python 3.11 on."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


if __name__ == "__main__":
    main()
