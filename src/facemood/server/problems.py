"""Errors as the web tells them: ``application/problem+json`` (RFC 9457), with a title, a status and what to do."""

from __future__ import annotations

import errno
import http
import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from facemood.errors import FacemoodError, LimitError, MissingExtraError, OutputError
from facemood.explain import can_map
from facemood.isolation.bounds import UnknownFormatError
from facemood.recognizer import EmotionRecognizer
from facemood.server.headers import HEADERS

logger: logging.Logger = logging.getLogger("facemood")

MEDIA = "application/problem+json"

STATUSES: dict[type[Exception], int] = {LimitError: 413, UnknownFormatError: 415}
"""Statuses of errors that say more than 422, which is that of all others of what was sent."""

FULL: set[int] = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
"""What the system says where a disk, or the user's share of it, is full."""


class ProblemDetails(BaseModel):
    """What went wrong, in words for people and a number for programs."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


class Problem(HTTPException):
    """A request that is refused.

    Args:
        status: The HTTP status.
        detail: What was wrong, what was expected, and the mend.
        headers: More headers of the answer.

    Example:
        >>> Problem(413, "too large").body()["title"]
        'Content Too Large'
    """

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status, detail, dict(headers or {}))

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.status_code

    def body(self) -> dict[str, Any]:
        """Return what is sent."""
        return {"type": "about:blank", "title": _title(self.status), "status": self.status, "detail": self.detail}

    def response(self) -> JSONResponse:
        """Return the answer."""
        headers = {**HEADERS, **(self.headers or {})}  # what fails outside of the guard must have them too
        return JSONResponse(self.body(), self.status, headers=headers, media_type=MEDIA)


def require_maps(recognizer: EmotionRecognizer) -> None:
    """Make sure that a recognizer's model can tell where it found a label.

    Raises:
        Problem: It cannot (422).
    """
    if not can_map(recognizer.pipeline):
        raise Problem(422, f"the model {recognizer.card.name!r} tells no feature map, so it has no maps")


def problem_of(error: Exception) -> Problem:
    """Turn an error into a problem; what nobody foresaw says nothing of the server's inside.

    Example:
        >>> from facemood.errors import ImageError
        >>> problem_of(ImageError("no image")).status, problem_of(ZeroDivisionError("secret")).status
        (422, 500)
    """
    if isinstance(error, Problem):
        return error
    if isinstance(error, HTTPException):
        return Problem(error.status_code, str(error.detail), error.headers)
    if isinstance(error, RequestValidationError):
        return Problem(422, "; ".join(map(_invalid, error.errors())))
    status = next((status for kind, status in STATUSES.items() if isinstance(error, kind)), None)
    if status:
        return Problem(status, str(error))
    if is_disk_full(error):
        return Problem(507, "the server's disk is full; ask again later")
    if isinstance(error, FacemoodError) and not isinstance(error, OutputError | MissingExtraError):
        return Problem(422, str(error))
    logger.error("the server failed: %s", error, exc_info=error)
    return Problem(500, "the server failed; its log says why")


def is_disk_full(error: BaseException | None) -> bool:
    """Tell whether an error, or what it came from, is that a disk is full.

    Example:
        >>> is_disk_full(OSError(errno.ENOSPC, "no space left on device"))
        True
    """
    while error is not None:
        if getattr(error, "errno", None) in FULL:
            return True
        error = error.__cause__
    return False


def add_problem_handlers(app: FastAPI) -> None:
    """Let an application answer each error with a problem."""

    async def answer(request: Request, error: Exception) -> JSONResponse:
        return problem_of(error).response()

    for kind in (HTTPException, RequestValidationError, FacemoodError, Exception):
        app.add_exception_handler(kind, answer)


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the refusals of a route for the OpenAPI schema.

    Example:
        >>> refusals(404)[404]["description"]
        'Not Found'
    """
    schema = {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}
    return {
        status: {"description": _title(status), "model": ProblemDetails, "content": {MEDIA: schema}}
        for status in statuses
    }


def _title(status: int) -> str:
    """Return the standard's words for a status."""
    words = {413: "Content Too Large", 422: "Unprocessable Content"}  # Python 3.10 has older ones
    return words.get(status) or http.HTTPStatus(status).phrase


def _invalid(error: Mapping[str, Any]) -> str:
    """Say what is wrong with one part of a request."""
    place = ".".join(str(part) for part in error["loc"])
    return f"{place}: {error['msg']}"
