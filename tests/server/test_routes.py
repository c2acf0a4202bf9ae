"""The API as programs use it."""

from __future__ import annotations

import io
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image as Pillow

from facemood import EmotionRecognizer, __version__, list_models
from facemood.labels import EXPRESSIONS
from facemood.models import DEFAULT_MODEL
from facemood.server import routes
from facemood.server.routes import _name_of
from tests.conftest import PHOTOS
from tests.server.conftest import Running, Upload

HOPPER = PHOTOS / "grace_hopper.jpg"


def test_a_picture_is_read_as_the_library_reads_it(
    analyze: Upload, astronaut: Path, recognizer: EmotionRecognizer
) -> None:
    answer = analyze(astronaut)
    assert answer.status_code == 200
    told = answer.json()
    expected = recognizer.analyze_image(astronaut).to_dict()
    assert told["info"] == recognizer.info()
    (result,) = told["results"]
    assert result["faces"] == expected["faces"]
    assert (result["source"], result["size"], result["timestamp"]) == ("astronaut.png", [512, 512], None)


def test_several_pictures_come_back_in_order_and_bad_ones_are_listed(analyze: Upload, astronaut: Path) -> None:
    answer = analyze(HOPPER, ("letter.txt", b"dear sir"), astronaut, ("cut.png", astronaut.read_bytes()[:2000]))
    told = answer.json()
    assert answer.status_code == 200
    assert [result["source"] for result in told["results"]] == ["grace_hopper.jpg", "astronaut.png"]
    assert [result["faces"][0]["emotion"] for result in told["results"]] == ["neutral", "happy"]
    assert [failure["source"] for failure in told["failures"]] == ["letter.txt", "cut.png"]
    assert all(failure["message"] for failure in told["failures"])


def test_a_picture_without_a_face_is_no_error(analyze: Upload) -> None:
    file = io.BytesIO()
    Pillow.new("L", (64, 48), 128).save(file, "PNG")
    answer = analyze(("grey.png", file.getvalue()))
    assert (answer.status_code, answer.json()["results"][0]["faces"]) == (200, [])


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (2, 2)])
def test_strange_shapes_are_read(analyze: Upload, size: tuple[int, int]) -> None:
    file = io.BytesIO()
    Pillow.new("RGB", size).save(file, "PNG")
    assert analyze(("a.png", file.getvalue())).json()["results"][0]["size"] == list(size)


def test_the_picture_comes_back_with_its_faces_drawn(
    analyze: Upload, astronaut: Path, recognizer: EmotionRecognizer
) -> None:
    answer = analyze(astronaut, query="?annotated=1")
    assert answer.headers["content-type"] == "image/png"
    drawn = np.asarray(Pillow.open(io.BytesIO(answer.content)).convert("RGB"))[:, :, ::-1]
    np.testing.assert_array_equal(drawn, recognizer.analyze_image(astronaut).draw())


@pytest.mark.parametrize(
    ("pictures", "query", "status", "word"),
    [
        ((("a.txt", b"no picture"),), "", 415, "no image"),
        ((("a.png", b""),), "", 422, "empty"),
        ((("a.png", b"\x89PNG\r\n\x1a\n"),), "", 415, "no image"),
        ((HOPPER, HOPPER), "?annotated=true", 422, "2 images"),
        ((HOPPER,), "?annotated=perhaps", 422, "annotated"),
        ((), "", 422, "image"),
    ],
)
def test_what_cannot_be_read_is_a_problem(
    analyze: Upload, pictures: tuple[Path | tuple[str, bytes], ...], query: str, status: int, word: str
) -> None:
    answer = analyze(*pictures, query=query)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert word in answer.json()["detail"]


def test_models_are_opened_once_and_not_with_each_request(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = client.get("/v1/models").json()

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a model was opened again")

    monkeypatch.setattr(routes, "ModelSession", refuse)
    assert client.get("/v1/models").json() == known


def test_models_are_told_with_their_limits(client: httpx.Client) -> None:
    models = {model["name"]: model for model in client.get("/v1/models").json()["models"]}
    assert sorted(models) == list_models()
    assert models[DEFAULT_MODEL]["used"]
    assert models[DEFAULT_MODEL]["limits"]
    assert not models["nano"]["used"]


def test_the_page_learns_words_colours_and_bounds(client: httpx.Client, server: Running) -> None:
    settings = client.get("/v1/settings").json()
    assert tuple(settings["labels"]) == tuple(settings["colours"]) == EXPRESSIONS
    assert settings["colours"]["happy"] == "#f4c339"
    assert settings["max_upload"] == server.service.options.max_upload


def test_the_server_says_that_it_lives_and_counts(client: httpx.Client, analyze: Upload, astronaut: Path) -> None:
    assert client.get("/healthz").json() == {"status": "ok", "version": __version__}
    line = 'facemood_requests_total{route="/v1/analyze",status="200"} '
    analyze(astronaut)
    before = client.get("/metrics").text
    analyze(astronaut)
    after = client.get("/metrics").text
    counts = [int(text.split(line)[1].split("\n")[0]) for text in (before, after)]
    assert counts[1] == counts[0] + 1


def test_unknown_addresses_are_problems(client: httpx.Client) -> None:
    assert client.get("/v1/nothing").json()["title"] == "Not Found"
    assert client.get("/v1/analyze").json()["status"] == 405


def test_the_schema_names_every_refusal_as_a_problem(client: httpx.Client) -> None:
    schema = client.get("/openapi.json").json()
    for operations in schema["paths"].values():
        for operation in operations.values():
            refusals = [answer for status, answer in operation["responses"].items() if status >= "400"]
            assert refusals
            assert all("application/problem+json" in answer["content"] for answer in refusals)
    assert "binary" in str(schema["components"]["schemas"]) or "octet-stream" in str(schema["components"]["schemas"])


def test_long_names_are_cut() -> None:
    assert len(_name_of("a" * 500, 0)) == 120
    assert _name_of("\x00\x01", 3) == "image 3"
