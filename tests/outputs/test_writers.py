from __future__ import annotations

import csv
import itertools
import json
import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from facemood import OutputConflictError, OutputError, Result
from facemood.outputs import Outputs, OutputTargets
from facemood.outputs import sidecar as sidecar_module
from facemood.sinks import Sink, open_sink
from tests.conftest import make_face
from tests.growing import full_disk

INFO = {"labels": list(make_face().labels), "model": "nano"}
IMAGE = np.zeros((100, 100, 3), np.uint8)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, and sidecars that are written after each input."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sidecar_module, "PAUSE", 0.0)
    monkeypatch.setattr(sidecar_module, "SHARE", 0.0)
    return tmp_path


def make(*names: str) -> list[str]:
    """Files that count as inputs."""
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(os.fsencode(name))
    return list(names)


def moves(name: str) -> bool:
    return name.endswith(".mp4")


def open_run(
    patterns: Sequence[str], inputs: Sequence[str], *, resume: bool = False, overwrite: bool = False, **changed: Any
) -> Outputs:
    """A run's files, as the command line opens them."""

    def open_file(name: str, names: Mapping[str, str]) -> Sink:
        return open_sink(name, {**INFO, **changed}, names=names)

    return Outputs(
        OutputTargets(patterns, inputs, moves),
        lambda name, drawn: {**INFO, **changed},
        open_file,
        resume=resume,
        overwrite=overwrite,
    )


def results_of(source: str, count: int = 3) -> Iterator[Result]:
    """What is read of an input: of a video some frames."""
    for index in range(count if moves(source) else 1):
        yield Result(
            source, index, timestamp=index / 10 if moves(source) else None, size=(100, 100), image=IMAGE,
            faces=(make_face(),), labels=make_face().labels,
        )  # fmt: skip


def read(outputs: Outputs, *, whole: bool = True) -> None:
    """Read all that is left."""
    for source in outputs.left:
        for result in results_of(source):
            outputs.write(result)
    outputs.close(whole=whole)


def kill(outputs: Outputs) -> None:
    """What `kill -9` leaves: parts and locks as they are, and nobody who holds them."""
    sinks: list[Any] = [*outputs._plain, *outputs._own, *(resumable.sink for resumable in outputs._resumables)]
    for sink in sinks:
        if hasattr(sink, "_part"):
            sink._part.file.flush()
            left = sink.growing.read_bytes()
            sink._part.give_up()
            sink.growing.write_bytes(left)
    for lock in outputs._locks:
        lock.release()


def left_of(patterns: Sequence[str], inputs: Sequence[str], **changed: Any) -> list[str]:
    """What a run that goes on would read; nothing is changed."""
    outputs = open_run(patterns, inputs, resume=True, **changed)
    kill(outputs)
    return outputs.left


def rows(path: str | Path) -> list[str]:
    """The sources of a table's rows."""
    if str(path).endswith(".jsonl"):
        return [json.loads(line)["source"] for line in Path(path).read_text().splitlines()]
    if str(path).endswith(".parquet"):
        parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra data")
        return [str(source) for source in parquet.read_table(path)["source"].to_pylist()]
    with open(path, newline="") as file:
        return [row["source"] for row in csv.DictReader(file)]


def files(folder: str | Path = ".") -> list[str]:
    """The files below a folder but for inputs."""
    names = (path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file())
    return sorted(name for name in names if not name.startswith("in/"))


def test_each_input_gets_files_of_its_own_and_all_share_others() -> None:
    inputs = make("in/a.mp4", "in/b.mp4")
    outputs = open_run(["own/{name}.csv", "all.csv"], inputs)
    outputs.write(next(results_of("in/a.mp4")))
    outputs.write(next(results_of("in/b.mp4")))
    assert (Path("own/a.csv")).exists()
    outputs.write(next(results_of("in/b.mp4")))
    outputs.close(whole=True)
    assert [len(rows(name)) for name in ("own/a.csv", "own/b.csv", "all.csv")] == [1, 2, 3]
    assert files() == ["all.csv", "all.csv.json", "own/a.csv", "own/b.csv", "own/facemood.json"]
    assert left_of(["own/{name}.csv"], [*inputs, *make("in/c.mp4")]) == ["in/c.mp4"]


@pytest.mark.parametrize("broken", [True, False])
def test_an_input_that_was_not_read_to_its_end_says_so(broken: bool) -> None:
    inputs = make("in/a.mp4", "in/b.mp4")
    (Path("b.csv")).write_text("of yesterday")
    outputs = open_run(["{name}.csv"], inputs, overwrite=True)
    outputs.write(next(results_of("in/a.mp4")))
    outputs.fail("in/b.mp4")
    outputs.write(next(results_of("in/b.mp4")))
    if broken:
        outputs.fail("in/b.mp4")
    outputs.close(whole=broken)
    assert files() == ["a.csv", "b.csv", "b.unfinished.csv", "facemood.json"]
    assert Path("b.csv").read_text() == "of yesterday"
    again = open_run(["{name}.csv"], inputs, resume=True)
    assert again.left == ["in/b.mp4"]
    read(again)
    assert files() == ["a.csv", "b.csv", "facemood.json"]
    assert rows("b.csv") == ["in/b.mp4"] * 3


@pytest.mark.parametrize("table", ["t.csv", "t.jsonl", "t.parquet"])
def test_an_interrupted_table_is_gone_on_with(table: str) -> None:
    inputs = make("in/a.png", "in/b.mp4", "in/c.mp4")
    outputs = open_run([table], inputs)
    for result in [*results_of("in/a.png"), *results_of("in/b.mp4", 2)]:
        outputs.write(result)
    outputs.close(whole=False)
    unfinished = table.replace("t.", "t.unfinished.")
    assert files() == [f"{table}.json", unfinished]
    assert rows(unfinished) == ["in/a.png", "in/b.mp4", "in/b.mp4"]
    again = open_run([table], inputs, resume=True)
    assert (again.left, again.messages) == (["in/b.mp4", "in/c.mp4"], [])
    read(again)
    assert rows(table) == ["in/a.png", *["in/b.mp4"] * 3, *["in/c.mp4"] * 3]
    assert files() == [table, f"{table}.json"]
    whole = Path(table).read_bytes()
    third = open_run([table], inputs, resume=True)
    assert third.left == []
    read(third)
    assert Path(table).read_bytes() == whole


@pytest.mark.parametrize("table", ["t.csv", "t.jsonl", "t.parquet"])
def test_a_killed_table_is_gone_on_with(table: str) -> None:
    inputs = make("in/a.png", "in/b.mp4", "in/c.mp4")
    Path(table).write_text("of yesterday")
    outputs = open_run([table], inputs)
    for result in [*results_of("in/a.png"), *results_of("in/b.mp4"), *results_of("in/c.mp4", 2)]:
        outputs.write(result)
    kill(outputs)
    assert Path(table).read_text() == "of yesterday"
    again = open_run([table], inputs, resume=True)
    assert (again.left, again.messages) == (["in/c.mp4"], [])
    kill(again)  # before anything was read
    third = open_run([table], inputs, resume=True)
    read(third)
    assert rows(table) == ["in/a.png", *["in/b.mp4"] * 3, *["in/c.mp4"] * 3]
    assert files() == [table, f"{table}.json"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit of the size of files, which stands for a full disk")
@pytest.mark.parametrize("table", ["t.csv", "t.jsonl"])
@pytest.mark.parametrize("earlier", [False, True])
def test_a_table_on_a_full_disk_is_gone_on_with(table: str, earlier: bool) -> None:
    inputs = make("p1.png", *(f"v{number}.mp4" for number in range(5)))
    if earlier:  # an unfinished table of another run is not taken for the part
        outputs = open_run([table], inputs)
        outputs.write(next(results_of("p1.png")))
        outputs.close(whole=False)
    outputs = open_run([table], inputs, resume=earlier)
    with full_disk(30_000):
        with pytest.raises(OutputError, match="File too large"):
            for result in itertools.chain.from_iterable(results_of(name, 60) for name in outputs.left):
                outputs.write(result)
        outputs.close(whole=False)
    assert not Path(table).exists()
    done = set(inputs) - set(left_of([table], inputs))
    assert {"p1.png", "v0.mp4"} <= done != set(inputs)
    read(open_run([table], inputs, resume=True))
    assert rows(table) == [
        name for name in inputs for _ in range(60 if name in done and moves(name) else len([*results_of(name)]))
    ]


def test_one_input_is_never_taken_for_another() -> None:
    inputs = make("in/a/clip.mp4", "in/b/clip.mp4")
    read(open_run(["{name}.csv"], inputs))
    assert (rows("clip.csv")[0], rows("clip-2.csv")[0]) == ("in/a/clip.mp4", "in/b/clip.mp4")
    os.unlink("in/a/clip.mp4")
    for resume in (True, False):
        read(open_run(["{name}.csv"], ["in/b/clip.mp4"], resume=resume))
        assert (rows("clip.csv")[0], rows("clip-2.csv")[0]) == ("in/a/clip.mp4", "in/b/clip.mp4")
    make("in/0/clip.mp4", "in/a/clip.mp4")
    again = open_run(["{name}.csv"], ["in/0/clip.mp4", "in/a/clip.mp4", "in/b/clip.mp4"], resume=True)
    assert again.left == ["in/0/clip.mp4", "in/a/clip.mp4"]  # a was written anew, so it is another file
    read(again)
    sources = [rows(name)[0] for name in ("clip.csv", "clip-2.csv", "clip-3.csv")]
    assert sources == ["in/a/clip.mp4", "in/b/clip.mp4", "in/0/clip.mp4"]


def test_the_working_folder_may_be_another(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read(open_run(["t.csv"], make("in/a.png", "in/b.png")))
    monkeypatch.chdir(place / "in")
    assert left_of(["../t.csv"], ["a.png", "b.png"]) == []


def test_other_settings_are_told_and_read_again() -> None:
    inputs = make("in/a.png", "in/b.png")
    read(open_run(["t.csv", "{name}.csv"], inputs))
    again = open_run(["t.csv", "{name}.csv"], inputs, resume=True, model="ferc")
    assert again.left == inputs
    assert len(again.messages) == 2
    assert (
        "the settings are not those of the last run (model: nano -> ferc); reading 2 inputs again" in again.messages[0]
    )
    read(again)
    assert rows("t.csv") == inputs
    assert left_of(["t.csv"], inputs, model="ferc") == []


def test_other_columns_cannot_be_gone_on_with() -> None:
    inputs = make("in/a.png", "in/b.png")
    read(open_run(["t.csv"], inputs))
    again = open_run(["t.csv"], inputs, resume=True, labels=["happy", "bored"])
    assert again.left == inputs
    again.close(whole=False)


def test_changed_inputs_are_told_and_read_again() -> None:
    inputs = make("in/a.mp4", "in/b.mp4")
    read(open_run(["t.csv"], inputs))
    Path("in/a.mp4").write_text("another video")
    again = open_run(["t.csv"], inputs, resume=True)
    assert again.left == ["in/a.mp4"]
    assert "reading 1 input again that changed since" in again.messages[0]
    read(again)
    assert rows("t.csv") == [*["in/b.mp4"] * 3, *["in/a.mp4"] * 3]


def test_a_table_that_somebody_edited_is_not_cut_at_wrong_places() -> None:
    inputs = make("in/a.png", "in/b.png")
    read(open_run(["t.csv"], inputs))
    text = Path("t.csv").read_text()
    Path("t.csv").write_text("# my notes\n" + text)
    again = open_run(["t.csv"], [*inputs, *make("in/c.png")], resume=True)
    assert "was changed since" in again.messages[0]
    read(again)
    assert rows("t.csv") == ["in/a.png", "in/b.png", "in/c.png"]


@pytest.mark.parametrize("named", ["precious.csv", "../precious.csv", "in/precious.csv", "/precious.csv"])
def test_a_sidecar_cannot_name_another_file_as_its_table(named: str) -> None:
    inputs = make("in/a.png", "in/b.png")
    read(open_run(["t.csv"], inputs))
    shutil.copy("t.csv", "precious.csv")
    sidecar = Path("t.csv.json")
    sidecar.write_text(sidecar.read_text().replace('"table": "t.csv"', json.dumps(named).join(['"table": ', ""])))
    Path("t.csv").unlink()
    outputs = open_run(["t.csv"], inputs, resume=True)
    assert outputs.left == inputs
    read(outputs)
    assert rows("t.csv") == rows("precious.csv") == inputs


def test_rows_of_inputs_that_are_missing_now_stay_in_the_table() -> None:
    read(open_run(["t.csv"], make("in/a.png", "in/b.png")))
    read(open_run(["t.csv"], make("in/c.png"), resume=True))
    assert rows("t.csv") == ["in/a.png", "in/b.png", "in/c.png"]
    read(open_run(["t.csv"], ["in/c.png"]))
    assert rows("t.csv") == ["in/c.png"]


def test_a_run_that_ended_between_table_and_sidecar_is_known() -> None:
    inputs = make("in/a.png", "in/b.png")
    outputs = open_run(["t.csv"], inputs)
    for source in inputs:
        for result in results_of(source):
            outputs.write(result)
    outputs._finish(whole=True)
    before = Path("t.csv.json").read_bytes()
    outputs.close(whole=True)
    Path("t.csv.json").write_bytes(before)
    again = open_run(["t.csv"], inputs, resume=True)
    assert (again.left, again.messages) == ([], [])
    read(again)
    assert rows("t.csv") == inputs


def test_what_broke_off_is_read_again_and_its_rows_go() -> None:
    inputs = make("in/a.mp4", "in/b.mp4", "in/c.png")
    outputs = open_run(["t.jsonl"], inputs)
    outputs.write(next(results_of("in/a.mp4")))
    outputs.fail("in/a.mp4", "it breaks off")
    outputs.fail("in/c.png", "no image")
    for result in results_of("in/b.mp4"):
        outputs.write(result)
    outputs.close(whole=True)
    assert rows("t.jsonl") == ["in/a.mp4", *["in/b.mp4"] * 3]
    told = {
        one["source"]: (one["state"], one.get("message"))
        for one in json.loads(Path("t.jsonl.json").read_text())["sources"]
    }
    assert told == {
        "in/a.mp4": ("failed", "it breaks off"),
        "in/b.mp4": ("done", None),
        "in/c.png": ("failed", "no image"),
    }
    again = open_run(["t.jsonl"], inputs, resume=True)
    assert again.left == ["in/a.mp4", "in/c.png"]
    read(again)
    assert rows("t.jsonl") == [*["in/b.mp4"] * 3, *["in/a.mp4"] * 3, "in/c.png"]


def test_a_folder_of_pictures_is_gone_on_with() -> None:
    inputs = make("in/a.png", "in/x/a.jpg", "in/talk.mp4")
    read(open_run(["out/"], inputs))
    frames = [f"talk-{index:06}.png" for index in range(3)]
    assert files("out") == ["a-2.png", "a.png", "facemood.json", *frames]
    assert left_of(["out/"], inputs) == []
    os.unlink("out/talk-000001.png")
    os.unlink("out/a-2.png")
    again = open_run(["out/"], inputs, resume=True)
    assert again.left == ["in/x/a.jpg", "in/talk.mp4"]
    read(again)
    assert files("out") == ["a-2.png", "a.png", "facemood.json", *frames]


def test_what_only_one_place_lacks_is_written_there_alone() -> None:
    inputs = make("in/a.png", "in/b.png")
    read(open_run(["t.csv"], inputs))
    again = open_run(["t.csv", "own/{name}.csv"], inputs, resume=True)
    assert again.left == inputs
    read(again)
    assert rows("t.csv") == inputs
    read(open_run(["own/{name}.jsonl"], inputs, resume=True))
    assert left_of(["own/{name}.csv", "own/{name}.jsonl"], inputs) == []


def test_trees_are_kept() -> None:
    inputs = make("in/2024/a.png", "in/2025/a.png")
    read(open_run(["out/{path}.csv"], inputs))
    assert files("out") == ["2024/a.csv", "2025/a.csv", "facemood.json"]
    assert left_of(["out/{path}.csv"], [*inputs, *make("elsewhere/b.png")]) == ["elsewhere/b.png"]


def test_two_runs_at_one_place_are_one_too_many() -> None:
    inputs = make("in/a.png")
    for pattern in ("t.csv", "out/", "own/{name}.csv", "r.html"):
        first = open_run([pattern], inputs)
        with pytest.raises(OutputError, match="another process is writing it"):
            open_run(["first.csv", pattern], inputs)
        read(first)
        read(open_run([pattern], inputs))
    assert not [name for name in files() if name.startswith("first") or name.endswith((".part", ".lock"))]


def test_somebodys_own_file_is_not_written_over_by_a_sidecar() -> None:
    inputs = make("in/a.png")
    Path("t.csv.json").write_text('{"mine": 1}')
    Path("t.csv").write_text("of yesterday")
    with pytest.raises(OutputConflictError, match=r"t\.csv\.json: .*move it away"):
        open_run(["t.csv", "u.csv"], inputs)
    assert files() == ["t.csv", "t.csv.json"]
    assert (Path("t.csv.json").read_text(), Path("t.csv").read_text()) == ('{"mine": 1}', "of yesterday")


@pytest.mark.parametrize(
    ("pattern", "taken"),
    [
        ("out/", "out/a.png"),
        ("out/", "out/b-000007.png"),
        ("out/{name}.csv", "out/a.csv"),
        ("out/{name}.csv", "out/b.unfinished.csv"),
        ("out/{path}/", "out/a/a.png"),
        ("{name}.html", "b.html"),
    ],
)
def test_a_file_that_nobody_named_is_not_written_over(pattern: str, taken: str) -> None:
    inputs = make("in/a.png", "in/b.mp4")
    make(taken)
    for resume in (False, True):
        with pytest.raises(OutputConflictError, match=rf"{taken}: there is already .* --overwrite"):
            open_run([pattern, "all.csv"], inputs, resume=resume)
    assert files() == [taken]
    assert Path(taken).read_text() == taken
    read(open_run([pattern], inputs, overwrite=True))
    if "unfinished" not in taken and "000007" not in taken:
        assert Path(taken).read_bytes() != taken.encode()
    read(open_run([pattern], inputs))  # they are ours now


def test_how_many_files_are_in_the_way_is_told() -> None:
    inputs = make("in/a.png", "in/b.png", "in/c.png")
    make("out/a.png", "out/b.png", "out/somebody.png")
    with pytest.raises(OutputConflictError, match=r"out/a\.png and 1 other output: there is already"):
        open_run(["out/"], inputs)


def test_files_of_earlier_runs_are_written_over() -> None:
    inputs = make("in/a.png", "in/b.mp4")
    read(open_run(["out/{name}.csv", "out/"], inputs))
    read(open_run(["out/"], inputs, model="default"))
    read(open_run(["out/{name}.csv"], inputs))
    (Path("out/a.csv")).unlink()
    read(open_run(["out/"], inputs[:1]))
    read(open_run(["out/{name}.csv", "out/"], inputs, model="default"))
    make("out/a.html")
    with pytest.raises(OutputConflictError, match=r"out/a\.html"):
        open_run(["out/{name}.html"], inputs)


@pytest.mark.parametrize("written", [0, 1, 3])
def test_files_of_a_killed_run_are_written_over(written: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sidecar_module, "PAUSE", 1000.0)  # so that the sidecar is behind
    inputs = make("in/a.png", "in/b.mp4")
    outputs = open_run(["out/", "out/{name}.csv"], inputs)
    coming = [result for source in inputs for result in results_of(source)]
    for result in coming[:written]:
        outputs.write(result)
    kill(outputs)
    read(open_run(["out/", "out/{name}.csv"], inputs))
    assert rows("out/b.csv") == ["in/b.mp4"] * 3
    assert "others" not in json.loads(Path("out/facemood.json").read_bytes())


def test_what_the_user_named_is_written_over() -> None:
    inputs = make("in/a.png")
    make("all.csv", "one.png", "r.html")
    read(open_run(["all.csv", "one.png", "r.html"], inputs))
    assert rows("all.csv") == inputs


def test_what_is_made_of_all_results_at_once_cannot_be_gone_on_with() -> None:
    inputs = make("in/a.png")
    for pattern in ("r.html", "r.json", "t.episodes.csv", "o.png", "-"):
        with pytest.raises(OutputConflictError, match=r"--resume cannot continue it.*\{name\}"):
            open_run([pattern], inputs, resume=True)
    with pytest.raises(OutputConflictError, match="--resume needs an output to continue"):
        open_run([], inputs, resume=True)
    assert files() == []


def test_a_codebook_is_written_anew_each_time() -> None:
    inputs = make("in/a.png", "in/b.png")
    read(open_run(["t.csv", "codebook.md"], inputs[:1]))
    read(open_run(["t.csv", "codebook.md"], inputs, resume=True))
    assert rows("t.csv") == inputs
    assert files() == ["codebook.md", "t.csv", "t.csv.json"]


def test_names_that_are_not_utf8_are_kept() -> None:
    (name,) = make("in/caf\udce9.png")
    outputs = open_run(["out/"], [name])
    read(outputs)
    assert os.listdir(b"out").count(b"caf\xe9.png") == 1
    assert left_of(["out/"], [name]) == []


EVENT = st.tuples(st.sampled_from(["kill", "stop", "fail", "end"]), st.integers(0, 12), st.integers(0, 4))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(EVENT, max_size=5), st.sampled_from(["t.csv", "t.jsonl"]), st.booleans())
def test_whatever_happens_no_row_is_lost_or_doubled(
    tmp_path: Path, events: list[tuple[str, int, int]], table: str, often: bool
) -> None:
    """Runs that are killed, interrupted or fail after some results, each with another choice of the inputs."""
    sidecar_module.PAUSE = 0.0 if often else 1000.0  # put back by the fixture
    for path in tmp_path.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    inputs = make("in/a.png", "in/b.mp4", "in/x/b.mp4", "in/c.png")
    patterns = [table, "own/{name}.jsonl"]
    for how, after, missing in events:
        chosen = [name for number, name in enumerate(inputs) if number != missing]
        outputs = open_run(patterns, chosen, resume=True)
        coming = [(source, result) for source in outputs.left for result in results_of(source)]
        for _, result in coming[:after]:
            outputs.write(result)
        if how == "kill":
            kill(outputs)
            continue
        if how == "fail" and coming[:after]:
            outputs.fail(coming[:after][-1][0], "it breaks off")
        outputs.close(whole=how in ("end", "fail") and after >= len(coming))
    read(open_run(patterns, inputs, resume=True))
    expected = {name: 3 if moves(name) else 1 for name in inputs}
    assert Counter(rows(table)) == expected
    assert {rows(f"own/{name}.jsonl")[0] for name in ("a", "b", "b-2", "c")} == set(inputs)
    assert sum(len(rows(f"own/{name}.jsonl")) for name in ("a", "b", "b-2", "c")) == sum(expected.values())
    assert not [name for name in files() if name.endswith((".part", ".lock")) or "unfinished" in name]
