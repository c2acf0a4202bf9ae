"""Make the pictures of docs/gallery.md, of the page and of an explanation, from the two portraits in examples/photos.

    PYTHONPATH=. python scripts/make_gallery.py [NAME...]

They come from the commands that users type, and from the page in Chromium. It needs all extras. Look at the pictures
before you commit them.
"""

from __future__ import annotations

import argparse
import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw

from facemood import EmotionRecognizer
from facemood.schema import Image
from tests.moving_faces import Person, read_photo, standing
from tests.moving_faces import make_video as move
from tests.server.browser import Page, open_browser, portrait_camera
from tests.server.conftest import running
from tests.videos import make_video

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""

IMAGES = ROOT / "docs" / "images"
"""Where the pictures go."""

PHOTOS = ROOT / "examples" / "photos"
"""The portraits, in the public domain."""

QUALITY = 82
"""JPEG quality: small files in which text stays sharp."""

LABELS = ("grin", "frown", "gasp")
"""The words of the drawn faces on which a model is trained."""


def facemood(folder: Path, *arguments: object) -> None:
    """Run the command in a folder."""
    subprocess.run([sys.executable, "-m", "facemood", *map(str, arguments)], cwd=folder, check=True)


def save(name: str, png: bytes, width: int) -> None:
    """Write a picture as JPEG into docs/images, no wider than a width."""
    with Picture.open(io.BytesIO(png)) as picture:
        picture.thumbnail((width, 4 * width))
        picture.convert("RGB").save(IMAGES / name, quality=QUALITY, optimize=True)


def group_photo() -> Image:
    """Both portraits side by side, (400, 740, 3) uint8 BGR."""
    left = cv2.resize(read_photo("astronaut.png")[:400, 60:460], (400, 400), interpolation=cv2.INTER_AREA)
    right = read_photo("grace_hopper.jpg")[40:500, 60:450]
    return np.hstack([left, cv2.resize(right, (340, 400), interpolation=cv2.INTER_AREA)])


def draw_portraits(folder: Path) -> None:
    """Draw the portraits as ``make demo`` does."""
    facemood(folder, "analyze", PHOTOS, "-o", "drawn/")
    for name, width in (("astronaut", 420), ("grace_hopper", 358)):  # of the same height
        save(f"{name}.jpg", (folder / "drawn" / f"{name}.png").read_bytes(), width)


def draw_photo(folder: Path) -> None:
    """Draw the faces of a photo with landmarks and the direction of the head."""
    cv2.imwrite(str(folder / "group.png"), group_photo())
    facemood(folder, "analyze", "group.png", "-o", "drawn.png", "--draw", "mesh,pose")
    save("gallery-photo.jpg", (folder / "drawn.png").read_bytes(), 740)


def make_talk(folder: Path) -> Path:
    """Two people, of whom one leaves and a smiling one comes: eight seconds."""
    hopper, astronaut = Person("hopper", standing(180, 240, 110)), Person("astronaut", standing(450, 240, 110))
    parts = [([hopper], 2.0), ([hopper, astronaut], 3.0), ([astronaut], 1.5), ([hopper, astronaut], 1.5)]
    frames = [frame.image for people, seconds in parts for frame in move(people, seconds, rate=10).frames]
    return make_video(folder / "talk.mp4", frames, fps=10)


def write_report(folder: Path) -> None:
    """Show the report of a video, and its timeline as matplotlib draws it."""
    make_talk(folder)
    facemood(folder, "analyze", "talk.mp4", "-o", "report.html")
    with open_browser(folder) as browser, browser.page() as page:
        save("gallery-report.jpg", shot_of(page, (folder / "report.html").as_uri(), 900, 1420), 720)
    os.chdir(folder)  # so that the name in the figure is that of the file alone
    EmotionRecognizer().analyze("talk.mp4").plot_timeline().savefig("timeline.png", dpi=100)
    os.chdir(ROOT)
    save("gallery-timeline.jpg", (folder / "timeline.png").read_bytes(), 1000)


def shot_of(page: Page, address: str, width: int, height: int) -> bytes:
    """Open an address and return what is to be seen."""
    page.resize(width, height)
    page.send("Page.navigate", url=address)
    page.wait(f"location.href === {address!r} && document.readyState === 'complete'")
    return page.screenshot()


def show_page(folder: Path) -> None:
    """Show the page with a face in front of the camera: wide, and narrow as next to a video call."""
    with running(EmotionRecognizer()) as server, open_browser(folder, portrait_camera(folder)) as browser:
        for name, width in (("page.jpg", 1280), ("page-narrow.jpg", 500)):
            with browser.page() as page:
                page.resize(width, 860)
                page.open(server.address)
                page.click("choose-camera")
                page.wait("document.querySelector('.word')?.innerText")
                page.wait("performance.now() > 15000")  # until the last minute shows something
                save(name, page.screenshot(), width)


def explain_photo(folder: Path) -> None:
    """Explain a prediction, with three ways to divide the face."""
    facemood(folder, "explain", PHOTOS / "grace_hopper.jpg", "--segmenter", "all", "-o", "why.png")
    save("explained.jpg", (folder / "why.png").read_bytes(), 1000)


def draw_face(label: str, random: np.random.Generator) -> Picture.Image:
    """Draw a face that grins, frowns or gasps: 48 x 48, grey, with noise."""
    face = Picture.new("L", (48, 48), int(random.integers(0, 90)))
    pen = ImageDraw.Draw(face)
    x, y = (int(shift) for shift in random.integers(-4, 5, 2))
    pen.ellipse((3 + x, -1 + y, 45 + x, 51 + y), fill=int(random.integers(130, 220)))
    for eye in (13, 33):
        pen.ellipse((eye + x - 2, 17 + y, eye + x + 2, 21 + y), fill=20)
    if label == "gasp":
        pen.ellipse((18 + x, 28 + y, 29 + x, 43 + y), fill=20)
    else:
        start, end = (20, 160) if label == "grin" else (200, 340)
        pen.arc((11 + x, 24 + y, 37 + x, 42 + y), start, end, fill=20, width=3)
    noisy = np.asarray(face) + random.normal(0, 12, (48, 48))
    return Picture.fromarray(noisy.clip(0, 255).astype(np.uint8))


def train_model(folder: Path) -> None:
    """Train on drawn faces, and show the report of the run."""
    random = np.random.default_rng(0)
    for label in LABELS:
        (folder / "faces" / label).mkdir(parents=True)
        for number in range(30):
            draw_face(label, random).save(folder / "faces" / label / f"{number}.png")
    short = [part for value in ("train.epochs=8", "train.freeze_epochs=4") for part in ("--set", value)]
    facemood(folder, "train", "own", "--data", "folder:faces", "--run", "run", *short)
    with open_browser(folder) as browser, browser.page() as page:
        save("gallery-run.jpg", shot_of(page, (folder / "run" / "report.html").as_uri(), 900, 1420), 720)


PICTURES: dict[str, Callable[[Path], None]] = {
    "portraits": draw_portraits,
    "photo": draw_photo,
    "report": write_report,
    "page": show_page,
    "explanation": explain_photo,
    "run": train_model,
}
"""What can be made, by name."""


def main() -> None:
    """Make all pictures, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*PICTURES, []], metavar="NAME", help=", ".join(PICTURES))
    for name in parser.parse_args().names or PICTURES:
        with tempfile.TemporaryDirectory() as folder:
            PICTURES[name](Path(folder))


if __name__ == "__main__":
    main()
