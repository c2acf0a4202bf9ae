from pathlib import Path

import pytest

from facemood import Result
from facemood.cli.outputs import Outputs, files_of, left_to_read
from facemood.sinks import Sink, open_sink
from tests.conftest import make_face

INFO = {"labels": list(make_face().labels)}


def open_file(name: str) -> Sink:
    return open_sink(name, INFO)


def result(source: str) -> Result:
    return Result(source, size=(100, 100), faces=(make_face(),), labels=make_face().labels)


def lines(path: Path) -> int:
    return len(path.read_text().splitlines()) - 1


def test_each_input_gets_files_of_its_own_and_all_share_others(tmp_path: Path) -> None:
    patterns = [f"{tmp_path}/own/{{name}}.csv", f"{tmp_path}/all.csv"]
    outputs = Outputs(patterns, ["a.mp4", "b.mp4"], open_file)
    for source in ("a.mp4", "a.mp4", "b.mp4"):
        outputs.write(result(source))
    assert (tmp_path / "own" / "a.csv").exists()
    outputs.close(whole=True)
    assert [lines(tmp_path / name) for name in ("own/a.csv", "own/b.csv", "all.csv")] == [2, 1, 3]
    assert left_to_read(patterns, ["a.mp4", "b.mp4", "c.mp4"]) == ["c.mp4"]


@pytest.mark.parametrize("broken", [True, False])
def test_an_input_that_was_not_read_to_its_end_says_so(tmp_path: Path, broken: bool) -> None:
    pattern = f"{tmp_path}/{{name}}.csv"
    outputs = Outputs([pattern], ["a.mp4", "b.mp4"], open_file)
    outputs.write(result("a.mp4"))
    outputs.fail("b.mp4")
    outputs.write(result("b.mp4"))
    if broken:
        outputs.fail("b.mp4")
    outputs.close(whole=broken)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "b.unfinished.csv"]
    assert left_to_read([pattern], ["a.mp4", "b.mp4"]) == ["b.mp4"]


def test_equal_names_in_other_folders_get_a_number() -> None:
    files = files_of(["{name}.csv", "{name}.html"], ["x/a.mp4", "y/a.mov", "y/b.mp4"])
    assert files["y/a.mov"] == ["a-2.csv", "a-2.html"]
    assert files["y/b.mp4"] == ["b.csv", "b.html"]


def test_without_files_of_their_own_all_inputs_are_left_to_read() -> None:
    assert left_to_read(["all.csv"], ["a.mp4"]) == ["a.mp4"]
