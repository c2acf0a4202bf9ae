"""What a page loads to read images in its tab instead of here: engine, networks, their runtime, and the settings.

The addresses are those of the static site, so that the page finds its files in the same places.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.staticfiles import StaticFiles

from facemood.models import ModelSession
from facemood.recognizer import EmotionRecognizer
from facemood.server.headers import WORKER_POLICY
from facemood.server.problems import Problem
from facemood.web.engine_files import (
    APP,
    LISTING,
    PACKAGE,
    SETTINGS,
    WORKER,
    EngineFile,
    engine_files,
    listing_of,
    named_models,
    tab_settings,
)

KEPT = {"Cache-Control": "private, max-age=31536000, immutable"}
"""The engine's files may be kept by the browser: their names change with what is in them, and they show nobody."""


def can_read_in_tab(recognizer: EmotionRecognizer) -> bool:
    """Return whether a tab can do what a recognizer does: its network reads crops of faces, and nothing is derived."""
    return recognizer.card.task == "expression" and not recognizer.pipeline.derived.measures


class ModuleFiles(StaticFiles):
    """The JavaScript of a folder, and nothing else that lies in it."""

    async def get_response(self, path: str, scope: Any) -> Response:
        """Answer with a module."""
        if not path.endswith(".js"):
            raise Problem(404, "there is no such file")
        return await super().get_response(path, scope)


class TabFiles:
    """The files for one recognizer. They are packed when a page first asks for them, because that takes a second.

    Args:
        recognizer: Whose model and settings the tab takes over.
    """

    recognizer: EmotionRecognizer
    models: Mapping[str, ModelSession]

    def __init__(self, recognizer: EmotionRecognizer) -> None:
        self.recognizer = recognizer
        self.models = named_models([recognizer.session])
        self._files: dict[str, EngineFile] = {}
        self._packing = threading.Lock()

    def files(self) -> dict[str, EngineFile]:
        """Return the files by name."""
        with self._packing:
            self._files = self._files or engine_files(self.models, self.recognizer.pipeline.landmark_model.session.file)
            return self._files

    def listing(self) -> dict[str, Any]:
        """Return the list of the files."""
        return listing_of(self.models, self.files())

    def settings(self) -> dict[str, Any]:
        """Return what the page must know."""
        pipeline = self.recognizer.pipeline
        options = pipeline.options
        reading = {
            "head": pipeline.head,
            "prior": pipeline.prior,
            "orientation": self.recognizer.pipeline.orientation,
            "minFace": options.min_size,
            "threshold": options.threshold,
            "maxFaces": options.max_faces,
        }
        known = {name: value for name, value in reading.items() if value is not None}
        return tab_settings(self.recognizer.session, pipeline.head, known)

    def router(self) -> APIRouter:
        """Return the addresses of the files."""
        router: APIRouter = APIRouter(include_in_schema=False)
        router.add_api_route(f"/{LISTING}", self._listing)
        router.add_api_route(f"/{SETTINGS}", self._settings)
        router.add_api_route("/engine/{name}", self._file)
        router.add_api_route(f"/{APP}/{WORKER}", _worker)
        return router

    async def _listing(self) -> Response:
        """Send the list of the engine's files."""
        return JSONResponse(await run_in_threadpool(self.listing))

    async def _settings(self) -> Response:
        """Send what the page must know."""
        return JSONResponse(self.settings())

    async def _file(self, name: str) -> Response:
        """Send one of the engine's files."""
        files = await run_in_threadpool(self.files)
        file = next((file for file in files.values() if file.path == f"engine/{name}"), None)
        if file is None:
            raise Problem(404, "there is no such file; reload the page")
        packed = file.path.endswith((".gz", ".xz"))
        kind = "application/octet-stream" if packed else "text/javascript"
        return Response(file.data, media_type=kind, headers=KEPT)


async def _worker() -> Response:
    """Send the engine's worker, whose own policy lets it compile WebAssembly."""
    return FileResponse(
        PACKAGE / WORKER, media_type="text/javascript", headers={"Content-Security-Policy": WORKER_POLICY}
    )
