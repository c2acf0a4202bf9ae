"""The server reads with FERC as with any model, and a face that is not read has no expression."""

from pathlib import Path

import cv2
import numpy as np

from facemood.ferc import FERC
from facemood.sources import load_image
from tests.server.conftest import running


def test_pictures_are_read_with_ferc(astronaut: Path) -> None:
    image = load_image(astronaut)
    half = cv2.imencode(".png", np.ascontiguousarray(image[:, 222:]))[1].tobytes()
    files = [("image", ("whole.png", astronaut.read_bytes())), ("image", ("half.png", half))]
    with running(FERC(threads=1)) as server, server.client() as client:
        whole, cut = client.post("/v1/analyze", files=files).json()["results"]
        models = client.get("/v1/models").json()["models"]
    assert whole["faces"][0]["emotion"] == "happy"
    assert len(whole["faces"][0]["vector"]) == 24
    assert [face.keys() & {"emotion", "emotions", "vector"} for face in cut["faces"]] == [set()]
    assert [model["name"] for model in models if model["used"]] == ["ferc"]
