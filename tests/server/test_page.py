"""The page in a real browser, with a made video as its camera: what people see is what the library reads."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from facemood import EmotionRecognizer
from facemood.labels import EXPRESSIONS
from facemood.table import RAW, columns_for
from tests.conftest import PHOTOS
from tests.moving_faces import FACES, camera_picture, read_photo
from tests.server.browser import Browser, Page, open_browser, write_y4m
from tests.server.conftest import Running
from tests.tables import NASTY, from_csv, from_json, made_analysis
from tests.videos import make_video

pytestmark = pytest.mark.browser

READ = "!!document.getElementById('pace').innerText"


@pytest.fixture
def page(browser: Browser, server: Running) -> Iterator[Page]:
    """The page as it is opened for the first time; afterwards nothing went wrong, and nobody else was asked."""
    with browser.page() as page:
        page.resize(1280, 860)
        page.open(server.address)
        yield page
        assert page.troubles() == []
        assert page.addresses() == {f"127.0.0.1:{server.port}"}
        page.run("localStorage.clear()")


def results(page: Page) -> list[dict[str, Any]]:
    messages = map(json.loads, page.messages("Received"))
    return [message for message in messages if message["type"] == "result"]


def test_the_start_page_says_what_it_does_and_cannot_know(page: Page) -> None:
    text = page.run("document.body.innerText")
    assert "What does this face show?" in text
    assert "What the person feels or thinks" in text
    assert "this machine" in text
    assert page.run("document.querySelectorAll('.choice').length") == 4
    assert page.run("document.querySelectorAll('#meanings dt').length") == 8


def test_the_camera_gives_the_librarys_prediction(page: Page, recognizer: EmotionRecognizer) -> None:
    page.click("choose-camera")
    page.wait(READ)
    page.wait("document.querySelector('.word')?.innerText")
    sent, read = page.messages("Sent"), results(page)
    pictures = [message for message in sent if isinstance(message, bytes)]
    answer = read[0]
    expected = recognizer.analyze_image(pictures[answer["frame"]]).faces[0]  # the very bytes that the page sent
    assert answer["faces"][0]["emotion"] == expected.emotion == "happy"
    np.testing.assert_allclose(answer["faces"][0]["raw_emotions"]["happy"], expected.confidence, atol=1e-3)
    assert page.run("document.querySelector('.word').innerText").lower() == expected.emotion
    assert "clearly" in page.run("document.querySelector('.how').innerText")
    assert page.run("document.querySelectorAll('.bars dt').length") == 3
    page.wait("document.getElementById('spoken').innerText.includes('happy')")


def test_the_overlay_is_on_the_face(page: Page) -> None:
    page.click("choose-camera")
    page.wait("document.querySelector('.word')?.innerText")
    data = page.run("document.getElementById('overlay').toDataURL().split(',')[1]")
    drawn = cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_UNCHANGED)
    assert drawn is not None
    scale = drawn.shape[1] / 640
    x1, y1, x2, y2 = FACES["astronaut"][1]
    left, right = 640 - (x2 + 64), 640 - (x1 + 64)  # the page shows its own camera as a mirror does
    columns = np.flatnonzero(drawn[round((y1 + y2) / 2 * scale), :, 3]) / scale
    assert abs(columns.min() - left) < 12
    assert abs(columns.max() - right) < 12
    rows = np.flatnonzero(drawn[:, round((left + right) / 2 * scale), 3]) / scale
    assert abs(rows.max() - y2) < 12


def test_the_timeline_moves_and_raw_predictions_can_be_shown(page: Page) -> None:
    page.click("choose-camera")
    painted = """(() => {
      const canvas = document.querySelector('.time');
      const data = canvas?.width ? canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data : [];
      return data.filter((value, place) => place % 4 === 3 && value > 0).length;
    })()"""
    first = page.wait(painted)
    page.wait(f"{painted} > {first} * 1.5")
    page.click("smooth")
    assert page.text("smooth") == "Raw"
    assert page.run("document.getElementById('smooth').getAttribute('aria-pressed')") == "false"
    page.wait("document.querySelector('.time').getAttribute('aria-label')?.includes('happy')")


def test_a_recording_gives_a_table_json_and_a_video(page: Page, recognizer: EmotionRecognizer, tmp_path: Path) -> None:
    page.click("choose-camera")
    page.wait(READ)
    page.click("record")
    page.wait("parseInt(document.getElementById('recorded').innerText) >= 5")
    page.click("record")
    page.wait("document.querySelectorAll('#downloads a').length === 3")
    files = page.download("#downloads a", tmp_path)
    whole = json.loads(files["results.json"])
    rows = list(csv.DictReader(io.StringIO(files["table.csv"].decode())))
    columns = json.loads(page.messages("Received")[0])["columns"]
    recorded = columns_for(recognizer.labels, (RAW,))
    assert list(rows[0]) == [column["name"] for column in columns] == [column.name for column in recorded]
    assert len(rows) == len(whole["results"]) >= 5
    assert {(row["source"], row["emotion"], row["display_label"], row["track_id"]) for row in rows} == {
        ("camera", "happy", "happy", "1")
    }
    seconds = [float(row["timestamp"]) for row in rows]
    assert seconds[0] == 0
    assert seconds == sorted(seconds)
    assert {row["AU12"] for row in rows} != {""}
    assert from_csv(files["table.csv"].decode(), recorded) == from_json(whole["results"], recorded)
    face = whole["results"][0]["faces"][0]
    assert [float(rows[0][name]) for name in ("x1", "y1", "x2", "y2", "happy", "raw_happy", "yaw")] == [
        *face["box"], face["emotions"]["happy"], face["raw_emotions"]["happy"], face["pose"]["yaw"]
    ]  # fmt: skip
    video = next(data for name, data in files.items() if name.startswith("annotated"))
    assert len(video) > 1000


def test_a_shared_tab_is_analyzed(server: Running, tmp_path: Path) -> None:
    """The call is a page of its own, which the browser shares as people share it; as in calls, something moves.

    A busy browser may send no image of a tab at all. Then it is shared again, as the page advises.
    """
    tick = "<p id=clock>0</p><script>setInterval(() => clock.textContent++, 100)</script>"
    call = f'<title>call</title><body data-ready=1><img src="{(PHOTOS / "astronaut.png").as_uri()}">{tick}'
    (tmp_path / "call.html").write_text(f"<!doctype html>{call}")
    options = ("--auto-select-tab-capture-source-by-title=call",)
    with open_browser(tmp_path, options=options) as browser, browser.page() as other, browser.page() as page:
        other.open((tmp_path / "call.html").as_uri())
        page.open(server.address)
        page.click("choose-screen")
        seen = "document.querySelector('.word') !== null"
        page.wait(f"{seen} || document.getElementById('waiting').innerText.startsWith('No image')")
        if not page.run(seen):
            page.click("stop")
            page.click("choose-screen")
        page.wait("document.querySelector('.word')?.innerText.toLowerCase() === 'happy'")
        assert page.run("document.getElementById('stage').classList.contains('mirrored')") is False
        page.click("stop")
        assert page.run("document.activeElement.id") == "choose-screen"
        assert page.troubles() == []


def test_a_still_shared_page_gets_a_hint(page: Page) -> None:
    """Browsers may send nothing of it: here a stream of which no picture comes."""
    page.run("navigator.mediaDevices.getDisplayMedia = async () => document.createElement('canvas').captureStream(0)")
    page.click("choose-screen")
    page.wait("document.getElementById('waiting').innerText.startsWith('No image has arrived yet.')")
    page.click("stop")
    page.wait("document.activeElement.id === 'choose-screen'")
    assert page.text("notice") == ""


def test_a_dropped_photo_is_analyzed(page: Page, recognizer: EmotionRecognizer) -> None:
    page.drop(PHOTOS / "grace_hopper.jpg", "image/jpeg")
    page.wait("document.querySelector('.word')?.innerText")
    expected = recognizer.analyze_image(PHOTOS / "grace_hopper.jpg").faces[0]
    assert page.run("document.querySelector('.word').innerText").lower() == expected.emotion
    assert f"{expected.confidence:.0%}" in page.run("document.querySelector('.how').innerText")
    page.drop(Path(__file__), "text/x-python")
    assert "neither a photo nor a video" in page.text("notice")


def test_several_photos_have_next_and_previous(page: Page) -> None:
    page.send("DOM.enable")
    page.choose("photo-file", PHOTOS / "astronaut.png", PHOTOS / "grace_hopper.jpg")
    page.wait("document.querySelector('.word')?.innerText.toLowerCase() === 'happy'")
    page.click("next")
    page.wait("document.querySelector('.word')?.innerText.toLowerCase() === 'neutral'")
    assert page.run("document.getElementById('next').disabled")


def test_faces_of_a_photo_have_the_numbers_of_the_table(page: Page, tmp_path: Path) -> None:
    one = read_photo("astronaut.png")
    cv2.imwrite(str(tmp_path / "two.png"), np.hstack([one, one]))
    page.run("""(() => {
      const pen = CanvasRenderingContext2D.prototype;
      const write = pen.fillText;
      window.written = new Set();
      pen.fillText = function (text, ...place) { window.written.add(text[0]); write.call(this, text, ...place); };
    })()""")
    page.drop(tmp_path / "two.png", "image/png")
    page.wait("document.querySelectorAll('.person').length === 2")
    assert page.run("[...document.querySelectorAll('.person h3')].map((one) => one.innerText.trim())") == [
        "Face 0", "Face 1"
    ]  # fmt: skip
    assert page.run("[...window.written].sort()") == ["0", "1"]
    assert page.text("spoken") == "Face 0 happy, Face 1 happy"


@pytest.mark.parametrize("labels", [EXPRESSIONS, NASTY], ids=["shipped", "nasty"])
def test_a_recording_has_the_cells_of_the_librarys_table(page: Page, labels: tuple[str, ...]) -> None:
    analysis = made_analysis(labels)
    told = [[{"name": one.name, "path": one.path} for one in analysis.columns], analysis.to_dict()["results"]]
    text = page.run(
        f"""import("/app/server/static/record.js").then((record) => {{
          const [columns, results] = JSON.parse({json.dumps(json.dumps(told))});
          const rows = results.flatMap((result) => record.rowsOf(result, columns));
          return [columns.map(({{ name }}) => name), ...rows].map(record.csvLine).join("");
        }})"""
    )
    assert from_csv(text, analysis.columns) == list(analysis.values())


def test_all_frames_of_a_dropped_video_are_analyzed(page: Page, client: httpx.Client, tmp_path: Path) -> None:
    video = make_video(tmp_path / "talk.webm", [camera_picture()] * 8, fps=8, codec="libvpx-vp9")
    (tmp_path / "saved").mkdir()
    page.drop(video, "video/webm")
    page.wait("document.querySelector('.word')?.innerText.toLowerCase() === 'happy'")  # while it plays
    assert page.run("document.getElementById('whole-video').getBoundingClientRect().height > 0")
    page.click("video-read")
    page.wait("document.querySelectorAll('#video-results a').length >= 4")
    table = page.run(
        "fetch(document.querySelector('#video-results a[href$=\"table.csv\"]').href).then((one) => one.text())"
    )
    assert [row["emotion"] for row in csv.DictReader(io.StringIO(table))] == ["happy"] * 8
    first = str(page.run("document.querySelector('#video-results a').pathname"))
    assert client.delete(first.rpartition("/")[0]).status_code == 204  # the server is shared with other tests


def test_a_missing_face_is_shown_and_announced(server: Running, tmp_path: Path) -> None:
    camera = write_y4m(tmp_path / "grey.y4m", [np.full((240, 320, 3), 128, np.uint8)] * 3)
    with open_browser(tmp_path, camera) as browser, browser.page() as page:
        page.open(server.address)
        page.click("choose-camera")
        page.wait("!document.getElementById('nobody').hidden")
        assert "No face in the image" in page.text("nobody")
        page.wait("document.getElementById('spoken').innerText.includes('No face')")


def test_without_a_camera_it_says_what_to_do(server: Running, tmp_path: Path) -> None:
    with open_browser(tmp_path) as browser, browser.page() as page:
        page.open(server.address)
        page.click("choose-camera")
        page.wait("!document.getElementById('notice').hidden")
        assert "There is no camera. Plug one in" in page.text("notice")


@pytest.mark.parametrize(("width", "dark"), [(400, False), (400, True), (1280, True)])
def test_nothing_is_cut_off_and_text_can_be_read(page: Page, width: int, dark: bool) -> None:
    page.resize(width, 800, dark=dark)
    page.drop(PHOTOS / "grace_hopper.jpg", "image/jpeg")
    page.wait("document.querySelector('.word')?.innerText")
    page.click("larger")
    page.click("larger")
    assert page.run("document.documentElement.scrollWidth <= innerWidth")
    contrast = page.run("""(() => {
      const light = (colour) => {
        const parts = colour.match(/[0-9.]+/g).slice(0, 3).map((value) => value / 255);
        const linear = parts.map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
      };
      const card = light(getComputedStyle(document.querySelector('.person')).backgroundColor);
      return [...document.querySelectorAll('.word, .how, .bars dt, .bars .share')].map((element) => {
        const ink = light(getComputedStyle(element).color);
        return (Math.max(ink, card) + 0.05) / (Math.min(ink, card) + 0.05);
      });
    })()""")
    assert min(contrast) >= 4.5


def test_everything_is_reached_by_the_keyboard_and_has_a_name(page: Page) -> None:
    page.click("choose-camera")
    page.wait("document.querySelector('.word')?.innerText")
    page.click("compact")
    page.click("compact")
    page.run("document.activeElement.blur()")
    reached = []
    for _ in range(30):  # once around
        page.send("Input.dispatchKeyEvent", type="keyDown", key="Tab", windowsVirtualKeyCode=9)
        page.send("Input.dispatchKeyEvent", type="keyUp", key="Tab", windowsVirtualKeyCode=9)
        reached.append(page.run("document.activeElement.innerText || document.activeElement.ariaLabel || ''"))
    for name in ("Close", "Pause", "Snapshot", "Record", "Smoothed", "Words only", "A+", "What do the words mean?"):
        assert name in reached
    nameless = page.run(
        "[...document.querySelectorAll('button')].filter((one) => !(one.textContent.trim() || one.ariaLabel)).length"
    )
    assert nameless == 0


def test_words_only_continues_without_the_image(page: Page) -> None:
    page.click("choose-camera")
    page.wait("document.querySelector('.word')?.innerText")
    page.click("compact")
    assert page.run("document.getElementById('stage').getBoundingClientRect().right <= 0")
    before = len(results(page))
    page.wait(READ)
    page.wait("new Promise((done) => setTimeout(() => done(true), 1000))")
    assert len(results(page)) > before


def test_the_results_continue_in_a_window_above_all_others(page: Page) -> None:
    page.click("choose-camera")
    page.wait("document.querySelector('.word')?.innerText")
    page.click("float")
    small = "documentPictureInPicture.window"
    page.wait(f"{small}?.document.querySelector('.word')?.innerText.toLowerCase() === 'happy'")
    page.wait(f"{small}.getComputedStyle({small}.document.querySelector('.word')).fontWeight === '700'")
    before = len(results(page))
    page.wait("new Promise((done) => setTimeout(() => done(true), 1000))")
    assert len(results(page)) > before
    page.run(f"{small}.close()")
    page.wait("!!document.getElementById('panel')")


def test_motion_is_left_out_where_people_want_none(page: Page) -> None:
    page.resize(1280, 860, still=True)
    assert page.run("getComputedStyle(document.querySelector('.choice')).transitionDuration") == "0s"


def test_the_api_page_lists_every_route(page: Page, server: Running) -> None:
    page.send("Page.navigate", url=f"{server.address}/docs")
    page.wait("document.querySelectorAll('article').length >= 9")
    assert "/v1/analyze" in page.run("document.body.innerText")
