import os
from collections.abc import Callable
from pathlib import Path

import pytest

from facemood import OutputConflictError, OutputError
from facemood.outputs.places import OutputTarget, OutputTargets, name_if_broken

Place = Callable[[], None]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with some photos and videos, as the working folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("photos/a.png", "photos/b.jpg", "videos/talk.mp4", "videos/clip.mp4", "p.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path


def moves(name: str) -> bool:
    return name.endswith(".mp4")


def targets_of(patterns: list[str], inputs: list[str]) -> OutputTargets:
    return OutputTargets(patterns, inputs, moves)


@pytest.mark.parametrize(
    ("patterns", "inputs", "source"),
    [
        (["p.png"], ["p.png"], "p.png"),
        (["{name}.png"], ["p.png"], "p.png"),
        (["./{name}.png"], ["p.png"], "p.png"),
        (["{path}.png"], ["p.png"], "p.png"),
        (["photos/"], ["photos/b.jpg", "photos/a.png"], "photos/a.png"),
        (["photos"], ["photos/a.png"], "photos/a.png"),
        (["photos/{path}.jpg"], ["photos/b.jpg"], "photos/b.jpg"),
        (["videos/{name}.mp4"], ["videos/talk.mp4"], "videos/talk.mp4"),
        (["all.csv", "videos/talk.mp4"], ["videos/talk.mp4"], "videos/talk.mp4"),
        (["x/../p.png"], ["p.png"], "p.png"),
    ],
)
def test_no_output_is_an_input(patterns: list[str], inputs: list[str], source: str, place: Path) -> None:
    before = {path: path.read_bytes() for path in place.rglob("*") if path.is_file()}
    with pytest.raises(OutputConflictError, match=f"this would write over the input {source}"):
        targets_of(patterns, inputs)
    assert {path: path.read_bytes() for path in place.rglob("*") if path.is_file()} == before


def test_neither_a_sidecar_nor_an_unfinished_file_is_an_input(place: Path) -> None:
    (place / "t.csv.json").write_bytes(b"a photo")
    with pytest.raises(OutputConflictError, match=r"t\.csv\.json: this would write over"):
        targets_of(["t.csv"], ["t.csv.json"])
    (place / "videos" / "talk.unfinished.mp4").write_bytes(b"a video")
    with pytest.raises(OutputConflictError, match=r"over the input videos/talk\.unfinished\.mp4"):
        targets_of(["videos/{name}.mp4"], ["other/talk.mp4", "videos/talk.unfinished.mp4"])


def test_a_frame_of_a_video_is_no_input(place: Path) -> None:
    (place / "out").mkdir()
    (place / "out" / "talk-000123.png").write_bytes(b"a photo")
    with pytest.raises(OutputConflictError, match=r"may be called as the input out/talk-000123\.png"):
        targets_of(["out/"], ["a/talk.mp4", "out/talk-000123.png"])
    targets_of(["out/"], ["videos/clip.mp4", "photos/a.png"])


@pytest.mark.parametrize(
    ("pattern", "inputs", "words"),
    [
        ("o.png", ["p.png", "photos/a.png"], "one image cannot hold several inputs, and there are 2; .* name, o/"),
        ("o.jpg", ["videos/talk.mp4"], "one image cannot hold a video.*talk.mp4.*folder's name.*, o/"),
        ("{name}.png", ["photos/a.png", "videos/talk.mp4"], "cannot hold a video"),
        ("o.mp4", ["p.png"], "is a photo.*folder's name.*, o/"),
        ("{name}.mp4", ["p.png", "videos/talk.mp4"], "p.png is a photo"),
        ("o.mp4", ["videos/clip.mp4", "videos/talk.mp4"], r"one video cannot hold several.*-o '\{name\}-o\.mp4'"),
        ("{name}.eaf", ["p.png", "videos/talk.mp4"], "made of one video, but p.png is a photo; leave out the photos"),
        ("o.srt", ["videos/clip.mp4", "videos/talk.mp4"], r"one file cannot hold several.*-o '\{name\}-o\.srt'"),
        ("", ["p.png"], "an output is an empty text; name a file or a folder"),
        ("{source}.csv", ["p.png"], r"nothing is known of \{source\}; expected \{name\}"),
        ("{}.csv", ["p.png"], r"nothing is known of \{\}"),
        ("-.mp4", ["videos/talk.mp4"], "cannot be written to standard output"),
    ],
)
def test_what_cannot_hold_the_inputs_is_refused(pattern: str, inputs: list[str], words: str) -> None:
    with pytest.raises(OutputConflictError, match=words):
        targets_of(["all.csv", pattern], inputs)
    assert not os.path.exists("all.csv")


def test_folders_and_files_are_not_taken_for_each_other(place: Path) -> None:
    (place / "t.csv").mkdir()
    (place / "results").write_text("notes")
    (place / "out.v2").mkdir()
    with pytest.raises(OutputConflictError, match="is a folder, and a file is wanted"):
        targets_of(["t.csv"], ["p.png"])
    with pytest.raises(OutputConflictError, match="is a file, and a folder of images is wanted"):
        targets_of(["results"], ["p.png"])
    assert targets_of(["out.v2"], ["p.png"]).outputs_of("p.png") == ["out.v2/p.png"]
    with pytest.raises(OutputError, match=r"unknown kind of output '\.xyz'"):
        targets_of(["t.xyz"], ["p.png"])


@pytest.mark.parametrize(
    "patterns",
    [
        ["t.csv", "t.csv"],
        ["t.csv", "./x/../t.csv"],
        ["-", "/dev/stdout"],
        ["-.jsonl", "-"],
        ["out/", "out"],
        ["out/", "out/{name}.png"],
        ["{name}.csv", "{path}.csv"],
        ["t.csv", "t.csv.json"],
        ["{name}.csv", "./{name}.csv"],
    ],
)
def test_the_same_place_twice_is_refused(patterns: list[str]) -> None:
    with pytest.raises(OutputConflictError, match="is written twice"):
        targets_of(patterns, ["p.png"])


def test_a_link_to_the_same_place_is_the_same(place: Path) -> None:
    (place / "link").symlink_to(place / "photos")
    with pytest.raises(OutputConflictError, match="is written twice"):
        targets_of(["photos/t.csv", "link/t.csv"], ["p.png"])


def test_inputs_are_not_called_as_what_all_share() -> None:
    inputs = ["x/all.mp4", "x/facemood.mp4", "x/all.unfinished.mp4"]
    targets = targets_of(["out/{name}.csv", "out/all.csv"], inputs)
    assert [targets.outputs_of(name) for name in inputs] == [
        ["out/all-2.csv"], ["out/facemood.csv"], ["out/all.unfinished-2.csv"],
    ]  # fmt: skip
    assert targets_of(["out/{name}.json"], inputs).outputs_of("x/facemood.mp4") == ["out/facemood-2.json"]


def test_dots_in_names_do_not_change_the_kind() -> None:
    targets = targets_of(["nm/{name}", "t/{name}.csv"], ["talk.v2.mp4", "a.png"])
    assert targets.outputs_of("talk.v2.mp4") == ["nm/talk.v2/talk.v2-{frame}.png", "t/talk.v2.csv"]
    assert targets.outputs_of("a.png") == ["nm/a/a.png", "t/a.csv"]


def test_books_lie_beside_tables_and_in_folders() -> None:
    names = {
        "t.csv": "t.csv.json", "x/t.parquet": "x/t.parquet.json", "t.jsonl": "t.jsonl.json",
        "{name}.csv": "facemood.json",
        "x/{name}/y.csv": "x/facemood.json", "x/{path}.csv": "x/facemood.json", "pre-{name}.csv": "facemood.json",
        "out/": "out/facemood.json", "-": None, "r.html": None, "t.json": None, "t.episodes.csv": None, "o.png": None,
    }  # fmt: skip
    sidecars = {name: OutputTarget.parse(name).sidecar for name in names}
    assert sidecars == {name: None if sidecar is None else Path(sidecar) for name, sidecar in names.items()}


def test_only_what_grows_is_renamed_where_it_breaks_off() -> None:
    assert [name_if_broken(name) for name in ("a.mp4", "a.episodes.csv", "a.JPG", "-")] == [
        "a.unfinished.mp4", "a.episodes.unfinished.csv", "a.JPG", "-",
    ]  # fmt: skip


def test_places_are_tried_before_anything_is_read(place: Path) -> None:
    (place / "file").write_text("")
    for pattern in ("file/t.csv", "file/out/", "file/{name}.csv", "file/r.html"):
        with pytest.raises(OutputError, match=r"^(?!.*probe).* cannot be written"):
            targets_of([pattern], ["p.png"]).prepare()
    targets_of(["new/{name}.csv", "-", "deep/er/r.html"], ["p.png"]).prepare()
    assert list((place / "new").iterdir()) == list((place / "deep" / "er").iterdir()) == []
