"""Each frame of a video once, in order, with its true time, in real browsers: its image encodes its number."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from facemood.schema import Image
from facemood.sources.video import read_video
from tests.moving_faces import read_photo
from tests.server.browser import open_browser
from tests.videos import make_video, numbered_images
from tests.web.plain_server import serve_folder
from tests.web.test_parity import opened_in_firefox

pytestmark = pytest.mark.browser

PATIENCE = 120
"""Seconds for which the answers of a browser are waited for; a busy machine is slow."""

COUNT = 30
"""Frames of each video."""

COLOURS = (160, 120)
"""Width and height of the videos whose colours are compared."""

MAX_LEVELS = 3
"""Largest difference of a grey level: browsers round colours in another way, and enlarge them in another way."""

PAGE = '<!doctype html><meta charset="utf-8"><title>frames</title><script type="module" src="frames.js"></script>'

SCRIPT = """
import { VideoFrames } from "./app/web/page/video_frames.js";
const canvas = new OffscreenCanvas(64, 48);
const pen = canvas.getContext("2d", { willReadFrequently: true });
const numberOf = (bitmap) => {
  pen.drawImage(bitmap, 0, 0, 64, 48);
  const bar = (place) => pen.getImageData(8 * place + 4, 24, 1, 1).data[1] > 125;
  return Array.from({ length: 8 }, (_, place) => bar(place) << (7 - place)).reduce((one, other) => one + other, 0);
};
const pixelsOf = (bitmap) => {
  const whole = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
  whole.drawImage(bitmap, 0, 0);
  return Array.from(whole.getImageData(0, 0, bitmap.width, bitmap.height).data);
};
const answers = {};
for (const name of await (await fetch("videos.json")).json()) {
  answers[name] = [];
  try {
    const file = new File([await (await fetch(name)).blob()], name);
    const frames = await VideoFrames.open(file, new AbortController().signal, () => {});
    for await (const { bitmap, time } of frames) {
      answers[name].push([time, name.startsWith("colours") ? pixelsOf(bitmap) : numberOf(bitmap)]);
      bitmap.close();
      if (answers[name].length % 9 === 0) await new Promise((done) => setTimeout(done, 150)); // a slow reader
    }
    frames.close();
  } catch (error) {
    answers[name] = `${error.message} ${error.stack}`;
  }
}
await fetch("answers", { method: "POST", body: JSON.stringify(answers) });
"""


@pytest.fixture(scope="module")
def times() -> dict[str, list[float]]:
    """The times of the frames of each video: even, fast, and uneven with long pauses."""
    steps = np.random.default_rng(3).uniform(0.02, 0.09, COUNT - 1)
    steps[[7, 20]] = 0.4
    return {
        "even.mp4": [number / 25 for number in range(COUNT)],
        "fast.webm": [number / 60 for number in range(COUNT)],
        "uneven.mp4": [0.0, *np.cumsum(steps).tolist()],
    }


@pytest.fixture(scope="module")
def site(
    times: dict[str, list[float]], copy_site: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = copy_site(tmp_path_factory.mktemp("frames") / "site")
    for name, moments in times.items():
        codec = "libvpx-vp9" if name.endswith("webm") else "libx264"
        make_video(folder / name, numbered_images(COUNT), timestamps=moments, codec=codec)
    photo = np.asarray(cv2.resize(read_photo("astronaut.png"), COLOURS), np.uint8)
    for name, codec in (("colours.mp4", "libx264"), ("colours.webm", "libvpx-vp9")):
        make_video(folder / name, [photo, photo[:, ::-1]], codec=codec)
    (folder / "videos.json").write_text(json.dumps([*times, "colours.mp4", "colours.webm"]))
    (folder / "frames.html").write_text(PAGE)
    (folder / "frames.js").write_text(SCRIPT)
    return folder


@contextlib.contextmanager
def opened(browser: str, folder: Path, address: str) -> Iterator[None]:
    """Open an address in a browser, until the block ends."""
    if browser == "firefox":
        with opened_in_firefox(folder, address):
            yield
        return
    with open_browser(folder) as chromium, chromium.page() as page:
        page.send("Page.navigate", url=address)
        yield


def read_in(browser: str, site: Path, folder: Path) -> dict[str, Any]:
    """Return what a browser hands over: times and numbers by video, or why it does not."""
    with serve_folder(site) as server, opened(browser, folder, f"{server.address}frames.html"):
        try:
            answers: dict[str, Any] = json.loads(server.posted.get(timeout=PATIENCE))
        except Empty:
            raise AssertionError(f"no answer came; the page asked for {server.asked}") from None
    return answers


def grey_of(image: Image) -> NDArray[np.int64]:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.int64)


def test_each_frame_comes_once_with_its_time_and_colours(
    times: dict[str, list[float]], site: Path, tmp_path: Path
) -> None:
    read = read_in("chromium", site, tmp_path)
    for name in ("colours.mp4", "colours.webm"):
        for frame, (_, pixels) in zip(read_video(site / name), read[name], strict=True):
            seen = np.array(pixels, np.uint8).reshape(*frame.image.shape[:2], 4)[..., 2::-1]
            assert np.abs(grey_of(np.ascontiguousarray(seen)) - grey_of(frame.image)).max() <= MAX_LEVELS, name
    for name, moments in times.items():
        assert [number for _, number in read[name]] == list(range(COUNT)), name
        np.testing.assert_allclose([time for time, _ in read[name]], moments, rtol=0, atol=0.0006, err_msg=name)


def test_a_browser_that_does_not_tell_times_says_so(site: Path, tmp_path: Path) -> None:
    for answer in read_in("firefox", site, tmp_path).values():
        assert "does not tell the exact times of a video's frames. Use Chrome" in answer
