"""The parts of the OpenAPI schema that annotations do not give: request bodies and security schemes."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from facemood.server.forms import FORM, PICTURES
from facemood.server.tokens import COOKIE

BINARY = {"type": "string", "format": "binary"}

FORMS: dict[str, dict[str, Any]] = {
    "PicturesForm": {
        "type": "object",
        "required": ["image"],
        "properties": {"image": {"type": "array", "minItems": 1, "items": BINARY}},
    },
    "VideoForm": {"type": "object", "required": ["video"], "properties": {"video": BINARY}},
}
"""Schemas of the forms, by name."""

PICTURES_BODY: dict[str, Any] = {
    "required": True,
    "description": "JPEG, PNG, WebP, GIF or BMP: in a form's fields called image, repeated for several, or as it is",
    "content": {
        FORM: {"schema": {"$ref": "#/components/schemas/PicturesForm"}},
        **{kind: {"schema": BINARY} for kind in PICTURES},
    },
}
"""The body of /v1/analyze."""

VIDEO_BODY: dict[str, Any] = {
    "required": True,
    "description": ".mp4, .mov, .mkv, .webm, .avi or the like, in a form's field called video",
    "content": {FORM: {"schema": {"$ref": "#/components/schemas/VideoForm"}}},
}
"""The body of /v1/videos."""

SECURITY = {
    "token": {"type": "http", "scheme": "bearer", "description": "The token that the server printed, or was given."},
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE.format(port="PORT"),
        "description": "As the page's address sets it. PORT is the one that the server listens on.",
    },
}
"""The ways to send the token."""


def describe(app: FastAPI, *, locked: bool, open_paths: tuple[str, ...]) -> dict[str, Any]:
    """Return the OpenAPI schema of an application. It is created once.

    Args:
        app: The application.
        locked: Whether a token is required.
        open_paths: The paths that need none.
    """
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        schema["components"]["schemas"].update(FORMS)
        schema["components"]["securitySchemes"] = SECURITY
        schema["security"] = [{"token": []}, {"cookie": []}, *([] if locked else [{}])]
        for path in open_paths:
            schema["paths"][path]["get"]["security"] = []
        app.openapi_schema = schema
    return app.openapi_schema
