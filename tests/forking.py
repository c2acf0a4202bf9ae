"""The command line as a process of its own, forked from one that has imported the libraries, which takes long.

A `ForkServer` waits for commands. For each it forks: the new process has the folder, the environment, the output files
and the exit code of the command, as one that was started has them.
"""

from __future__ import annotations

import atexit
import contextlib
import faulthandler
import gc
import importlib
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
"""Where this module is found, whatever folder a test is in."""

LIGHT = ("facemood.models.runtime", "numpy", "cv2", "av", "PIL.Image", "PIL.BmpImagePlugin", "PIL.GifImagePlugin",
         "PIL.JpegImagePlugin", "PIL.PngImagePlugin", "PIL.PpmImagePlugin", "PIL.ImageDraw", "PIL.ImageFont",
         "rich.console", "rich.markdown", "rich.progress", "pydantic.type_adapter", "pydantic.types", "email.parser",
         "hashlib", "importlib.metadata", "importlib.resources", "facemood.cli.entry", "facemood.cli.analyze_command",
         "facemood.cli.analyze_job", "facemood.cli.run_summary", "facemood.ferc.system", "facemood.loading",
         "facemood.outputs", "facemood.sinks", "facemood.sinks.annotated_images", "facemood.sinks.report",
         "facemood.sinks.text_files", "facemood.timeline")  # fmt: skip
"""Modules that many commands import: of Pillow, the formats that it always knows."""

HEAVY = ("torch", "facemood.train.fit", "facemood.train.export", "facemood.cli.train_command")
"""Modules that commands of training import."""

TRAINING = ("train", "tune", "soft-labels", "export")
"""Commands of training."""

LOOSE = {"COLUMNS", "NO_COLOR", "PYTEST_CURRENT_TEST", "PWD", "OLDPWD"}
"""Variables that the command reads when it runs. All others may count when Python starts or a library is imported."""


class ForkServer:
    """A process that forks others.

    Args:
        modules: What it imports first.
    """

    def __init__(self, modules: Iterable[str]) -> None:
        self._modules = [*modules]
        self._environment = fixed(os.environ)
        self._process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", __name__, *self._modules]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=ROOT, start_new_session=True)

    def fits(self, environment: Mapping[str, str]) -> bool:
        """Return whether a process with this environment may be forked."""
        return fixed(environment) == self._environment

    def run(
        self,
        arguments: list[str],
        cwd: Path,
        environment: Mapping[str, str],
        timeout: int,
        *,
        program: str = "facemood",
    ) -> subprocess.CompletedProcess[str]:
        """Run a program, a module or the path of a script, and return what it printed.

        The seconds are counted one by one, so that a machine that stands still is not taken for a slow command.

        Raises:
            RuntimeError: It took longer than *timeout* seconds, or this server ended. Neither hinders the next command.
        """
        if self._process.poll() is not None:
            self.close()
            self._process = self._start()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with tempfile.TemporaryDirectory() as folder:
            files = [Path(folder, name) for name in ("stdout", "stderr")]
            task = {
                "program": program,
                "arguments": arguments,
                "cwd": str(cwd),
                "environment": dict(environment),
                "files": [*map(str, files)],
            }
            self._process.stdin.write(json.dumps(task) + "\n")
            self._process.stdin.flush()
            in_time = any(select.select([self._process.stdout], [], [], 1)[0] for _ in range(timeout))
            code = self._process.stdout.readline() if in_time else ""
            if not code:
                self._abort()
            printed = [file.read_text(encoding="utf-8") if file.exists() else "" for file in files]
        if not code:
            what = "ended the server that forked it" if in_time else f"took longer than {timeout} s"
            raise RuntimeError("\n".join([f"the command {arguments} {what}; it printed:", *printed]))
        return subprocess.CompletedProcess(arguments, int(code), *printed)

    def _abort(self) -> None:
        """End the process and those that it forked, which print where they are."""
        for number in (signal.SIGABRT, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            time.sleep(1)
        self._process.wait()

    def close(self) -> None:
        """End the process: its input ends."""
        self._process.communicate()


def fixed(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that must be the same."""
    return {name: value for name, value in environment.items() if name not in LOOSE}


@cache
def server_for(training: bool) -> ForkServer:
    """Return the server of this test process, which ends with it."""
    server = ForkServer((*LIGHT, *HEAVY) if training else LIGHT)
    atexit.register(server.close)
    return server


def run_command(
    arguments: list[str], cwd: Path, environment: Mapping[str, str], timeout: int
) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    if hasattr(os, "fork"):
        server = server_for(arguments[:1] != [] and arguments[0] in TRAINING and "--help" not in arguments)
        if server.fits(environment):
            return server.run(arguments, cwd, environment, timeout)
    command = [sys.executable, "-m", "facemood", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, timeout=timeout)


def serve(modules: Iterable[str]) -> None:
    """Fork for each command that comes, until there are no more. In a forked process, run the command."""
    for name in modules:
        with contextlib.suppress(Exception):  # what cannot be imported, the command tells
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # a forked process that ends does not look at what was imported: that took longer than most commands
    commands, answers = os.fdopen(os.dup(0), "r"), os.fdopen(os.dup(1), "w")
    for line in iter(commands.readline, ""):
        task = json.loads(line)
        process = os.fork()
        if process == 0:
            commands.close()
            answers.close()
            become(task)
            return
        _, status = os.waitpid(process, 0)
        print(os.waitstatus_to_exitcode(status), file=answers, flush=True)


def become(task: dict[str, Any]) -> None:
    """Become the process of a command."""
    faulthandler.enable()  # tells where it hangs, if it is aborted
    os.chdir(task["cwd"])
    os.environ.clear()
    os.environ.update(task["environment"])
    for target, name in enumerate((os.devnull, *task["files"])):
        handle = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(handle, target)
        os.close(handle)
    sys.argv = [task["program"], *task["arguments"]]
    if task["program"].endswith(".py"):
        sys.path[0] = str(Path(task["program"]).parent)
        runpy.run_path(task["program"], run_name="__main__")
    else:
        sys.path[0] = task["cwd"]
        runpy.run_module(task["program"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    serve(sys.argv[1:])
