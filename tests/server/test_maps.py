"""Where in a face the label was found, over HTTP and live, by a model that tells its feature map."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest

from facemood import EmotionRecognizer
from facemood.explain import add_maps
from facemood.models import find_model
from facemood.results import Result
from tests.conftest import PHOTOS
from tests.server.browser import open_browser
from tests.server.conftest import Running, running

ASTRONAUT = PHOTOS / "astronaut.png"


@pytest.fixture(scope="module")
def mapping() -> EmotionRecognizer:
    return EmotionRecognizer("nano")


@pytest.fixture(scope="module")
def mapping_server(mapping: EmotionRecognizer) -> Iterator[Running]:
    with running(mapping) as found:
        yield found


@pytest.fixture(scope="module")
def featureless(tmp_path_factory: pytest.TempPathFactory) -> EmotionRecognizer:
    """A model that was exported without its feature map."""
    whole = onnx.load(find_model("nano"))
    kept = [output for output in whole.graph.output if output.name in ("fer2013", "ferplus")]
    del whole.graph.output[:]
    whole.graph.output.extend(kept)
    path = tmp_path_factory.mktemp("models") / "featureless.onnx"
    onnx.save(whole, path)
    return EmotionRecognizer(path)


@pytest.fixture(scope="module")
def mapped(mapping: EmotionRecognizer) -> Result:
    return add_maps(mapping.pipeline, mapping.analyze_image(ASTRONAUT))


def test_pictures_have_maps_where_asked(mapping_server: Running, mapped: Result) -> None:
    with mapping_server.client() as client:
        assert client.get("/v1/settings").json()["maps"] is True
        answer = client.post("/v1/analyze?maps=1", files=[("image", ASTRONAUT.read_bytes())])
        drawn = client.post("/v1/analyze?maps=1&annotated=1", files=[("image", ASTRONAUT.read_bytes())])
    activation_map = mapped.faces[0].activation_map
    assert activation_map is not None
    (face,) = answer.json()["results"][0]["faces"]
    np.testing.assert_allclose(face["map"]["values"], activation_map.values, atol=0.006)
    np.testing.assert_allclose(face["map"]["box"], activation_map.box, atol=0.06)
    picture = cv2.imdecode(np.frombuffer(drawn.content, np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(picture, mapped.draw(layers=("map",)))


def test_live_faces_have_maps_until_they_are_not_wanted(mapping_server: Running) -> None:
    data = ASTRONAUT.read_bytes()
    with mapping_server.live() as socket:
        assert json.loads(socket.recv(timeout=60))["maps"] is True
        found = []
        for setting in (None, '{"map": true}', '{"map": false}'):
            if setting:
                socket.send(setting)
            socket.send(data)
            (face,) = json.loads(socket.recv(timeout=60))["faces"]
            found.append((face["track_id"], "map" in face))
    assert found == [(1, False), (1, True), (1, False)]  # the person keeps the number


@pytest.mark.parametrize("setting", ['{"map": 1}', '{"map": null}', '"map"'])
def test_what_is_no_choice_of_maps_is_a_problem(mapping_server: Running, setting: str) -> None:
    with mapping_server.live() as socket:
        socket.recv(timeout=60)
        socket.send(setting)
        assert json.loads(socket.recv(timeout=60))["problem"]["status"] == 400


def test_a_model_without_a_feature_map_says_so(featureless: EmotionRecognizer) -> None:
    with running(featureless) as server, server.client() as client, server.live() as socket:
        assert client.get("/v1/settings").json()["maps"] is json.loads(socket.recv(timeout=60))["maps"] is False
        refused = client.post("/v1/analyze?maps=1", files=[("image", ASTRONAUT.read_bytes())])
        socket.send('{"map": true}')
        problem = json.loads(socket.recv(timeout=60))["problem"]
    assert refused.status_code == problem["status"] == 422
    assert "feature map" in refused.json()["detail"]
    assert "feature map" in problem["detail"]


@pytest.mark.browser
def test_the_page_lays_maps_over_faces(mapping_server: Running, tmp_path: Path) -> None:
    colours = """(() => {
      const canvas = document.getElementById('overlay');
      const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
      let [green, red] = [0, 0];
      for (let at = 0; at < data.length; at += 4) if (data[at + 3] > 20) {
        if (data[at + 1] > data[at] + 60 && data[at] < 60) green += 1;
        if (data[at] > data[at + 1] + 60 && data[at + 2] < 60) red += 1;
      }
      return [green, red];
    })()"""
    with open_browser(tmp_path) as browser, browser.page() as page:
        page.resize(1280, 860)
        page.open(mapping_server.address)
        page.choose("photo-file", ASTRONAUT)
        page.wait("document.querySelector('.word')?.innerText")
        before = page.run(colours)
        page.click("why")
        after = page.run(colours)
        assert page.run("document.getElementById('why').getAttribute('aria-pressed')") == "true"
        assert not page.run("document.getElementById('why-words').hidden")
        page.click("why")
        assert page.run(colours) == before
        assert page.troubles() == []
    assert after[0] > before[0] + 500
