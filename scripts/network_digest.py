"""Which network a figure is of: pages and figures name it by the first digits of its file's SHA-256."""

from __future__ import annotations

from hashlib import sha256

from facemood.models import find_model


def digest(model: str) -> str:
    """Return the first 12 digits of the SHA-256 of a model's file; a name or a path."""
    return sha256(find_model(model).read_bytes()).hexdigest()[:12]
