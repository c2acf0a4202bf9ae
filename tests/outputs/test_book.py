import json
from pathlib import Path

import pytest

from facemood import OutputConflictError
from facemood.outputs.book import DONE, FAILED, Book, Entry, Stamp
from facemood.outputs.names import Label

SETTINGS = {"facemood": "1", "model": "nano", "every": None, "device": "cpu", "readings": ("raw",)}


def a_book(path: Path) -> Book:
    book = Book(path, table="t.csv", inode=5, size=9)
    key = book.know(SETTINGS)
    done = Entry("a.png", "/p/a.png", 3, 4, DONE, key, 1, ["a.csv"], [0, 9], "a", "a")
    book.entries = {
        one.path: one for one in (done, Entry("caf\udce9.png", "/p/caf\udce9.png", state=FAILED, message="no"))
    }
    return book


def test_a_book_is_read_as_it_was_written(tmp_path: Path) -> None:
    book = a_book(tmp_path / "t.csv.json")
    book.save()
    again = Book.read(tmp_path / "t.csv.json")
    assert (again.entries, again.settings, again.table, again.inode, again.size) == (
        book.entries, book.settings, "t.csv", 5, 9,
    )  # fmt: skip
    assert again.entries["/p/a.png"].label == Label("a", "a")
    assert again.entries["/p/a.png"].stamp == Stamp(3, 4)


def test_people_can_read_it(tmp_path: Path) -> None:
    a_book(tmp_path / "t.csv.json").save()
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
    book = a_book(tmp_path / "b.json")
    assert book.is_done("/p/a.png", Stamp(3, 4), {**SETTINGS, "device": "cuda", "readings": ["raw"]})
    assert not book.is_done("/p/a.png", Stamp(3, 5), SETTINGS)
    assert not book.is_done("/p/a.png", Stamp(4, 4), SETTINGS)
    assert not book.is_done("/p/b.png", Stamp(3, 4), SETTINGS)
    assert not book.is_done("/p/caf\udce9.png", Stamp(), SETTINGS)
    assert book.changes("/p/a.png", {**SETTINGS, "model": "ferc", "prior": 1}) == {
        "model": ("nano", "ferc"),
        "prior": (None, 1),
    }


def test_what_is_no_file_is_never_done(tmp_path: Path) -> None:
    book = Book(tmp_path / "b.json")
    book.entries["/camera:0"] = Entry("camera:0", "/camera:0", settings=book.know(SETTINGS))
    assert not book.is_done("/camera:0", Stamp(), SETTINGS)


def test_without_a_file_the_book_is_empty(tmp_path: Path) -> None:
    assert Book.read(tmp_path / "t.csv.json").entries == {}


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"a": 1}', '{"facemood_outputs": 99}', '{"facemood_outputs": 1}', "[" * 100_000, "\0",
     '{"facemood_outputs": 1, "sources": [{"colour": 1}], "settings": {}, "table": "", "inode": 0, "size": 0}'],
    ids=lambda text: text[:30],
)  # fmt: skip
def test_somebodys_own_file_is_not_taken_for_a_book(tmp_path: Path, text: str) -> None:
    path = tmp_path / "facemood.json"
    path.write_text(text)
    with pytest.raises(OutputConflictError, match=r"facemood\.json: .*move it away"):
        Book.read(path)
    assert path.read_text() == text


def test_a_book_is_not_written_all_the_time(tmp_path: Path) -> None:
    book = a_book(tmp_path / "b.json")
    assert book.is_due()
    book.save()
    assert not book.is_due()


def test_settings_that_nobody_has_any_more_are_forgotten(tmp_path: Path) -> None:
    book = a_book(tmp_path / "b.json")
    book.know({"model": "of last year"})
    book.save()
    assert len(Book.read(tmp_path / "b.json").settings) == 1
