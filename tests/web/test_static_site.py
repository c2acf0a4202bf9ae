"""The static site as files: whole, with true hashes, and never over other files."""

import gzip
import hashlib
import json
import lzma
import re
from pathlib import Path
from typing import Any

import pytest

from facemood.errors import ModelError, OptionError, OutputError
from facemood.models import find_model
from facemood.table import columns_for
from facemood.web import ort_files
from facemood.web.static_site import Site, write_site
from facemood.web.unit_files import UNIT_FILE, unit_parameters


@pytest.fixture
def site(nano_site: Site) -> Site:
    return nano_site


def read(site: Site, name: str) -> Any:
    return json.loads((site.folder / name).read_text())


def unpacked(site: Site, entry: dict[str, Any]) -> bytes:
    """What is in one of the engine's files."""
    data: bytes = (site.folder / entry["path"]).read_bytes()
    if entry["path"].endswith(".xz"):
        return lzma.decompress(data)
    if not entry["path"].endswith(".gz"):
        return data
    packed, whole, lanes = gzip.decompress(data), bytearray(entry["bytes"]), entry.get("lanes", 1)
    for lane in range(lanes):
        length = len(whole[lane::lanes])
        whole[lane::lanes], packed = packed[:length], packed[length:]
    return bytes(whole)


def test_each_file_has_the_hash_that_the_list_says(site: Site) -> None:
    listed = read(site, "files.json")["files"]
    there = {path.relative_to(site.folder).as_posix() for path in site.folder.rglob("*") if path.is_file()}
    assert there == set(site.files) == {*listed, "files.json", "sw.js"}
    for name, entry in listed.items():
        data = (site.folder / name).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (entry["bytes"], entry["sha256"]), name
    assert site.size == sum((site.folder / name).stat().st_size for name in there)


def test_the_networks_are_those_of_the_package(site: Site) -> None:
    listing = read(site, "files.json")
    assert listing["model"] == "nano"
    assert {name for name in listing["engine"] if name.endswith(".onnx")} == {
        "finder.onnx", "landmarks.onnx", "nano.onnx",
    }  # fmt: skip
    hashes = ort_files.read_origin()["sha256"]
    for name, entry in listing["engine"].items():
        data = unpacked(site, entry)
        assert (len(data), hashlib.sha256(data).hexdigest()) == (entry["bytes"], entry["sha256"])
        if name.endswith(".onnx"):
            assert data == find_model(name.removesuffix(".onnx")).read_bytes()
        elif name == UNIT_FILE:
            assert data == unit_parameters()
        else:
            assert name == ort_files.DECODER_MODULE or entry["sha256"] == hashes[name]


def test_names_of_the_engine_s_files_change_with_what_is_in_them_and_each_host_knows_their_kinds(site: Site) -> None:
    """A service worker keeps them for ever, so a newer site must not find an older file; hosts may not know .mjs."""
    for entry in read(site, "files.json")["engine"].values():
        assert f"-{entry['sha256'][:12]}." in entry["path"]
    assert {Path(name).suffix for name in site.files if name.startswith("engine/")} == {".gz", ".js", ".xz"}


def test_int8_takes_the_networks_that_have_it(tmp_path: Path) -> None:
    small = write_site(tmp_path / "small", models=["nano", "default"], precision="int8")
    engine = read(small, "files.json")["engine"]
    expected = {"landmarks": "int8", "default": "int8", "nano": "fp32", "finder": "fp32"}
    for name, precision in expected.items():
        assert unpacked(small, engine[f"{name}.onnx"]) == find_model(name, precision=precision).read_bytes(), name
    with pytest.raises(OptionError, match="precision must be"):
        write_site(tmp_path / "none", models=["nano"], precision="int4")


@pytest.mark.parametrize(("model", "most"), [("nano", 6_000_000), ("default", 10_000_000)])
def test_a_first_visit_is_small_even_where_the_host_packs_nothing(model: str, most: int, tmp_path: Path) -> None:
    loaded = write_site(tmp_path / "site", models=[model])
    assert sum(size for name, size in loaded.files.items() if not name.startswith("licences/")) < most


def test_nothing_is_named_that_is_not_there_and_no_address_is_absolute(site: Site) -> None:
    text = (site.folder / "index.html").read_text()
    addresses = re.findall(r'(?:src|href)="([^"#]+)"', text)
    assert [one for one in addresses if one not in site.files and one not in ("./", "docs")] == []
    for name, code in modules_of(site).items():
        for target in re.findall(r'^import [^"]*"([^"]+)";', code, re.M):
            assert ((site.folder / name).parent / target).is_file(), f"{name}: {target}"
        assert re.findall(r"https?://(?!www\.w3\.org|localhost)", code) == [], name


def test_each_module_of_the_page_is_used(site: Site) -> None:
    used = {(site.folder / name).resolve() for name in ("sw.js", "app/web/page/tab_page.js")}
    for name, code in modules_of(site).items():
        targets = re.findall(r'(?:^import [^"]*|import\(|new URL\()"([^"]+\.js)"', code, re.M)
        used |= {((site.folder / name).parent / target).resolve() for target in targets}
    assert {(site.folder / name).resolve() for name in modules_of(site)} - used == set()


def modules_of(site: Site) -> dict[str, str]:
    """The code of the page and of the engine by path, without that of the runtime."""
    names = [name for name in site.files if name.endswith(".js") and not name.startswith("engine/")]
    return {name: (site.folder / name).read_text() for name in names}


def test_the_service_worker_keeps_all_files_and_changes_with_them(site: Site, tmp_path: Path) -> None:
    kept = json.loads(re.findall(r"^const SITE = (.*);$", (site.folder / "sw.js").read_text(), re.M)[0])
    assert kept["isolate"] is False
    assert set(kept["files"]) == {name for name in site.files if not name.startswith("licences/")} - {"sw.js"}
    again = write_site(tmp_path / "again", models=["nano"])
    assert (again.folder / "sw.js").read_bytes() == (site.folder / "sw.js").read_bytes()
    other = write_site(tmp_path / "again", models=["nano"], base="/faces")
    assert (other.folder / "sw.js").read_bytes() != (site.folder / "sw.js").read_bytes()
    assert read(other, "manifest.webmanifest")["scope"] == "/faces/"
    assert read(site, "manifest.webmanifest")["scope"] == "./"


def test_the_page_learns_labels_and_columns_from_the_package(site: Site) -> None:
    settings = read(site, "settings.json")
    expected = columns_for(tuple(settings["labels"]), ("raw",))
    assert [(one["name"], one["decimals"]) for one in settings["columns"]] == [
        (one.name, one.decimals) for one in expected
    ]


def test_licences_are_there(site: Site) -> None:
    licence = (site.folder / "licences/onnxruntime-web/LICENSE").read_text()
    assert "MIT License" in licence
    assert (site.folder / "licences/onnxruntime-web/ThirdPartyNotices.txt").stat().st_size > 100_000


def test_other_files_are_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(OutputError, match="has other files in it"):
        write_site(tmp_path / "mine", models=["nano"])
    with pytest.raises(OutputError, match="it is a file"):
        write_site(tmp_path / "mine" / "letter.txt", models=["nano"])
    assert [file.name for file in tmp_path.rglob("*")] == ["mine", "letter.txt"]


@pytest.mark.parametrize("change", ["a new file", "an edited file"])
def test_what_somebody_added_to_a_site_or_changed_in_it_is_kept(tmp_path: Path, change: str) -> None:
    folder = write_site(tmp_path / "site", models=["nano"]).folder
    write_site(folder, models=["nano"])  # one's own site is replaced
    mine = folder / ("mine.html" if change == "a new file" else "index.html")
    mine.write_text("mine")
    with pytest.raises(OutputError, match=f"no part of the site, or were changed since, such as {mine.name}"):
        write_site(folder, models=["nano"])
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("base", ["faces", "/a b", "//elsewhere.example", "/a?b", "https://a.example/"])
def test_a_base_that_is_no_path_is_refused(base: str, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="a base such as /faces"):
        write_site(tmp_path / "site", models=["nano"], base=base)


def test_other_models_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="for the task 'vector'"):
        write_site(tmp_path / "site", models=["ferc"])
    with pytest.raises(ModelError, match="there is no model 'none'"):
        write_site(tmp_path / "site", models=["none"])
    with pytest.raises(OptionError, match="the name 'nano'"):
        write_site(tmp_path / "site", models=["nano", "nano"])
    assert list(tmp_path.iterdir()) == []


def test_a_site_with_webgpu_takes_the_files_of_the_right_version_from_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "package" / "dist").mkdir(parents=True)
    hashes = ort_files.read_origin()["sha256"]
    for name in ort_files.WEBGPU_FILES:
        (tmp_path / "package" / "dist" / name).write_text(name)
        hashes[name] = hashlib.sha256(name.encode()).hexdigest()
    with pytest.raises(OptionError, match="is not the file of onnxruntime-web 1"):
        write_site(tmp_path / "site", models=["nano"], webgpu=tmp_path / "package")
    origin = {**ort_files.read_origin(), "sha256": hashes}
    monkeypatch.setattr(
        ort_files, "read_origin", lambda: origin
    )  # the true files have 27 MB, and are not in the package
    written = write_site(tmp_path / "site", models=["nano"], webgpu=tmp_path / "package")
    listing, settings = read(written, "files.json"), read(written, "settings.json")
    assert settings["provider"] == "webgpu"
    assert [unpacked(written, listing["engine"][name]).decode() for name in ort_files.WEBGPU_FILES] == list(
        ort_files.WEBGPU_FILES
    )
    kept = json.loads(re.findall(r"^const SITE = (.*);$", (written.folder / "sw.js").read_text(), re.M)[0])["files"]
    assert not {listing["engine"][name]["path"] for name in ort_files.WEBGPU_FILES} & set(kept)
    (tmp_path / "package" / "dist" / ort_files.WEBGPU_FILES[-1]).unlink()
    with pytest.raises(OptionError, match="give the folder of the unpacked npm package onnxruntime-web"):
        write_site(tmp_path / "site", models=["nano"], webgpu=tmp_path / "package")


def test_a_damaged_runtime_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ort_files, "FOLDER", tmp_path)
    (tmp_path / "origin.json").write_text(json.dumps({"sha256": dict.fromkeys(ort_files.FILES, "0" * 64)}))
    with pytest.raises(ModelError, match="missing or damaged"):
        ort_files.unpack_runtime()
    for name in ort_files.FILES:
        (tmp_path / f"{name}.xz").write_bytes(b"no xz")
    with pytest.raises(ModelError, match="missing or damaged"):
        ort_files.unpack_runtime()
