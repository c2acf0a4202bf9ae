"""Machines in miniature: nodes in network namespaces of their own read an archive or train, and one of them is killed.

    python benchmarks/nodes.py INPUTS [--only ray] [--only dask] [--only train]     # as root, on Linux

Each node has its own address and sees the others over a bridge. All of it is in a network of its own, which is gone
when the script ends. With Ray and with Dask, three nodes read the photos and videos of a folder, long videos in
segments of 15 seconds; a fourth node is the user's. When a third of the parts are done, a node is killed with all its
processes. The table is compared with that of one process, byte by byte. Two nodes train on made images; one is killed
in the middle, both are started again, and the weights are compared with those of a run that nobody disturbed.
"""

from __future__ import annotations

import argparse
import contextlib
import filecmp
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from facemood import archive
from facemood.archive import planning
from facemood.cli.times import parse_segment
from facemood.tracking import VideoOptions

PLAIN = (
    "import sys\nfrom facemood.archive import planning\nfrom facemood.cli import main\n"
    "planning.PART_PHOTOS = 20\nsys.argv = ['facemood', *sys.argv[1:]]\nmain()"
)
"""Runs the command line, with small parts."""

SMALL = (
    "network.widths=[8, 16]", "network.blocks=[1, 1]", "train.batch_size=16", "train.crop=24", "train.epochs=6",
    "train.fine_epochs=2",
)  # fmt: skip
"""Settings of a training that takes seconds."""

SEGMENT = "15s"
"""Length of the segments of long videos."""

PATIENCE = 600.0
"""Seconds that anything may take on a busy machine."""

UNSHARED = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
"""Gives the script a network, mounts and processes of its own."""

TORCH_PORT = "29500"
"""Port of the first node at which processes that train together meet."""


def main() -> None:
    """Make the nodes, and show what they do."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("inputs", type=Path, help="A folder of photos and videos.")
    parser.add_argument("--only", action="append", choices=("ray", "dask", "train"))
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.inside:
        os.execvp(UNSHARED[0], [*UNSHARED, sys.executable, *sys.argv, "--inside"])
    chosen = options.only or ["ray", "dask", "train"]
    with tempfile.TemporaryDirectory(prefix="nodes", dir="/tmp") as folder:  # a short path, for sockets
        place = Path(folder)
        shown: dict[str, Callable[[], dict[str, object]]] = {
            "ray": lambda: read_with(place, options.inputs.absolute(), "ray", start_ray, "ray://10.9.0.1:10001"),
            "dask": lambda: read_with(place, options.inputs.absolute(), "dask", start_dask, "dask://10.9.0.1:8786"),
            "train": lambda: train_together(place),
        }
        for name in chosen:
            print(name, json.dumps(shown[name]()), "load", *(f"{load:.0f}" for load in os.getloadavg()), flush=True)


class Nodes:
    """Nodes 1, 2 and so on, with the addresses 10.9.0.1, 10.9.0.2 and so on.

    Args:
        count: How many.
        environment: Variables of their processes.
        logs: Folder for what they print.
    """

    def __init__(self, count: int, environment: Mapping[str, str], logs: Path) -> None:
        self._environment, self._logs = {**os.environ, **environment}, logs
        self._running: list[subprocess.Popen[bytes]] = []
        self.count = count
        call("ip", "link", "add", "bridge", "type", "bridge")
        call("ip", "link", "set", "bridge", "up")
        for number in range(1, count + 1):
            name, wire = f"node{number}", f"wire{number}"
            call("ip", "netns", "add", name)
            call("ip", "link", "add", wire, "type", "veth", "peer", "name", "eth0", "netns", name)
            call("ip", "link", "set", wire, "master", "bridge", "up")
            call("ip", "-n", name, "address", "add", f"10.9.0.{number}/24", "dev", "eth0")
            for device in ("lo", "eth0"):
                call("ip", "-n", name, "link", "set", device, "up")

    def start(
        self, number: int, *command: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a process on a node."""
        with (self._logs / f"node{number}.log").open("ab") as log:
            process = subprocess.Popen(
                ["ip", "netns", "exec", f"node{number}", *command],
                env={**self._environment, **(environment or {})}, stdout=log, stderr=log, cwd=self._logs,
            )  # fmt: skip
        self._running.append(process)
        return process

    def kill(self, number: int) -> int:
        """Kill all processes of a node at once; returns how many there were."""
        told = subprocess.run(["ip", "netns", "pids", f"node{number}"], capture_output=True, text=True, check=True)
        processes = [int(line) for line in told.stdout.split()]
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        return len(processes)

    def close(self) -> None:
        """Kill all that runs, and remove the network."""
        for number in range(1, self.count + 1):
            self.kill(number)
        for process in self._running:
            process.wait()
        for number in range(1, self.count + 1):
            call("ip", "netns", "delete", f"node{number}")
        call("ip", "link", "delete", "bridge")


@contextlib.contextmanager
def nodes(count: int, logs: Path, **environment: str) -> Iterator[Nodes]:
    """Yield some nodes, which are gone after the block. If it fails, the ends of their logs are shown."""
    logs.mkdir()
    call("mount", "-t", "tmpfs", "none", "/run")  # the names of namespaces are files there
    made = Nodes(count, {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **environment}, logs)
    try:
        yield made
    except BaseException:
        for log in sorted(logs.glob("*.log")):
            print(f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}", file=sys.stderr)
        raise
    finally:
        made.close()
        call("umount", "--lazy", "/run")


def read_with(
    place: Path, inputs: Path, engine: str, start: Callable[[Nodes, Path], None], address: str
) -> dict[str, object]:
    """Read inputs with three nodes, of which the third is killed, and compare the rows with those of one process."""
    expected, out = place / "one.csv", place / engine
    command = [sys.executable, "-c", PLAIN, "analyze", str(inputs), "--segment", SEGMENT, "-q"]
    if not expected.exists():
        subprocess.run([*command, "-o", str(expected)], check=False)  # its exit code is 1 if an input is damaged
    total = count_parts(inputs, place / "planned")
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    with nodes(4, place / f"{engine}-logs", HOME=str(place), RAY_USAGE_STATS_ENABLED="0", **token) as made:
        start(made, place)
        began = time.monotonic()
        driver = made.start(4, *command, "--on", address, "-o", f"{out}/")
        wait_until(lambda: parts_in(out) >= total // 3, driver)
        at, killed = parts_in(out), made.kill(3)
        code = driver.wait(PATIENCE)
        seconds = time.monotonic() - began
    found = archive.collect(out, place / f"{engine}.csv")
    return {
        "parts": total, "killed_at_part": at, "killed_processes": killed, "exit_code": code,
        "seconds": round(seconds, 1), "inputs": found.inputs, "rows": found.rows, "failures": len(found.failures),
        "table_equals_that_of_one_process": filecmp.cmp(expected, place / f"{engine}.csv", shallow=False),
        "files_left_over": len(list((out / "parts").glob(".*"))),
    }  # fmt: skip


def start_ray(made: Nodes, place: Path) -> None:
    """Start Ray on three nodes."""
    ray = str(Path(sys.executable).with_name("ray"))
    shared = ["start", "--block", "--num-cpus=1", "--object-store-memory=80000000"]
    made.start(1, ray, *shared, "--head", "--node-ip-address=10.9.0.1", "--port=6379", "--include-dashboard=false",
               f"--temp-dir={place}/t")  # fmt: skip
    for number in (2, 3):
        time.sleep(10)
        made.start(number, ray, *shared, "--address=10.9.0.1:6379", f"--node-ip-address=10.9.0.{number}")
    count = (
        "import ray, sys, time\nray.init('10.9.0.1:6379', _node_ip_address='10.9.0.1', log_to_driver=False)\n"
        "while ray.cluster_resources().get('CPU') != 3:\n time.sleep(1)"
    )
    if made.start(1, sys.executable, "-c", count).wait(PATIENCE):
        raise RuntimeError("the nodes of Ray did not come together")


def start_dask(made: Nodes, place: Path) -> None:
    """Start Dask on three nodes."""
    scheduler = ["-m", "distributed.cli.dask_scheduler", "--host", "10.9.0.1", "--port", "8786", "--no-dashboard"]
    made.start(1, sys.executable, *scheduler)
    for number in (1, 2, 3):
        worker = ["tcp://10.9.0.1:8786", "--host", f"10.9.0.{number}", "--nthreads", "1", "--no-dashboard"]
        folder = place / f"worker{number}"
        made.start(number, sys.executable, "-m", "distributed.cli.dask_worker", *worker, "--local-directory",
                   str(folder))  # fmt: skip
    count = "from distributed import Client\nClient('tcp://10.9.0.1:8786').wait_for_workers(3)"
    if made.start(1, sys.executable, "-c", count).wait(PATIENCE):
        raise RuntimeError("the workers of Dask did not come together")


def train_together(place: Path) -> dict[str, object]:
    """Train with two nodes, of which the second is killed, go on, and compare with a run that was left alone."""
    make_faces(place / "faces")
    sets = [part for setting in SMALL for part in ("--set", setting)]

    def start(made: Nodes, run: Path, *more: str) -> list[subprocess.Popen[bytes]]:
        command = [sys.executable, "-m", "facemood", "train", "baseline", "--data", f"folder:{place}/faces", *sets]
        where = {"MASTER_ADDR": "10.9.0.1", "MASTER_PORT": TORCH_PORT, "GLOO_SOCKET_IFNAME": "eth0"}
        return [
            made.start(rank + 1, *command, "--nodes", "2", *(more or ("--run", str(run))),
                       environment={**where, "NODE_RANK": str(rank)})
            for rank in (0, 1)
        ]  # fmt: skip

    whole, killed = place / "whole", place / "killed"
    with nodes(2, place / "train-logs") as made:
        ends = [process.wait(PATIENCE) for process in start(made, whole)]
        first, _ = start(made, killed)
        wait_until(lambda: (killed / "last.ckpt").exists(), first)
        processes = made.kill(2)
        code = first.wait(PATIENCE)
        told = "is gone; start all of them again with --resume" in (place / "train-logs" / "node1.log").read_text()
        epochs = len((killed / "history.jsonl").read_text().splitlines())
        ends += [process.wait(PATIENCE) for process in start(made, killed, "--resume", str(killed))]
    weights = [torch.load(run / "last.ckpt", weights_only=True)["state_dict"] for run in (whole, killed)]
    return {
        "exit_codes": ends, "killed_processes": processes, "exit_code_of_the_other": code, "it_tells_why": told,
        "epochs_until_then": epochs, "epochs": len((killed / "history.jsonl").read_text().splitlines()),
        "weights_equal": all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0]),
    }  # fmt: skip


def make_faces(folder: Path, count: int = 64) -> None:
    """Write images that any network can classify: a bright bar at the top is happy, one at the bottom is sad."""
    noise = np.random.default_rng(0).integers(0, 80, (count, 48, 48), np.uint8)
    for number, image in enumerate(noise):
        word, rows = (("happy", slice(0, 12)), ("sad", slice(36, 48)))[number % 2]
        image[rows] += 150
        for split in ("Training", "PublicTest") if number < 16 else ("Training",):
            file = folder / split / word / f"{number:02d}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.roll(image, len(split) % 3, axis=1)).save(file)


def count_parts(inputs: Path, folder: Path) -> int:
    """Count the parts that inputs make."""
    planning.PART_PHOTOS = 20
    reading = archive.Reading(video=VideoOptions(segment=parse_segment(SEGMENT)))
    return len(archive.ArchiveJob(reading, folder).plan(archive.find_archive_inputs(str(inputs)).names).parts)


def parts_in(out: Path) -> int:
    """Count the parts that are done."""
    return len(list((out / "parts").glob("[!.]*.parquet")))


def wait_until(reached: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Wait until something is reached while a process runs."""
    ends = time.monotonic() + PATIENCE
    while not reached():
        if process.poll() is not None or time.monotonic() > ends:
            raise RuntimeError(f"the process ended too early, or takes too long ({process.returncode})")
        time.sleep(0.05)


def call(*command: str) -> None:
    """Run a command of the system."""
    found = shutil.which(command[0])
    if found is None:
        raise SystemExit(f"{command[0]}: is not installed; this script needs iproute2, util-linux and root")
    run: Sequence[str] = [found, *command[1:]]
    subprocess.run(run, check=True)


if __name__ == "__main__":
    main()
