"""The exceptions of facemood, and the check for optional packages.

FacemoodError
├── MissingExtraError an optional package is not installed (also an ImportError)
├── SourceError       nothing to read at a path, pattern or stream
│   ├── ImageError    a file or array is not a readable image
│   ├── VideoError    a video or stream cannot be opened or has no readable frame
│   └── LimitError    an image or video exceeds a limit that was set
├── DatasetError      a dataset's files are missing, damaged or inconsistent
├── ModelError        a model file, its card or its labels cannot be used
├── DeviceError       the requested computing device is not available
├── RecipeError       a training recipe is invalid
├── OptionError       an option is out of its range (also a ValueError)
├── ExplanationError  an explanation cannot be made with these options
├── WorkerError       the processes that read inputs cannot be started
└── OutputError       a result cannot be written
    ├── OutputBusyError      another process is writing the file
    └── OutputConflictError  outputs do not fit the inputs, or each other; nothing was read or written
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable
from types import ModuleType

from facemood.filenames import printable


class FacemoodError(Exception):
    """Base class of all errors that facemood raises. Messages are printable, whatever names they contain."""

    def __str__(self) -> str:
        return printable(super().__str__(), lines=True)


class MissingExtraError(FacemoodError, ImportError):
    """A required optional package is not installed."""


class SourceError(FacemoodError):
    """A source has nothing that can be read."""

    def __str__(self) -> str:
        return printable(super().__str__())  # one line: a line break can only be part of a name


class ImageError(SourceError):
    """An image cannot be decoded or has a wrong shape."""


class DatasetError(FacemoodError):
    """A dataset's files are missing, damaged or inconsistent."""


class ModelError(FacemoodError):
    """A model file or its card cannot be used."""


class DeviceError(FacemoodError):
    """The requested computing device is not available."""


class RecipeError(FacemoodError):
    """A training recipe has an unknown key or an invalid value."""


class OptionError(FacemoodError, ValueError):
    """An option is out of its range. The command line ends with its message and the exit code of wrong usage."""


class WorkerError(FacemoodError):
    """Processes that work together cannot be started, end before they are ready, or one of them is gone."""


class OutputError(FacemoodError):
    """A result cannot be written."""


class OutputBusyError(OutputError):
    """Another process is writing the file."""


class OutputConflictError(OutputError):
    """Outputs do not fit the inputs, or each other: one would write over an input, or cannot hold what is read."""


class ExplanationError(FacemoodError):
    """An explanation cannot be made: its method, a parameter or the segmentation is invalid."""


class VideoError(SourceError):
    """A video or stream cannot be opened, or has no readable frame."""


class LimitError(SourceError):
    """An image or video is larger than a limit that was set for it."""


def require(module: str, *, extra: str) -> ModuleType:
    """Import an optional module, or raise an error that names the extra to install.

    Args:
        module: The import name, such as ``"torch"``.
        extra: The extra of this package that installs it.

    Raises:
        MissingExtraError: The module is not installed.

    Example:
        >>> require("json", extra="train").__name__
        'json'
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:
            raise
        raise MissingExtraError(
            f"{module!r} is not installed, but this part of facemood needs it. "
            f"Install the extra {extra!r}: from a checkout, pip install '.[{extra}]'"
        ) from error


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the nearest choice, or an empty text if none is near.

    Example:
        >>> did_you_mean("fer2031", ["fer2013", "folder"])
        " Did you mean 'fer2013'?"
    """
    near = difflib.get_close_matches(word, list(choices), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
