"""Cold starts: whole processes, from their start to their end. Files are in the system's cache."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from example_photos import write_photos
from measure import Effort, Row, facemood_command, time_process, timing

READY = "from facemood import EmotionRecognizer; EmotionRecognizer()"


def measure_start(effort: Effort) -> list[Row]:
    """Time the package's import and the command line, next to an interpreter that does nothing."""
    with tempfile.TemporaryDirectory() as folder:
        commands = _commands(write_photos(Path(folder))[0])
        rounds = [{what: time_process(command) for what, command in commands.items()} for _ in range(effort.starts + 1)]
    kept = rounds[1:]  # the first round fills the system's cache and writes the bytecode
    return [timing(what, [times[what] for times in kept]) for what in commands]


def _commands(photo: Path) -> dict[str, list[str]]:
    """Name the processes that are started."""
    return {
        'python -c "pass"': [sys.executable, "-c", "pass"],
        'python -c "import facemood"': [sys.executable, "-c", "import facemood"],
        f'python -c "{READY}"': [sys.executable, "-c", READY],
        "facemood --help": [facemood_command(), "--help"],
        "facemood analyze PHOTO": [facemood_command(), "analyze", str(photo)],
    }
