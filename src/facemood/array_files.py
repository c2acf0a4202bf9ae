"""Arrays in .npz files that anyone may have made: no pickle is loaded, and no archive unpacks to more than a limit.

What is wrong with a file is a ValueError or an OSError, whatever NumPy and zipfile raise, so that callers can name it.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_BYTES = 2**31
"""Bytes that the arrays of one file have at most, unpacked; those of the soft labels of FER2013 have 1 MB."""

DAMAGED = "it is no .npz file, or is cut or damaged; fetch it again"
"""What an error says of a file that cannot be unpacked."""


def read_arrays(file: str | os.PathLike[str], *, needed: Iterable[str] = ()) -> dict[str, NDArray[Any]]:
    """Read all arrays of an .npz file.

    Args:
        file: Its path.
        needed: Names of arrays that must be there.

    Returns:
        The arrays by name; none holds Python objects.

    Raises:
        OSError: The file cannot be opened.
        ValueError: It is no such file, is damaged or too large, holds Python objects, or lacks an array.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     np.savez(Path(folder, "a.npz"), ones=np.ones(2))
        ...     read_arrays(Path(folder, "a.npz"), needed=["ones"])
        {'ones': array([1., 1.])}
    """
    with Path(file).open("rb") as stream:
        try:
            with zipfile.ZipFile(stream) as archive:
                _check_size(archive)
                arrays = {name.removesuffix(".npy"): _read(archive, name) for name in archive.namelist()}
        except ValueError:
            raise
        except Exception as error:  # zipfile, zlib, lzma and NumPy have classes of their own for each kind of damage
            raise ValueError(DAMAGED) from error
    missing = [name for name in needed if name not in arrays]
    if missing:
        raise ValueError(f"the array {missing[0]!r} is missing")
    return arrays


def check_array(name: str, array: NDArray[Any], *, kind: type[np.generic], shape: tuple[int | None, ...]) -> None:
    """Make sure that an array has a type and a shape.

    Args:
        name: What the message calls it.
        array: The array.
        kind: Its type, or one that stands for several, such as ``np.floating``.
        shape: Its dimensions; None for one of any size.

    Raises:
        ValueError: It has another.

    Example:
        >>> check_array("keys", np.zeros((8, 3), np.uint8), kind=np.uint8, shape=(8, None))
        >>> check_array("keys", np.zeros((7, 3), np.uint8), kind=np.uint8, shape=(8, None))
        Traceback (most recent call last):
        ValueError: the array 'keys' must be (8, any) of uint8, but is (7, 3) of uint8
    """
    sizes = zip(shape, array.shape, strict=False)
    fits = array.ndim == len(shape) and all(want in (None, have) for want, have in sizes)
    if not (fits and np.issubdtype(array.dtype, kind)):
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise ValueError(
            f"the array {name!r} must be ({wanted}) of {kind.__name__}, but is {array.shape} of {array.dtype}"
        )


def text_of(name: str, array: NDArray[Any]) -> str:
    """Return the text that an array holds.

    Raises:
        ValueError: It holds no single text.

    Example:
        >>> text_of("about", np.array("{}"))
        '{}'
    """
    check_array(name, array, kind=np.str_, shape=())
    return str(array)


def _check_size(archive: zipfile.ZipFile) -> None:
    """Refuse an archive that unpacks to more than the limit; zipfile reads no more of a member than it declares."""
    size = sum(info.file_size for info in archive.infolist())
    if size > MOST_BYTES:
        raise ValueError(f"its arrays have {size:,} bytes; the most are {MOST_BYTES:,}")


def _read(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    """Read one array from the bytes of a member; a header that asks for more than is there is refused before a copy."""
    stream = io.BytesIO(archive.read(name))
    try:
        version = np.lib.format.read_magic(stream)
        reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = reader(stream)
        if dtype.hasobject:
            raise ValueError("holds Python objects, which are not loaded: they could run code")
        if min(shape, default=0) < 0:
            raise ValueError(f"its shape is {shape}")
        values = stream.getbuffer()[stream.tell() :]
        return np.ndarray(shape, dtype, values, order="F" if fortran else "C").copy()
    except (ValueError, TypeError, OverflowError) as error:
        raise ValueError(f"the array {name.removesuffix('.npy')!r} is damaged ({error})") from error
