"""``facemood web``: the page as static files, in which the browser itself reads the faces."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from facemood.cli.arguments import MODEL_NAME
from facemood.cli.signals import hang_up_as_terminated
from facemood.cli.terminal import Quiet, Verbose, say, start_logging
from facemood.defaults import DEFAULT_MODEL, FP32
from facemood.errors import OptionError
from facemood.text import count

PORT = 8010
"""Port at which the site is shown. It is not that of `serve`, so that neither page is taken for the other."""

MODELS = [DEFAULT_MODEL]
"""The models of a site by default."""

MEGABYTE = 1_000_000
"""Bytes of a megabyte."""


def web(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[OUT]", help="Folder for the site: new, empty, or a site to replace.")
    ] = None,
    model: Annotated[
        list[str],
        typer.Option(
            "--model",
            metavar="MODEL",
            help=f"{MODEL_NAME}, or an .onnx file. Of several, the page uses the first.",
        ),
    ] = MODELS,
    base: Annotated[str, typer.Option("--base", metavar="PATH", help="Path of the site on its host, as /faces.")] = "",
    precision: Annotated[
        str,
        typer.Option(
            "--precision",
            metavar="PRECISION",
            help="fp32 or int8: 8-bit integers, where there are such networks, make smaller files and take less time.",
        ),
    ] = FP32,
    engine: Annotated[
        bool, typer.Option("--engine", help="Write the engine without the page, for your own page.")
    ] = False,
    isolate: Annotated[
        bool,
        typer.Option(
            "--isolate",
            help="Isolate the page from others by its service worker, so that it may use several threads.",
        ),
    ] = False,
    webgpu: Annotated[
        Path | None,
        typer.Option(
            "--webgpu",
            metavar="FOLDER",
            help="Use WebGPU where the browser has it. The folder is the unpacked npm package onnxruntime-web.",
        ),
    ] = None,
    serve: Annotated[bool, typer.Option("--serve", help="Show the site on this machine until Ctrl-C.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port for --serve; 0 takes any that is free.")] = PORT,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Write the page as static files: the browser reads the faces, and no image leaves it.

    Any web server can host the folder, at any path; docs/browser.md says how. With --serve and without OUT, the site is
    written to a temporary folder.
    """
    start_logging(quiet=quiet, verbose=verbose)
    if folder is None and not serve:
        raise OptionError("give a folder to write the site into, or --serve to look at it")
    if engine and serve:
        raise OptionError("--serve shows the page, but with --engine there is none; give one of the two")
    from facemood.web.static_site import write_site

    with contextlib.ExitStack() as stack:
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="facemood-")), "site")
        site = write_site(
            folder, models=model, base=base, page=not engine, precision=precision, isolate=isolate, webgpu=webgpu
        )
        if not quiet:
            say(f"{site.folder}: {count(len(site.files), 'file')}, {site.size / MEGABYTE:.1f} MB")
        if serve:
            _show(folder, base, port)


def _show(folder: Path, base: str, port: int) -> None:
    """Serve a folder at a path on this machine, until Ctrl-C."""
    from facemood.web.site_server import SiteServer

    with SiteServer(folder, base=base, port=port) as server:
        say(f"facemood: open {server.address}")
        hang_up_as_terminated()
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()
