"""Files that stand where outputs are to be written, and that no earlier run wrote."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path

from facemood.errors import OutputConflictError
from facemood.outputs.names import FRAME, NUMBERED, fold
from facemood.text import count


def refuse_foreign(folder: Path, wanted: Collection[str], written: Iterable[str]) -> None:
    """Refuse outputs whose names are taken by files that facemood did not write.

    The names of these outputs follow from the names of inputs, so nobody has asked to replace the files. The user has
    named a table or a single image, which is replaced.

    Args:
        folder: The folder that the outputs are relative to.
        wanted: The outputs; `FRAME` stands for the number of a frame.
        written: Outputs of earlier runs, which may be replaced.

    Raises:
        OutputConflictError: A name is taken.
    """
    ours = {fold(os.path.join(folder, output)) for output in written}
    foreign = [output for output in existing(folder, wanted) if fold(os.path.join(folder, output)) not in ours]
    if foreign:
        first = folder / file_of(folder, foreign[0])
        others = f" and {count(len(foreign) - 1, 'other output')}" if len(foreign) > 1 else ""
        raise OutputConflictError(
            f"{first}{others}: there is already a file of this name, which no earlier run wrote here; give another "
            "folder, move the file away, or replace it with --overwrite"
        )


def existing(folder: Path, outputs: Collection[str]) -> list[str]:
    """Return the outputs that are on the disk, in their order; of a video's frames at least one."""
    frames = count_frames(folder, outputs)
    return [one for one in outputs if (frames[one] if FRAME in one else os.path.lexists(folder / one))]


def file_of(folder: Path, output: str) -> Path:
    """Return a file of an output, relative to the folder: the first frame, where it stands for frames."""
    path = Path(output)
    if FRAME not in output:
        return path
    return path.with_name(min(name for name in os.listdir(folder / path.parent) if _as_frame(name) == path.name))


def count_frames(folder: Path, outputs: Iterable[str]) -> Counter[str]:
    """Count the frames of each output on the disk."""
    places = {Path(output).parent for output in outputs if FRAME in output}
    counts = Counter[str]()
    for place in places:
        with contextlib.suppress(OSError):
            counts.update((place / _as_frame(name)).as_posix() for name in os.listdir(folder / place))
    return counts


def _as_frame(name: str) -> str:
    """Return a file's name with `FRAME` instead of a frame's number."""
    return NUMBERED.sub(f"-{FRAME}", name)
