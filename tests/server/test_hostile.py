"""Requests that nobody means well: whatever comes, the answer is no failure of the server, and it lives on."""

from __future__ import annotations

import socket
import string

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.moving_faces import PHOTOS
from tests.server.conftest import Running

CALM = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

NAMES = st.text(min_size=1, max_size=30).filter(lambda name: name.isprintable() and '"' not in name)
KINDS = st.sampled_from(["image/png", "video/mp4", "text/html", "application/json", "x", "multipart/form-data"])
FIELDS = st.sampled_from(["image", "video", "annotated", "every", "other"])


def check(answer: httpx.Response) -> None:
    """An answer is a success or a problem, and no failure of the server's."""
    assert answer.status_code < 500 or answer.status_code == 503
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["detail"]


@CALM
@given(FIELDS, NAMES, st.binary(max_size=300), KINDS, st.sampled_from(["/v1/analyze", "/v1/videos"]))
def test_uploads_of_anything(client: httpx.Client, field: str, name: str, data: bytes, kind: str, address: str) -> None:
    check(client.post(address, files={field: (name, data, kind)}))


@CALM
@given(st.binary(max_size=300), KINDS, st.sampled_from(["/v1/analyze", "/v1/videos"]))
def test_bodies_of_anything(client: httpx.Client, data: bytes, kind: str, address: str) -> None:
    check(client.post(address, content=data, headers={"Content-Type": f"{kind}; boundary=x"}))
    check(client.post(address, content=b"--x\r\n" + data, headers={"Content-Type": "multipart/form-data; boundary=x"}))


@CALM
@given(
    st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]),
    st.text(string.ascii_letters + string.digits + "/._-%?&=[]{}~", max_size=40),
)
def test_addresses_of_anything(client: httpx.Client, method: str, path: str) -> None:
    answer = client.request(method, httpx.URL(str(client.base_url)).copy_with(raw_path=f"/{path}".encode()))
    assert answer.status_code < 500


@CALM
@given(st.integers(0, 5000), st.integers(0, 255))
def test_photos_that_are_cut_short_or_changed(client: httpx.Client, place: int, value: int) -> None:
    whole = (PHOTOS / "grace_hopper.jpg").read_bytes()
    changed = whole[:place] + bytes([value]) + whole[place + 1 : place + 3000]
    check(client.post("/v1/analyze", files={"image": ("a.jpg", changed)}))


@pytest.mark.parametrize(
    "headers",
    [
        {"Cookie": "facemood-token=; ;;=\x01"},
        {"Authorization": "Bearer " + "x" * 5000},
        {"Content-Type": "multipart/form-data"},
        {"Content-Type": "multipart/form-data; boundary=" + "b" * 300},
        {"Origin": "http://["},
        {"Host": "[::1"},
    ],
    ids=lambda headers: next(iter(headers)),
)
def test_strange_headers(server: Running, headers: dict[str, str]) -> None:
    with server.client() as client:
        request = client.build_request("POST", "/v1/analyze", headers=headers)
        try:
            answer = client.send(request)
        except httpx.HTTPError:  # the connection was ended, which is an answer too
            return
        assert answer.status_code < 500
    with server.client() as client:
        assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("length", "statuses"), [("-5", {400}), ("99999999999999999999", {413}), ("9" * 30, {400, 413}), ("5, 6", {400})]
)
def test_strange_lengths(server: Running, length: str, statuses: set[int]) -> None:
    head = "POST /v1/analyze HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as raw:
        raw.sendall(f"{head}Content-Length: {length}\r\n\r\n--x".encode())
        assert int(raw.recv(4096).split()[1]) in statuses


def test_a_form_of_very_many_parts(client: httpx.Client) -> None:
    check(client.post("/v1/analyze", files=[("image", ("a", b"x"))] * 1500))
    check(client.post("/v1/analyze", data={f"field{number}": "x" for number in range(1500)}, files={"image": b"x"}))
