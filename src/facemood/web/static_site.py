"""Write the static site: page, engine, networks and their runtime, as files that any web server can serve."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from facemood.defaults import DEFAULT_MODEL, FP32
from facemood.errors import OptionError, OutputError
from facemood.models import LANDMARKS, ModelSession
from facemood.web.engine_files import (
    APP,
    LISTING,
    PACKAGE,
    SETTINGS,
    WASM,
    WEBGPU,
    EngineFile,
    as_json,
    engine_files,
    listing_of,
    named_models,
    network_file,
    sha256_of,
    tab_settings,
)
from facemood.web.ort_files import WEBGPU_FILES, read_licences

PAGE = PACKAGE / "server" / "static"
"""The page's files. The server serves the same."""

SERVER_ONLY = {
    "api.html",
    "api.js",
    "server_page.js",
    "server_engine.js",
    "tab_switch.js",
    "encoder.js",
    "link.js",
    "videos.js",
    "notebook.js",
}
"""Files of the page that only the server needs."""

POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; "
    "style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'"
)
"""Content Security Policy of the page: nothing from elsewhere, and no eval but for WebAssembly."""

ENTRY = f"{APP}/web/page/reader.js"
"""The module that other pages import."""

BASE = re.compile(r"(/[\w.~-]+)*/?")
"""A path under which a site may lie, such as /faces."""


@dataclass(frozen=True, slots=True)
class Site:
    """A static site that was written.

    Attributes:
        folder: Where it is.
        files: Each file's path below the folder, and its size in bytes.
    """

    folder: Path
    files: Mapping[str, int]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(self.files.values())


def write_site(
    folder: Path,
    *,
    models: Sequence[str | Path] = (DEFAULT_MODEL,),
    base: str = "",
    page: bool = True,
    precision: str = FP32,
    isolate: bool = False,
    webgpu: Path | None = None,
) -> Site:
    """Write the static site into a folder.

    Args:
        folder: A new or empty folder, or a site that was written before, which is replaced as a whole.
        models: Expression models: names, or .onnx files with a card. The page uses the first.
        base: Path at which the site will be served, for the web manifest, such as ``"/faces"``. Without it the manifest
            is relative too; all other addresses always are.
        page: Whether the page is written too, or the engine alone, for other pages.
        precision: ``"fp32"``, or ``"int8"`` for networks with 8-bit integers, where there are any.
        isolate: Whether the service worker isolates the page from others, so that WebAssembly may run on several
            threads.
        webgpu: The folder of the unpacked npm package onnxruntime-web. The page then runs its networks on WebGPU where
            the browser has it.

    Raises:
        ModelError: A model is unknown, damaged, or not for face crops.
        OptionError: The base is not a path, there is no model, the precision is unknown, the engine alone is to be
            isolated, or the folder for WebGPU has not the files of the right version.
        OutputError: The folder holds other files, or cannot be written.
    """
    if not models or not BASE.fullmatch(base):
        raise OptionError(f"expected one model or more, and a base such as /faces, but got {list(models)} and {base!r}")
    if isolate and not page:
        raise OptionError("the engine alone has no service worker to isolate a page; its host must send COOP and COEP")
    named = named_models([ModelSession(network_file(model, precision)) for model in models])
    _refuse_other_files(folder)
    engine = engine_files(named, network_file(LANDMARKS, precision), webgpu)
    settings = tab_settings(next(iter(named.values())), provider=WEBGPU if webgpu else WASM)
    files = dict(_page_files(named, engine, settings, base.rstrip("/") + "/" if base else "./"))
    later = {engine[name].path for name in WEBGPU_FILES if name in engine}
    files = {**files, "sw.js": _service_worker(files, later, isolate=isolate)} if page else _engine_alone(files)
    with _replacing_folder(folder) as part:
        for path, data in files.items():
            (part / path).parent.mkdir(parents=True, exist_ok=True)
            (part / path).write_bytes(data)
    return Site(folder, {path: len(data) for path, data in files.items()})


def _page_files(
    models: Mapping[str, ModelSession], engine: Mapping[str, EngineFile], settings: Mapping[str, Any], scope: str
) -> Iterator[tuple[str, bytes]]:
    """Yield path and bytes of each file of the site but for the service worker."""
    files = {file.path: file.data for file in engine.values()} | _code() | _texts(settings, scope)
    yield from files.items()
    listed = {path: {"bytes": len(data), "sha256": sha256_of(data)} for path, data in files.items()}
    yield LISTING, as_json({**listing_of(models, engine), "files": listed})


def _engine_alone(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files of a site that other pages need, and their list."""
    kept = {
        path: data
        for path, data in files.items()
        if path.startswith(("engine/", "licences/")) or path == ENTRY or Path(path).parent == Path(APP, "web")
    }
    listing = json.loads(files[LISTING])
    listing["files"] = {path: entry for path, entry in listing["files"].items() if path in kept}
    return {**kept, LISTING: as_json(listing)}


def _code() -> dict[str, bytes]:
    """Return the page's and the engine's modules and styles by their paths in the site."""
    web = PACKAGE / "web"
    found = [file for file in PAGE.iterdir() if file.suffix in (".js", ".css", ".svg") and file.name not in SERVER_ONLY]
    found += PAGE.glob("languages/*.json")
    found += [file for file in (*web.glob("*.js"), *web.glob("page/*.js")) if file.name != "sw.js"]
    return {f"{APP}/{file.relative_to(PACKAGE).as_posix()}": file.read_bytes() for file in sorted(found)}


def _texts(settings: Mapping[str, Any], scope: str) -> dict[str, bytes]:
    """Return the page, its settings, the web manifest, and the licences."""
    licences = {f"licences/onnxruntime-web/{name}": data for name, data in read_licences().items()}
    own = PACKAGE.parents[1] / "LICENSE"
    return {
        "index.html": _index().encode(),
        SETTINGS: as_json(settings),
        "manifest.webmanifest": as_json(_manifest(scope)),
        "icon.svg": (PAGE / "icon.svg").read_bytes(),
        **({"licences/LICENSE": own.read_bytes()} if own.is_file() else {}),
        **licences,
    }


def _index() -> str:
    """Return the page: the server's, with its own entry, and a policy that needs no server."""
    text = (PAGE / "index.html").read_text(encoding="utf-8")
    text = text.replace(f"{APP}/server/static/server_page.js", f"{APP}/web/page/tab_page.js")
    head = (
        f'<meta charset="utf-8">\n  <meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '  <link rel="manifest" href="manifest.webmanifest">'
    )
    return text.replace('<meta charset="utf-8">', head, 1)


def _manifest(scope: str) -> dict[str, Any]:
    """Return the web manifest, by which the page can be installed.

    It has no ``id``: browsers take the address of the start then, so that two sites of one host are two applications.
    A relative one would begin at the root of the host.
    """
    return {
        "name": "facemood",
        "short_name": "facemood",
        "description": "Names the expression that a face shows. No image leaves this device.",
        "start_url": scope,
        "scope": scope,
        "display": "standalone",
        "background_color": "#f6f7f9",
        "theme_color": "#1f5ba8",
        "icons": [{"src": "icon.svg", "sizes": "any", "type": "image/svg+xml", "purpose": "any"}],
    }


def _service_worker(files: Mapping[str, bytes], later: Collection[str], *, isolate: bool) -> bytes:
    """Return the service worker, with the names of the files that it keeps. Its bytes change with any of them.

    Args:
        files: All files.
        later: Paths of those that it keeps only once they were asked for.
        isolate: Whether it isolates the page from others.
    """
    kept = [path for path in files if not path.startswith("licences/") and path not in later]
    version = sha256_of("".join(sha256_of(files[path]) for path in sorted(kept)).encode())[:16]
    text = (PACKAGE / "web" / "sw.js").read_text(encoding="utf-8")
    site = json.dumps({"version": version, "files": kept, "isolate": isolate})
    return text.replace('{ "version": "", "files": [], "isolate": false }', site, 1).encode()


def _refuse_other_files(folder: Path) -> None:
    """Refuse a folder that holds something else than a site.

    Raises:
        OutputError: It does.
    """
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: cannot be written, it is a file; give a folder's name")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / LISTING).is_file():
        raise OutputError(f"{folder}: the folder has other files in it; give the name of a new or empty one")
    if foreign := _foreign_files(folder):
        raise OutputError(
            f"{folder}: the folder has files in it that are no part of the site, or were changed since, such as "
            f"{foreign[0]}, and it is replaced as a whole; move them away, or give the name of a new folder"
        )


def _foreign_files(folder: Path) -> list[str]:
    """Return the paths of files in the folder of a site that its listing does not name, or that were changed since."""
    if not (folder / LISTING).is_file():
        return []
    try:
        listed = json.loads((folder / LISTING).read_bytes())["files"]
        known = {path: entry["sha256"] for path, entry in listed.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise OutputError(f"{folder / LISTING}: is no list of a site's files; give the name of a new folder") from error
    found = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if not file.is_dir()}
    others = found.items() - {(name, found.get(name)) for name in (LISTING, "sw.js")}
    return sorted(name for name, file in others if known.get(name) != sha256_of(file.read_bytes()))


@contextmanager
def _replacing_folder(folder: Path) -> Iterator[Path]:
    """Yield a new folder that takes a name once it is whole; what has the name before is removed then.

    Raises:
        OutputError: It cannot be written.
    """
    try:
        folder.absolute().parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.absolute().parent, prefix=f".{folder.name}-") as room:
            whole, old = Path(room, "new"), Path(room, "old")
            whole.mkdir()
            yield whole
            if folder.exists():
                folder.rename(old)
            whole.rename(folder)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror or error})") from error
