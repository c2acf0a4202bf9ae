"""Uploads: multipart forms, parsed as they arrive, and images as request bodies. No temporary files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import IO, Any, NamedTuple, Protocol

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from facemood.server.problems import Problem

FORM = "multipart/form-data"

PICTURES = ("image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp")
"""Content types of a body that is one image."""


class FormPart(Protocol):
    """Receives the bytes of one part of a form."""

    def write(self, data: bytes) -> Any:
        """Add some bytes."""


class SentPicture(NamedTuple):
    """An uploaded image.

    Attributes:
        name: Its file name at the client; None if there is none.
        data: The file's bytes.
    """

    name: str | None
    data: bytearray


class _Bytes(bytearray):
    """A part that is kept in memory."""

    write = bytearray.extend


class _Nowhere:
    """A part that is ignored."""

    def write(self, data: bytes) -> None:
        """Ignore the bytes."""


async def read_pictures(request: Request, *, most: int, parts: int) -> list[SentPicture]:
    """Read the images of a request: form fields named ``image``, or the body.

    Args:
        request: The request. Its body is limited already.
        most: Most images.
        parts: Most parts of a form.

    Raises:
        Problem: There is none, or there are too many (422, 413), or the body is no form and no image (415).
    """
    kind = _kind_of(request)
    if kind.startswith("image/"):
        data = bytearray()
        async for chunk in _chunks(request):
            data += chunk
        return [SentPicture(None, data)]
    found: list[SentPicture] = []

    def open_part(field: str, name: str | None) -> FormPart:
        if field != "image":
            return _Nowhere()
        if len(found) == most:
            raise Problem(422, f"there are {most + 1} images or more; expected {'1' if most == 1 else f'1 to {most}'}")
        data = _Bytes()
        found.append(SentPicture(name, data))
        return data

    await read_form(request, open_part, parts=parts)
    if not found:
        raise Problem(422, "image: there is no image; expected one in a form field called 'image'")
    return found


async def read_video(request: Request, file: IO[bytes], *, parts: int) -> None:
    """Write the video of a request, a form field named ``video``, to a file as it arrives.

    Raises:
        Problem: There is none or more than one (422), or the body is no form (415).
    """
    found = 0

    def open_part(field: str, name: str | None) -> FormPart:
        nonlocal found
        if field != "video":
            return _Nowhere()
        found += 1
        if found > 1:
            raise Problem(422, "video: there are several; expected one")
        return file

    await read_form(request, open_part, parts=parts)
    if not found:
        raise Problem(422, "video: there is none; expected one in a form field called 'video'")


async def read_form(request: Request, open_part: Callable[[str, str | None], FormPart], *, parts: int) -> None:
    """Read a form as it arrives.

    Args:
        request: The request.
        open_part: Returns the receiver of a part, given its field and file name. It may raise a Problem.
        parts: Most parts.

    Raises:
        Problem: It is no form (415, or 422 where there is no body), it is damaged (400), or has too many parts (413).
    """
    kind = _kind_of(request)
    if kind != FORM:
        if not kind:
            raise Problem(422, f"image, video: there is no body; expected {FORM}")
        raise Problem(415, f"the body is {kind!r}; expected {FORM}, or for one image {', '.join(PICTURES)}")
    boundary = parse_options_header(request.headers["content-type"])[1].get(b"boundary", b"")
    reader = _FormReader(open_part, parts)
    try:
        parser = MultipartParser(boundary, reader.callbacks())  # type: ignore[arg-type]
        async for chunk in _chunks(request):
            parser.write(chunk)
            await reader.flush()
        parser.finalize()
    except FormParserError as error:
        raise Problem(400, f"the form is damaged: {error}") from error


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    """Yield the body of a request as it arrives."""
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect:
        raise Problem(400, "the upload broke off; send it again") from None


class _FormReader:
    """The callbacks of the form parser."""

    def __init__(self, open_part: Callable[[str, str | None], FormPart], parts: int) -> None:
        self.open_part, self.parts, self.count = open_part, parts, 0
        self._name, self._value, self._disposition = b"", b"", b""
        self._part: FormPart = _Nowhere()
        self._came: list[tuple[FormPart, bytes]] = []

    def callbacks(self) -> dict[str, Callable[..., None]]:
        """Return the callbacks by name."""
        names = ("part_begin", "part_data", "header_field", "header_value", "header_end", "headers_finished")
        return {f"on_{name}": getattr(self, name) for name in names}

    async def flush(self) -> None:
        """Pass the bytes on to their parts. Files are written in a thread."""
        came, self._came = self._came, []
        for part, data in came:
            if isinstance(part, _Bytes | _Nowhere):
                part.write(data)
            else:
                await asyncio.to_thread(part.write, data)

    def part_begin(self) -> None:
        """Begin a part."""
        self.count += 1
        if self.count > self.parts:
            raise Problem(413, f"the form has more than {self.parts} parts; send fewer images at once")
        self._disposition = b""

    def header_field(self, data: bytes, start: int, end: int) -> None:
        """Take some of a header's name."""
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        """Take some of a header's value."""
        self._value += data[start:end]

    def header_end(self) -> None:
        """End a header."""
        if self._name.lower() == b"content-disposition":
            self._disposition = self._value
        self._name, self._value = b"", b""

    def headers_finished(self) -> None:
        """Open the part."""
        options = parse_options_header(self._disposition)[1]
        field, name = options.get(b"name"), options.get(b"filename")
        if field is None:
            raise Problem(400, "the form is damaged: a part has no name")
        self._part = self.open_part(_text(field), None if name is None else _text(name))

    def part_data(self, data: bytes, start: int, end: int) -> None:
        """Take some of a part."""
        self._came.append((self._part, data[start:end]))


def _kind_of(request: Request) -> str:
    """Return the content type of a request in lower case, without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _text(data: bytes) -> str:
    """Decode a name as UTF-8, or else as Latin-1."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
