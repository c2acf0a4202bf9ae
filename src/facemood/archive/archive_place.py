"""Where the files of an archive are: a folder of this machine, or one in an object store such as ``s3://bucket/out/``.

A folder takes a file by renaming it. An object store has no names to change, but takes a file whole or not at all.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple, TypeAlias

from facemood.atomic import replacing
from facemood.errors import FacemoodError, OutputError
from facemood.sources.remote import filesystem_of, is_remote


@dataclass(frozen=True)
class LocalPlace:
    """A folder of this machine.

    Attributes:
        path: The folder.
    """

    path: Path

    @property
    def name(self) -> str:
        """The folder."""
        return str(self.path)

    def list(self, folder: str) -> list[str]:
        """Return the names of the files and folders in a folder, sorted; none if it is not there."""
        try:
            return sorted(os.listdir(self.path / folder))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def has(self, name: str) -> bool:
        """Return whether a file is there."""
        return (self.path / name).exists()

    def read(self, name: str) -> bytes:
        """Return the bytes of a file.

        Raises:
            OSError: It is not there.
        """
        return (self.path / name).read_bytes()

    def write(self, name: str, data: bytes) -> None:
        """Write a file under another name, and rename it.

        Raises:
            OutputError: It cannot be written.
        """
        with replacing(self.path / name, "wb") as file:
            file.write(data)

    @contextlib.contextmanager
    def opened(self, name: str) -> Iterator[Any]:
        """Give the path of a file."""
        yield self.path / name


@dataclass(frozen=True)
class RemotePlace:
    """A folder in an object store.

    Attributes:
        address: Its address, without ``/`` at its end.
    """

    address: str

    @property
    def name(self) -> str:
        """The address."""
        return self.address

    def list(self, folder: str) -> list[str]:
        """Return the names of the files and folders in a folder, sorted; none if it is not there.

        Raises:
            OutputError: The store cannot be reached.
        """
        with self._errors("read"):
            system, path = filesystem_of(f"{self.address}/{folder}".rstrip("/"))
            try:
                found = system.ls(path, detail=False)
            except FileNotFoundError:
                return []
        return sorted({PurePosixPath(name).name for name in found} - {PurePosixPath(path).name})

    def has(self, name: str) -> bool:
        """Return whether a file is there."""
        with self._errors("read"):
            system, path = filesystem_of(f"{self.address}/{name}")
            return bool(system.isfile(path))

    def read(self, name: str) -> bytes:
        """Return the bytes of a file.

        Raises:
            FileNotFoundError: It is not there.
            OutputError: The store cannot be reached.
        """
        with self._errors("read"):
            system, path = filesystem_of(f"{self.address}/{name}")
            return bytes(system.cat_file(path))

    def write(self, name: str, data: bytes) -> None:
        """Write a file in one upload.

        Raises:
            OutputError: It cannot be written.
        """
        with self._errors("written"):
            system, path = filesystem_of(f"{self.address}/{name}")
            system.pipe_file(path, data)

    def upload(self, file: Path, name: str) -> None:
        """Upload a file; it is there when the whole of it is.

        Raises:
            OutputError: It cannot be written.
        """
        with self._errors("written"):
            system, path = filesystem_of(f"{self.address}/{name}")
            system.put_file(str(file), path)

    def remove(self, name: str) -> None:
        """Remove a file.

        Raises:
            OutputError: It cannot be removed.
        """
        with self._errors("written"):
            system, path = filesystem_of(f"{self.address}/{name}")
            system.rm_file(path)

    @contextlib.contextmanager
    def opened(self, name: str) -> Iterator[Any]:
        """Give a file that is open for reading."""
        with self._errors("read"):
            system, path = filesystem_of(f"{self.address}/{name}")
            file = system.open(path, "rb")
        with file:
            yield file

    @contextlib.contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        """Turn what goes wrong with a store into an error of ours; a missing file stays one."""
        try:
            yield
        except FacemoodError:
            raise
        except FileNotFoundError as error:
            if what == "read":
                raise
            raise OutputError(f"{self.address}: cannot be written, there is no such bucket") from error
        except Exception as error:
            raise OutputError(
                f"{self.address}: cannot be {what} ({error}); check address, network and credentials"
            ) from error


Place: TypeAlias = "LocalPlace | RemotePlace"
"""Either kind of place."""


class PlacedFile(NamedTuple):
    """A file of an archive.

    Attributes:
        place: The place of the archive.
        name: Its name there.
    """

    place: Place
    name: str

    @property
    def stem(self) -> str:
        """Its name without folder and ending."""
        return PurePosixPath(self.name).stem

    def __str__(self) -> str:
        return f"{self.place.name}/{self.name}"

    def opened(self) -> contextlib.AbstractContextManager[Any]:
        """Give the file as pyarrow reads it: a path, or an open file."""
        return self.place.opened(self.name)


def absolute(folder: str | os.PathLike[str]) -> str:
    """Return an absolute path; an address stays as it is.

    Example:
        >>> absolute("s3://bucket/out/")
        's3://bucket/out/'
    """
    return os.fspath(folder) if is_remote(os.fspath(folder)) else os.path.abspath(folder)


def open_place(folder: str | os.PathLike[str]) -> Place:
    """Return the place of an archive.

    Example:
        >>> open_place("out/"), open_place("s3://bucket/out/")
        (LocalPlace(path=PosixPath('out')), RemotePlace(address='s3://bucket/out'))
    """
    name = os.fspath(folder)
    return RemotePlace(name.rstrip("/")) if is_remote(name) else LocalPlace(Path(name))


@contextlib.contextmanager
def growing_file(place: Place, name: str) -> Iterator[Path]:
    """Yield the path at which a file of an archive is written; in an object store it is uploaded after the block.

    Raises:
        OutputError: It cannot be uploaded.
    """
    if isinstance(place, LocalPlace):
        yield place.path / name
        return
    with tempfile.TemporaryDirectory(prefix="facemood-") as folder:
        file = Path(folder, PurePosixPath(name).name)
        yield file
        if file.exists():
            place.upload(file, name)
