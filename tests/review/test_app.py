"""The page's server: for whoever has the token on this machine, blind until a label is given, and nothing is lost."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import cv2
import httpx
import numpy as np
import pytest
import uvicorn

from facemood.cli.serve_command import listen, server_settings
from facemood.review import HARD_TO_TELL, LabelStore, open_review
from facemood.review.app import create_review_app
from facemood.review.moments import Origin
from facemood.server.limits import LOOPBACK_NAMES, ServerOptions

TOKEN = "a token for the tests of the review"


class RunningReview(NamedTuple):
    """A server of a review."""

    port: int
    store: LabelStore

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, token: str = TOKEN) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.address, headers=headers, timeout=60)


@contextlib.contextmanager
def running_review(store: LabelStore, *, answers_last: bool = False) -> Iterator[RunningReview]:
    """Serve a review in a thread, as the command does."""
    app = create_review_app(store, name="out", token=TOKEN, hosts=LOOPBACK_NAMES, answers_last=answers_last)
    bound = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, **server_settings(ServerOptions(token=TOKEN), None, None)))
    thread = threading.Thread(target=server.run, args=([bound],))
    thread.start()
    try:
        found = RunningReview(bound.getsockname()[1], store)
        with found.client() as client:
            assert client.get("/raters").status_code == 200
        yield found
    finally:
        server.should_exit = True
        thread.join()
        bound.close()


@pytest.fixture
def server(store: LabelStore) -> Iterator[RunningReview]:
    with running_review(store) as found:
        yield found


def test_only_who_has_the_token_may_ask(server: RunningReview) -> None:
    moment = next(iter(server.store.sample.moments))
    with server.client(token="") as client:
        for path in ("/", "/raters", "/session?rater=Anna", f"/moments/{moment}", "/report", "/icon.svg"):
            assert client.get(path).status_code == 401, path
        assert client.get("/app/review/static/review.js").status_code == 401
        assert client.post("/labels", json={"rater": "A", "moment": moment, "label": "happy"}).status_code == 401
        welcomed = client.get(f"/?token={TOKEN}")
        assert (welcomed.status_code, welcomed.headers["location"]) == (303, "/")
        assert client.get("/").status_code == 200  # by the cookie
    with server.client(token="a wrong token") as client:
        assert client.get("/").status_code == 401
    assert server.store.given == {}


def test_pages_of_other_sites_may_not_ask(server: RunningReview) -> None:
    moment = next(iter(server.store.sample.moments))
    body = {"rater": "Anna", "moment": moment, "label": "happy"}
    with server.client() as client:
        assert client.get("/raters", headers={"Host": "evil.example"}).status_code == 421
        assert client.post("/labels", json=body, headers={"Origin": "http://evil.example"}).status_code == 403
        headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
        assert client.get(f"/moments/{moment}", headers=headers).status_code == 403
    assert server.store.given == {}


def test_every_answer_forbids_what_comes_from_elsewhere(server: RunningReview) -> None:
    with server.client() as client:
        page, report = client.get("/"), client.get("/report")
    assert page.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
    assert "script-src" not in report.headers["content-security-policy"]
    assert report.headers["content-security-policy"].startswith("default-src 'none'")
    for answer in (page, report):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"


def test_no_answer_tells_what_facemood_said_before_a_label_is_given(server: RunningReview) -> None:
    first, second, *_ = server.store.sample.moments
    with server.client() as client:
        before = client.get("/session", params={"rater": "Anna"}).json()
        assert before["given"] == {}
        assert set(before) == {"rater", "labels", "colours", "hardToTell", "moments", "lost", "given"}
        assert before["moments"] == list(server.store.sample.moments)
        assert "confidence" not in json.dumps(before)
        assert ".png" not in json.dumps(before)  # nor what the file is called
        image = client.get(f"/moments/{first}")
        assert image.headers["content-type"] == "image/jpeg"
        assert not {"content-disposition", "etag", "last-modified"} & set(image.headers)
        answer = client.post("/labels", json={"rater": "Anna", "moment": first, "label": HARD_TO_TELL}).json()
        known = server.store.sample.moments[first]
        assert answer["facemood"]["label"] == known.label
        after = client.get("/session", params={"rater": "anna"}).json()
        assert after["given"] == {first: answer}
        assert after["rater"] == "Anna"
        assert second not in after["given"]
        other = client.get("/session", params={"rater": "Ben"}).json()
        assert other["given"] == {}


def test_answers_can_be_kept_until_all_moments_are_labelled(run: Path) -> None:
    store = open_review(run, count=4)
    with running_review(store, answers_last=True) as server, server.client() as client:
        said = [
            client.post("/labels", json={"rater": rater, "moment": moment, "label": "happy"}).json()
            for rater, moment in [
                ("Ben", next(iter(store.sample.moments))),
                *(("Anna", one) for one in store.sample.moments),
            ]
        ]
        assert [answer["facemood"] is None for answer in said] == [True, True, True, True, False]
        known = client.get("/session", params={"rater": "Anna"}).json()["given"]
        assert [one["facemood"]["label"] for one in known.values()] == [
            moment.label for moment in store.sample.moments.values()
        ]
        others = client.get("/session", params={"rater": "Ben"}).json()["given"]
        assert [one["facemood"] for one in others.values()] == [None]


def without_video(store: LabelStore) -> tuple[LabelStore, list[str], list[str]]:
    """Let the video of a review be lost; return the moments that are still there, and the lost ones."""
    moments = {
        key: replace(one, origin=Origin(str(store.folder / "gone.mp4"))) if one.timestamp is not None else one
        for key, one in store.sample.moments.items()
    }
    lost = [key for key, one in moments.items() if one.timestamp is not None]
    there = [key for key in moments if key not in lost]
    assert there
    assert lost
    return LabelStore(store.folder, replace(store.sample, moments=moments)), there, lost


def test_a_lost_file_does_not_keep_a_rater_from_the_end(store: LabelStore) -> None:
    less, there, lost = without_video(store)
    store.put("Anna", lost[0], "sad")  # before the video went away
    less.read_labels()
    with running_review(less, answers_last=True) as server, server.client() as client:
        known = client.get("/session", params={"rater": "Anna"}).json()
        assert set(known["moments"]) == {lost[0], *there}
        assert known["lost"] == len(lost) - 1
        said = [
            client.post("/labels", json={"rater": "Anna", "moment": one, "label": "happy"}).json()["facemood"]
            for one in there
        ]
        assert said[:-1] == [None] * (len(there) - 1)
        assert said[-1]["label"] == store.sample.moments[there[-1]].label
        given = client.get("/session", params={"rater": "Anna"}).json()["given"]
        assert all(one["facemood"] for one in given.values())
        assert client.get("/session", params={"rater": "Ben"}).json()["moments"] == there


def test_a_file_that_cannot_be_read_is_left_out_once_that_is_known(store: LabelStore, tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no image")
    first = next(iter(store.sample.moments))
    moments = {**store.sample.moments, first: replace(store.sample.moments[first], origin=Origin(str(bad)))}
    less = LabelStore(store.folder, replace(store.sample, moments=moments))
    with running_review(less) as server, server.client() as client:
        assert first in client.get("/session", params={"rater": "Anna"}).json()["moments"]
        assert client.get(f"/moments/{first}").status_code >= 400
        assert first not in client.get("/session", params={"rater": "Anna"}).json()["moments"]


def test_without_any_file_it_is_told_what_to_do(store: LabelStore) -> None:
    moments = {key: replace(one, origin=Origin("gone.png")) for key, one in store.sample.moments.items()}
    gone = LabelStore(store.folder, replace(store.sample, moments=moments))
    with running_review(gone) as server, server.client() as client:
        answer = client.get("/session", params={"rater": "Anna"})
    assert answer.status_code == 410
    assert "name its folder with --sources" in answer.json()["detail"]


def test_a_label_is_on_the_disk_when_the_answer_comes(server: RunningReview, run: Path) -> None:
    with server.client() as client:
        for place, moment in enumerate(server.store.sample.moments):
            label = ("happy", "sad")[place % 2]
            assert client.post("/labels", json={"rater": "Jörg", "moment": moment, "label": label}).status_code == 200
            again = open_review(run)
            assert again.given["Jörg"][moment].label == label
            assert len(again.given["Jörg"]) == place + 1


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"label": "joy"}, 422, "unknown label 'joy'"),
        ({"moment": "x"}, 422, "no moment 'x'"),
        ({"rater": "../../evil"}, 422, "cannot be a rater's name"),
        ({"rater": 5}, 422, "rater"),
        ({"label": "x" * 2000}, 422, "label"),
        ({"label": None}, 422, "label"),
    ],
)
def test_wrong_requests_are_refused(server: RunningReview, changes: dict[str, object], status: int, words: str) -> None:
    body = {"rater": "Anna", "moment": next(iter(server.store.sample.moments)), "label": "happy", **changes}
    with server.client() as client:
        answer = client.post("/labels", json=body)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        assert words in answer.json()["detail"]
        assert client.post("/labels", content=b"x" * 30_000).status_code == 413
        assert client.get("/session", params={"rater": "a/b"}).status_code == 422
        assert client.get("/moments/unknown").status_code == 404
        assert client.get("/openapi.json").status_code == 404
    assert server.store.given == {}


def test_a_second_tab_cannot_replace_a_label_that_it_does_not_know(server: RunningReview) -> None:
    body = {"rater": "Anna", "moment": next(iter(server.store.sample.moments)), "label": "happy"}
    with server.client() as client:
        assert client.post("/labels", json=body).status_code == 200
        answer = client.post("/labels", json={**body, "label": "sad"})
    assert (answer.status_code, answer.json()["detail"]) == (409, "Anna labelled this moment already; reload the page")


def test_the_image_is_the_face(server: RunningReview) -> None:
    moment = next(one for one in server.store.sample.moments.values() if one.timestamp is not None)
    with server.client() as client:
        data = client.get(f"/moments/{moment.id}").content
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    assert max(image.shape[:2]) >= 320
    assert image.std() > 20


def test_a_video_that_goes_away_is_told(run: Path, read_once: Path, tmp_path: Path) -> None:
    """The review was begun; then its file is moved, and found again elsewhere."""
    store = open_review(run, count=12)
    moment = next(one for one in store.sample.moments.values() if one.timestamp is not None)
    gone = LabelStore(store.folder, store.sample, [])
    moved = read_once / "in" / "moved.mp4"
    (read_once / "in" / "talk.mp4").rename(moved)
    try:
        with running_review(gone) as server, server.client() as client:
            answer = client.get(f"/moments/{moment.id}")
            assert answer.status_code == 410
            assert "talk.mp4: not found at" in answer.json()["detail"]
            body = {"rater": "Anna", "moment": moment.id, "label": HARD_TO_TELL}
            assert client.post("/labels", json=body).status_code == 200
    finally:
        moved.rename(read_once / "in" / "talk.mp4")
