"""``facemood serve``: the page and the API, on this machine."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import socket
import sys
import threading
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from facemood.cli.arguments import (
    Detector,
    Device,
    Expression,
    Head,
    MaxFaces,
    MinFace,
    Model,
    Orientation,
    Precision,
    Prior,
    Threads,
    Valence,
    Views,
)
from facemood.cli.certificate import check_certificate
from facemood.cli.signals import hang_up_as_terminated
from facemood.cli.terminal import Quiet, Verbose, say, start_logging
from facemood.defaults import DEFAULT_DETECTOR, DEFAULT_MODEL, DEFAULT_PRECISION, MIN_FACE
from facemood.errors import FacemoodError, require

if TYPE_CHECKING:
    from fastapi import FastAPI

    from facemood.recognizer import EmotionRecognizer
    from facemood.server import ServerOptions

PORT = 8000

SHORTEST_TOKEN = 16
"""Characters of a token where other machines can ask: shorter ones can be guessed, or are words."""

ENDING = 5
"""Seconds that connections have to end when the server does."""


def serve(
    host: Annotated[
        str, typer.Option(help="Where to listen; 0.0.0.0 lets other machines in, and a token is asked for then.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes any that is free.")] = PORT,
    token: Annotated[
        str, typer.Option(envvar="FACEMOOD_TOKEN", help="What each request must show; made and printed where needed.")
    ] = "",
    allow_host: Annotated[
        list[str] | None, typer.Option(help="A name that the server is called by as well, as behind a proxy.")
    ] = None,
    certificate: Annotated[Path | None, typer.Option(help="A PEM certificate: cameras elsewhere need https.")] = None,
    key: Annotated[Path | None, typer.Option(help="The certificate's private key.")] = None,
    proxy: Annotated[
        list[str] | None,
        typer.Option(help="Address or network of a proxy before the server; what it says of clients and https counts."),
    ] = None,
    root_path: Annotated[str, typer.Option(help="What the proxy puts before all paths, such as /faces.")] = "",
    open_page: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in the browser.")] = False,
    limit: Annotated[
        list[str] | None, typer.Option(help="Another value of a limit, as NAME=VALUE; docs/server.md lists them.")
    ] = None,
    access_log: Annotated[bool, typer.Option("--access-log", help="Write a line for each request to stderr.")] = False,
    model: Model = DEFAULT_MODEL,
    head: Head = None,
    detector: Detector = DEFAULT_DETECTOR,
    min_face: MinFace = MIN_FACE,
    max_faces: MaxFaces = None,
    views: Views = 1,
    prior: Prior = None,
    orientation: Orientation = "auto",
    device: Device = "auto",
    threads: Threads = None,
    precision: Precision = DEFAULT_PRECISION,
    valence: Valence = False,
    expression: Expression = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Serve the page that reads faces live in the browser, and the same over HTTP.

    Only this machine can reach it, unless --host says otherwise. Pictures stay in memory, videos are deleted once they
    are read, and nothing is fetched from anywhere.
    """
    start_logging(quiet=quiet, verbose=verbose)
    require("fastapi", extra="serve")
    require("uvicorn", extra="serve")
    from facemood.derived import read_expressions
    from facemood.loading import open_recognizer

    check_certificate(certificate, key)
    options = choose_options(host, token, allow_host or [], access_log=access_log, limits=limit or [])
    if open_page and options.token:
        raise typer.BadParameter(
            "--open passes the address to another program, where other users of this machine can see its token; "
            "leave --open out, and open the address that is printed"
        )
    if access_log:
        start_access_log()
    recognizer = open_recognizer(
        model, head=head, detector=detector, min_face=min_face, max_faces=max_faces,
        views=views, prior=prior, orientation=orientation, device=device, threads=threads, precision=precision,
        valence=valence, expressions=read_expressions(expression or []),
    )  # fmt: skip
    with listen(host, port) as bound:
        address = address_of(bound, "https" if certificate else "http", options.token, root_path=root_path)
        say(f"facemood: open {address}")
        if open_page:  # the port listens already, so the browser waits for the server
            threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()
        settings = server_settings(options, certificate, key, proxies=proxy or [], root_path=root_path)
        run_server(recognizer, options, bound, settings)


def run_server(
    recognizer: EmotionRecognizer, options: ServerOptions, bound: socket.socket, settings: dict[str, Any]
) -> None:
    """Serve the page and the API at a port that is open, until Ctrl-C."""
    from facemood.server import create_app

    app = create_app(recognizer, options)
    if run_app(app, bound, settings) and not app.state.service.ended:
        leave()


def run_app(app: FastAPI, bound: socket.socket, settings: dict[str, Any]) -> bool:
    """Serve an application at a port that is open, until Ctrl-C; return whether it started."""
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, **settings))
    hang_up_as_terminated()
    with contextlib.suppress(KeyboardInterrupt):
        server.run([bound])
    return server.started


def leave() -> None:
    """End the process while a thread still analyzes an image that nobody waits for; Python would wait for it."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def choose_options(
    host: str, token: str, names: list[str], *, access_log: bool = False, limits: Sequence[str] = ()
) -> ServerOptions:
    """Choose who may ask: without a token this machine alone, by its own names.

    Args:
        host: Where the server listens.
        token: What was asked for; empty makes one where other machines are let in.
        names: Names that the server is called by as well.
        access_log: Whether each request is logged.
        limits: Other values of limits, each as NAME=VALUE.

    Raises:
        FacemoodError: The token is too short for other machines to be let in, or a limit is wrong.
    """
    from facemood.server.limits import LOOPBACK_NAMES, ServerOptions, is_loopback, parse_limits

    public = not is_loopback(host)
    if public and token and len(token) < SHORTEST_TOKEN:
        raise FacemoodError(
            f"the token has {len(token)} characters, and other machines can guess at it; "
            f"expected {SHORTEST_TOKEN} or more, or none: then one is made"
        )
    try:
        return ServerOptions(
            token=token or (secrets.token_urlsafe(24) if public else ""),
            hosts=() if public else (*LOOPBACK_NAMES, *(name.lower() for name in names)),
            access_log=access_log,
            **parse_limits(limits),
        )
    except ValueError as error:
        raise FacemoodError(str(error)) from error


def start_access_log() -> None:
    """Let the lines of the access log reach stderr, however much else is said."""
    logging.getLogger("facemood.access").setLevel(logging.INFO)


def listen(host: str, port: int) -> socket.socket:
    """Open the port before the server starts, so that its address is known and a port in use is told at once.

    The socket is of the protocol TCP by name: asyncio sends the answers of such a socket's connections at once. Of any
    other, the second part of an answer waits for the client to confirm the first, which takes 40 ms.

    Raises:
        FacemoodError: The port is in use, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        bound = socket.create_server((host.strip("[]"), port), family=family)
    except OSError as error:
        raise FacemoodError(
            f"cannot listen at {host}:{port} ({error.strerror or error}); choose another port with --port, or 0 for any"
        ) from error
    return socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=bound.detach())


def address_of(bound: socket.socket, scheme: str, token: str, *, root_path: str = "") -> str:
    """Return what to open in a browser, percent-encoded."""
    host, port = bound.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = socket.gethostname()
    name = f"[{host}]" if ":" in host else host
    page = f"{scheme}://{name}:{port}{quote(root_path.rstrip('/'))}/"
    return page + (f"?token={quote(token, safe='')}" if token else "")


def server_settings(
    options: ServerOptions,
    certificate: Path | None,
    key: Path | None,
    *,
    proxies: Sequence[str] = (),
    root_path: str = "",
) -> dict[str, Any]:
    """Return uvicorn's settings: limits of connections and messages, and whose headers tell of clients.

    Args:
        options: The limits.
        certificate: A PEM certificate.
        key: Its private key.
        proxies: Addresses and networks of proxies; what others tell of clients does not count.
        root_path: What the proxy puts before all paths.
    """
    from facemood.server.connections import HEAD, bounded_protocol
    from facemood.server.socket_slices import BoundedSocket

    return {
        "http": bounded_protocol(options),
        "h11_max_incomplete_event_size": HEAD,
        "ws": BoundedSocket,
        "ws_max_size": options.max_frame,
        "ws_per_message_deflate": False,
        "timeout_graceful_shutdown": ENDING,
        "proxy_headers": bool(proxies),
        "forwarded_allow_ips": ",".join(proxies),
        "root_path": root_path.rstrip("/"),
        "server_header": False,
        "log_level": "warning",
        "access_log": False,
        "ssl_certfile": None if certificate is None else str(certificate),
        "ssl_keyfile": None if key is None else str(key),
    }
