"""Files in object stores, such as ``s3://bucket/photos/``: listed and fetched through fsspec.

Nothing is fetched unless the user allows it: ``allow_download=True``, or ``--allow-download``. Credentials come from
the environment, as the tools of each store take them.
"""

from __future__ import annotations

import contextlib
import functools
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from glob import has_magic
from pathlib import Path, PurePosixPath
from typing import Any

from facemood.errors import FacemoodError, ImageError, MissingExtraError, SourceError, require
from facemood.sources.images import MAX_BYTES
from facemood.sources.items import NamedBytes, RemoteFile
from facemood.sources.kinds import file_kind

SCHEMES = {"s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs"}
"""How addresses of object stores begin, and the package that reads each."""

TIMES = ("LastModified", "last_modified", "updated", "mtime")
"""Where the stores tell the time of the last change."""

NANO = 1_000_000_000
"""Nanoseconds of a second."""


def is_remote(text: str) -> bool:
    """Tell whether a text is the address of an object store.

    Example:
        >>> is_remote("s3://bucket/photos/"), is_remote("https://example.org/a.jpg"), is_remote("photos/")
        (True, False, False)
    """
    scheme, mark, _ = text.partition("://")
    return bool(mark) and scheme.lower() in SCHEMES


def filesystem_of(address: str) -> tuple[Any, str]:
    """Return fsspec's file system of an address, and the path in it.

    Raises:
        MissingExtraError: The package of this store is not installed.
        SourceError: The address has a user name or password.
    """
    scheme, _, rest = address.partition("://")
    if "@" in rest.partition("/")[0]:
        raise SourceError(f"{scheme}://…: credentials come from the environment; give the address without them")
    system = store_of(scheme.lower())
    system.invalidate_cache()  # others may have written since the last listing
    return system, str(system._strip_protocol(address))


@functools.cache
def store_of(scheme: str) -> Any:
    """Return fsspec's file system of a kind of store: one for all threads, while fsspec makes one for each.

    Raises:
        MissingExtraError: The package of this store is not installed.
    """
    fsspec = require("fsspec", extra="places")
    try:
        return fsspec.filesystem(scheme)
    except ImportError as error:
        package = SCHEMES[scheme]
        raise MissingExtraError(f"{scheme}:// needs the package {package}; pip install {package}") from error


def list_remote(address: str, left_out: Counter[str] | None = None) -> list[RemoteFile]:
    """List the photos and videos that an address names: a file, a folder to any depth, or a pattern; sorted.

    Args:
        address: Such as ``s3://bucket/photos/`` or ``s3://bucket/**/*.jpg``.
        left_out: Takes the number of files that folders and patterns leave out, by their endings.

    Raises:
        SourceError: There is nothing that can be read, or no access.
        MissingExtraError: The package of this store is not installed.
    """
    with remote_errors(address):
        system, path = filesystem_of(address)
        if (file := _facts_of(system, path)).get("type") == "file":
            return [_remote_file(address, file)]
        found = system.glob(path, detail=True) if has_magic(path) else system.find(path, detail=True)
    scheme, files = address.partition("://")[0], []
    for name, facts in sorted(found.items()):
        if facts.get("type") != "file" or any(part.startswith(".") for part in PurePosixPath(name).parts):
            continue
        if file_kind(name, sniffed=False):
            files.append(_remote_file(f"{scheme}://{name}", facts))
        elif left_out is not None:
            left_out[PurePosixPath(name).suffix.lower()] += 1
    if not files:
        raise SourceError(f"{address}: names no image or video; expected a file, a folder or a pattern of them")
    return files


def find_remote(address: str) -> RemoteFile | None:
    """Return a file with its size and time as they are now; None if it is not there."""
    try:
        system, path = filesystem_of(address)
        return _remote_file(address, system.info(path))
    except (OSError, SourceError):
        return None


def fetch_remote(address: str) -> NamedBytes:
    """Fetch a photo.

    Raises:
        SourceError: It is not there, or there is no access.
        ImageError: It is larger than a photo may be.
    """
    with remote_errors(address):
        system, path = filesystem_of(address)
        with system.open(path, "rb", cache_type="none") as file:
            if (file.size or 0) > MAX_BYTES:
                raise ImageError(f"{address}: the file has more than {MAX_BYTES:,} bytes; expected a smaller image")
            return NamedBytes(bytes(file.read()), address)


@contextlib.contextmanager
def local_copy(address: str) -> Iterator[str]:
    """Fetch a file into a temporary one, and yield its name; errors within the block name the address.

    Raises:
        SourceError: It is not there, or there is no access.
    """
    import tempfile  # loads OpenSSL

    with tempfile.TemporaryDirectory(prefix="facemood-") as folder:
        copy = str(Path(folder, PurePosixPath(address).name))
        with remote_errors(address):
            system, path = filesystem_of(address)
            system.get_file(path, copy)
        try:
            yield copy
        except FacemoodError as error:
            raise type(error)(str(error).replace(copy, address)) from error


@contextlib.contextmanager
def remote_errors(address: str) -> Iterator[None]:
    """Turn what goes wrong with a store into an error of ours; each store has exceptions of its own.

    Raises:
        SourceError: Anything else than a `FacemoodError` was raised.
    """
    try:
        yield
    except FacemoodError:
        raise
    except FileNotFoundError as error:
        raise SourceError(f"{address}: there is no such file or folder") from error
    except Exception as error:
        raise SourceError(f"{address}: cannot be read ({error}); check address, network and credentials") from error


def _facts_of(system: Any, path: str) -> dict[str, Any]:
    """Return what a store tells of a file or folder; nothing if it is not there."""
    try:
        return dict(system.info(path))
    except FileNotFoundError:
        return {}


def _remote_file(address: str, facts: dict[str, Any]) -> RemoteFile:
    """Return a file with the size and time that a store tells."""
    time = next((facts[key] for key in TIMES if facts.get(key) is not None), None)
    if isinstance(time, str):
        with contextlib.suppress(ValueError):
            time = datetime.fromisoformat(time.replace("Z", "+00:00"))
    seconds = time.timestamp() if isinstance(time, datetime) else time
    changed = round(seconds * NANO) if isinstance(seconds, int | float) else None
    return RemoteFile(address, facts.get("size"), changed)
