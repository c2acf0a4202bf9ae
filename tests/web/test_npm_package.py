"""The package for web developers: packed offline, unpacked, typed, served, and it reads a face as Python does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from facemood import EmotionRecognizer
from tests.conftest import PHOTOS, ROOT
from tests.server.browser import open_browser
from tests.web.plain_server import serve_folder

pytestmark = pytest.mark.slow

TOOLS = ROOT / "node_modules"
"""Where `make node_modules/ready` installs tsc."""

USER = """
import { Reader } from "facemood-web";
const reader = await Reader.open({ model: "nano" });
const [face] = await reader.read(document.querySelector("video")!, { minFace: 48, prior: "balanced" });
const label: string = face.emotion;
const share: number | undefined = face.emotions[label];
const scene = await reader.scene({ smooth: 0.4 });
const { faces } = await scene.read(new ImageData(1, 1), 0.1);
const person: number | undefined = faces[0]?.track_id;
// @ts-expect-error there is no such prior
await reader.read(new ImageData(1, 1), { prior: "best" });
export { share, person };
"""
"""What a web developer writes in TypeScript."""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked package of a copy of the project, packed without a network."""
    if shutil.which("npm") is None or not (TOOLS / ".bin" / "tsc").exists():
        pytest.skip("needs npm and tsc: make node_modules/ready")
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "web", folder / "web", ignore=shutil.ignore_patterns("dist"))
    shutil.copy(ROOT / "tsconfig.json", folder)
    for name in ("src", "node_modules"):
        (folder / name).symlink_to(ROOT / name)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT / "src"), "npm_config_offline": "true"}
    done = subprocess.run(
        ["npm", "pack", "--silent"], cwd=folder / "web", env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with tarfile.open(folder / "web" / done.stdout.split()[-1]) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    return folder / "unpacked" / "package"


def test_it_holds_the_engine_with_types_networks_and_licences_and_no_page(package: Path) -> None:
    files = {file.relative_to(package).as_posix() for file in package.rglob("*") if file.is_file()}
    entry = json.loads((package / "package.json").read_text())["exports"]["."]
    assert {entry["types"], entry["default"]} <= {f"./{name}" for name in files}
    assert {"README.md", "example.html", "dist/licences/LICENSE", "dist/licences/onnxruntime-web/LICENSE"} <= files
    assert not [
        name for name in files if "server" in name or name.endswith(("index.html", "sw.js", "page/tab_engine.js"))
    ]
    listing = json.loads((package / "dist" / "files.json").read_text())
    assert listing["model"] == "default"
    assert {"default.onnx", "nano.onnx", "finder.onnx", "landmarks.onnx"} <= set(listing["engine"])
    listed = {*listing["files"], "files.json"}
    assert {f"dist/{name}" for name in listed} == {
        name for name in files if name.startswith("dist/") and not name.endswith(".d.ts")
    }


def test_the_types_are_those_of_the_calls(package: Path, tmp_path: Path) -> None:
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "facemood-web").symlink_to(package)
    (tmp_path / "user.ts").write_text(USER)
    options = ["--strict", "--noEmit", "--target", "es2022", "--module", "es2022", "--moduleResolution", "bundler"]
    lib = ["--lib", "es2023,dom,dom.iterable", "--types", ""]
    done = subprocess.run(
        [TOOLS / ".bin" / "tsc", *options, *lib, "user.ts"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.browser
def test_the_example_reads_a_portrait_as_python_does(
    package: Path, tmp_path: Path, recognizer: EmotionRecognizer
) -> None:
    assert len((package / "example.html").read_text().splitlines()) <= 20
    expected = recognizer.analyze_image(PHOTOS / "astronaut.png").faces[0]
    with serve_folder(package) as server, open_browser(tmp_path) as browser, browser.page() as page:
        page.send("Page.navigate", url=f"{server.address}example.html")
        page.wait("document.querySelector('output')?.textContent === 'Choose a picture'")
        page.run("document.querySelector('input').id = 'picture'")
        page.choose("picture", PHOTOS / "astronaut.png")
        shown = page.wait(
            "document.querySelector('output').textContent.includes('%') && document.querySelector('output').textContent"
        )
        assert shown == f"{expected.emotion} {round(100 * expected.confidence)}%"
        assert page.addresses() == {f"127.0.0.1:{server.server_port}"}
        assert [one for one in page.troubles() if not one.endswith("favicon.ico")] == []
