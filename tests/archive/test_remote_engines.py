"""Ray and Dask themselves: the rows of one process, whatever dies, on the loopback address, and nothing stays."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from facemood import EmotionRecognizer, archive
from facemood.archive import Reading, dask_engine, ray_engine
from facemood.archive.part import ArchivePart, PlannedItem
from facemood.archive.part_engine import EngineEvent, PartEngine, PartProgress
from facemood.archive.ray_session import RaySession
from facemood.archive.worker_process import WorkerSetup
from facemood.errors import OptionError, WorkerError
from tests.archive.killing import killing_readers, workers_of_dask, workers_of_ray
from tests.archive.photos import fill, place_of, rows_of

pytest.importorskip("pyarrow.parquet", reason="needs the extra data")
psutil: Any = pytest.importorskip("psutil", reason="needs the extra dask")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc, and kills them"),
]

COUNT = 24

SIZE = 2
"""Photos of a part."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with photos and one that is damaged, and small parts. Each test has an archive of its own there."""
    folder = tmp_path_factory.mktemp("place")
    fill(folder / "in", COUNT)
    (folder / "in" / "damaged.jpg").write_bytes(b"\xff\xd8\xff no photo")
    with place_of(folder, size=SIZE) as place:
        yield place


@pytest.fixture(scope="module")
def expected(place: Path, recognizer: EmotionRecognizer) -> list[tuple[str, ...]]:
    """The rows of one process."""
    recognizer.analyze("in/[0-9]*.jpg").to_csv("one.csv")
    return rows_of(place / "one.csv")


@pytest.fixture(scope="module")
def started_ray() -> Iterator[list[Any]]:
    """The processes of a new Ray, to which this program is connected."""
    pytest.importorskip("ray", reason="needs the extra ray")
    with nothing_left():
        session = RaySession("", 2)
        yield psutil.Process().children(recursive=True)
        session.close()


@contextlib.contextmanager
def nothing_left() -> Iterator[None]:
    """Make sure that no process of an engine outlives the block."""
    before = set(psutil.Process().children(recursive=True))
    yield
    left = [one for one in psutil.Process().children(recursive=True) if one not in before]
    _, alive = psutil.wait_procs([one for one in left if "resource_tracker" not in " ".join(one.cmdline())], timeout=30)
    assert alive == []


def collected(folder: str) -> list[tuple[str, ...]]:
    """The rows of an archive."""
    archive.collect(folder, "all.csv")
    return rows_of(Path("all.csv"))


def run_with_deaths(on: str, workers: Callable[[], list[int]]) -> archive.ArchiveSummary:
    """Read photos, one of which kills each process that opens it; another process is killed on the way."""
    killed: list[int] = []

    def kill_one(progress: archive.ArchiveProgress) -> None:
        if not killed and progress.done >= SIZE and (there := workers()):
            killed.append(there[-1])
            os.kill(there[-1], signal.SIGKILL)

    folder = on.partition(":")[0]
    with killing_readers(Path(f"killer-{folder}.png"), workers):
        summary = archive.run([f"killer-{folder}.png", "in"], folder, on=on, workers=2, progress=kill_one)
    assert killed
    return summary


def check(summary: archive.ArchiveSummary, folder: str, expected: list[tuple[str, ...]]) -> None:
    """Each input counts once: its rows are those of one process, or it failed."""
    failures = dict(summary.failures)
    assert sorted(failures) == ["in/damaged.jpg", f"killer-{folder}.png"]
    assert "died 2 times (killed or crashed)" in failures[f"killer-{folder}.png"]
    assert collected(folder) == expected
    assert archive.read_status(folder).busy == 0


def test_ray_gives_the_rows_of_one_process_whatever_dies(
    place: Path, expected: list[tuple[str, ...]], started_ray: list[Any], capfd: pytest.CaptureFixture[str]
) -> None:
    check(run_with_deaths("ray", workers_of_ray), "ray", expected)
    assert capfd.readouterr().out == ""  # Ray prints there that workers died, if it is let
    assert archive.run("in", "ray", on="ray").read == 0
    listening = [
        connection.laddr.ip
        for process in psutil.Process().children(recursive=True)
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) > 3
    assert {ip.removeprefix("::ffff:") for ip in listening} == {"127.0.0.1"}
    assert all(one.is_running() for one in started_ray[:3])  # the run has left the connection of the program


def heard(engine: PartEngine, tell: Callable[[], object]) -> EngineEvent | None:
    """What an engine says next, while a worker tells again and again how far a part is."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        with contextlib.suppress(ValueError):  # nobody listens yet
            tell()
        if (event := engine.next_event(0.2)) is not None:
            return event
    return None


PART = ArchivePart((PlannedItem("long.mp4"),), "key", "/")
"""A part that takes long."""


@pytest.mark.usefixtures("started_ray")
def test_ray_tells_how_far_a_long_part_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def nap() -> None:  # within the test, so that Ray sends it whole: its workers do not know the tests
        time.sleep(60)

    monkeypatch.setattr(ray_engine, "TELL_EVERY", 0.1)
    engine = ray_engine.RayEngine(WorkerSetup(Reading(), archive="out"), "", 1)
    engine._running[engine._ray.remote(nap).remote()] = PART
    assert heard(engine, lambda: engine._teller.tell(PART.id, 0.5, 1)) == PartProgress(PART, 0.5, 1)
    engine.close()


@pytest.mark.usefixtures("place", "started_ray")
def test_ray_refuses_gpus_that_are_not_there_and_another_cluster() -> None:
    with pytest.raises(OptionError, match="2 GPUs for each worker are asked for, but Ray knows no machine with more"):
        archive.run("in", "gpus", on="ray", gpus_per_worker=2)
    with pytest.raises(WorkerError, match="this program is connected to another Ray"):
        archive.run("in", "other", on="ray://127.0.0.1:9")


def test_dask_gives_the_rows_of_one_process_whatever_dies(place: Path, expected: list[tuple[str, ...]]) -> None:
    pytest.importorskip("distributed", reason="needs the extra dask")
    with nothing_left():
        check(run_with_deaths("dask", workers_of_dask), "dask", expected)


def test_workers_of_dask_that_are_gone_for_good_are_started_again(
    place: Path, expected: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed", reason="needs the extra dask")
    monkeypatch.setattr(dask_engine, "GONE", 1.0)
    starts: list[Any] = []
    start = dask_engine.DaskEngine._start

    def started(engine: Any) -> Any:
        client = start(engine)
        starts.append(engine)
        if len(starts) == 1:
            engine._cluster.scale(0)  # as when each one was killed while it started
        return client

    monkeypatch.setattr(dask_engine.DaskEngine, "_start", started)
    with nothing_left():
        summary = archive.run("in", "revived", on="dask", workers=1)
    assert len(starts) == 2
    assert [name for name, _ in summary.failures] == ["in/damaged.jpg"]
    assert collected("revived") == expected


@pytest.mark.usefixtures("place")
def test_the_workers_of_a_cluster_of_dask_read(expected: list[tuple[str, ...]]) -> None:
    distributed = pytest.importorskip("distributed", reason="needs the extra dask")
    with nothing_left(), distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, host="127.0.0.1", dashboard_address="127.0.0.1:0", silence_logs=50
    ) as cluster:  # fmt: skip
        address = cluster.scheduler_address.replace("tcp://", "dask://")
        summary = archive.run("in", "cluster", on=address)
        assert [name for name, _ in summary.failures] == ["in/damaged.jpg"]
        with pytest.raises(OptionError, match="no worker of Dask has more than 0; start them with --resources GPU=1"):
            archive.run("in", "gpus", on=address, gpus_per_worker=1)
        engine = dask_engine.DaskEngine(WorkerSetup(Reading(), archive="out"), cluster.scheduler_address, 1)
        engine._running["long"] = PART
        told = heard(engine, lambda: engine._client.submit(engine._teller.tell, PART.id, 0.5, 1, pure=False).result())
        assert told == PartProgress(PART, 0.5, 1)
        engine.close()
    assert collected("cluster") == expected


@pytest.mark.parametrize("engine", ["ray", "dask"])
def test_a_killed_driver_takes_its_workers_along_and_the_next_run_goes_on(
    place: Path, expected: list[tuple[str, ...]], engine: str
) -> None:
    pytest.importorskip({"dask": "distributed"}.get(engine, engine), reason=f"needs the extra {engine}")
    folder = place / f"killed-{engine}"
    call = (
        f"if __name__ == '__main__':\n from facemood import archive\n from facemood.archive import planning\n"
        f" planning.PART_PHOTOS = {SIZE}\n archive.run('in', '{folder.name}', on='{engine}', workers=1)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    environment.pop("RAY_ADDRESS", None)
    environment["RAY_TMPDIR"] = own = tempfile.mkdtemp()  # its path is short enough for sockets
    with subprocess.Popen([sys.executable, "-c", call], env=environment) as running:
        ends = time.monotonic() + 300
        while len(list((folder / "parts").glob("[!.]*.parquet"))) < 2 and time.monotonic() < ends:
            time.sleep(0.01)
        workers = psutil.Process(running.pid).children(recursive=True)
        running.kill()
    assert len(workers) > 1
    helpers = [one for one in workers if one.is_running() and one.name().endswith("Agent")]
    _, alive = psutil.wait_procs([one for one in workers if one not in helpers], timeout=60)
    assert alive == []
    for one in helpers:  # those of Ray end by themselves, but a minute later
        one.kill()
        one.wait()
    shutil.rmtree(own)
    before = len(list((folder / "parts").glob("[!.]*.parquet")))
    assert before >= 2
    archive.run("in", folder, workers=1)
    assert collected(folder.name) == expected
