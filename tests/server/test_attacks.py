"""Under each attack two other clients go on. benchmarks/attacks.py measures their delays, and the memory."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache

import httpx
import pytest

from tests.conftest import ROOT
from tests.server.attacks import ATTACKS, TOKENS, Attacker, bombs, medians, memory_of, photo, png, wait_for, watch

SECONDS, LEAD = 1.0, 0.5
"""How long clients are watched under each attack, and how long it lasts before that."""

TIMES, SPARE = 10.0, 1000.0
"""Factor and milliseconds by which the median delay may grow. Without bounds these attacks stop everybody for 3 to
120 seconds. benchmarks/attacks.py measures whether the delay at most doubles, because tests share their machine."""


QUICK = {"thin_picture", "slow_heads", "setting_flood", "wrong_tokens"}
"""Attacks that are tried with the quick tests; the others take as long."""

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="/proc, and other loopback addresses for the attacker")


@pytest.fixture(scope="module")
def attacked() -> Iterator[tuple[int, int]]:
    """The port and the process of a server as users start it."""
    with started() as found:
        yield found


@contextlib.contextmanager
def started(token: str = "") -> Iterator[tuple[int, int]]:
    """Start a server, and yield its port and process."""
    start = "import typer; from facemood.cli.serve_command import serve; typer.run(serve)"
    command = [sys.executable, "-c", start, "--port", "0"]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={**os.environ, "FACEMOOD_TOKEN": token}
    ) as server:
        try:
            assert server.stderr is not None
            found = re.search(r":(\d+)/", server.stderr.readline())
            assert found is not None
            asyncio.run(watch(int(found[1]), 1, token))
            yield int(found[1]), server.pid
        finally:
            server.terminate()


@cache
def calm_of(port: int, token: str) -> tuple[float, float]:
    """The median delays of a server's clients without an attack, measured once for each server."""
    return medians(asyncio.run(watch(port, SECONDS, token)))


@contextlib.contextmanager
def attack(name: str, port: int) -> Iterator[None]:
    """Run an attack as long as the block lasts, in a process that gives way to others."""
    command = [sys.executable, "-m", "tests.server.attacks", name, str(port), "60"]
    with subprocess.Popen(
        command, cwd=ROOT, preexec_fn=lambda: os.nice(10), stdout=subprocess.PIPE, text=True
    ) as attacker:
        try:
            wait_for(attacker)
            yield
        finally:
            attacker.kill()


@LINUX
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in ATTACKS]
)
def test_other_clients_go_on(name: str, attacked: tuple[int, int]) -> None:
    token = TOKENS.get(name, "")
    with started(token) if token else contextlib.nullcontext(attacked) as (port, _):
        calm = calm_of(port, token)
        with attack(name, port):
            time.sleep(LEAD)
            under = medians(asyncio.run(watch(port, SECONDS, token)))
        for before, after in zip(calm, under, strict=True):
            assert after <= TIMES * before + SPARE
        assert httpx.get(f"http://127.0.0.1:{port}/healthz").json()["status"] == "ok"
        if token:
            assert refusals(port, token) >= {"token", "rate"}  # the attack took place


@LINUX
def test_bombs_take_bounded_memory(attacked: tuple[int, int]) -> None:
    """Three requests of 16 pictures of 40 million pixels took 6.2 GB once."""
    port, process = attacked
    peak, decoded = memory_of(process), decoded_by(port)
    with attack(bombs.__name__, port):
        ends = time.monotonic() + 4 * SECONDS
        while time.monotonic() < ends:
            peak = max(peak, memory_of(process))
            time.sleep(0.02)
    assert decoded_by(port) > decoded  # the attack took place
    assert peak < 2000


def refusals(port: int, token: str) -> set[str]:
    """The reasons for which a server has refused requests."""
    metrics = httpx.get(f"http://127.0.0.1:{port}/metrics", headers={"Authorization": f"Bearer {token}"}).text
    return set(re.findall(r'^facemood_refusals_total\{reason="(\w+)"\}', metrics, flags=re.MULTILINE))


def decoded_by(port: int) -> float:
    """How many images and frames the server's processes have decoded."""
    metrics = httpx.get(f"http://127.0.0.1:{port}/metrics").text
    return float(re.findall(r"^facemood_decode_seconds_count (\S+)$", metrics, flags=re.MULTILINE)[0])


def test_a_picture_that_is_refused_costs_no_more_than_a_normal_one(attacked: tuple[int, int]) -> None:
    attacker = Attacker(attacked[0], 0, "127.0.0.1")

    def time_of(data: bytes) -> float:
        with attacker.client() as client:
            times = []
            for _ in range(7):
                began = time.monotonic()
                client.post("/v1/analyze", files={"image": data})
                times.append(time.monotonic() - began)
        return sorted(times)[3]

    normal = time_of(photo())
    assert time_of(png(40_000_000, 1)) < 10 * normal + 1
    assert time_of(png(12_000, 12_000, bits=1)) < 10 * normal + 1
