"""The browser reads pictures as Python does: the same faces, labels, probabilities and landmarks."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from queue import Empty
from typing import Any

import cv2
import numpy as np
import pytest

from facemood import EmotionRecognizer, Result
from facemood.schema import Face, Frame, Image
from facemood.sources import load_image
from facemood.stages.action_units import predict_units
from facemood.tracking import VideoOptions
from facemood.web.static_site import write_site
from tests.conftest import PHOTOS
from tests.moving_faces import Person, away, make_video, walking
from tests.server.browser import open_browser
from tests.web.driven_page import running
from tests.web.plain_server import PlainServer, serve_folder
from tests.web.webkit import open_webkit

pytestmark = pytest.mark.browser

MAX_DIFFERENCE = 0.005
"""Largest difference of a probability."""

MAX_DISTANCE = 0.05
"""Largest distance of a landmark, in pixels."""

MAX_UNIT = 0.02
"""Largest difference of an action unit's intensity, 0..1."""

MAX_ANGLE = 0.2
"""Largest difference of an angle of the head pose, in degrees."""

PATIENCE = 300
"""Seconds for which the answers of a browser are waited for; a busy machine is slow."""

PAGE = """<!doctype html><meta charset="utf-8"><title>parity</title><script type="module" src="parity.js"></script>"""

SCRIPT = """
import { Reader } from "./app/web/page/reader.js";
const answers = { pictures: {}, frames: [], error: null };
const blobOf = async (path) => (await fetch(path)).blob();
try {
  const reader = await Reader.open();
  answers.info = reader.info;
  for (const name of await (await fetch("pictures.json")).json()) {
    answers.pictures[name] = await reader.read(await blobOf(`pictures/${name}`), { actionUnits: true });
  }
  const other = { head: "fer2013", prior: "balanced" };
  answers.balanced = await reader.read(await blobOf("pictures/astronaut.png"), other);
  const scene = await reader.scene({ actionUnits: true });
  for (const { name, time } of await (await fetch("frames.json")).json()) {
    answers.frames.push((await scene.read(await blobOf(`frames/${name}`), time)).faces);
  }
} catch (error) {
  answers.error = `${error.message} ${error.stack}`;
}
await fetch("answers", { method: "POST", body: JSON.stringify(answers) });
document.body.dataset.ready = "1";
"""
"""Reads all pictures and sends what was read back to the server."""


def turned(image: Image, degrees: float, scale: float = 1.0) -> Image:
    """Turn a picture about its centre, and make it larger or smaller; what lies outside is grey."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, scale)
    return np.asarray(cv2.warpAffine(image, matrix, (width, height), borderValue=(96, 96, 96)), np.uint8)


def shaded(image: Image, gain: float, offset: float = 0.0) -> Image:
    """Make a picture darker or brighter."""
    return np.asarray(np.clip(image * gain + offset, 0, 255), np.uint8)


def resized(image: Image, width: int) -> Image:
    """Make a picture so many pixels wide."""
    height = round(image.shape[0] * width / image.shape[1])
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def make_pictures() -> dict[str, Image]:
    """Return crops, turned, scaled, dimmed and joined versions of the photos, by name."""
    space, navy = (cv2.imread(str(PHOTOS / name)) for name in ("astronaut.png", "grace_hopper.jpg"))
    assert space is not None
    assert navy is not None
    faces = {"space": np.asarray(space[:300, 60:400], np.uint8), "navy": resized(np.asarray(navy, np.uint8), 300)}
    made: dict[str, Image] = {}
    for name, face in faces.items():
        made |= {f"{name}-{degrees}": turned(face, degrees, 0.9) for degrees in (-50, -25, -8, 12, 33)}
        made |= {f"{name}-upside-{code}": np.asarray(cv2.rotate(face, code), np.uint8) for code in (0, 1, 2)}
        made |= {f"{name}-wide-{width}": resized(face, width) for width in (64, 121, 222)}
        made |= {f"{name}-dim-{gain}": shaded(face, gain) for gain in (0.25, 0.6)}
        made[f"{name}-bright"] = shaded(face, 0.9, 60)
        made[f"{name}-mirror"] = np.asarray(face[:, ::-1], np.uint8)
        made[f"{name}-grey"] = np.repeat(cv2.cvtColor(face, cv2.COLOR_BGR2GRAY)[..., None], 3, axis=2).astype(np.uint8)
        made[f"{name}-blurred"] = np.asarray(cv2.GaussianBlur(face, (0, 0), 3), np.uint8)
        made[f"{name}-half"] = np.asarray(face[:, : face.shape[1] // 2], np.uint8)
    both = [resized(face, 240)[:200] for face in faces.values()]
    made["both"] = np.concatenate(both, axis=1)
    made["nobody"] = np.random.default_rng(0).integers(0, 256, (120, 160, 3), np.uint8)
    made["large"] = np.asarray(cv2.resize(faces["space"], (1100, 971), interpolation=cv2.INTER_LINEAR), np.uint8)
    return made


@pytest.fixture(scope="module")
def video() -> list[Frame]:
    """Two people pass each other, and one of them leaves."""
    people = [
        Person("astronaut", walking((60, 120, 62), (250, 120, 62), 2)),
        Person("hopper", away(walking((250, 110, 74), (70, 110, 74), 2), 1.6, 9), light=0.9),
    ]
    return make_video(people, 2, rate=10, size=(320, 240)).frames


@pytest.fixture(scope="module")
def site(video: list[Frame], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site with the pictures and frames, and a page that reads them."""
    folder = tmp_path_factory.mktemp("parity") / "site"
    write_site(folder)
    (folder / "pictures").mkdir()
    for name, image in make_pictures().items():
        cv2.imwrite(str(folder / "pictures" / f"{name}.png"), image)
    for photo in PHOTOS.iterdir():
        shutil.copy(photo, folder / "pictures")
    names = sorted(file.name for file in (folder / "pictures").iterdir())
    assert len(names) >= 30
    (folder / "pictures.json").write_text(json.dumps(names))
    (folder / "frames").mkdir()
    for frame in video:
        cv2.imwrite(str(folder / "frames" / f"{frame.index}.png"), frame.image)
    frames = [{"name": f"{frame.index}.png", "time": frame.timestamp} for frame in video]
    (folder / "frames.json").write_text(json.dumps(frames))
    (folder / "parity.html").write_text(PAGE)
    (folder / "parity.js").write_text(SCRIPT)
    return folder


@pytest.fixture(scope="module")
def expected(site: Path, recognizer: EmotionRecognizer) -> dict[str, Result]:
    """What Python reads."""
    return {file.name: recognizer.analyze_image(file) for file in (site / "pictures").iterdir()}


@contextlib.contextmanager
def opened_in_firefox(folder: Path, address: str) -> Iterator[None]:
    """Open an address in a headless Firefox, until the block ends; skip where there is none."""
    name = next(filter(None, map(shutil.which, ("firefox-esr", "firefox"))), None)
    if name is None:
        pytest.skip("needs Firefox, which is not installed")
    profile = folder / "firefox"
    profile.mkdir()
    command = [name, "--headless", "--no-remote", "--profile", str(profile), address]
    environment = {**os.environ, "HOME": str(folder)}
    with running(command, env=environment):
        yield


def answers_of(server: PlainServer) -> dict[str, Any]:
    """Wait for what the page sends."""
    try:
        answers: dict[str, Any] = json.loads(server.posted.get(timeout=PATIENCE))
    except Empty:
        raise AssertionError(f"no answer came; the page asked for {server.asked}") from None
    assert answers["error"] is None
    return answers


@pytest.fixture(scope="module", params=["chromium", "firefox", pytest.param("webkit", marks=pytest.mark.slow)])
def read(request: pytest.FixtureRequest, site: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a browser reads."""
    folder = tmp_path_factory.mktemp(request.param)
    with serve_folder(site) as server:
        address = f"{server.address}parity.html"
        if request.param == "firefox":
            with opened_in_firefox(folder, address):
                return answers_of(server)
        if request.param == "webkit":
            with open_webkit(folder) as page:
                page.go_to(address)
                return answers_of(server)
        with open_browser(folder) as browser, browser.page() as page:
            page.send("Page.navigate", url=address)
            return answers_of(server)


def test_the_same_faces_are_found_with_the_same_labels(read: dict[str, Any], expected: dict[str, Result]) -> None:
    found = {name: [face["emotion"] for face in faces] for name, faces in read["pictures"].items()}
    assert found == {name: [face.emotion for face in result] for name, result in expected.items()}
    assert sum(map(len, found.values())) >= 30
    assert found["nobody.png"] == []


def test_probabilities_and_landmarks_are_the_same(read: dict[str, Any], expected: dict[str, Result]) -> None:
    for name, result in expected.items():
        for face, seen in zip(result, read["pictures"][name], strict=True):
            assert face.landmarks is not None
            assert seen["certain"] == face.certain, name
            assert list(seen["emotions"]) == list(result.labels)
            np.testing.assert_allclose(
                list(seen["emotions"].values()), face.probabilities, rtol=0, atol=MAX_DIFFERENCE, err_msg=name
            )
            away = np.linalg.norm(np.array(seen["landmarks"]) - face.landmarks, axis=1)
            assert away.max() <= MAX_DISTANCE, name
            np.testing.assert_allclose(seen["box"], face.box, rtol=0, atol=2 * MAX_DISTANCE, err_msg=name)
            assert seen["score"] == pytest.approx(face.score, abs=MAX_DIFFERENCE)


def check_units(seen: dict[str, Any], face: Face, where: str) -> None:
    """Compare head pose and action units."""
    assert face.pose is not None
    np.testing.assert_allclose(list(seen["pose"].values()), face.pose, rtol=0, atol=MAX_ANGLE, err_msg=where)
    units = seen.get("action_units", {})
    assert list(units) == list(face.action_units), where
    np.testing.assert_allclose(list(units.values()), list(face.action_units.values()), atol=MAX_UNIT, err_msg=where)


def test_poses_and_action_units_are_the_same(read: dict[str, Any], expected: dict[str, Result], site: Path) -> None:
    measured = []
    for name, result in expected.items():
        image = load_image(site / "pictures" / name)
        for face, seen in zip(result, read["pictures"][name], strict=True):
            turned = result.orientation != 0  # such a picture is measured after it was turned
            check_units(seen, face if turned else at_the_landmarks_of(seen, face, image), name)
            measured.append(len(face.action_units))
    assert min(measured) == 0 < max(measured)


def at_the_landmarks_of(seen: dict[str, Any], face: Face, image: Image) -> Face:
    """Return the face with the action units that Python measures at the browser's landmarks.

    Those differ by thousandths of a pixel. Where a patch's border lies that near to a whole pixel, the patch of a large
    face is averaged over other pixels, which changes a unit as much as a grey level of noise does: by up to 0.05.
    """
    landmarks = np.array(seen["landmarks"], np.float32)
    return replace(face, action_units=predict_units(image, replace(face, landmarks=landmarks)).units)


def test_head_and_prior_can_be_chosen(read: dict[str, Any]) -> None:
    other = EmotionRecognizer(head="fer2013", prior="balanced", threads=1)
    for face, seen in zip(other.analyze_image(PHOTOS / "astronaut.png"), read["balanced"], strict=True):
        assert list(seen["emotions"]) == list(face.labels)
        np.testing.assert_allclose(list(seen["emotions"].values()), face.probabilities, rtol=0, atol=MAX_DIFFERENCE)


def test_the_model_says_what_it_is(read: dict[str, Any], recognizer: EmotionRecognizer) -> None:
    told = recognizer.info()
    info = read["info"]
    shared = ("model", "model_version", "head", "labels", "prior", "detector", "min_face")
    assert {key: info[key] for key in shared} == {key: told[key] for key in shared}


def test_people_are_followed_and_smoothed_as_in_python(
    read: dict[str, Any], video: list[Frame], recognizer: EmotionRecognizer
) -> None:
    scene = recognizer.pipeline.track(VideoOptions(patience=8))
    for frame, faces in zip(video, read["frames"], strict=True):
        (result,) = recognizer.pipeline.read([(frame, scene)])
        for face, seen in zip(result, faces, strict=True):
            assert (seen["track_id"], seen["display_label"]) == (face.track_id, face.display_label), frame.index
            assert face.raw_probabilities is not None
            for key, values in (("emotions", face.probabilities), ("raw_emotions", face.raw_probabilities)):
                np.testing.assert_allclose(list(seen[key].values()), values, rtol=0, atol=MAX_DIFFERENCE)
            check_units(seen, face, str(frame.index))
            assert face.landmarks is not None
            assert np.abs(np.array(seen["landmarks"]) - face.landmarks).max() <= MAX_DISTANCE
    assert {face["track_id"] for faces in read["frames"] for face in faces} == {1, 2}
