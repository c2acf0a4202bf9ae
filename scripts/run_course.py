"""Run the chapters of the course, compare what they print with the pages, and copy their figures to docs/images.

    python scripts/run_course.py [PAGE ...] [--write]

Without pages, all chapters of docs/course are run. The code blocks of a page run in order, as one program, in a
temporary folder that contains ``photo.png``. Whole numbers and words must be the same; decimal numbers may differ by
0.05, because each machine adds in another order. ``--write`` puts what was printed into the page.
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

CHAPTERS = ROOT / "docs" / "course"
"""The chapters of the course."""

IMAGES = ROOT / "docs" / "images"
"""Where figures go."""

PHOTO = ROOT / "examples" / "photos" / "astronaut.png"
"""The photo that the pages read."""

BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n^```text\n(.*?)^```\n)?", flags=re.DOTALL | re.MULTILINE)
"""A block of Python, and its expected output if a block of text follows."""

FIGURE = re.compile(r"\]\(\.\./images/([^)]+)\)")
"""A link to a figure."""

DECIMAL = re.compile(r"(?<![\d.])-?\d+\.\d+")
"""A number with decimals."""

CLOSE = 0.05
"""Largest difference of decimal numbers between machines."""


def main() -> None:
    """Run pages and copy their figures; exit with 1 if an output differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="*", type=Path)
    parser.add_argument("--write", action="store_true", help="put what is printed into the pages")
    options = parser.parse_args()
    wrong = [page for page in options.pages or chapters() if not check(page, write=options.write)]
    sys.exit(1 if wrong else 0)


def chapters() -> list[Path]:
    """Return the chapters in their order."""
    return sorted(CHAPTERS.glob("*.md"))


def check(path: Path, *, write: bool) -> bool:
    """Run a page and copy its figures; return whether it printed what it says. With `write`, the page is changed."""
    page = path.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        found = run(page, Path(folder))
        wrong = [(said, printed) for said, printed in found if not same(said, printed)]
        if write:
            path.write_text(with_outputs(page, [printed for _, printed in found]), encoding="utf-8")
        for said, printed in () if write else wrong:
            print(f"{path} says\n{said}but the code prints\n{printed}", file=sys.stderr)
        if write or not wrong:
            for figure in figures_of(page):
                shutil.copyfile(Path(folder, figure), IMAGES / figure)
        return write or not wrong


def run(page: str, folder: Path) -> list[tuple[str, str]]:
    """Run all blocks in a folder; return the expected and the actual output of each."""
    shutil.copyfile(PHOTO, folder / "photo.png")
    names: dict[str, Any] = {"__name__": "course"}
    found = []
    with inside(folder):
        for code, said in BLOCK.findall(page):
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                exec(code, names)
            found.append((said, printed.getvalue()))
    return found


def same(said: str, printed: str) -> bool:
    """Compare two outputs: decimal numbers may differ by `CLOSE`, everything else may not differ."""
    if DECIMAL.sub("#", said).split() != DECIMAL.sub("#", printed).split():
        return False
    pairs = zip(DECIMAL.findall(said), DECIMAL.findall(printed), strict=True)
    return all(abs(float(one) - float(other)) <= CLOSE for one, other in pairs)


def with_outputs(page: str, printed: list[str]) -> str:
    """Return a page with other outputs."""
    texts = iter(printed)

    def put(block: re.Match[str]) -> str:
        text = next(texts)
        return f"```python\n{block[1]}```\n" + (f"\n```text\n{text}```\n" if text else "")

    return BLOCK.sub(put, page)


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
