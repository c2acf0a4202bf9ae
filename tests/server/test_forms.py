"""Uploads as they come: forms, and pictures that are a body themselves."""

from __future__ import annotations

import httpx
import pytest

from tests.server.attacks import photo, png

KIND = {"Content-Type": "multipart/form-data; boundary=x"}


@pytest.mark.parametrize("kind", ["image/jpeg", "image/png", "IMAGE/JPEG; q=1"])
def test_a_picture_may_be_the_body_itself(client: httpx.Client, kind: str) -> None:
    """The format is found in the bytes, whatever the header says."""
    data = photo()
    raw = client.post("/v1/analyze", content=data, headers={"Content-Type": kind})
    form = client.post("/v1/analyze", files={"image": data})
    assert raw.status_code == 200
    assert raw.json()["results"][0]["faces"] == form.json()["results"][0]["faces"]
    assert raw.json()["results"][0]["source"] == "image 0"
    drawn = client.post("/v1/analyze?annotated=1", content=data, headers={"Content-Type": kind})
    assert drawn.headers["content-type"] == "image/png"


@pytest.mark.parametrize(
    ("headers", "body", "status", "words"),
    [
        ({}, b"", 422, "there is no body"),
        ({"Content-Type": "application/json"}, b"{}", 415, "'application/json'; expected multipart/form-data"),
        ({"Content-Type": "image/jpeg"}, b"", 422, "empty"),
        ({"Content-Type": "image/jpeg"}, b"no picture", 415, "no image"),
        (KIND, b"", 422, "image: there is no image"),
        (KIND, b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--", 400, "a part has no name"),
        (KIND, b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\na\r\n--x--', 422, "image: there is no image"),
        ({"Content-Type": "multipart/form-data"}, b"--x", 400, "the form is damaged"),
    ],
)
def test_what_is_no_upload_is_refused(
    client: httpx.Client, headers: dict[str, str], body: bytes, status: int, words: str
) -> None:
    answer = client.post("/v1/analyze", content=body, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert words in answer.json()["detail"]


def test_names_in_any_encoding_are_kept(client: httpx.Client) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="image"; filename="%b"\r\n\r\n' + png(4, 4) + b"\r\n"
    body = part.replace(b"%b", "grüße.png".encode()) + part.replace(b"%b", b"gr\xfc\xdfe.png") + b"--x--"
    results = client.post("/v1/analyze", content=body, headers=KIND).json()["results"]
    assert [result["source"] for result in results] == ["grüße.png"] * 2


def test_a_video_must_be_one(client: httpx.Client) -> None:
    twice = client.post("/v1/videos", files=[("video", b"a"), ("video", b"b")])
    assert (twice.status_code, twice.json()["detail"]) == (422, "video: there are several; expected one")
    none = client.post("/v1/videos", files={"image": b"a"})
    assert none.status_code == 422
    assert client.post("/v1/videos", content=b"a", headers={"Content-Type": "video/mp4"}).status_code == 415


def test_a_form_that_comes_in_single_bytes_is_read(client: httpx.Client) -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n' + png(8, 8) + b"\r\n--x--\r\n"
    )
    answer = client.post("/v1/analyze", content=(body[k : k + 1] for k in range(len(body))), headers=KIND)
    assert answer.json()["results"][0]["size"] == [8, 8]


def test_the_schema_declares_both_bodies(client: httpx.Client) -> None:
    schema = client.get("/openapi.json").json()
    content = schema["paths"]["/v1/analyze"]["post"]["requestBody"]["content"]
    assert content["image/jpeg"]["schema"] == {"type": "string", "format": "binary"}
    form = content["multipart/form-data"]["schema"]["$ref"].split("/")[-1]
    assert schema["components"]["schemas"][form]["required"] == ["image"]
