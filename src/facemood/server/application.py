"""The application: the API, the page, and the guard before both."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.responses import FileResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from facemood import __version__
from facemood.recognizer import EmotionRecognizer
from facemood.server.access_log import AccessLog
from facemood.server.bounded_log import bounded_log
from facemood.server.guard import OPEN, Guard
from facemood.server.limits import ServerOptions
from facemood.server.openapi import describe
from facemood.server.problems import add_problem_handlers
from facemood.server.prometheus import Metrics
from facemood.server.routes import router
from facemood.server.service import Service
from facemood.server.tab_routes import ModuleFiles, TabFiles, can_read_in_tab
from facemood.web.engine_files import APP, PACKAGE

STATIC = Path(__file__).parent / "static"

ABOUT = (
    "Reads apparent facial expressions from images, videos and live frames, on this machine alone. "
    "It judges how a face looks, not what a person feels or thinks."
)

SILENT: Any = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
"""What newer versions of FastAPI could send to others, where the environment asks for it; here nothing leaves."""

SWEEP = 30.0
"""Seconds after which videos are looked through for those that were kept long enough."""


def create_app(recognizer: EmotionRecognizer, options: ServerOptions | None = None) -> FastAPI:
    """Make the application that a server such as uvicorn runs.

    Args:
        recognizer: What reads faces.
        options: The bounds; None takes the defaults, which are for this machine alone.

    Example:
        >>> app = create_app(EmotionRecognizer())
        >>> "/v1/analyze" in app.openapi()["paths"]
        True
    """
    options = options or ServerOptions()
    app = FastAPI(
        title="facemood",
        version=__version__,
        description=ABOUT,
        docs_url=None,  # these pages would load scripts from elsewhere
        redoc_url=None,
        lifespan=_lifespan,
        telemetry=SILENT,
    )
    app.state.recognizer, app.state.options, app.state.metrics = recognizer, options, Metrics()
    app.openapi = partial(describe, app, locked=bool(options.token), open_paths=OPEN)  # type: ignore[method-assign]
    add_problem_handlers(app)
    app.add_middleware(_Counter)
    app.add_middleware(Guard, options=options, metrics=app.state.metrics)
    if options.access_log:
        app.add_middleware(AccessLog)
    app.include_router(router)
    app.add_api_route("/", _page, include_in_schema=False)
    app.add_api_route("/docs", _docs, include_in_schema=False)
    app.mount(f"/{APP}/server/static", StaticFiles(directory=STATIC), name="static")
    if can_read_in_tab(recognizer):
        app.include_router(TabFiles(recognizer).router())  # before the modules: its worker has a policy of its own
    app.mount(f"/{APP}/web", ModuleFiles(directory=PACKAGE / "web"), name="web")  # the page imports them in any case
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Start the service with the server, and end it with it."""
    with bounded_log():
        service = app.state.service = Service(app.state.recognizer, app.state.options, app.state.metrics)
        await service.decoders.start()
        sweeping = asyncio.create_task(_sweep(service))
        try:
            yield
        finally:
            sweeping.cancel()
            await asyncio.to_thread(service.close)


async def _sweep(service: Service) -> None:
    """Delete old videos now and then."""
    while True:
        await asyncio.sleep(SWEEP)
        await asyncio.to_thread(service.videos.forget)


class _Counter:
    """Counts requests by their route, not by their address, of which there are too many."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""

        async def count(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "other")
                metrics: Metrics = scope["app"].state.metrics
                metrics.count("facemood_requests_total", route=route, status=str(message["status"]))
            await send(message)

        await self.app(scope, receive, count)


async def _page() -> FileResponse:
    """Send the page."""
    return FileResponse(STATIC / "index.html")


async def _docs() -> FileResponse:
    """Send the page that shows the API; it needs nothing from elsewhere."""
    return FileResponse(STATIC / "api.html")
