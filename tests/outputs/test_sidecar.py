import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facemood import OutputConflictError
from facemood.outputs.names import Label
from facemood.outputs.sidecar import DONE, FACES_HIDDEN, FAILED, Sidecar, SidecarEntry, Stamp

SETTINGS = {"facemood": "1", "model": "nano", "every": None, "device": "cpu", "readings": ("raw",)}


def a_sidecar(path: Path) -> Sidecar:
    sidecar = Sidecar(path, table="t.csv", inode=5, size=9)
    key = sidecar.add_settings(SETTINGS)
    done = SidecarEntry("a.png", "/p/a.png", 3, 4, DONE, key, 1, ["a.csv"], [0, 9], "a", "a")
    sidecar.entries = {
        one.path: one for one in (done, SidecarEntry("caf\udce9.png", "/p/caf\udce9.png", state=FAILED, message="no"))
    }
    return sidecar


def test_a_sidecar_is_read_as_it_was_written(tmp_path: Path) -> None:
    sidecar = a_sidecar(tmp_path / "t.csv.json")
    sidecar.save()
    again = Sidecar.read(tmp_path / "t.csv.json")
    assert (again.entries, again.settings, again.table, again.inode, again.size) == (
        sidecar.entries, sidecar.settings, "t.csv", 5, 9,
    )  # fmt: skip
    assert again.entries["/p/a.png"].label == Label("a", "a")
    assert again.entries["/p/a.png"].stamp == Stamp(3, 4)


def test_people_can_read_it(tmp_path: Path) -> None:
    a_sidecar(tmp_path / "t.csv.json").save()
    text = (tmp_path / "t.csv.json").read_text(encoding="ascii")
    told = json.loads(text)
    (settings,) = told["settings"].values()
    assert settings["model"] == "nano"
    assert told["sources"][0] | {"settings": ""} == {
        "source": "a.png", "path": "/p/a.png", "size": 3, "mtime_ns": 4, "state": "done", "settings": "", "results": 1,
        "outputs": ["a.csv"], "span": [0, 9], "name": "a", "tree": "a",
    }  # fmt: skip
    assert sum("/p/" in line for line in text.splitlines()) == 2  # a line an input


def test_an_input_is_done_when_nothing_has_changed(tmp_path: Path) -> None:
    sidecar = a_sidecar(tmp_path / "b.json")
    assert sidecar.is_done("/p/a.png", Stamp(3, 4), {**SETTINGS, "device": "cuda", "readings": ["raw"]})
    assert sidecar.is_done("/p/a.png", Stamp(3, 4), {**SETTINGS, FACES_HIDDEN: "blur", "readings": ["raw"]})
    assert not sidecar.is_done("/p/a.png", Stamp(3, 5), SETTINGS)
    assert not sidecar.is_done("/p/a.png", Stamp(4, 4), SETTINGS)
    assert not sidecar.is_done("/p/b.png", Stamp(3, 4), SETTINGS)
    assert not sidecar.is_done("/p/caf\udce9.png", Stamp(), SETTINGS)
    assert sidecar.changes("/p/a.png", {**SETTINGS, "model": "ferc", "prior": 1}) == {
        "model": ("nano", "ferc"),
        "prior": (None, 1),
    }


def test_what_is_no_file_is_never_done(tmp_path: Path) -> None:
    sidecar = Sidecar(tmp_path / "b.json")
    sidecar.entries["/camera:0"] = SidecarEntry("camera:0", "/camera:0", settings=sidecar.add_settings(SETTINGS))
    assert not sidecar.is_done("/camera:0", Stamp(), SETTINGS)


def test_without_a_file_the_sidecar_is_empty(tmp_path: Path) -> None:
    assert Sidecar.read(tmp_path / "t.csv.json").entries == {}


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"a": 1}', '{"facemood_outputs": 99}', '{"facemood_outputs": 1}', "[" * 100_000, "\0",
     '{"facemood_outputs": 1, "sources": [{"colour": 1}], "settings": {}, "table": "", "inode": 0, "size": 0}'],
    ids=lambda text: text[:30],
)  # fmt: skip
def test_somebodys_own_file_is_not_taken_for_a_sidecar(tmp_path: Path, text: str) -> None:
    path = tmp_path / "facemood.json"
    path.write_text(text)
    with pytest.raises(OutputConflictError, match=r"facemood\.json: .*move it away"):
        Sidecar.read(path)
    assert path.read_text() == text


ENTRY = {"source": "a", "path": "/a", "outputs": ["a.csv"], "span": [0, 9], "size": 3, "mtime_ns": 4, "results": 1}

ODD = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers(), max_size=3)
)


@settings(deadline=None)
@given(st.sampled_from([*SidecarEntry.__dataclass_fields__, "others", "table", "inode", "settings", "sources"]), ODD)
def test_a_damaged_sidecar_is_refused_or_read_whole(
    tmp_path_factory: pytest.TempPathFactory, field: str, value: object
) -> None:
    path = tmp_path_factory.mktemp("odd") / "t.csv.json"
    table = {"facemood_outputs": 1, "table": "t.csv", "inode": 0, "size": 0, "settings": {"": {}}, "sources": [ENTRY]}
    known = {**table, field: value} if field in table or field == "others" else {
        **table, "sources": [{**ENTRY, field: value}]
    }  # fmt: skip
    path.write_text(json.dumps(known))
    try:
        sidecar = Sidecar.read(path)
    except OutputConflictError as error:
        assert "move it away" in str(error)
        return
    for entry in sidecar.entries.values():
        assert entry.span is None or 0 <= entry.span[0] <= entry.span[1]
    sidecar.is_done("/a", Stamp(3, 4), {})
    before = sidecar.files
    sidecar.save()
    assert Sidecar.read(path).files == before


def test_other_files_are_listed_once(tmp_path: Path) -> None:
    sidecar = a_sidecar(tmp_path / "facemood.json")
    sidecar.others = {"a.csv", "b.csv", "c-{frame}.png"}
    sidecar.save()
    assert json.loads((tmp_path / "facemood.json").read_bytes())["others"] == ["b.csv", "c-{frame}.png"]
    assert Sidecar.read(tmp_path / "facemood.json").files == {"a.csv", "b.csv", "c-{frame}.png"}


def test_a_sidecar_is_not_written_all_the_time(tmp_path: Path) -> None:
    sidecar = a_sidecar(tmp_path / "b.json")
    assert sidecar.is_due()
    sidecar.save()
    assert not sidecar.is_due()


def test_settings_that_nobody_has_any_more_are_forgotten(tmp_path: Path) -> None:
    sidecar = a_sidecar(tmp_path / "b.json")
    sidecar.add_settings({"model": "of last year"})
    sidecar.save()
    assert len(Sidecar.read(tmp_path / "b.json").settings) == 1
