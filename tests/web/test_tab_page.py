"""*Read in this tab* on a server's page, in a real browser: the tab reads what the server would, and sends nothing."""

from __future__ import annotations

import base64
import csv
import dataclasses
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from facemood import EmotionRecognizer
from facemood.explain import add_maps
from facemood.facs import CODES
from facemood.render.anonymize import anonymize
from facemood.schema import Image
from facemood.table import RAW
from facemood.text import percent
from tests.conftest import PHOTOS
from tests.moving_faces import Person, away, camera_picture, read_photo, walking
from tests.moving_faces import make_video as moving_faces
from tests.server.browser import Page
from tests.server.conftest import Running
from tests.tables import from_csv, from_json
from tests.videos import make_video

pytestmark = pytest.mark.browser

SHOWN = "document.querySelector('.word')?.innerText"
"""The first card's word."""

MAP_TOLERANCE = 0.02
"""Largest difference of a value of an activation map, of -1..1."""

PICTURE = "document.getElementById('picture').toDataURL().split(',')[1]"
"""The shown image, as PNG."""

PAINTED = """(() => {
  const { width, height } = document.getElementById('picture');
  const data = document.getElementById('picture').getContext('2d').getImageData(width / 2, height - 9, 1, 1).data;
  return width > 0 && data[3] === 255;
})()"""
"""Whether an image is shown there."""

SMOOTHNESS = 4.0
"""Mean of the absolute Laplacian, in grey levels, below which no eye and no mouth is left."""

MAX_DIFFERENCE = 0.04
"""Largest difference of a probability in a video. Mostly it is below 0.001. But the place of a followed face is rounded
to sixteenths of a pixel. Where the last digits of two runtimes fall on different sides, the next landmarks are read
from a crop that lies a sixteenth away. Python itself then differs by up to 0.027, and its boxes by 0.43 pixels, where
one of these numbers was moved at a time in both videos."""

MAX_SHIFT = 0.75
"""The same of a box, in pixels: a hundredth of the width of these faces."""

MAX_UNIT = 0.15
"""The same of an action unit: a mouth's corner that lies 0.43 pixels away moves some by so much on faces this small."""

PRESSED = "document.getElementById('in-tab').getAttribute('aria-pressed') === 'true'"


@pytest.fixture(autouse=True)
def alone(page: Page, server: Running) -> Iterator[None]:
    """The page asks nobody else."""
    yield
    assert page.addresses() <= {f"127.0.0.1:{server.port}"}


def decoded(data: bytes) -> Image:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image, np.uint8)


def requests_of(server: Running) -> str:
    """What the server was asked for so far, by route, without the question itself."""
    with server.client() as client:
        lines = client.get("/metrics").text.splitlines()
    return "\n".join(line for line in lines if line.startswith("facemood_requests_total") and "/metrics" not in line)


def read_in_tab(page: Page) -> None:
    """Switch to the tab."""
    page.wait("!document.getElementById('in-tab').hidden")
    page.click("in-tab")
    page.wait(PRESSED)


def test_the_engine_is_only_loaded_when_it_is_asked_for(page: Page, server: Running) -> None:
    before = requests_of(server)
    assert "/engine/" not in before
    assert not page.run(PRESSED)
    assert "this machine" in page.text("where")
    read_in_tab(page)
    page.wait("document.getElementById('where').innerText.startsWith('Nowhere')")
    page.choose("photo-file", PHOTOS / "astronaut.png")
    page.wait(SHOWN)
    after = requests_of(server)
    assert "/engine/" in after
    assert "/v1/analyze" not in after


def test_nothing_is_sent_while_the_tab_reads(page: Page, server: Running, nano: EmotionRecognizer) -> None:
    read_in_tab(page)
    page.choose("photo-file", PHOTOS / "astronaut.png")
    assert page.wait(SHOWN).lower() == "happy"
    asked = requests_of(server)
    page.events.clear()
    page.choose("photo-file", PHOTOS / "grace_hopper.jpg")
    page.wait(f"{SHOWN}.toLowerCase() === 'neutral'")
    expected = nano.analyze_image(PHOTOS / "grace_hopper.jpg").faces[0]
    assert percent(expected.confidence) in page.run("document.querySelector('.how').innerText")
    page.click("stop")
    page.click("choose-camera")
    page.wait(f"{SHOWN}?.toLowerCase() === 'happy'")
    page.click("record")
    page.wait("parseInt(document.getElementById('recorded').innerText) >= 3")
    page.click("record")
    page.wait("document.querySelectorAll('#downloads a').length === 3")
    page.click("stop")
    assert page.addresses() == set()  # no request, no WebSocket
    assert page.messages("Sent") == []
    assert requests_of(server) == asked


def test_the_server_reads_on_when_the_switch_is_off_again(page: Page) -> None:
    page.click("choose-camera")
    page.wait(SHOWN)
    read_in_tab(page)  # the camera goes on
    page.wait("document.getElementById('where').innerText.startsWith('Nowhere')")
    page.wait(f"{SHOWN}?.toLowerCase() === 'happy'")
    sent = len(page.messages("Sent"))
    page.wait("document.getElementById('pace').innerText.includes('images/s')")
    assert len(page.messages("Sent")) == sent
    page.click("in-tab")
    page.wait_for("Network.webSocketFrameSent", lambda _: True, sent + 1)
    page.wait(f"{SHOWN}?.toLowerCase() === 'happy'")
    assert "this machine" in page.text("where")


def test_only_the_worker_may_compile_webassembly(server: Running) -> None:
    with server.client() as client:
        policies = {path: client.get(path).headers["Content-Security-Policy"] for path in ("/", "/app/web/worker.js")}
        assert client.get("/app/web/static_site.py").status_code == 404
        assert client.get("/app/web/ort/origin.json").status_code == 404
        listing = client.get("/files.json").json()
        kept = client.get("/" + listing["engine"]["nano.onnx"]["path"]).headers["Cache-Control"]
        assert client.get("/engine/nothing.gz").status_code == 404
    assert {path: "wasm-unsafe-eval" in policy for path, policy in policies.items()} == {
        "/": False, "/app/web/worker.js": True,
    }  # fmt: skip
    assert all("'unsafe-eval'" not in policy and "unsafe-inline" not in policy for policy in policies.values())
    assert "immutable" in kept


def read_with_maps(page: Page, path: Path, options: dict[str, str]) -> list[dict[str, Any]]:
    """Read a photo in the page by the engine's module, with activation maps."""
    data = base64.b64encode(path.read_bytes()).decode()
    found: list[dict[str, Any]] = page.run(
        f"""(async () => {{
          const {{ Reader }} = await import("/app/web/page/reader.js");
          window.reader ??= await Reader.open();
          const bytes = Uint8Array.from(atob("{data}"), (letter) => letter.charCodeAt(0));
          return window.reader.read(new Blob([bytes]), {{ maps: true, ...{json.dumps(options)} }});
        }})()"""
    )
    return found


def test_activation_maps_are_those_of_python(page: Page, nano: EmotionRecognizer) -> None:
    other = EmotionRecognizer("nano", threads=1, head="fer2013", prior="dataset")
    for recognizer, options in ((nano, {}), (other, {"head": "fer2013", "prior": "dataset"})):
        for name in ("astronaut.png", "grace_hopper.jpg"):
            result = add_maps(recognizer.pipeline, recognizer.analyze_image(PHOTOS / name))
            read = read_with_maps(page, PHOTOS / name, options)
            for face, seen in zip(result, read, strict=True):
                expected = face.activation_map
                assert expected is not None
                np.testing.assert_allclose(seen["map"]["values"], expected.values, rtol=0, atol=MAP_TOLERANCE)
                np.testing.assert_allclose(seen["map"]["box"], expected.box, rtol=0, atol=0.1)
                assert seen["map"]["tilt"] == pytest.approx(expected.tilt, abs=0.05)


def make_talk(folder: Path, kind: str) -> Path:
    """Two people and uneven times: a video that players turn, or a recording that does not say how long it is.

    Its pixels are the same in every decoder. Browsers convert colours in a slightly different way, and one grey level
    more or less moves a box by more than a pixel in Python itself.
    """
    people = [
        Person("astronaut", walking((70, 120, 74), (110, 120, 74), 1.6)),
        Person("hopper", away(walking((250, 130, 80), (210, 110, 80), 1.6), 1.2, 9), light=0.9),
    ]
    images = [frame.image for frame in moving_faces(people, 1.6, rate=15, size=(320, 240)).frames]
    uneven = [number / 15 + (0.02 if number % 7 == 3 else 0) for number in range(len(images))]
    times = [time + (0.3 if number > 15 else 0) for number, time in enumerate(uneven)]
    if kind == "turned":
        sideways = [np.ascontiguousarray(np.rot90(image)) for image in images]
        return make_video(folder / "turned.mp4", sideways, timestamps=times, rotation=90, exact=True)
    whole = make_video(folder / "whole.webm", images, timestamps=times, codec="libvpx-vp9", exact=True)
    with av.open(str(whole)) as read, av.open(str(folder / "recorded.webm"), "w", options={"live": "1"}) as written:
        stream = written.add_stream_from_template(read.streams.video[0])
        for packet in read.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                written.mux(packet)
    return folder / "recorded.webm"


@pytest.mark.parametrize("kind", ["turned", "recorded"])
def test_every_frame_of_a_video_is_read_with_its_true_time(
    page: Page, nano: EmotionRecognizer, tmp_path: Path, kind: str
) -> None:
    video = make_talk(tmp_path, kind)
    read_in_tab(page)
    page.click("units")
    page.drop(video, f"video/{video.suffix[1:]}")
    page.wait("!document.getElementById('whole-video').hidden")
    page.click("video-read")
    page.wait("document.querySelectorAll('#video-results a').length === 2")
    (tmp_path / "saved").mkdir()
    files = page.download("#video-results a", tmp_path / "saved")
    analysis = nano.analyze(video)
    columns = analysis.columns
    rows = from_csv(files["table.csv"].decode(), columns)
    assert rows == from_json(json.loads(files["results.json"])["results"], columns)
    exact = ("frame", "face", "track_id", "emotion", "display_label")
    for row, expected in zip(rows, analysis.values(), strict=True):
        assert [row[key] for key in exact] == [expected[key] for key in exact]
        assert row["timestamp"] == pytest.approx(expected["timestamp"], abs=0.0005)  # milliseconds in the file
        for column in columns:
            if column.name in nano.labels or column.name.startswith(RAW):
                assert row[column.name] == pytest.approx(expected[column.name], abs=MAX_DIFFERENCE)
            if column.name in ("x1", "y1", "x2", "y2"):
                assert row[column.name] == pytest.approx(expected[column.name], abs=MAX_SHIFT)
            if column.name in CODES:
                assert row[column.name] == pytest.approx(expected[column.name], abs=MAX_UNIT)


def test_reading_a_video_can_be_stopped_and_keeps_what_was_read(page: Page, tmp_path: Path) -> None:
    video = make_video(tmp_path / "long.webm", [camera_picture()] * 60, fps=10, codec="libvpx-vp9")
    read_in_tab(page)
    page.drop(video, "video/webm")
    page.click("video-read")
    page.wait("/^[2-9] frames/.test(document.getElementById('video-words').innerText)")
    page.click("video-cancel")
    page.wait("document.getElementById('video-words').innerText.startsWith('Stopped after')")
    (tmp_path / "saved").mkdir()
    files = page.download("#video-results a", tmp_path / "saved")
    rows = list(csv.DictReader(io.StringIO(files["table.csv"].decode())))
    assert page.text("video-words").startswith(f"Stopped after {len(rows)} frames.")
    assert 2 <= len(rows) < 60
    assert page.run("document.getElementById('video-read').getBoundingClientRect().height > 0")


def test_a_damaged_video_is_named_in_plain_words(page: Page, tmp_path: Path) -> None:
    whole = make_video(tmp_path / "whole.webm", [camera_picture()] * 4, fps=10, codec="libvpx-vp9").read_bytes()
    (tmp_path / "damaged.webm").write_bytes(whole[:200])
    read_in_tab(page)
    page.drop(tmp_path / "damaged.webm", "video/webm")
    page.wait("document.getElementById('waiting').innerText.includes('cannot play the video')")
    page.click("video-read")
    page.wait("document.getElementById('video-words').innerText.includes('Convert it to MP4')")


def test_faces_are_hidden_in_the_image_snapshots_and_photos(
    page: Page, nano: EmotionRecognizer, tmp_path: Path
) -> None:
    """Where faces are hidden, the video itself is not shown, so that no image comes before its faces are known."""
    read_in_tab(page)
    page.click("choose-camera")
    page.wait(SHOWN)
    page.click("cover")
    assert page.run("getComputedStyle(document.getElementById('video')).visibility") == "hidden"
    page.wait(PAINTED)
    page.click("pause")
    (tmp_path / "saved").mkdir()
    page.run("document.getElementById('snapshot').classList.add('saving')")
    (snapshot,) = page.download(".saving", tmp_path / "saved").values()
    x1, y1, x2, y2 = (round(value) for value in (179 + 64, 63, 272 + 64, 175))
    camera = camera_picture()
    for image, shown in ((camera, decoded(snapshot)), (camera, decoded(base64.b64decode(page.run(PICTURE))))):
        inner = shown[y1 + 30 : y2 - 30, x1 + 20 : x2 - 20].astype(float)
        assert np.abs(cv2.Laplacian(inner, cv2.CV_64F)).mean() < SMOOTHNESS  # a few colours, and no eyes
        assert np.abs(shown[-60:].astype(float) - image[-60:]).mean() < 8  # the rest is as it was
    page.click("stop")
    page.choose("photo-file", PHOTOS / "astronaut.png")
    page.wait(SHOWN)
    photo = read_photo("astronaut.png")
    hidden = decoded(base64.b64decode(page.run(PICTURE)))
    faces = [dataclasses.replace(face, box=face.box.round(1)) for face in nano.analyze_image(photo)]
    np.testing.assert_array_equal(hidden, anonymize(photo, faces))
    page.run(f"window.hidden = {PICTURE}")
    page.click("cover")
    page.wait(f"{PICTURE} !== window.hidden")
    np.testing.assert_array_equal(decoded(base64.b64decode(page.run(PICTURE))), photo)
