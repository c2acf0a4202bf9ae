"""Where a run writes: what users name with ``-o``, checked against inputs and each other before anything is read."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facemood.atomic import Part, is_stream, unfinished
from facemood.errors import OutputConflictError
from facemood.originals import Originals, ignores_case
from facemood.outputs.book import FOLDER_BOOK
from facemood.outputs.names import FRAME, NAME, NUMBERED, TREE, Label, fold, label_inputs
from facemood.render import IMAGE_SUFFIXES
from facemood.sinks import ONE_PHOTO, ONE_VIDEO, sink_kind

PLACEHOLDER = re.compile(r"\{\w*\}")
"""What looks as if something were to stand in its place."""

PICTURE = ".png"
"""How a folder's pictures are written."""

PROBE = ".facemood-probe"
"""What a file is called that only shows whether a folder can be written to."""


@dataclass(frozen=True, slots=True)
class Target:
    """One place that a run writes to.

    Attributes:
        pattern: What the user named.
        kind: The kind of its writer.
    """

    pattern: str
    kind: Any

    @classmethod
    def parse(cls, pattern: str) -> Target:
        """Read what a user named.

        Raises:
            OutputConflictError: It holds an unknown placeholder, or is a folder where a file is wanted, or the other
                way round.
            OutputError: Its ending is unknown.
        """
        unknown = set(PLACEHOLDER.findall(pattern)) - {NAME, TREE}
        if unknown:
            raise OutputConflictError(
                f"{pattern}: nothing is known of {min(unknown)}; expected {NAME}, an input's name, or {TREE}, "
                "its path below the inputs' common folder"
            )
        target = cls(pattern, sink_kind(Label("x", "x").fill(pattern)))
        if target.is_folder and os.path.exists(pattern) and not os.path.isdir(pattern):
            raise OutputConflictError(f"{pattern}: is a file, and a folder of pictures is wanted; give another name")
        if not target.is_folder and os.path.isdir(pattern):
            raise OutputConflictError(f"{pattern}: is a folder, and a file is wanted; give another name")
        if target.is_stream and (target.is_folder or target.kind.holds == ONE_VIDEO):
            raise OutputConflictError(f"{pattern}: this cannot be written to standard output or a pipe; name a file")
        return target

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder of pictures."""
        return bool(self.kind.__name__ == "FolderSink")

    @property
    def is_own(self) -> bool:
        """Whether each input has a file, or folder, of its own."""
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
    def book(self) -> Path | None:
        """Where the list of what is written lies: beside a table, or in the folder that files of inputs share."""
        if self.is_own:
            fixed = re.split(re.escape(NAME) + "|" + re.escape(TREE), self.pattern, maxsplit=1)[0]
            return Path(os.path.dirname(fixed)) / FOLDER_BOOK
        if self.is_folder:
            return Path(self.pattern) / FOLDER_BOOK
        return Path(f"{self.pattern}.json") if self.kind.continues and not self.is_stream else None

    def file_of(self, label: Label) -> str:
        """Return the file, or folder, that an input has of its own."""
        name = label.fill(self.pattern)
        return f"{name.rstrip('/')}/" if self.is_folder else name

    def outputs_of(self, label: Label, *, moving: bool) -> list[str]:
        """Return the files that belong to one input alone; frames are one, with `FRAME` in its name."""
        if not self.is_folder:
            return [self.file_of(label)] if self.is_own else []
        number = f"-{FRAME}" if moving else ""
        return [f"{self.file_of(label)}{label.name}{number}{PICTURE}"]


class Targets:
    """All places that a run writes to, and which of them belongs to which input.

    Args:
        patterns: What the user named.
        inputs: The names of all inputs.
        moves: Tells whether an input has frames that follow each other.

    Attributes:
        all: The places.
        inputs: The inputs, each once.
        moving: Those that have frames.
        labels: What each input's outputs are called.

    Raises:
        OutputConflictError: They do not fit the inputs, or each other.
        OutputError: An ending is unknown.

    Example:
        >>> targets = Targets(["{name}.csv", "all.csv"], ["a/clip.mp4", "b/clip.mp4"], lambda name: True)
        >>> targets.outputs_of("b/clip.mp4")
        ['clip-2.csv']
    """

    all: list[Target]
    inputs: list[str]
    moving: set[str]
    labels: dict[str, Label]

    def __init__(self, patterns: Sequence[str], inputs: Sequence[str], moves: Callable[[str], bool]) -> None:
        self.all = [Target.parse(pattern) for pattern in patterns]
        self.inputs = list(dict.fromkeys(inputs))
        self.moving = {name for name in inputs if moves(name)}
        self._originals = Originals(inputs)
        for target in self.all:
            self._check_holds(target)
        self._check_twice()
        self.labels = {}
        self.assign({}, ())

    @property
    def wants_images(self) -> bool:
        """Whether pictures are written."""
        return any(target.kind.wants_images for target in self.all)

    @property
    def books(self) -> list[Path]:
        """Where lists of what is written lie, each once."""
        return list(dict.fromkeys(target.book for target in self.all if target.book is not None))

    def assign(self, known: dict[str, Label], reserved: Collection[str]) -> None:
        """Give each input its outputs, and compare all of them with all inputs.

        Args:
            known: What earlier runs called outputs of inputs.
            reserved: Outputs of earlier runs' inputs that are none of this run's.

        Raises:
            OutputConflictError: An output is an input.
        """
        shared = [*self._shared(), *map(str, self.books)]
        self.labels = label_inputs(
            self.inputs, self._claims, known=known, reserved=[*shared, *map(name_if_broken, shared), *reserved]
        )
        for name in self.inputs:
            self._refuse_twice(self.outputs_of(name))
        own = [output for name in self.inputs for output in self._claims(name, self.labels[name])]
        self._originals.refuse([*shared, *map(name_if_broken, shared), *(name for name in own if FRAME not in name)])
        self._refuse_frames(name for name in own if FRAME in name)

    def outputs_of(self, name: str, book: Path | None = None) -> list[str]:
        """Return the files of one input alone; with a book, those that it tells of."""
        chosen = (target for target in self.all if book is None or target.book == book)
        return _of(chosen, self.labels[name], moving=name in self.moving)

    def prepare(self) -> None:
        """Make the folders, and try whether they can be written to.

        Raises:
            OutputError: One cannot.
        """
        places = [Path(name) for name in self._shared() if not is_stream(name)] + self.books
        for folder in dict.fromkeys(place.parent for place in places):
            Part(folder / PROBE, lasting=False).discard()

    def _claims(self, name: str, label: Label) -> list[str]:
        """Return all names that an input may give to files: also what they are called where it breaks off."""
        outputs = _of(self.all, label, moving=name in self.moving)
        return [*outputs, *(name_if_broken(output) for output in outputs if FRAME not in output)]

    def _shared(self) -> list[str]:
        """Return the files that all inputs share."""
        return [target.pattern for target in self.all if not (target.is_own or target.is_folder)]

    def _check_holds(self, target: Target) -> None:
        """Refuse a picture or a video that cannot hold what is read."""
        photos = [name for name in self.inputs if name not in self.moving]
        wrong = {ONE_PHOTO: [*self.moving], ONE_VIDEO: photos}.get(target.kind.holds, [])
        if wrong:
            name = min(wrong)
            what = (
                f"one picture cannot hold a video, such as {name}"
                if name in self.moving
                else f"a video is made of a video's frames, but {name} is a photo"
            )
            mend = f"give a folder's name for pictures, {_folder_like(target.pattern)}"
            raise OutputConflictError(f"{target.pattern}: {what}; {mend}")
        if target.kind.holds in (ONE_PHOTO, ONE_VIDEO) and len(self.inputs) > 1 and not target.is_own:
            what, mend = (
                ("picture", f"give a folder's name, {_folder_like(target.pattern)}")
                if photos
                else ("video", f"give each its own, -o '{_own_like(target.pattern)}'")
            )
            raise OutputConflictError(
                f"{target.pattern}: one {what} cannot hold several inputs, and there are {len(self.inputs):,}; {mend}"
            )

    def _check_twice(self) -> None:
        """Refuse a place that is named twice, in whatever way it is written."""
        places = [(target.pattern, _key(target)) for target in self.all]
        places += [(str(book), _place(str(book))) for book in self.books]
        seen: dict[str, str] = {}
        for name, key in places:
            if key in seen:
                raise OutputConflictError(
                    f"{name}: is written twice, as {seen[key]} too; name it once, or another place"
                )
            seen[key] = name

    def _refuse_twice(self, outputs: Sequence[str]) -> None:
        """Refuse an input's file that two patterns name."""
        seen = set[str]()
        for output in outputs:
            if fold(output) in seen:
                raise OutputConflictError(f"{output}: is written twice; name it once, or another place")
            seen.add(fold(output))

    def _refuse_frames(self, outputs: Iterable[str]) -> None:
        """Refuse outputs whose frames may be called as an input."""
        frames = {fold(output): output for output in outputs}
        for name in self.inputs if frames else ():
            like = fold(NUMBERED.sub(f"-{FRAME}", name))
            if NUMBERED.search(name) and like in frames:
                raise OutputConflictError(
                    f"{frames[like]}: a frame may be called as the input {name}, and no input is ever written over; "
                    "give another folder"
                )


def name_if_broken(output: str) -> str:
    """Return what an output is called whose input, or run, did not come to its end; each picture is whole in itself.

    Example:
        >>> name_if_broken("a.csv"), name_if_broken("a.png")
        ('a.unfinished.csv', 'a.png')
    """
    whole = is_stream(output) or output.lower().endswith(IMAGE_SUFFIXES)
    return output if whole else unfinished(Path(output)).as_posix()


def _of(targets: Iterable[Target], label: Label, *, moving: bool) -> list[str]:
    """Return what one input has of its own at several targets."""
    return [output for target in targets for output in target.outputs_of(label, moving=moving)]


def _key(target: Target) -> str:
    """Return what tells a target from others."""
    if target.is_stream:
        return "-" if target.is_stdout else target.pattern
    return _place(target.pattern.rstrip("/") + (f"/{NAME}{PICTURE}" if target.is_folder else ""))


def _place(name: str) -> str:
    """Return where a name leads, without case where the file system ignores it."""
    place = os.path.realpath(name)
    return place.casefold() if ignores_case(Path(place).parent) else place


def _folder_like(pattern: str) -> str:
    """Return a folder's name that is like a file's."""
    return f"{pattern.removesuffix(Path(pattern).suffix)}/"


def _own_like(pattern: str) -> str:
    """Return a name with `NAME` in it that is like a file's."""
    path = Path(pattern)
    return str(path.with_name(f"{NAME}-{path.name}"))
