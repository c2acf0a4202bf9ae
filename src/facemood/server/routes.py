"""The addresses of the API: images, videos, models, live reading, and how the server is."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache, partial
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Query, Request, WebSocket
from fastapi.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.concurrency import run_in_threadpool

from facemood import __version__
from facemood.errors import FacemoodError
from facemood.explain import add_maps, can_map
from facemood.facs import NAMES
from facemood.models import ModelSession, find_model, list_models
from facemood.render import encode_png
from facemood.render.palette import hex_of
from facemood.results import Result
from facemood.schema import Frame
from facemood.server import answers
from facemood.server.clients import client_of
from facemood.server.forms import SentPicture, read_pictures, read_video
from facemood.server.openapi import PICTURES_BODY, VIDEO_BODY
from facemood.server.problems import Problem, refusals, require_maps
from facemood.server.service import Service, service_of
from facemood.server.tab_routes import can_read_in_tab
from facemood.server.video_jobs import MEDIA, VideoJob
from facemood.server.websocket import BUSY, Connection
from facemood.table import SCHEMA, columns_for, describe_measure

LONGEST_NAME = 120
"""Letters that are kept of a file's name, to tell results apart."""

router: APIRouter = APIRouter()

Serving = Annotated[Service, Depends(service_of)]

T = TypeVar("T")

PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"description": "What was read; with annotated=true the image", "content": {"image/png": {}}}
}


@router.post(
    "/v1/analyze",
    tags=["pictures"],
    summary="Read the faces of one or several images",
    response_model=answers.PicturesAnswer,
    responses={**PICTURE, **refusals(400, 401, 403, 408, 413, 415, 422, 429, 503)},
    openapi_extra={"requestBody": PICTURES_BODY},
)
async def analyze(
    service: Serving,
    request: Request,
    annotated: Annotated[bool, Query(description="Answer with the one image, its faces drawn on it")] = False,
    maps: Annotated[bool, Query(description="Tell where in each face the model found its label")] = False,
) -> Response:
    """Read images one by one; those that cannot be read are listed, and the rest is answered.

    They are a form's fields called image, or the body itself is one image. An image without a face has an empty list
    of faces. Where none can be read, the answer is the first one's problem.
    """
    if maps:
        require_maps(service.recognizer)
    limits = service.options
    sent = await read_pictures(request, most=1 if annotated else limits.max_images, parts=limits.max_parts)
    read, failures = await _read_all(service, client_of(request.scope), sent, _answer_of(service, annotated, maps))
    if not read:
        raise failures[0][1]
    if annotated:
        return Response(read[0], media_type="image/png")
    return JSONResponse({
        "schema": SCHEMA,
        "info": service.recognizer.info(),
        "results": read,
        "failures": [{"source": name, "message": str(error)} for name, error in failures],
    })  # fmt: skip


@router.post(
    "/v1/videos",
    tags=["videos"],
    status_code=202,
    summary="Read a video",
    response_model=answers.VideoAnswer,
    responses=refusals(400, 401, 403, 408, 413, 415, 422, 429, 503, 507),
    openapi_extra={"requestBody": VIDEO_BODY},
)
async def add_video(
    service: Serving,
    request: Request,
    annotated: Annotated[bool, Query(description="Make the video with boxes and labels too; slower")] = False,
    every: Annotated[
        float | None, Query(gt=0, le=3600, description="Read one frame at most every so many seconds; else all")
    ] = None,
) -> Response:
    """Take a video in. It is read when its turn comes: ask its address how far it is, and for the files of results."""
    size = int(request.headers.get("content-length", 0))
    job = service.videos.begin(client_of(request.scope), size, annotated=annotated, every=every)
    with service.videos.receiving(job):
        with job.video.open("wb") as file:
            await read_video(request, file, parts=service.options.max_parts)
        await run_in_threadpool(service.videos.submit, job)
    return JSONResponse(_job_answer(request, job), 202, headers={"Location": f"{_root_of(request)}/v1/videos/{job.id}"})


@router.get(
    "/v1/videos/{name}",
    tags=["videos"],
    summary="How far a video is",
    response_model=answers.VideoAnswer,
    responses=refusals(401, 404, 422, 429),
)
async def video(service: Serving, request: Request, name: str) -> Response:
    """Tell how far a video is, and where its results are."""
    return JSONResponse(_job_answer(request, service.videos.get(name)))


@router.delete(
    "/v1/videos/{name}",
    tags=["videos"],
    status_code=204,
    response_class=Response,
    summary="Cancel a video and delete its results",
    responses=refusals(401, 403, 404, 422, 429),
)
async def remove_video(service: Serving, name: str) -> Response:
    """Stop reading a video, and delete all that belongs to it."""
    await run_in_threadpool(service.videos.remove, name)
    return Response(status_code=204)


@router.get(
    "/v1/videos/{name}/{result}",
    tags=["videos"],
    summary="A file of a video's results",
    response_class=FileResponse,
    responses=refusals(401, 404, 409, 422, 429),
)
async def video_result(service: Serving, name: str, result: str) -> Response:
    """Send table.csv, table.parquet (with the extra data), result.json, report.html or annotated.mp4."""
    path = service.videos.file(name, result)
    return FileResponse(path, media_type=MEDIA[path.suffix], filename=result)


@router.get(
    "/v1/models",
    tags=["server"],
    summary="The models, their figures and limits",
    response_model=answers.ModelsAnswer,
    responses=refusals(401, 429),
)
async def models(service: Serving) -> Response:
    """List the models inside the package, and the one that reads."""
    used = service.recognizer.card
    cards = {name: await run_in_threadpool(_card_of, name) for name in list_models()} | {used.name: used}
    keys = ("name", "version", "description", "licence", "heads", "limits", "metrics")
    answer = [{**{key: getattr(card, key) for key in keys}, "used": card.name == used.name} for card in cards.values()]
    return JSONResponse({"models": answer})


@router.get(
    "/v1/settings",
    tags=["server"],
    summary="What the page must know",
    response_model=answers.SettingsAnswer,
    responses=refusals(401, 429),
)
async def settings(service: Serving) -> dict[str, Any]:
    """Give the words and their colours, and the bounds of uploads."""
    names = ("max_upload", "max_video", "max_pixels", "max_images")
    labels, measures = service.recognizer.labels, service.recognizer.pipeline.derived.measures
    return {
        "version": __version__,
        "labels": list(labels),
        "maps": can_map(service.recognizer.pipeline),
        "tab": can_read_in_tab(service.recognizer),
        "colours": {label: hex_of(label) for label in labels},
        "units": NAMES,
        "measures": {name: describe_measure(name, formula) for name, formula in measures},
        "schema": SCHEMA,
        "photo_columns": [{"name": one.name, "path": one.path} for one in columns_for(labels, measures=measures)],
        **{name: getattr(service.options, name) for name in names},
    }


@router.get("/healthz", tags=["server"], summary="Whether the server lives", responses=refusals(429, 503))
async def health(service: Serving) -> answers.HealthAnswer:
    """Answer, unless reading stands still; no token is needed."""
    if service.engine.busy_for > service.options.stall:
        raise Problem(503, "reading stands still; restart the server", {"Retry-After": "10"})
    return answers.HealthAnswer(status="ok", version=__version__)


@router.get(
    "/metrics",
    tags=["server"],
    summary="Figures for Prometheus",
    response_class=PlainTextResponse,
    responses=refusals(401, 429),
)
async def metrics(service: Serving) -> Response:
    """Give counts of requests, frames and faces, and delays."""
    return PlainTextResponse(service.figures(), media_type="text/plain; version=0.0.4")


@router.websocket("/v1/live")
async def live(socket: WebSocket) -> None:
    """Read images as they come; docs/server.md describes the messages."""
    service = service_of(socket)
    await socket.accept()
    connection = Connection(socket, service)
    try:
        place = service.live.enter(client_of(socket.scope), connection.leave)
    except Problem as problem:
        await socket.close(BUSY, problem.detail)
        return
    with place:
        await connection.run(place)


async def _read_all(
    service: Service, client: str, sent: list[SentPicture], then: Callable[[Result], T]
) -> tuple[list[T], list[tuple[str, Exception]]]:
    """Read the images of a request one by one, and keep of each only its answer."""
    found, failures = list[T](), list[tuple[str, Exception]]()
    for number, (name, data) in enumerate(sent):
        source = _name_of(name, number)
        try:
            with service.pictures.enter(client):
                found.append(
                    await service.read(
                        client,
                        partial(bytes, data),
                        service.options.picture(),
                        service.engine.photos(),
                        frame=partial(Frame, source=source),
                        then=partial(service.work_on, work=then),
                    )
                )
        except (Problem, FacemoodError) as error:
            if getattr(error, "status", 0) == 503:
                raise
            failures.append((source, error))
    return found, failures


def _answer_of(service: Service, annotated: bool, maps: bool) -> Callable[[Result], Any]:
    """Return what makes the answer of a result: its values, or the image with its faces drawn on it."""

    def answer(result: Result) -> Any:
        if maps:
            result = add_maps(service.recognizer.pipeline, result)
        return encode_png(result.draw(layers=("map",) if maps else ())) if annotated else result.to_dict()

    return answer


def _job_answer(request: Request, job: VideoJob) -> dict[str, Any]:
    """Return the JSON of a video job, with its addresses as clients in front of the proxy see them."""
    answer = job.to_dict()
    answer["results"] = {name: f"{_root_of(request)}{address}" for name, address in answer["results"].items()}
    return answer


def _root_of(request: Request) -> str:
    """Return what a proxy puts before all paths."""
    return str(request.scope.get("root_path", ""))


def _name_of(name: str | None, number: int) -> str:
    """Return the name of an image in results: the last part of the file name. It never reaches the disk.

    Example:
        >>> _name_of("photos/me.jpg", 0), _name_of("../../etc/passwd", 0), _name_of(None, 2)
        ('me.jpg', 'passwd', 'image 2')
    """
    last = os.path.basename((name or "").replace("\\", "/"))
    return "".join(letter for letter in last if letter.isprintable())[:LONGEST_NAME] or f"image {number}"


@cache
def _card_of(name: str) -> Any:
    """Return the card of a model in the package. To open one takes a moment, so each is opened once."""
    return ModelSession(find_model(name), device="cpu", threads=1).card
