"""Find the inputs that a source names: images, videos, live sources, folders, patterns, or a list of them."""

from __future__ import annotations

import glob
import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from PIL import Image as Pillow

from facemood.errors import FacemoodError, ImageError, SourceError, did_you_mean
from facemood.imaging import wrong_array
from facemood.schema import Frame
from facemood.sources.boundary import input_errors, short_name
from facemood.sources.download import is_address, is_photo_address
from facemood.sources.folder_walk import Walk, describe_left_out
from facemood.sources.items import (
    Download,
    ImageLike,
    Item,
    NamedBytes,
    RemoteFile,
    is_data_url,
    is_file_url,
    path_of_url,
    read_file_object,
)
from facemood.sources.live.network_stream import public_name
from facemood.sources.open_input import STDIN, is_live_input, name_of_item, read_frame, refuse_live
from facemood.sources.remote import is_remote, list_remote
from facemood.switches import check_switches

logger: logging.Logger = logging.getLogger("facemood")

SourceLike: TypeAlias = "ImageLike | Iterable[ImageLike]"
"""An image, a video, a live source, a folder, a pattern such as ``photos/**/*.jpg``, or several of them."""

ErrorHandler: TypeAlias = Callable[[str, FacemoodError], None]
"""Called with the name of an input that cannot be read and the error; the other inputs are still read."""


def find_inputs(
    source: SourceLike,
    *,
    on_error: ErrorHandler | None = None,
    allow_download: bool = False,
    left_out: Counter[str] | None = None,
) -> list[Item] | Iterator[Item]:
    """List the images, videos and live sources that a source names, without opening them.

    Folders are searched to any depth, patterns are expanded, and both give sorted paths (`folder_walk`). A generator
    stays one: its items are taken as they are needed, so that they need not fit into memory together.

    Args:
        source: What the user named.
        on_error: Called for each of several sources that names nothing, and for each folder below the first that cannot
            be listed; None lets the first error end it.
        allow_download: Whether http and https addresses are photos that are fetched; else they are live sources.
        left_out: Takes the number of files that folders and patterns leave out, by their endings.

    Raises:
        SourceError: A path is not there, a folder or pattern has neither image nor video, or the kind is not supported.
        OptionError: `allow_download` is no bool.

    Example:
        >>> len(find_inputs([np.zeros((8, 8), np.uint8), b"..."]))
        2
    """
    check_switches(allow_download=allow_download)
    search = _Search(on_error, allow_download, Counter() if left_out is None else left_out)
    with input_errors(name_of_item(source)):
        return search.find(source)


def read_one_image(image: ImageLike, *, allow_download: bool = False) -> Frame:
    """Open a source that must be exactly one image.

    Args:
        image: The source.
        allow_download: Whether an image at an http or https address is downloaded.

    Raises:
        ImageError: It is a folder, a pattern for several files, or it cannot be decoded.
        SourceError: It does not exist, or is live.
    """
    inputs = list(find_inputs(image, allow_download=allow_download))
    if len(inputs) != 1 or (isinstance(image, str | os.PathLike) and os.path.isdir(image)):
        raise ImageError(f"expected one image, but {name_of_item(image)!r} names {len(inputs)}; use analyze or stream")
    refuse_live(inputs)
    return read_frame(inputs[0])


@dataclass(frozen=True, slots=True)
class _Search:
    """How sources are listed; see `find_inputs`."""

    on_error: ErrorHandler | None
    allow_download: bool
    left_out: Counter[str]

    def find(self, source: Any) -> list[Item] | Iterator[Item]:
        """List what one source names."""
        if isinstance(source, str | os.PathLike):
            return self._find_paths(os.fspath(source))
        if isinstance(source, np.ndarray) and source.dtype.kind in "OUS" and source.ndim == 1:
            return self.find(source.tolist())
        if isinstance(source, bytes | np.ndarray | Pillow.Image | NamedBytes | Download | RemoteFile):
            return [source]
        if isinstance(source, bytearray | memoryview):
            return [bytes(source)]
        if hasattr(source, "__dlpack__"):
            raise wrong_array(source, "tensor")
        if callable(getattr(source, "read", None)):
            return [read_file_object(source)]
        if isinstance(source, Iterable):
            items = (item for part in source for item in self._find_part(part))
            return list(items) if isinstance(source, Sized) else items
        raise SourceError(
            f"cannot read {type(source).__name__}; expected a path, bytes, an open file, an array, a Pillow image, "
            "or a list of them"
        )

    def _find_part(self, part: Any) -> Iterable[Item]:
        """List what one of several sources names, or hand its error on."""
        try:
            with input_errors(name_of_item(part)):
                return self.find(part)
        except FacemoodError as error:
            if self.on_error is None:
                raise
            self.on_error(name_of_item(part), error)
            return []

    def _find_paths(self, text: str | bytes) -> list[Item]:
        """Expand one path, folder or pattern; a file of that name outranks all else."""
        text = os.fsdecode(text)
        if not text:
            raise SourceError(
                "the source is an empty text; expected a path, a folder or a pattern, or '.' for this folder"
            )
        if is_data_url(text) or text == STDIN:
            return [text]
        if is_file_url(text) and not os.path.lexists(text):
            text = path_of_url(text)
        path = expand_home(text)
        if path.is_dir():
            return self._search(text, path)
        if os.path.lexists(path):
            return [str(path)]
        if is_remote(text):
            return self._find_remote(text)
        if self.allow_download and is_address(text):
            return [Download(text)]
        if is_photo_address(text):
            raise SourceError(
                f"{public_name(text)}: this is the address of a photo, and nothing is downloaded unless you allow it, "
                "with allow_download=True (--allow-download)"
            )
        if is_live_input(text):
            return [text]
        if glob.has_magic(text):
            return self._search(text)
        raise SourceError(_not_found(text, path))

    def _find_remote(self, address: str) -> list[Item]:
        """List what an address of an object store names."""
        if not self.allow_download:
            raise SourceError(
                f"{address}: this is in an object store, and nothing is downloaded unless you allow it, with "
                "allow_download=True (--allow-download)"
            )
        return [*list_remote(address, self.left_out)]

    def _search(self, text: str, folder: Path | None = None) -> list[Item]:
        """Search a folder, or else a pattern, and say what was left out."""
        walk = Walk(self.on_error)
        found = walk.files_below(folder) if folder else walk.files_matching(str(expand_home(text)))
        told = describe_left_out(walk.left_out)
        if not found and folder:
            more = f" ({told})" if told else ""
            raise SourceError(
                f"{folder}: the folder holds no images or videos; expected files such as .jpg, .png or .mp4{more}"
            )
        if not found:
            raise SourceError(f"{text}: the pattern matches no image or video ({told or '0 files'})")
        if told:
            logger.warning("%s: %s", text, told)
        self.left_out.update(walk.left_out)
        return list(found)


def expand_home(text: str) -> Path:
    """Return a path, with ``~`` for the home folder where there is no file of that name, and somebody has that home."""
    path = Path(text)
    if os.path.lexists(path):
        return path
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def _not_found(text: str, path: Path) -> str:
    """Return the message for a path that does not exist, with the nearest name in its folder."""
    if "://" in text:
        return f"{short_name(text)}: unsupported protocol; expected rtsp://, http://, https://, udp:// or file://"
    with_siblings = path.parent.is_dir() and os.access(path.parent, os.R_OK)
    siblings = [entry.name for entry in path.parent.iterdir()] if with_siblings else []
    return f"{short_name(text)}: there is no such file or folder.{did_you_mean(path.name, siblings)}"
