"""Photos behind addresses: fetched only where that is allowed, and within bounds."""

from __future__ import annotations

import ast
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import facemood
from facemood import EmotionRecognizer
from facemood.errors import FacemoodError, ImageError, SourceError
from facemood.sources import download as room
from facemood.sources import find_inputs, read_frame
from facemood.sources.download import MAX_REDIRECTS, download


class Handler(BaseHTTPRequestHandler):
    """Serves one photo under many addresses."""

    photo = b""
    asked: list[str] = []  # noqa: RUF012 - one server a test module

    def do_GET(self) -> None:
        """Answer as the path says."""
        self.asked.append(self.path)
        kind, _, rest = self.path[1:].partition("?")[0].partition("/")
        if kind == "to":
            self.send_response(302)
            self.send_header("Location", rest)
            self.end_headers()
        elif kind == "again":
            self.send_response(301)
            self.send_header("Location", f"/again/{int(rest) - 1}" if rest != "0" else "/photo")
            self.end_headers()
        elif kind == "slow":
            self.send_response(200)
            self.end_headers()
            for _ in range(100):
                self.wfile.write(b"x")
                time.sleep(0.02)
        elif kind == "missing":
            self.send_error(404)
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(self.photo if kind == "photo" else b"dear diary")

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def address(astronaut: Path) -> Iterator[str]:
    Handler.photo, Handler.asked = astronaut.read_bytes(), []
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_photo_is_fetched_where_that_is_allowed(recognizer: EmotionRecognizer, address: str) -> None:
    url = f"{address}/photo?id=3"
    assert len(recognizer.analyze_image(url, allow_download=True)) == 1
    analysis = recognizer.analyze([url, f"{address}/missing/a.jpg", f"{address}/text", url], allow_download=True)
    assert [(result.source, len(result)) for result in analysis] == [(url, 1), (url, 1)]
    assert [failure.source for failure in analysis.failures] == [f"{address}/missing/a.jpg", f"{address}/text"]
    assert "cannot be downloaded (404 Not Found)" in analysis.failures[0].message
    assert "this is not an image" in analysis.failures[1].message
    assert [len(result) for result in recognizer.stream(url, allow_download=True)] == [1]


def test_nothing_is_fetched_where_it_is_not(recognizer: EmotionRecognizer, address: str) -> None:
    with pytest.raises(SourceError, match=r"for a photo, allow_download=True \(--allow-download\)"):
        recognizer.analyze(f"{address}/photo")
    with pytest.raises(SourceError, match="allow_download=True"):
        recognizer.analyze_image(f"{address}/photo")
    failed: list[str] = []
    for name in ("a.jpg", "a.PNG?size=1", "a.webp#top"):
        with pytest.raises(SourceError, match=rf"{re.escape(name)}: this is the address of a photo.*--allow-download"):
            list(recognizer.stream(f"{address}/{name}"))
        assert list(find_inputs([f"{address}/{name}"], on_error=lambda name, error: failed.append(name))) == []
    assert len(failed) == 3
    assert Handler.asked == []


def test_the_server_never_fetches() -> None:
    """No module of the server names the option, nor reads what could be an address."""
    for path in (Path(facemood.__file__).parent / "server").rglob("*.py"):
        words = {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}
        words |= {
            node.arg for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.keyword) and node.arg
        }
        words |= {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
        assert not words & {"allow_download", "download", "find_inputs", "analyze_image", "urlopen"}, path.name


def test_few_redirects_are_followed(address: str) -> None:
    assert download(f"{address}/again/{MAX_REDIRECTS - 1}").data == Handler.photo
    with pytest.raises(SourceError, match="cannot be downloaded"):
        download(f"{address}/again/{MAX_REDIRECTS}")


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/a.jpg", "data:image/png;base64,AAAA"])
def test_no_redirect_leads_away_from_http(address: str, target: str) -> None:
    with pytest.raises(SourceError, match="which is not fetched|is not allowed"):
        download(f"{address}/to/{target}")


@pytest.mark.parametrize(
    "target", ["http://[", "http://127.0.0.1:1/a.jpg", "http://127.0.0.1:99999/", "http:///a", "https://"]
)
def test_addresses_that_lead_nowhere_are_errors_of_ours(target: str) -> None:
    with pytest.raises(FacemoodError, match="cannot be (downloaded|read)"):
        read_frame(next(iter(find_inputs(target, allow_download=True))))


def test_a_download_has_bounds(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MAX_DOWNLOAD", 1000)
    with pytest.raises(ImageError, match="more than 1,000 bytes"):
        download(f"{address}/photo")
    monkeypatch.setattr(room, "DEADLINE", 0.2)
    started = time.monotonic()
    with pytest.raises(SourceError, match=r"takes more than 0\.2 seconds"):
        download(f"{address}/slow")
    assert time.monotonic() - started < 10


def test_user_names_and_passwords_are_not_told(address: str) -> None:
    secret = address.replace("http://", "http://anna:secret@")
    with pytest.raises(SourceError) as raised:
        download(f"{secret}/missing/a")
    assert "secret" not in str(raised.value)


def test_other_schemes_are_no_downloads() -> None:
    with pytest.raises(SourceError, match="unsupported protocol"):
        find_inputs("ftp://host/a.jpg", allow_download=True)
    here = Path(__file__)
    assert find_inputs(here.as_uri(), allow_download=True) == [str(here)], "a path, as without the option"
    assert find_inputs("rtsp://camera/1", allow_download=True) == ["rtsp://camera/1"]
