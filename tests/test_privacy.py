"""Nothing leaves the machine: no socket is opened and no file is left behind, watched from outside by strace."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from tests.conftest import PHOTOS
from tests.moving_faces import SIZE
from tests.videos import make_video

READ = """
import sys
from facemood import EmotionRecognizer

photo, video, out = sys.argv[1:]
recognizer = EmotionRecognizer(threads=1)
assert len(recognizer.analyze_image(photo)) == 1
analysis = recognizer.analyze(video)
assert len(analysis) == 3
analysis.to_csv(out + "/table.csv")
(explanation,) = recognizer.explain(photo, samples=20)
(explanation,) = recognizer.explain(photo, method="cam")
"""

COMMANDS = """
import sys
from facemood.cli import main

photo, video, out = sys.argv[1:]
files = [f"--output={out}/{name}" for name in ("table.csv", "table.parquet", "report.html", "drawn.mp4")]
sys.argv = ["facemood", "analyze", video, "--threads=1", *files]
main()
"""

TRAIN = """
import sys
from facemood.cli import main

photo, video, out = sys.argv[1:]
settings = ["--set=train.epochs=1", "--set=train.freeze_epochs=0"]
sys.argv = ["facemood", "train", "own", f"--data=folder:{out}/photos", *settings, f"--run={out}/run"]
main()
"""

EXTRAS = """
import facemood.explain, facemood.server, facemood.window, facemood.train, facemood.evaluation, facemood.notebook
import facemood.sinks, facemood.sources.live, facemood.train.export
import lime, skimage, pandas, pyarrow, matplotlib.pyplot, fastapi, uvicorn, mss, pygame
"""

STRACE = ("strace", "-f", "--seccomp-bpf", "-qq")
"""Watches a process and all that it starts, and stops them only at the calls that are asked for."""

EXPECTED = re.compile(
    r"/__pycache__(/|$)|^/dev/|/matplotlib/fontlist-[^/]*$|/matplotlib/[^/]*\.matplotlib-lock$|^/proc/self/"
)
"""Files that any Python program may write: bytecode, devices, and matplotlib's list of fonts."""


@pytest.fixture
def video(tmp_path: Path) -> Path:
    photo = cv2.imread(str(PHOTOS / "astronaut.png"))
    assert photo is not None
    return make_video(tmp_path / "clip.mp4", [cv2.resize(photo, SIZE).astype("uint8")] * 3, fps=5)


def watch(code: str, video: Path, environment: dict[str, str], folder: Path, *prefix: str) -> str:
    """Run some code in a fresh process and return what strace saw of it."""
    out, trace = folder / "out", folder / "trace.txt"
    out.mkdir(exist_ok=True)
    strace = [*STRACE, "-e", "trace=network,open,openat,creat,mkdir,mkdirat", "-o", str(trace)]
    command = [*prefix, *strace, sys.executable, "-c", code, str(PHOTOS / "astronaut.png"), str(video), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=out, timeout=500)
    assert done.returncode == 0, done.stderr
    seen = trace.read_text(errors="replace")
    assert "openat(" in seen
    return seen


def sockets(trace: str) -> list[str]:
    """The calls that open a socket to anything but this machine's own processes."""
    return [line for line in trace.splitlines() if re.search(r"\bsocket\(", line) and "socket(AF_UNIX" not in line]


def written(trace: str, *allowed: Path) -> list[str]:
    """The files and folders that were opened for writing or made, outside of the places that are allowed."""
    calls = [
        line for line in trace.splitlines() if re.search(r"O_WRONLY|O_RDWR|O_CREAT|\bmkdir(at)?\(|\bcreat\(", line)
    ]
    made = [match[1] for line in calls if " = -1 " not in line and (match := re.search(r'"([^"]*)"', line))]
    absolute = [name for name in made if name.startswith("/")]  # relative ones lie in the output folder
    places = tuple(f"{place}/" for place in allowed)
    return [name for name in absolute if not f"{name}/".startswith(places) and not EXPECTED.search(name)]


needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace, a package of Debian's")


@needs_strace
@pytest.mark.slow
@pytest.mark.parametrize("code", [READ, COMMANDS], ids=["library", "command"])
def test_reading_opens_no_socket_and_leaves_no_file(
    code: str, video: Path, clean_environment: dict[str, str], tmp_path: Path
) -> None:
    trace = watch(code, video, clean_environment, tmp_path)
    assert (tmp_path / "out" / "table.csv").read_text().count("clip.mp4") == 3
    assert sockets(trace) == []
    home = Path(clean_environment["HOME"])
    caches = {home / ".cache", home / ".config", home / ".cache/matplotlib", home / ".config/matplotlib"}
    left = written(trace, tmp_path / "out", Path(clean_environment["TMPDIR"]))
    assert [name for name in left if Path(name) not in caches] == []
    assert [path for path in home.rglob("*") if path.is_file() and not EXPECTED.search(str(path))] == []


@needs_strace
@pytest.mark.slow
def test_training_opens_no_socket(video: Path, clean_environment: dict[str, str], tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs the extra train")
    random = np.random.default_rng(0)
    for label in ("calm", "glad"):
        folder = tmp_path / "out" / "photos" / label
        folder.mkdir(parents=True)
        for number in range(6):
            cv2.imwrite(str(folder / f"{number}.png"), random.integers(0, 256, (48, 48), np.uint8))
    assert sockets(watch(TRAIN, video, clean_environment, tmp_path)) == []


@needs_strace
@pytest.mark.slow
def test_the_extras_are_imported_without_a_socket(
    video: Path, clean_environment: dict[str, str], tmp_path: Path
) -> None:
    for module in ("torch", "lime", "pandas", "fastapi", "pygame", "mss"):
        pytest.importorskip(module, reason="needs all extras")
    assert sockets(watch(EXTRAS, video, clean_environment, tmp_path)) == []


@needs_strace
@pytest.mark.slow
def test_a_server_on_loopback_talks_to_nobody_else(
    astronaut: Path, clean_environment: dict[str, str], tmp_path: Path
) -> None:
    httpx = pytest.importorskip("httpx", reason="needs the extra dev")
    pytest.importorskip("fastapi", reason="needs the extra serve")
    trace, log = tmp_path / "trace.txt", tmp_path / "log.txt"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    strace = [*STRACE, "-e", "trace=network", "-o", str(trace)]
    serve = [sys.executable, "-m", "facemood", "serve", "--port", str(port), "--threads", "1"]
    with log.open("w") as out:
        process = subprocess.Popen([*strace, *serve], stdout=out, stderr=out, env=clean_environment, cwd=tmp_path)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
            wait_until_it_answers(client, log)
            answer = client.post("/v1/analyze", files={"image": astronaut.read_bytes()})
            assert len(answer.json()["results"][0]["faces"]) == 1, answer.text
            assert client.get("/").status_code == 200
    finally:
        for child in children_of(process.pid):
            os.kill(child, signal.SIGINT)  # strace passes none on
        process.wait(timeout=60)
    text = trace.read_text(errors="replace")
    assert f"htons({port})" in text
    assert strangers(text) == []


def wait_until_it_answers(client: Any, log: Path) -> None:
    """Wait for a server, or say what it wrote."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            if client.get("/healthz").status_code == 200:
                return
        except Exception:
            pass
        time.sleep(0.2)
    raise AssertionError(log.read_text())


def children_of(process: int) -> list[int]:
    """The processes that a process started."""
    return [int(number) for number in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def strangers(trace: str) -> list[str]:
    """The calls that name an address other than this machine's, or open a socket that is none of TCP's or UNIX's."""
    kinds = ("AF_UNIX", "AF_INET, SOCK_STREAM", "AF_INET6, SOCK_STREAM")
    calls = trace.splitlines()
    opened = [
        line for line in calls if re.search(r"\bsocket\(", line) and not any(f"socket({k}" in line for k in kinds)
    ]
    named = [line for line in calls if re.search(r"sin6?_addr|inet_pton", line)]
    local = re.compile(r'inet_addr\("127\.0\.0\.1"\)|inet_pton\(AF_INET6, "::1"')
    return opened + [line for line in named if not local.search(line)]


@pytest.mark.slow
def test_reading_works_without_any_network(video: Path, clean_environment: dict[str, str], tmp_path: Path) -> None:
    unshare = shutil.which("unshare")
    alone = [str(unshare), "--net", "--map-root-user"]
    if unshare is None or subprocess.run([*alone, "true"], capture_output=True).returncode:
        pytest.skip("needs unshare and the right to make a network namespace")
    out = tmp_path / "out"
    out.mkdir()
    command = [*alone, sys.executable, "-c", READ, str(PHOTOS / "astronaut.png"), str(video), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, env=clean_environment, cwd=out, timeout=300)
    assert done.returncode == 0, done.stderr
    assert (out / "table.csv").read_text().startswith("source,frame,timestamp")


def test_the_watch_sees_a_socket_and_a_file(tmp_path: Path) -> None:
    trace = '1 socket(AF_INET, SOCK_STREAM, 0) = 3\n1 openat(AT_FDCWD, "/etc/x", O_WRONLY|O_CREAT, 0666) = 4\n'
    trace += '1 socket(AF_UNIX, SOCK_STREAM, 0) = 5\n1 openat(AT_FDCWD, "/etc/y", O_RDONLY) = 6'
    assert sockets(trace) == ["1 socket(AF_INET, SOCK_STREAM, 0) = 3"]
    assert written(trace, tmp_path) == ["/etc/x"]


def test_the_watch_sees_an_address_that_is_not_this_machines() -> None:
    local = '1 connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}, 16) = 0'
    far = '1 sendto(3, "x", 1, 0, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("10.0.0.2")}, 16) = 1'
    datagram, stream = "1 socket(AF_INET, SOCK_DGRAM, 0) = 3", "1 socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0) = 3"
    assert strangers("\n".join([local, far, datagram, stream])) == [datagram, far]
