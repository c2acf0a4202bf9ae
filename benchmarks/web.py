"""Measure the static site in headless Chromium: ``PYTHONPATH=. python benchmarks/web.py -o benchmarks/web.json``.

For each model, and in fp32 and int8: what a first visit loads, the time until the networks are open and until the first
result, the time a frame as a photo and as a camera, and the gaps between animation frames of the page meanwhile. For
the default model: the memory of the page's process while a camera's 1,000 frames are read. The picture is an example
photo, 640x480, with one face; WebAssembly runs on one thread.

The load of the machine counts: milliseconds by the clock are too large on a busy one. CPU milliseconds are those of the
page's process, worker included; a busy machine makes them larger by less.
"""

from __future__ import annotations

import argparse
import gzip
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from animation_gaps import run_with_gaps
from machine import describe_machine

from facemood.web.static_site import Site, write_site
from tests.moving_faces import read_photo
from tests.server.browser import Browser, Page, open_browser
from tests.web.plain_server import serve_folder

FRAMES = 60
"""Frames of each measurement."""

CHUNK, CHUNKS = 50, 20
"""Frames between two looks at the memory, and how many looks there are."""

VARIANTS = [(model, precision) for model in ("default", "nano") for precision in ("fp32", "int8")]
"""Models and precisions."""

TEXTS = (".js", ".css", ".html", ".json", ".svg", ".webmanifest")
"""What usual hosts pack by themselves."""

OPEN = """(async () => {
  const begun = performance.now();
  const { Reader } = await import("./app/web/page/reader.js");
  window.reader = await Reader.open();
  const opened = performance.now() - begun;
  window.picture = await createImageBitmap(await (await fetch("picture.png")).blob());
  await reader.read(picture);
  const first = performance.now() - begun;
  window.scene = await reader.scene({ minFace: 48 });
  window.count = 0;
  window.ways = {
    "photo": () => reader.readTimed(picture),
    "photo from 48 pixels": () => reader.readTimed(picture, { minFace: 48 }),
    "camera": () => scene.read(picture, count / 15),
  };
  return { opened, first };
})()"""
"""Opens the networks; times in milliseconds."""

READ = """async () => {
  const times = [];
  for (let frame = 0; frame < FRAMES; frame++, count++) times.push((await ways[WAY]()).speed.total);
  return times;
}"""
"""Reads frames; times in milliseconds."""


def read_frames(page: Page, way: str, frames: int) -> tuple[list[float], list[float]]:
    """Read frames in one of the page's ways, and return times and gaps."""
    return run_with_gaps(page, READ.replace("WAY", json.dumps(way)).replace("FRAMES", str(frames)))


def processor_seconds(browser: Browser) -> float:
    """Return the CPU seconds of the page's process."""
    return sum(browser.renderers().values())


def measure_times(browser: Browser, page: Page) -> dict[str, Any]:
    """Return times by the clock and of the CPU in milliseconds, and the gaps between animation frames."""
    before = processor_seconds(browser)
    figures: dict[str, Any] = {key: round(value, 1) for key, value in page.run(OPEN).items()}
    figures["first result, CPU"] = round(1000 * (processor_seconds(browser) - before), 1)
    gaps: list[float] = []
    for way in ("photo", "photo from 48 pixels", "camera"):
        read_frames(page, way, 5)
        before = processor_seconds(browser)
        times, more = read_frames(page, way, FRAMES)
        gaps += more
        figures[way] = round(float(np.median(times)), 1)
        figures[f"{way}, CPU"] = round(1000 * (processor_seconds(browser) - before) / FRAMES, 1)
    return {**figures, "gap_p95": round(float(np.percentile(gaps, 95)), 1), "gap_max": round(max(gaps), 1)}


def measure_memory(browser: Browser, page: Page) -> list[float]:
    """Return the resident megabytes of the page's process after each chunk of a camera's frames."""
    megabytes = []
    for _ in range(CHUNKS):
        read_frames(page, "camera", CHUNK)
        megabytes.append(round(browser.renderer_memory() / 1e6, 1))
    return megabytes


def measure_sizes(site: Site) -> dict[str, int]:
    """Return the bytes of a first visit: as the files are, and where the host packs texts."""
    sizes = {path: size for path, size in site.files.items() if not path.startswith("licences/")}
    packed = {
        path: len(gzip.compress((site.folder / path).read_bytes())) if path.endswith(TEXTS) else size
        for path, size in sizes.items()
    }
    return {"bytes": sum(sizes.values()), "bytes, texts packed": sum(packed.values())}


@contextmanager
def opened(model: str, precision: str) -> Iterator[tuple[Site, Browser, Page]]:
    """Write a site, serve it, and open an empty page below it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "site")
        site = write_site(folder, models=[model], precision=precision)
        picture = np.full((480, 640, 3), 90, np.uint8)
        picture[:, 64:576] = read_photo("astronaut.png")[:480]
        cv2.imwrite(str(folder / "picture.png"), picture)
        (folder / "blank.html").write_text("<!doctype html><title>blank</title><body data-ready=1>")
        with serve_folder(folder) as server, open_browser(Path(name)) as browser, browser.page() as page:
            page.open(f"{server.address}blank.html")
            yield site, browser, page


def main() -> None:
    """Measure all variants and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True)
    output = parser.parse_args().output
    figures: dict[str, Any] = {"machine": describe_machine(), "frames": FRAMES}
    for model, precision in VARIANTS:
        with opened(model, precision) as (site, browser, page):
            name = model if precision == "fp32" else f"{model} {precision}"
            figures[name] = {**measure_sizes(site), **measure_times(browser, page)}
            if name == "default":
                figures["memory"] = {"frames between": CHUNK, "megabytes": measure_memory(browser, page)}
    output.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
