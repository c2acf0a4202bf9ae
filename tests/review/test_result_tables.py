"""Tables of all kinds give the same faces; other files of a folder are left alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from facemood import Analysis, Face, Result
from facemood.archive import ArchiveJob, Reading
from facemood.errors import SourceError
from facemood.review import open_review
from facemood.review.moments import Origin, locate
from facemood.review.result_tables import open_tables
from tests.review.conftest import analyze


def faces_of(place: Path) -> set[tuple[str, int, int, str, float]]:
    """Input, frame, number, label and confidence of all faces."""
    return {
        (one.source, one.frame, one.face, one.label, round(one.confidence, 4)) for one in open_tables(place).moments()
    }


@pytest.fixture(scope="module")
def other_tables(read_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same inputs read into other kinds of tables, and into an archive."""
    folder = tmp_path_factory.mktemp("tables")
    shutil.copytree(read_once / "in", folder / "in")
    analyze(folder, "-o", "excel/rows.csv", "--csv-dialect", "excel-eu")
    tables = ("parquet/rows.parquet", "parquet/rows.jsonl", "parquet/a.summary.csv", "each/{name}.csv", "each/drawn/")
    analyze(folder, *(word for table in tables for word in ("-o", table)), "--anonymize", "blur")
    return folder


@pytest.mark.parametrize("name", ["excel", "parquet", "each", "parquet/rows.parquet", "excel/rows.csv"])
def test_every_kind_of_table_gives_the_same_faces(other_tables: Path, read_once: Path, name: str) -> None:
    found = open_tables(other_tables / name)
    assert faces_of(other_tables / name) == faces_of(read_once / "out")
    assert len(found.labels) == 8
    moments = list(found.moments())
    assert {one.origin.path for one in moments} == {
        str(other_tables / "in" / file) for file in ("a.png", "b.png", "talk.mp4")
    }
    assert {one.timestamp for one in moments if one.source.endswith(".png")} == {None}


@pytest.mark.slow
def test_an_archive_gives_the_same_faces(read_once: Path, tmp_path: Path) -> None:
    from facemood.archive import run

    run([read_once / "in"], tmp_path / "archive", workers=1, every=0.2)
    found, expected = (list(open_tables(place).moments()) for place in (tmp_path / "archive", read_once / "out"))
    assert len(found) == len(expected)
    assert {(Path(one.source).name, one.frame, one.label) for one in found} == {
        (Path(one.source).name, one.frame, one.label) for one in expected
    }
    assert len(open_review(tmp_path / "archive", count=5).sample.moments) == 5
    assert (tmp_path / "archive" / "review" / "sample.json").is_file()


def test_an_input_in_two_tables_counts_once(run: Path, read_once: Path) -> None:
    shutil.copy(run / "rows.csv", run / "again.csv")
    assert len(list(open_tables(run).moments())) == len(list(open_tables(read_once / "out").moments()))


def test_hidden_faces_are_noticed(other_tables: Path, read_once: Path) -> None:
    assert open_tables(other_tables / "each").anonymized
    assert open_tables(other_tables / "parquet").anonymized  # a table without images beside it
    assert open_tables(other_tables / "parquet" / "rows.parquet").anonymized
    assert not open_tables(other_tables / "excel").anonymized
    assert not open_tables(read_once / "out").anonymized


def test_a_table_that_python_wrote_has_its_labels_in_its_codebook(tmp_path: Path) -> None:
    face = Face(
        np.array([1, 2, 30, 40], np.float32), 0.9, labels=("bored", "awake"), probabilities=np.array([0.9, 0.1])
    )
    result = Result("a.png", size=(64, 48), faces=(face,), labels=face.labels)
    Analysis((result,), {"labels": ["bored", "awake"]}).to_csv(tmp_path / "rows.csv")
    assert open_tables(tmp_path).labels == ("bored", "awake")


def test_a_model_of_ones_own_brings_its_labels(tmp_path: Path) -> None:
    """The labels of a table are those of its settings, then all others that occur."""
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((40, 40, 3), np.uint8))
    head = "source,frame,timestamp,face,x1,y1,x2,y2,emotion,confidence,certain\n"
    rows = [f"a.png,0,,{face},1,1,20,20,{label},0.7,\n" for face, label in enumerate(("tired", "smirk, slight"))]
    (tmp_path / "own.csv").write_text((head + rows[0] + rows[1]).replace("smirk, slight", '"smirk, slight"'))
    store = open_review(tmp_path)
    assert store.sample.labels == ("smirk, slight", "tired")
    assert {one.certain for one in store.sample.moments.values()} == {None}
    sidecar = {
        "facemood_outputs": 1, "table": "own.csv", "inode": 0, "size": 0, "sources": [],
        "settings": {"x": {"labels": ["tired", "awake"]}},
    }  # fmt: skip
    (tmp_path / "own.csv.json").write_text(json.dumps(sidecar))
    assert open_review(tmp_path, folder=tmp_path / "two").sample.labels == ("tired", "awake", "smirk, slight")


@pytest.mark.parametrize("content", [None, "source,share_happy\na.png,1\n", "\x00\x01"])
def test_a_folder_without_a_table_of_faces_is_told(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "summary.csv").write_text(content)
        (tmp_path / "damaged.parquet").write_text(content)
    with pytest.raises(SourceError, match="no table of faces here; expected a .csv or .parquet of facemood analyze"):
        open_tables(tmp_path)
    with pytest.raises(SourceError, match="no table of faces"):
        open_tables(tmp_path / "missing")


def test_a_named_table_offers_the_labels_of_its_own_model(read_once: Path, tmp_path: Path) -> None:
    for name in ("rows.csv", "rows.csv.json"):
        shutil.copy(read_once / "out" / name, tmp_path / name)
    known = json.loads((tmp_path / "rows.csv.json").read_text())
    for values in known["settings"].values():
        values["labels"] = ["calm", "tense"]
    (tmp_path / "own.csv.json").write_text(json.dumps(known))
    assert {"calm", "happy"} <= set(open_tables(tmp_path).labels)
    assert len(open_tables(tmp_path / "rows.csv").labels) == 8
    shutil.copy(tmp_path / "rows.csv", tmp_path / "own.csv")
    assert open_tables(tmp_path / "own.csv").labels == ("calm", "tense")


def test_an_annotated_image_is_not_taken_for_the_photo_that_was_moved(tmp_path: Path) -> None:
    photo, drawn = tmp_path / "in" / "a.png", tmp_path / "out" / "a.png"
    for path, size in ((photo, 10), (drawn, 20)):
        path.parent.mkdir()
        path.write_bytes(bytes(size))
    origin = Origin(str(photo), 10)
    assert locate("a.png", origin, [drawn.parent]).path == photo
    photo.unlink()
    found = locate("a.png", origin, [drawn.parent])
    assert found.path is None
    assert "a.png: not found at" in found.problem
    photo.write_bytes(bytes(11))
    assert "was changed" in locate("a.png", origin, [drawn.parent]).problem


def test_an_archive_whose_images_hide_faces_says_so_also_after_a_run_without_images(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="archives need the extra data")
    folder = tmp_path / "out"
    ArchiveJob(Reading(), folder, looks={"anonymize": ""}).plan([])
    assert not open_tables(folder).anonymized
    ArchiveJob(Reading(), folder, looks={"anonymize": "box"}).plan([])
    ArchiveJob(Reading(), folder).plan([])
    assert open_tables(folder).anonymized


def test_the_working_folder_is_a_place_like_others(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = faces_of(run)
    monkeypatch.chdir(run)
    assert faces_of(Path()) == known
