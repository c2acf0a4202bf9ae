"""Outputs that users name with ``-o``: checked against the inputs and each other before anything is read."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facemood.atomic import Part, is_stream, unfinished
from facemood.codebooks import codebook_path
from facemood.errors import OutputConflictError, OutputError
from facemood.originals import Originals, ignores_case
from facemood.outputs.names import FRAME, NAME, NUMBERED, TREE, Label, fold, label_inputs
from facemood.outputs.sidecar import FOLDER_SIDECAR
from facemood.render import IMAGE_SUFFIXES
from facemood.sinks import ONE_PHOTO, ONE_VIDEO, sink_kind
from facemood.sinks.table_files import COMPLETE

PLACEHOLDER = re.compile(r"\{\w*\}")
"""A placeholder, known or not."""

IMAGE_SUFFIX = ".png"
"""Suffix of the images in a folder."""

PROBE = ".facemood-probe"
"""Name of the file that tests whether a folder is writable."""


@dataclass(frozen=True, slots=True)
class OutputTarget:
    """One output that the user named: a file, a folder or a pattern.

    Attributes:
        pattern: The text after ``-o``.
        kind: The class of its writer.
    """

    pattern: str
    kind: Any

    @classmethod
    def parse(cls, pattern: str) -> OutputTarget:
        """Parse the text after ``-o``.

        Raises:
            OutputConflictError: It is empty, has an unknown placeholder, or is a folder where a file is expected, or
                the other way round.
            OutputError: Its suffix is unknown.
        """
        if not pattern:
            raise OutputConflictError("an output is an empty text; name a file or a folder, or '.' for this folder")
        unknown = set(PLACEHOLDER.findall(pattern)) - {NAME, TREE}
        if unknown:
            raise OutputConflictError(
                f"{pattern}: nothing is known of {min(unknown)}; expected {NAME}, an input's name, or {TREE}, "
                "its path below the inputs' common folder"
            )
        target = cls(pattern, sink_kind(Label("x", "x").fill(pattern)))
        if target.is_folder and os.path.exists(pattern) and not os.path.isdir(pattern):
            raise OutputConflictError(f"{pattern}: is a file, and a folder of images is wanted; give another name")
        if not target.is_folder and os.path.isdir(pattern):
            raise OutputConflictError(f"{pattern}: is a folder, and a file is wanted; give another name")
        if target.is_stream and (target.is_folder or target.kind.holds == ONE_VIDEO):
            raise OutputConflictError(f"{pattern}: this cannot be written to standard output or a pipe; name a file")
        return target

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder of images."""
        return bool(self.kind.__name__ == "FolderSink")

    @property
    def is_own(self) -> bool:
        """Whether each input has its own file or folder."""
        return NAME in self.pattern or TREE in self.pattern

    @property
    def is_stream(self) -> bool:
        """Whether it is standard output, a device or a pipe."""
        return is_stream(self.pattern)

    @property
    def is_stdout(self) -> bool:
        """Whether it is standard output."""
        return self.is_stream and (self.pattern[0] == "-" or self.pattern == "/dev/stdout")

    @property
    def sidecar(self) -> Path | None:
        """The sidecar's file: next to a table, or in the common folder of the inputs' files; None without one."""
        if self.is_own:
            fixed = re.split(re.escape(NAME) + "|" + re.escape(TREE), self.pattern, maxsplit=1)[0]
            return Path(os.path.dirname(fixed)) / FOLDER_SIDECAR
        if self.is_folder:
            return Path(self.pattern) / FOLDER_SIDECAR
        return Path(f"{self.pattern}.json") if self.kind.continues and not self.is_stream else None

    @property
    def codebook(self) -> Path | None:
        """The file of the codebook of a table that all inputs share; None for other outputs, and with a sidecar."""
        described = getattr(self.kind, "described", False) and not self.pattern.lower().endswith(COMPLETE)
        described = described and not (self.is_own or self.is_stream)
        return codebook_path(self.pattern) if described and self.sidecar is None else None

    def file_of(self, label: Label) -> str:
        """Return the file or folder of one input."""
        name = label.fill(self.pattern)
        return f"{name.rstrip('/')}/" if self.is_folder else name

    def outputs_of(self, label: Label, *, moving: bool) -> list[str]:
        """Return the files of one input alone; the frames of a video are one entry, with `FRAME` in its name."""
        if not self.is_folder:
            return [self.file_of(label)] if self.is_own else []
        number = f"-{FRAME}" if moving else ""
        return [f"{self.file_of(label)}{label.name}{number}{IMAGE_SUFFIX}"]


class OutputTargets:
    """All outputs of a run, and which of them belongs to which input.

    Args:
        patterns: The texts after ``-o``.
        inputs: The names of all inputs.
        moves: Returns whether an input is a video, an animation or a live source.
        read_too: Other files that the run reads, which no output may replace.

    Attributes:
        all: The outputs.
        inputs: The inputs, each once.
        moving: The inputs with frames.
        labels: The label of each input.

    Raises:
        OutputConflictError: They do not fit the inputs, or each other.
        OutputError: A suffix is unknown.

    Example:
        >>> targets = OutputTargets(["{name}.csv", "all.csv"], ["a/clip.mp4", "b/clip.mp4"], lambda name: True)
        >>> targets.outputs_of("b/clip.mp4")
        ['clip-2.csv']
    """

    all: list[OutputTarget]
    inputs: list[str]
    moving: set[str]
    labels: dict[str, Label]

    def __init__(
        self,
        patterns: Sequence[str],
        inputs: Sequence[str],
        moves: Callable[[str], bool],
        *,
        read_too: Sequence[str] = (),
    ) -> None:
        self.all = [OutputTarget.parse(pattern) for pattern in patterns]
        self.inputs = list(dict.fromkeys(inputs))
        self.moving = {name for name in inputs if moves(name)}
        self._originals = Originals([*inputs, *read_too])
        for target in self.all:
            self._check_holds(target)
        self._check_twice()
        self.labels = {}
        self.assign({}, ())

    @property
    def wants_images(self) -> bool:
        """Whether images are written."""
        return any(target.kind.wants_images for target in self.all)

    @property
    def sidecars(self) -> list[Path]:
        """The files of all sidecars, each once."""
        return list(dict.fromkeys(target.sidecar for target in self.all if target.sidecar is not None))

    @property
    def codebooks(self) -> list[Path]:
        """The files of the codebooks that are not in a sidecar."""
        return [target.codebook for target in self.all if target.codebook is not None]

    def assign(self, known: dict[str, Label], reserved: Collection[str]) -> None:
        """Assign outputs to each input, and compare all of them with all inputs.

        Args:
            known: Labels of inputs in earlier runs.
            reserved: Outputs of inputs of earlier runs that this run does not have.

        Raises:
            OutputConflictError: An output is an input.
        """
        shared = [*self._shared(), *map(str, self.sidecars), *map(str, self.codebooks)]
        self.labels = label_inputs(
            self.inputs, self._claims, known=known, reserved=[*shared, *map(name_if_broken, shared), *reserved]
        )
        for name in self.inputs:
            self._refuse_twice(self.outputs_of(name))
        own = [output for name in self.inputs for output in self._claims(name, self.labels[name])]
        self._originals.refuse([*shared, *map(name_if_broken, shared), *(name for name in own if FRAME not in name)])
        self._refuse_frames(name for name in own if FRAME in name)

    def outputs_of(self, name: str, sidecar: Path | None = None) -> list[str]:
        """Return the files of one input alone; with a sidecar, only those that it lists."""
        chosen = (target for target in self.all if sidecar is None or target.sidecar == sidecar)
        return _of(chosen, self.labels[name], moving=name in self.moving)

    def prepare(self) -> None:
        """Make the folders, and check that they are writable.

        Raises:
            OutputError: One cannot.
        """
        places = [Path(name) for name in self._shared() if not is_stream(name)] + self.sidecars
        for folder in dict.fromkeys(place.parent for place in places):
            try:
                Part(folder / PROBE, lasting=False).discard()
            except OutputError as error:
                raise OutputError(str(error).replace(str(folder / PROBE), str(folder), 1)) from error

    def _claims(self, name: str, label: Label) -> list[str]:
        """Return all file names that an input may use, with those of unfinished files."""
        outputs = _of(self.all, label, moving=name in self.moving)
        return [*outputs, *(name_if_broken(output) for output in outputs if FRAME not in output)]

    def _shared(self) -> list[str]:
        """Return the files that all inputs share."""
        return [target.pattern for target in self.all if not (target.is_own or target.is_folder)]

    def _check_holds(self, target: OutputTarget) -> None:
        """Refuse an image or a video that cannot hold the inputs."""
        photos = [name for name in self.inputs if name not in self.moving]
        wrong = {ONE_PHOTO: [*self.moving], ONE_VIDEO: photos}.get(target.kind.holds, [])
        if wrong:
            name = min(wrong)
            what = (
                f"one image cannot hold a video, such as {name}"
                if name in self.moving
                else f"it is made of one video, but {name} is a photo"
            )
            fix = (
                f"give a folder's name for images, {_folder_like(target.pattern)}"
                if target.kind.wants_images
                else "leave out the photos, or write a table (.csv)"
            )
            raise OutputConflictError(f"{target.pattern}: {what}; {fix}")
        if target.kind.holds in (ONE_PHOTO, ONE_VIDEO) and len(self.inputs) > 1 and not target.is_own:
            what, fix = (
                ("image", f"give a folder's name, {_folder_like(target.pattern)}")
                if photos
                else (
                    ("video" if target.kind.wants_images else "file"),
                    f"give each its own, -o '{_own_like(target.pattern)}'",
                )
            )
            raise OutputConflictError(
                f"{target.pattern}: one {what} cannot hold several inputs, and there are {len(self.inputs):,}; {fix}"
            )

    def _check_twice(self) -> None:
        """Refuse an output that is named twice, in any spelling."""
        places = [(target.pattern, _key(target)) for target in self.all]
        places += [(str(file), _place(str(file))) for file in (*self.sidecars, *self.codebooks)]
        seen: dict[str, str] = {}
        for name, key in places:
            if key in seen:
                raise OutputConflictError(
                    f"{name}: is written twice, as {seen[key]} too; name it once, or another place"
                )
            seen[key] = name

    def _refuse_twice(self, outputs: Sequence[str]) -> None:
        """Refuse a file that two patterns give to one input."""
        seen = set[str]()
        for output in outputs:
            if fold(output) in seen:
                raise OutputConflictError(f"{output}: is written twice; name it once, or another place")
            seen.add(fold(output))

    def _refuse_frames(self, outputs: Iterable[str]) -> None:
        """Refuse outputs whose frames may have the name of an input."""
        frames = {fold(output): output for output in outputs}
        for name in self.inputs if frames else ():
            like = fold(NUMBERED.sub(f"-{FRAME}", name))
            if NUMBERED.search(name) and like in frames:
                raise OutputConflictError(
                    f"{frames[like]}: a frame may be called as the input {name}, and no input is ever written over; "
                    "give another folder"
                )


def name_if_broken(output: str) -> str:
    """Return the name of an output if its input or run breaks off; images keep their name, because each is whole.

    Example:
        >>> name_if_broken("a.csv"), name_if_broken("a.png")
        ('a.unfinished.csv', 'a.png')
    """
    whole = is_stream(output) or output.lower().endswith(IMAGE_SUFFIXES)
    return output if whole else unfinished(Path(output)).as_posix()


def _of(targets: Iterable[OutputTarget], label: Label, *, moving: bool) -> list[str]:
    """Return the files of one input at several targets."""
    return [output for target in targets for output in target.outputs_of(label, moving=moving)]


def _key(target: OutputTarget) -> str:
    """Return a key that is equal for targets that are the same file."""
    if target.is_stream:
        return "-" if target.is_stdout else target.pattern
    return _place(target.pattern.rstrip("/") + (f"/{NAME}{IMAGE_SUFFIX}" if target.is_folder else ""))


def _place(name: str) -> str:
    """Return the real path of a name; in lower case if the file system ignores case."""
    place = os.path.realpath(name)
    return place.casefold() if ignores_case(Path(place).parent) else place


def _folder_like(pattern: str) -> str:
    """Return a folder's name made from a file's, for a message."""
    return f"{pattern.removesuffix(Path(pattern).suffix)}/"


def _own_like(pattern: str) -> str:
    """Return a file's name with `NAME` in it, for a message."""
    path = Path(pattern)
    return str(path.with_name(f"{NAME}-{path.name}"))
