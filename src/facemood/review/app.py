"""The page of a review, for this machine alone: moments to label, and what people say of them."""

from __future__ import annotations

import threading
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, Field
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from facemood.errors import FacemoodError, OptionError, OutputConflictError
from facemood.render.palette import hex_of
from facemood.review.agreement_page import agreement_page
from facemood.review.label_store import HARD_TO_TELL, GivenLabel, LabelStore
from facemood.review.moment_images import show_moment
from facemood.server import guard
from facemood.server.guard import Guard
from facemood.server.limits import ServerOptions
from facemood.server.problems import Problem, add_problem_handlers
from facemood.web.engine_files import APP

STATIC = Path(__file__).parent / "static"
"""Files of the page."""

ICON = Path(guard.__file__).parent / "static" / "icon.svg"
"""The icon of facemood's pages."""

KEPT_IMAGES = 16
"""Images of moments that are kept in memory: the page asks for the next one ahead."""

MAX_BODY = 20_000
"""Bytes of a request; a label needs a few hundred."""

REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
"""Content security policy of the report, which has its style inside."""

SILENT: Any = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
"""What newer versions of FastAPI could send to others; here nothing leaves."""


class LabelRequest(BaseModel):
    """A label that a rater gives.

    Attributes:
        rater: Name of the rater.
        moment: ID of the moment.
        label: The label.
        seen: Whether facemood's answer has been shown.
    """

    rater: str = Field(max_length=200)
    moment: str = Field(max_length=100)
    label: str = Field(max_length=1000)
    seen: bool = False


def create_review_app(
    store: LabelStore, *, name: str, token: str, hosts: tuple[str, ...], answers_last: bool = False
) -> FastAPI:
    """Make the application of a review.

    The guard of ``facemood serve`` stands before it: a token, names of this machine only, no other site, bounded
    requests, and a policy that lets the page load nothing from elsewhere.

    Args:
        store: The review.
        name: Name of the results, for the report.
        token: What each request must show.
        hosts: Names, without port, by which the server may be called.
        answers_last: Whether raters see facemood's answers only when they have labelled all moments.
    """
    app = FastAPI(title="facemood review", openapi_url=None, docs_url=None, redoc_url=None, telemetry=SILENT)
    add_problem_handlers(app)
    app.add_middleware(Guard, options=ServerOptions(token=token, hosts=hosts, max_upload=MAX_BODY))
    routes = ReviewRoutes(store, name, answers_last=answers_last)
    app.add_api_route("/", routes.page, methods=["GET"])
    app.add_api_route("/icon.svg", routes.icon, methods=["GET"])
    app.add_api_route("/report", routes.report, methods=["GET"])
    app.add_api_route("/raters", routes.raters, methods=["GET"])
    app.add_api_route("/session", routes.session, methods=["GET"])
    app.add_api_route("/moments/{moment}", routes.image, methods=["GET"])
    app.add_api_route("/labels", routes.label, methods=["POST"])
    app.mount(f"/{APP}/review/static", StaticFiles(directory=STATIC), name="static")
    return app


class ReviewRoutes:
    """What the addresses of a review answer. FastAPI calls them in threads.

    Args:
        store: The review.
        name: Name of the results.
        answers_last: Whether raters see facemood's answers only when they have labelled all moments.
    """

    store: LabelStore
    name: str
    answers_last: bool

    def __init__(self, store: LabelStore, name: str, *, answers_last: bool = False) -> None:
        self.store, self.name, self.answers_last = store, name, answers_last
        self._reading = threading.Lock()
        self._unreadable: set[str] = set()
        self._shown = lru_cache(KEPT_IMAGES)(self._show)

    def page(self) -> Response:
        """Send the page."""
        return FileResponse(STATIC / "review.html")

    def icon(self) -> Response:
        """Send the icon."""
        return FileResponse(ICON)

    def report(self) -> Response:
        """Send the agreement so far."""
        return HTMLResponse(
            agreement_page(self.store, name=self.name), headers={"Content-Security-Policy": REPORT_POLICY}
        )

    def raters(self) -> dict[str, Any]:
        """Tell who has labelled already, and how much."""
        known = {rater: len(self.store.given[rater]) for rater in self.store.raters}
        return {"name": self.name, "moments": len(self.store.sample.moments), "raters": known}

    def session(self, rater: str) -> dict[str, Any]:
        """Tell a rater what to label. facemood's answers are sent only for moments that the rater has labelled.

        Moments without a label whose file is not found are left out: nobody could finish otherwise.

        Raises:
            Problem: The name cannot be used (422), or no file is found (410).
        """
        name, sample = self._rater(rater), self.store.sample
        given = self.store.given.get(name, {})
        moments = [moment for moment in sample.moments if moment in given or not self._lost(moment)]
        if not moments:
            raise Problem(410, self.store.file_of(next(iter(sample.moments))).problem)
        return {
            "rater": name,
            "labels": sample.labels,
            "colours": {label: hex_of(label) for label in sample.labels},
            "hardToTell": HARD_TO_TELL,
            "moments": moments,
            "lost": len(sample.moments) - len(moments),
            "given": {moment: self._answer(name, moment, one) for moment, one in given.items()},
        }

    def image(self, moment: str) -> Response:
        """Send the image of a moment."""
        if moment not in self.store.sample.moments:
            raise Problem(404, "no such moment is in this sample; reload the page")
        with self._reading:
            return Response(self._shown(moment), media_type="image/jpeg")

    def label(self, request: LabelRequest) -> dict[str, Any]:
        """Save a label, and tell facemood's answer."""
        try:
            given = self.store.put(request.rater, request.moment, request.label, seen=request.seen)
        except OptionError as error:
            raise Problem(422, str(error)) from error
        except OutputConflictError as error:
            raise Problem(409, str(error)) from error
        return self._answer(self._rater(request.rater), request.moment, given)

    def _rater(self, name: str) -> str:
        """Return the known form of a rater's name.

        Raises:
            Problem: It cannot be used (422).
        """
        try:
            return self.store.rater(name)
        except OptionError as error:
            raise Problem(422, str(error)) from error

    def _answer(self, rater: str, moment: str, given: GivenLabel) -> dict[str, Any]:
        """Return a rater's label with facemood's answer to the same moment, if the rater may see it."""
        known = self.store.sample.moments[moment]
        open_to = not self.answers_last or self._finished(rater)
        answer = {"label": known.label, "confidence": known.confidence, "certain": known.certain}
        return {
            "label": given.label,
            "labelAfter": given.label_after,
            "facemood": answer if open_to else None,
            "source": Path(known.source).name,
            "timestamp": known.timestamp,
        }

    def _finished(self, rater: str) -> bool:
        """Whether a rater has labelled all moments that can be shown."""
        given = self.store.given[rater]
        return all(moment in given or self._lost(moment) for moment in self.store.sample.moments)

    def _lost(self, moment: str) -> bool:
        """Whether the file of a moment is not found, was changed, or could not be read when it was to be shown."""
        return moment in self._unreadable or self.store.file_of(moment).path is None

    def _show(self, moment: str) -> bytes:
        """Return the image of a moment as JPEG.

        Raises:
            Problem: Its file is not where it was, or was changed (410).
            SourceError: It cannot be read.
        """
        found = self.store.file_of(moment)
        if found.path is None:
            raise Problem(410, found.problem)
        try:
            image = show_moment(self.store.sample.moments[moment], found.path)
        except FacemoodError:
            self._unreadable.add(moment)
            raise
        self._unreadable.discard(moment)
        return image
