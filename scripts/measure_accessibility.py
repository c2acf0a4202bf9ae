"""Measure the accessibility of the page, a report and the site with Lighthouse, and the time to build the site.

    npm install --prefix build/lighthouse --no-save lighthouse@12.2.3
    PYTHONPATH=. python scripts/measure_accessibility.py [PART...]

It writes docs/accessibility.json and docs/accessibility.md. The parts are ``build`` (on a machine that does nothing
else), ``pages``, and ``site``, which audits what ``make docs`` built; without a name all are measured. It needs
Chromium, Node.js, and the extras ``docs`` and ``serve``.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from facemood import EmotionRecognizer
from facemood.text import fill_template, markdown_table
from facemood.web.static_site import write_site
from tests.server.browser import NAMES
from tests.server.conftest import running
from tests.web.plain_server import serve_folder

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""

DOCS = ROOT / "docs"
"""Where the page and its figures go."""

VERSION = "12.2.3"
"""The version of Lighthouse."""

LIGHTHOUSE = ROOT / "build" / "lighthouse" / "node_modules" / "lighthouse" / "cli" / "index.js"
"""The program that audits, as the first line above installs it."""

SCREENS = ("mobile", "desktop")
"""The screens that Lighthouse imitates: 412 and 1350 pixels wide."""

SITE = (
    "docs/index", "docs/api", "docs/commands", "docs/study", "docs/faq", "docs/glossary", "docs/gallery",
    "docs/limits", "docs/notebooks/study", "README", "search",
)  # fmt: skip
"""Pages of the site that are audited: one of each kind."""

PHOTOS = ROOT / "examples" / "photos"
"""What the audited report is about."""


def main() -> None:
    """Measure, and write figures and page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--site", type=Path, default=ROOT / "dist" / "docs", help="the site that make docs built")
    options = parser.parse_args()
    file = DOCS / "accessibility.json"
    known = json.loads(file.read_text(encoding="utf-8"))
    for part in options.parts or PARTS:
        known[part] = PARTS[part](options.site)
        file.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (DOCS / "accessibility.md").write_text(page(known), encoding="utf-8")


def build_site(_: Path) -> dict[str, Any]:
    """Build the site as ``make docs`` does where nothing was built before, and return what that took."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["-q", "-W", "--keep-going", "-b", "html", "-c", "docs/site", "-d", f"{folder}/cache"]
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        subprocess.run([sys.executable, "-m", "sphinx", *options, ".", f"{folder}/html"], cwd=ROOT, check=True)
        after, seconds = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - start
        pages = len(list(Path(folder, "html").rglob("*.html")))
    return {
        "seconds": round(seconds),
        "cpu_seconds": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime),
        "cores": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 1),
        "pages": pages,
    }


def audit_pages(_: Path) -> dict[str, Any]:
    """Audit the pages of both servers, and a report."""
    with running(EmotionRecognizer("nano")) as server:
        found = {
            "the page of `facemood serve`": audit(server.address),
            "its description of the API": audit(f"{server.address}/docs"),
        }
    with tempfile.TemporaryDirectory() as folder:
        write_site(Path(folder, "site"), models=["nano"])
        command = [sys.executable, "-m", "facemood", "analyze", str(PHOTOS), "-o", f"{folder}/site/report.html"]
        subprocess.run([*command, "--quiet"], check=True)
        with serve_folder(Path(folder, "site")) as plain:
            found["the page of `facemood web`"] = audit(plain.address)
            found["the report of photos"] = audit(f"{plain.address}report.html")
    return found


def audit_site(site: Path) -> dict[str, Any]:
    """Audit pages of the site, one of each kind."""
    with serve_folder(site) as server:
        return {f"the site: {name.removeprefix('docs/')}": audit(f"{server.address}{name}.html") for name in SITE}


def audit(address: str) -> dict[str, Any]:
    """Return the scores of a page on both screens, 0 to 100, and what was found."""
    chromium = next(filter(None, map(shutil.which, NAMES)))
    scores: dict[str, Any] = {}
    findings: set[str] = set()
    for screen in SCREENS:
        command = [
            "node", str(LIGHTHOUSE), address, "--quiet", "--only-categories=accessibility", "--output=json",
            "--throttling-method=provided", "--max-wait-for-load=120000",
            "--chrome-flags=--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage",
            *(["--preset=desktop"] if screen == "desktop" else []),
        ]  # fmt: skip
        environment = {**os.environ, "CHROME_PATH": str(chromium)}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        found = json.loads(done.stdout)
        scores[screen] = round(100 * found["categories"]["accessibility"]["score"])
        findings |= {one["id"] for one in found["audits"].values() if one["score"] == 0}
    print(address, scores, sorted(findings), flush=True)
    return {**scores, "findings": sorted(findings)}


def page(known: dict[str, Any]) -> str:
    """Write the page from the figures."""
    audits = {**known["pages"], **known["site"]}
    rows = [{"page": name, **{screen: str(found[screen]) for screen in SCREENS}} for name, found in audits.items()]
    text = (ROOT / "scripts" / "accessibility.template.md").read_text(encoding="utf-8")
    build = {name: f"{value:,}" for name, value in known["build"].items()}
    return fill_template(text, {"audits": markdown_table(rows), "lighthouse": VERSION, **build})


PARTS: dict[str, Callable[[Path], dict[str, Any]]] = {"build": build_site, "pages": audit_pages, "site": audit_site}
"""What can be measured, by name."""


if __name__ == "__main__":
    main()
