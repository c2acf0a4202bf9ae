import csv
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from facemood import Analysis, OutputError, Result
from facemood.labels import EXPRESSIONS
from facemood.render.overlay import POINT
from facemood.results import Failure
from facemood.sinks import FailureSink, open_sink
from tests.conftest import make_face
from tests.growing import full_disk, growing

INFO: dict[str, Any] = {"model": "baseline", "labels": list(EXPRESSIONS)}
RESULTS = [
    Result("a/x.jpg", size=(120, 90), faces=(make_face(),), labels=EXPRESSIONS, image=np.zeros((90, 120, 3), np.uint8)),
    Result("b/x.jpg", size=(120, 90), labels=EXPRESSIONS, image=np.zeros((90, 120, 3), np.uint8)),
]


def write_all(path: Path | str) -> None:
    sink = open_sink(str(path), INFO)
    for result in RESULTS:
        sink.write(result)
    sink.close()


def test_csv_is_the_table_of_an_analysis(tmp_path: Path) -> None:
    write_all(tmp_path / "t.csv")
    whole = Analysis(tuple(RESULTS)).to_csv(tmp_path / "u.csv")
    assert (tmp_path / "t.csv").read_bytes() == whole.read_bytes()
    with (tmp_path / "t.csv").open(newline="") as file:
        streamed = list(csv.DictReader(file))
    with Analysis(tuple(RESULTS)).to_csv(tmp_path / "u.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == streamed
    assert [row["emotion"] for row in streamed] == ["happy", ""]


def test_json_is_the_json_of_an_analysis(tmp_path: Path) -> None:
    failures = (Failure("c.jpg", "empty"), Failure("na\udcefve.jpg", 'not "an" image'))
    sink = open_sink(str(tmp_path / "r.json"), INFO)
    assert isinstance(sink, FailureSink)
    sink.write(RESULTS[0])
    sink.fail(failures[0])
    sink.write(RESULTS[1])
    sink.fail(failures[1])
    sink.close()
    known = json.loads((tmp_path / "r.json").read_text())
    assert known == json.loads(Analysis(tuple(RESULTS), INFO, failures).to_json())
    assert set(known) == {"schema", "info", "results", "failures"}


def test_json_without_a_result_is_still_json(tmp_path: Path) -> None:
    open_sink(str(tmp_path / "r.json"), INFO).close()
    assert json.loads((tmp_path / "r.json").read_text())["results"] == []


def test_json_lines_are_one_a_frame(tmp_path: Path) -> None:
    write_all(tmp_path / "r.jsonl")
    lines = (tmp_path / "r.jsonl").read_text().splitlines()
    assert [json.loads(line)["source"] for line in lines] == ["a/x.jpg", "b/x.jpg"]


def test_a_folder_keeps_pictures_of_equal_names_apart(tmp_path: Path) -> None:
    write_all(f"{tmp_path}/pictures/")
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == ["x-2.png", "x.png"]


@pytest.mark.parametrize("name", ["a.png", "pictures/"])
def test_pictures_show_the_layers_that_were_asked_for(tmp_path: Path, name: str) -> None:
    face = dataclasses.replace(make_face(), landmarks=np.full((68, 2), 30, np.float32))
    sink = open_sink(f"{tmp_path}/{name}", INFO, layers=["points"])
    sink.write(dataclasses.replace(RESULTS[0], faces=(face,)))
    (written,) = tmp_path.rglob("*.png")
    picture = cv2.imread(str(written))
    assert picture is not None
    np.testing.assert_allclose(picture[30, 30], POINT, atol=2)


@pytest.mark.parametrize("name", ["a.png", "pictures/"])
def test_an_unknown_layer_is_told_before_anything_is_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match="Did you mean 'mesh'"):
        open_sink(f"{tmp_path}/{name}", INFO, layers=["mash"])


def test_one_picture_holds_one_result(tmp_path: Path) -> None:
    sink = open_sink(str(tmp_path / "a.png"), INFO)
    sink.write(RESULTS[0])
    with pytest.raises(OutputError, match="give a folder's name"):
        sink.write(RESULTS[1])
    assert (tmp_path / "a.png").is_file()


@pytest.mark.parametrize("name", ["t.csv", "r.json", "r.jsonl"])
def test_a_file_has_its_name_only_when_it_is_closed(tmp_path: Path, name: str) -> None:
    sink = open_sink(str(tmp_path / name), INFO)
    sink.write(RESULTS[0])
    assert growing(tmp_path) == [name]
    sink.close()
    sink.close()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_unknown_ending_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"unknown kind of output '\.cvs'.*Did you mean '\.csv'\?"):
        open_sink(str(tmp_path / "t.cvs"), INFO)


def test_a_place_that_cannot_be_written_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        open_sink(str(tmp_path / "file" / "t.csv"), INFO)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit of the size of files, which stands for a full disk")
def test_a_full_disk_is_an_output_error(tmp_path: Path) -> None:
    sink = open_sink(str(tmp_path / "t.jsonl"), INFO)
    with pytest.raises(OutputError, match="File too large.*a part stands in"), full_disk(20_000):
        for _ in range(100):
            sink.write(RESULTS[0])
    assert growing(tmp_path) == ["t.jsonl"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, which stands for a full disk")
def test_a_device_that_takes_no_more_is_an_output_error() -> None:
    with pytest.raises(OutputError, match="No space left"):
        open_sink("/dev/full", INFO).write(RESULTS[0])
