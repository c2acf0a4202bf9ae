"""facemood and human side by side in one headless Chromium: time a frame, gaps of the page, and accuracy.

    PYTHONPATH=. python benchmarks/web_peer.py -o benchmarks/web_peer.json --data DIR

DIR has FER2013 with the votes of FER+. `@vladmandic/human` and its WebAssembly are fetched by npm into a temporary
folder, which needs a network; nothing of them is shipped. Both run on one thread of WebAssembly and alternate in one
page: human on the page's own thread, as its documents show it, facemood in its worker.

*Photo*: each frame is read anew. *Live*: a portrait moves by a pixel a frame; facemood follows, human keeps what its
default settings keep. *Accuracy*: tiles of PrivateTest with a FER+ majority for one of the seven expressions that
both know, enlarged five times onto a grey picture; the same pictures for both. A face that is not found is wrong.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from animation_gaps import run_with_gaps
from machine import describe_machine

from facemood.datasets import read_ferplus
from facemood.schema import Image
from facemood.web.static_site import write_site
from facemood.wilson import wilson_interval
from tests.moving_faces import read_photo
from tests.server.browser import Page, open_browser
from tests.web.plain_server import serve_folder

HUMAN = "@vladmandic/human@3.3.6"
"""The peer."""

WASM = "@tensorflow/tfjs-backend-wasm@4.22.0"
"""The WebAssembly that it asks for, which its package does not contain."""

ROUNDS, FRAMES = 6, 10
"""How often the two take turns, and the frames of a turn."""

ENLARGED, CANVAS = 240, 400
"""Pixels of an enlarged tile's side, and of the grey picture that it is in the middle of."""

CHUNK = 20
"""Pictures that are read in one call of the browser."""

OPEN = """(async () => {
  const { Reader } = await import("./app/web/page/reader.js");
  const { Human } = await import("./peer/dist/human.esm.js");
  const off = { enabled: false };
  const face = { enabled: true, iris: off, description: off, emotion: { enabled: true, minConfidence: 0 } };
  const config = { backend: "wasm", wasmPath: "peer/wasm/", modelBasePath: "peer/models/", debug: false,
    filter: off, body: off, hand: off, object: off, gesture: off, segmentation: off, face };
  window.human = new Human(config);
  await human.load();
  await human.warmup();
  window.reader = await Reader.open();
  window.picture = await createImageBitmap(await (await fetch("picture.png")).blob());
  window.canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
  window.draw = (frame) => canvas.getContext("2d").drawImage(picture, frame % 40, 0);
  window.scene = await reader.scene({ minFace: 48 });
  window.count = 0;
  window.first = ([face]) => face?.emotion ?? null;
  window.peer = async (image) => {
    const [face] = (await human.detect(image)).face;
    return face?.emotion?.reduce((one, other) => (other.score > one.score ? other : one)).emotion ?? null;
  };
  const threads = human.tf.env().flags.WASM_HAS_MULTITHREAD_SUPPORT ? "threads" : "one thread";
  return `${human.version} ${human.tf.getBackend()}, ${threads}`;
})()"""

TURN = """async () => {
  const kind = KIND, ways = {
    "facemood photo": async () => first(await reader.read(canvas, { minFace: 48 })),
    "facemood live": async () => first((await scene.read(canvas, count / 15)).faces),
    "human photo": async () => peer(canvas),
    "human live": async () => peer(canvas),
  };
  human.config.cacheSensitivity = kind === "human photo" ? 0 : 0.7;
  const times = [];
  for (let frame = 0; frame < FRAMES; frame++) {
    draw(++count);
    const begun = performance.now();
    if ((await ways[kind]()) === null) throw new Error(`${kind}: no face`);
    times.push(performance.now() - begun);
    await new Promise(requestAnimationFrame);
  }
  return times;
}"""

READ = """(async () => {
  human.config.cacheSensitivity = 0;
  const answers = [];
  for (let tile = FROM; tile < TO; tile++) {
    const bitmap = await createImageBitmap(await (await fetch(`tiles/${tile}.png`)).blob());
    answers.push([first(await reader.read(bitmap)), await peer(bitmap)]);
  }
  return answers;
})()"""


def fetch_peer(folder: Path) -> None:
    """Fetch human and its WebAssembly into a folder."""
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm is not installed, so human cannot be fetched")
    for package in (HUMAN, WASM):
        done = subprocess.run(
            [npm, "pack", "--silent", package], cwd=folder, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"npm could not fetch {package}: {done.stderr.strip()}")
        with tarfile.open(folder / done.stdout.split()[-1]) as archive:
            archive.extractall(folder / "wasm" if package == WASM else folder, filter="data")
    (folder / "package").rename(folder / "peer")
    (folder / "wasm" / "package" / "dist").rename(folder / "peer" / "wasm")


def tiles_of(data: Path, number: int) -> tuple[list[Image], list[str]]:
    """Return a random sample of enlarged tiles of PrivateTest, and their majority labels."""
    tiles = read_ferplus(data).split("PrivateTest")
    names = np.array(tiles.classes)[tiles.labels]
    rows = np.random.default_rng(24).permutation(np.flatnonzero(names != "contempt"))[:number]
    edge = (CANVAS - ENLARGED) // 2
    pictures = []
    for row in rows:
        large = cv2.resize(tiles.images[row], (ENLARGED, ENLARGED), interpolation=cv2.INTER_CUBIC)
        picture = np.full((CANVAS, CANVAS), 128, np.uint8)
        picture[edge:-edge, edge:-edge] = large
        pictures.append(picture)
    return pictures, names[rows].tolist()


def measure_times(page: Page) -> dict[str, dict[str, float]]:
    """Let both take turns; return medians and percentiles in milliseconds."""
    kinds = ["facemood photo", "human photo", "facemood live", "human live"]
    found: dict[str, dict[str, list[float]]] = {kind: {"times": [], "gaps": []} for kind in kinds}
    for turn in range(-1, ROUNDS):  # the first turn warms up
        for kind in kinds:
            times, gaps = run_with_gaps(page, TURN.replace("KIND", json.dumps(kind)).replace("FRAMES", str(FRAMES)))
            if turn >= 0:
                found[kind]["times"] += times
                found[kind]["gaps"] += gaps
    return {
        kind: {
            "ms": round(float(np.median(values["times"])), 1),
            "gap p95": round(float(np.percentile(values["gaps"], 95)), 1),
            "gap max": round(max(values["gaps"]), 1),
        }
        for kind, values in found.items()
    }


def accuracy_of(answers: list[str | None], labels: list[str]) -> dict[str, Any]:
    """Return the share of right labels with its 95% interval, and how many faces were found."""
    right = sum(answer == label for answer, label in zip(answers, labels, strict=True))
    found = sum(answer is not None for answer in answers)
    low, high = wilson_interval(right / len(labels), len(labels))
    return {
        "right": right,
        "share": round(right / len(labels), 4),
        "interval": [round(low, 4), round(high, 4)],
        "found": found,
    }


def measure_accuracy(page: Page, labels: list[str]) -> dict[str, Any]:
    """Let both read the same tiles."""
    answers: list[tuple[str | None, str | None]] = []
    for start in range(0, len(labels), CHUNK):
        script = READ.replace("FROM", str(start)).replace("TO", str(min(start + CHUNK, len(labels))))
        answers += page.run(script)
    both = [place for place, pair in enumerate(answers) if None not in pair]
    figures: dict[str, Any] = {"tiles": len(labels), "found by both": len(both)}
    for column, name in enumerate(("facemood", "human")):
        own = [pair[column] for pair in answers]
        figures[name] = accuracy_of(own, labels)
        figures[f"{name}, found by both"] = accuracy_of([own[one] for one in both], [labels[one] for one in both])
    return figures


def main() -> None:
    """Measure both, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="FER2013 with the votes of FER+")
    parser.add_argument("--tiles", type=int, default=400, help="how many tiles of PrivateTest both read")
    options = parser.parse_args()
    pictures, labels = tiles_of(options.data, options.tiles)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "site")
        write_site(folder)
        fetch_peer(folder)
        (folder / "tiles").mkdir()
        for row, picture in enumerate(pictures):
            cv2.imwrite(str(folder / "tiles" / f"{row}.png"), picture)
        portrait = np.full((480, 640, 3), 90, np.uint8)
        portrait[:, 64:576] = read_photo("astronaut.png")[:480]
        cv2.imwrite(str(folder / "picture.png"), portrait)
        (folder / "blank.html").write_text("<!doctype html><title>blank</title><body data-ready=1>")
        with serve_folder(folder) as server, open_browser(Path(name)) as browser, browser.page() as page:
            page.open(f"{server.address}blank.html")
            peer = page.run(OPEN)
            figures = {
                "machine": describe_machine(), "peer": f"{HUMAN}: {peer}", "frames": ROUNDS * FRAMES,
                "times": measure_times(page), "accuracy": measure_accuracy(page, labels),
            }  # fmt: skip
    options.output.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
