"""Archives in an object store: inputs, parts and tables at addresses of S3, which moto's server stands for."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from facemood import EmotionRecognizer, OptionError, archive
from facemood.errors import MissingExtraError, OutputConflictError, OutputError, SourceError
from facemood.sources import find_inputs, read_input_list
from facemood.sources.remote import find_remote, list_remote
from tests.archive.one_process import job_here
from tests.archive.photos import fill, rows_of
from tests.archive.stores import bucket, s3_server
from tests.cli.conftest import command_in
from tests.videos import make_video, numbered_images

pytest.importorskip("pyarrow.parquet", reason="needs the extra data")
pytestmark = [
    pytest.mark.filterwarnings("ignore:datetime.datetime.utc:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*socket:pytest.PytestUnraisableExceptionWarning"),  # those that s3fs forgets
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with photos, a video and a damaged photo, which are in the bucket too."""
    folder = tmp_path_factory.mktemp("place")
    fill(folder / "in", 5)
    make_video(folder / "in" / "clip.mp4", numbered_images(5))
    (folder / "in" / "damaged.jpg").write_bytes(b"\xff\xd8\xff no photo")
    (folder / "in" / "notes.txt").write_text("no input")
    with s3_server():
        store = bucket()
        store.put(str(folder / "in"), "bucket/in", recursive=True)
        yield folder


def here(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Rows with names of files instead of addresses."""
    return [tuple(cell.replace("s3://bucket/", "") for cell in row) for row in rows]


def test_a_bucket_gives_the_table_of_a_folder(place: Path, recognizer: EmotionRecognizer) -> None:
    done = command_in(place)("analyze", "s3://bucket/in/", "--allow-download", "--workers", 2, "-o", "s3://bucket/out/")
    assert done.returncode == 1, done.stderr
    assert "0 of 7 inputs are done; reading 7" in done.stderr
    assert "s3://bucket/in/damaged.jpg" in done.stderr
    assert archive.run("s3://bucket/in/", "s3://bucket/out", allow_download=True).read == 0
    archive.collect("s3://bucket/out", "s3://bucket/tables/all.csv")
    store = bucket()
    store.get_file("bucket/tables/all.csv", str(place / "all.csv"))
    archive.collect("s3://bucket/out", "s3://bucket/tables/all/")
    assert store.ls("bucket/tables/all", detail=False) == [
        f"bucket/tables/all/{name}" for name in ("_codebook.json", "rows-00000.parquet")
    ]
    recognizer.analyze(str(place / "in")).to_csv(place / "one.csv")
    one = [tuple(cell.replace(f"{place}/", "") for cell in row) for row in rows_of(place / "one.csv")]
    assert here(rows_of(place / "all.csv")) == one
    status = archive.read_status("s3://bucket/out/")
    assert (status.inputs, status.planned, status.parts) == (7, 7, 2)
    assert [name for name, _ in status.failures] == ["s3://bucket/in/damaged.jpg"]
    assert sorted(name.rpartition("/")[2] for name in store.ls("bucket/out", detail=False)) == [
        "archive.json", "parts", "runs"]  # fmt: skip


def test_a_changed_object_is_read_again(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    store = bucket()
    store.put(str(place / "in" / "000.jpg"), "bucket/changing/a.jpg")

    def planned() -> tuple[archive.ArchiveJob, Any]:
        found = archive.find_archive_inputs("s3://bucket/changing/a.jpg", allow_download=True)
        job = job_here("changed", allow_download=True)
        return job, job.plan(found.names, found.stamps)

    job, plan = planned()
    store.put(str(place / "in" / "003.jpg"), "bucket/changing/a.jpg")
    summary = job.run(plan)
    assert [(name, "changed while it was read" in reason) for name, reason in summary.failures] == [
        ("s3://bucket/changing/a.jpg", True)]  # fmt: skip
    job, plan = planned()
    assert (plan.changed, job.run(plan).failures) == (1, [])
    assert planned()[1].parts == []


@pytest.mark.usefixtures("place")
def test_a_photo_takes_four_requests_and_a_part_that_is_done_two(caplog: pytest.LogCaptureFixture) -> None:
    def requests(name: str) -> int:
        return sum(name in record.getMessage() for record in caplog.records if record.name == "werkzeug")

    found = archive.find_archive_inputs("s3://bucket/in/00[0-2].jpg", allow_download=True)
    job = job_here("s3://bucket/counted", allow_download=True)
    with caplog.at_level(logging.INFO, logger="werkzeug"):
        job.run(job.plan(found.names, found.stamps))
        assert [requests(f"/bucket/in/00{number}.jpg") for number in range(3)] == [4, 4, 4]
        (part,) = bucket().ls("bucket/counted/parts", detail=False)
        caplog.clear()
        assert job.plan(found.names, found.stamps).parts == []
        assert requests(f"/{part} ") == 2


def test_addresses_are_listed_and_only_if_it_is_allowed(place: Path, recognizer: EmotionRecognizer) -> None:
    with pytest.raises(SourceError, match="nothing is downloaded unless you allow it"):
        find_inputs("s3://bucket/in/")
    assert [str(item) for item in find_inputs("s3://bucket/in/00[0-2].jpg", allow_download=True)] == [
        "s3://bucket/in/000.jpg", "s3://bucket/in/001.jpg", "s3://bucket/in/002.jpg"]  # fmt: skip
    (file,) = list_remote("s3://bucket/in/003.jpg")
    assert (file.size, file) == ((place / "in" / "003.jpg").stat().st_size, find_remote(file.address))
    assert len(recognizer.analyze("s3://bucket/in/003.jpg", allow_download=True).results[0].faces) == 1
    for address, words in (("s3://bucket/none/", "names no image"), ("s3://nowhere/a.jpg", "no such file"),
                           ("s3://key:secret@bucket/in/", "come from the environment")):  # fmt: skip
        with pytest.raises(SourceError, match=words) as caught:
            list_remote(address)
        assert "secret" not in str(caught.value)


def test_what_a_bucket_cannot_hold_is_refused(place: Path) -> None:
    with pytest.raises(OptionError, match="not written into an object store"):
        archive.ArchiveJob(archive.Reading(), "s3://bucket/new/", looks={})
    with pytest.raises(OutputConflictError, match="holds other files"):
        job_here("s3://bucket/in/").plan(["a.jpg"])
    with pytest.raises(OutputConflictError, match="a folder of its own"):
        job_here("s3://bucket/mine/").plan(["s3://bucket/mine/a.jpg"])
    with pytest.raises(OutputError, match="cannot be written"):
        job_here("s3://nowhere/out/").plan(["a.jpg"])


@pytest.mark.skipif(importlib.util.find_spec("gcsfs") is not None, reason="tells of a package that is not installed")
def test_a_store_whose_package_is_missing_names_it() -> None:
    pytest.importorskip("fsspec", reason="needs the extra places")
    with pytest.raises(MissingExtraError, match="pip install gcsfs"):
        list_remote("gs://bucket/photos/")


class _Quiet(SimpleHTTPRequestHandler):
    """Serves files, and says nothing."""

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


def test_photos_at_addresses_of_a_list_are_read_once_with_its_other_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "in", 4)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/in"
        Path("list.csv").write_text(f"url,site\n{address}/003.jpg,north\n{address}/none.jpg,south\n")
        listed = read_input_list("list.csv", column="url")
        refused = archive.find_archive_inputs(listed.names).problems
        assert all("nothing is downloaded unless you allow it" in reason for _, reason in refused)
        found = archive.find_archive_inputs(listed.names, allow_download=True)
        job = replace(job_here("out", allow_download=True), carried=listed.carried)
        summary = job.run(job.plan(found.names, found.stamps))
        assert [name for name, _ in summary.failures] == [f"{address}/none.jpg"]
        assert job.plan(found.names, found.stamps).parts == []
        server.shutdown()
    archive.collect("out", "all.csv")
    header, *rows = rows_of(Path("all.csv"))
    assert [(row[0], row[header.index("site")]) for row in rows] == [(f"{address}/003.jpg", "north")]
