"""Measure the static site in headless Chromium: ``PYTHONPATH=. python benchmarks/web.py -o benchmarks/web.json``.

For each model: what a first visit loads, the time until the networks are open and until the first result, the time a
frame as a photo and as a camera, and the gaps between animation frames of the page meanwhile. The picture is an example
photo, 640x480, with one face; WebAssembly runs on one thread. The load of the machine counts: the figures of a busy one
are too large.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from machine import describe_machine

from facemood.web.static_site import write_site
from tests.moving_faces import read_photo
from tests.server.browser import open_browser
from tests.web.plain_server import serve_folder

FRAMES = 60
"""Frames of each measurement."""

SCRIPT = """(async () => {
  const begun = performance.now();
  const { Reader } = await import("./app/web/page/reader.js");
  const reader = await Reader.open();
  const opened = performance.now() - begun;
  const bitmap = await createImageBitmap(await (await fetch("picture.png")).blob());
  await reader.read(bitmap);
  const first = performance.now() - begun;
  const median = (values) => values.sort((one, other) => one - other)[Math.floor(values.length / 2)];
  const gaps = [];
  let [last, running] = [performance.now(), true];
  const tick = (now) => { gaps.push(now - last); last = now; if (running) requestAnimationFrame(tick); };
  requestAnimationFrame((now) => { last = now; requestAnimationFrame(tick); });
  const time = async (read) => {
    const times = [];
    for (let frame = 0; frame < FRAMES; frame++) times.push((await read(frame)).speed.total);
    return median(times);
  };
  const photo = await time(() => reader.readTimed(bitmap));
  const large = await time(() => reader.readTimed(bitmap, { minFace: 48 }));
  const scene = await reader.scene({ minFace: 48 });
  const camera = await time((frame) => scene.read(bitmap, frame / 15));
  running = false;
  gaps.sort((one, other) => one - other);
  return { opened, first, photo, large, camera, gap_p95: gaps[Math.floor(gaps.length * 0.95)], gap_max: gaps.at(-1) };
})()"""
"""Times in milliseconds."""


def measure(model: str) -> dict[str, Any]:
    """Return sizes in bytes and times in milliseconds of one model's site."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "site")
        site = write_site(folder, models=[model])
        picture = np.full((480, 640, 3), 90, np.uint8)
        picture[:, 64:576] = read_photo("astronaut.png")[:480]
        cv2.imwrite(str(folder / "picture.png"), picture)
        (folder / "blank.html").write_text("<!doctype html><title>blank</title><body data-ready=1>")
        with serve_folder(folder) as server, open_browser(Path(name)) as browser, browser.page() as page:
            page.open(f"{server.address}blank.html")
            times: dict[str, float] = page.run(SCRIPT.replace("FRAMES", str(FRAMES)))
    loaded = {path: size for path, size in site.files.items() if not path.startswith("licences/")}
    engine = sum(size for path, size in loaded.items() if path.startswith("engine/"))
    return {
        "bytes": sum(loaded.values()),
        "engine_bytes": engine,
        **{key: round(value, 1) for key, value in times.items()},
    }


def main() -> None:
    """Measure both models and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True)
    output = parser.parse_args().output
    figures = {"machine": describe_machine(), "frames": FRAMES}
    figures |= {model: measure(model) for model in ("default", "nano")}
    output.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
