"""A server that derives measures: its answers, its tables and its page have them, and an ordinary server has none."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest

from facemood import EmotionRecognizer
from facemood.table import describe_measure
from tests.conftest import PHOTOS
from tests.moving_faces import read_photo
from tests.server.browser import Browser
from tests.server.conftest import Running, running
from tests.videos import make_video

OWN = {"beam": "min(AU06, AU12)"}


@pytest.fixture(scope="module")
def deriving() -> EmotionRecognizer:
    return EmotionRecognizer("nano", threads=1, valence=True, expressions=OWN)


@pytest.fixture(scope="module")
def derived(deriving: EmotionRecognizer) -> Iterator[Running]:
    with running(deriving) as found:
        yield found


def test_photos_have_the_measures_of_the_library(derived: Running, deriving: EmotionRecognizer) -> None:
    photo = PHOTOS / "astronaut.png"
    with derived.client() as client:
        (face,) = client.post("/v1/analyze", files={"image": photo.read_bytes()}).json()["results"][0]["faces"]
    (expected,) = deriving.analyze_image(photo)
    assert set(face["measures"]) == {"valence", "beam"}  # a photo has no past, and so no arousal
    assert face["measures"] == pytest.approx(dict(expected.measures), abs=1e-4)
    assert face["measures"]["valence"] > 0.5


def test_the_page_learns_what_the_measures_mean(derived: Running, client: httpx.Client) -> None:
    with derived.client() as asking:
        settings = asking.get("/v1/settings").json()
    assert settings["measures"] == {
        "valence": describe_measure("valence", ""),
        "arousal": describe_measure("arousal", ""),
        "beam": describe_measure("beam", OWN["beam"]),
    }
    columns = {one["name"]: one["path"] for one in settings["photo_columns"]}
    assert columns["beam"] == ["faces", "measures", "beam"]
    assert settings["tab"] is False  # the tab derives nothing
    ordinary = client.get("/v1/settings").json()
    assert ordinary["measures"] == {}
    assert "valence" not in {one["name"] for one in ordinary["photo_columns"]}


def test_live_results_have_arousal_too(derived: Running) -> None:
    with derived.live() as socket:
        hello = json.loads(socket.recv(timeout=30))
        assert [one["name"] for one in hello["columns"]][-3:] == ["valence", "arousal", "beam"]
        socket.send((PHOTOS / "astronaut.png").read_bytes())
        (face,) = json.loads(socket.recv(timeout=30))["faces"]
    assert set(face["measures"]) == {"valence", "arousal", "beam"}
    assert face["measures"]["arousal"] == 0  # the first frame of a person


def test_the_table_of_a_video_has_their_columns(derived: Running, tmp_path: Path) -> None:
    video = make_video(tmp_path / "a.mp4", [read_photo("astronaut.png")] * 3, fps=5)
    with derived.client() as client:
        job = client.post("/v1/videos", files={"video": video.read_bytes()}).json()
        ends = time.monotonic() + 60
        while job["state"] in ("waiting", "reading") and time.monotonic() < ends:
            time.sleep(0.1)
            job = client.get(f"/v1/videos/{job['id']}").json()
        assert job["state"] == "done", job
        head, first = client.get(job["results"]["table.csv"]).text.splitlines()[:2]
    row = dict(zip(head.split(","), first.split(","), strict=True))
    assert float(row["valence"]) > 0.5
    assert float(row["beam"]) == pytest.approx(np.clip(min(float(row["AU06"]), float(row["AU12"])), 0, 1), abs=2e-3)


@pytest.mark.browser
def test_a_card_shows_the_measures_in_the_pages_language(
    browser: Browser, derived: Running, deriving: EmotionRecognizer
) -> None:
    (expected,) = deriving.analyze_image(PHOTOS / "astronaut.png")
    with browser.page() as page:
        page.resize(375, 800)
        page.open(derived.address)
        page.send("DOM.enable")
        page.choose("photo-file", PHOTOS / "astronaut.png")
        shown = "[...document.querySelectorAll('.person .measures')].find((one) => !one.hidden)?.innerText"
        said = page.wait(shown)
        assert said == f"valence {expected.measures['valence']:.2f}, beam {expected.measures['beam']:.2f}"
        page.run("(() => { const menu = document.getElementById('language'); menu.value = 'de';"
                 " menu.dispatchEvent(new Event('change')); })()")  # fmt: skip
        page.wait(f"{shown}?.startsWith('Valenz ')")
        assert page.troubles() == []
        page.run("localStorage.clear()")
