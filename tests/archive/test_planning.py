"""Plans: what is new or changed makes parts, and equal inputs make equal parts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemood.archive.archive_folder import StoredPart
from facemood.archive.archive_place import LocalPlace, PlacedFile
from facemood.archive.book import ArchiveBook, input_key
from facemood.archive.part import ArchivePart, PartRecord, PlannedItem
from facemood.archive.planning import PART_PHOTOS, Planner, Shard
from facemood.errors import OptionError


def book_of(*parts: ArchivePart, failed: tuple[str, ...] = ()) -> ArchiveBook:
    """A book of parts that are done."""
    stored = []
    for part in parts:
        failures = {number: "damaged" for number, item in enumerate(part.items) if item.name in failed}
        record = PartRecord(list(part.items), [1] * len(part.items), failures, part.settings, part.folder, [], {})
        assert PartRecord.parse(record.to_json()) == record
        stored.append(StoredPart(PlacedFile(LocalPlace(Path()), part.file_name), record))
    return ArchiveBook(stored, "key")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    names = [f"{number:03d}.jpg" for number in range(2 * PART_PHOTOS + 1)]
    for name in names:
        Path(name).touch()
    return names


def test_parts_are_full_and_a_video_is_one_of_its_own(files: list[str]) -> None:
    Path("a.mp4").touch()
    plan = Planner(book_of(), "key").plan([*files, "a.mp4", files[0]])
    assert [len(part.items) for part in plan.parts] == [1, PART_PHOTOS, PART_PHOTOS, 1]
    assert (plan.inputs, plan.done, plan.left) == (len(files) + 1, 0, len(files) + 1)
    assert [part.id for part in Planner(book_of(), "key").plan([*files, "a.mp4"]).parts] == [p.id for p in plan.parts]
    assert not {part.id for part in Planner(book_of(), "other").plan(files).parts} & {part.id for part in plan.parts}


def test_a_later_run_plans_only_what_is_missing_and_in_the_same_parts(files: list[str]) -> None:
    parts = Planner(book_of(), "key").plan(files).parts
    plan = Planner(book_of(parts[1]), "key").plan(files)
    assert [part.id for part in plan.parts] == [parts[0].id, parts[2].id]
    assert (plan.done, plan.changed) == (PART_PHOTOS, 0)
    assert Planner(book_of(*parts), "key").plan(files).parts == []


def test_a_changed_input_is_read_again_also_when_it_changes_back(files: list[str]) -> None:
    names = files[:3]
    first = Planner(book_of(), "key").plan(names).parts
    Path(names[1]).write_bytes(b"longer")
    second = Planner(book_of(*first), "key").plan(names)
    assert [item.name for part in second.parts for item in part.items] == [names[1]]
    assert second.changed == 1
    old = first[0].items[1]
    book = book_of(*first, *second.parts)
    assert book.entry_of(names[1], str(Path.cwd())).stamp == second.parts[0].items[0].stamp  # type: ignore[union-attr]
    Path(names[1]).write_bytes(b"")
    os.utime(names[1], ns=(old.mtime_ns or 0, old.mtime_ns or 0))
    third = Planner(book, "key").plan(names)
    assert [item.generation for part in third.parts for item in part.items] == [2]


def test_failed_inputs_are_read_again_only_on_demand(files: list[str]) -> None:
    parts = Planner(book_of(), "key").plan(files[:5]).parts
    book = book_of(*parts, failed=(files[2],))
    assert Planner(book, "key").plan(files[:5]).parts == []
    again = Planner(book, "key", retry=True).plan(files[:5])
    assert [item.name for part in again.parts for item in part.items] == [files[2]]


@given(st.lists(st.text("abcdef/", min_size=1), unique=True), st.integers(1, 9))
def test_shards_hold_each_input_exactly_once(names: list[str], total: int) -> None:
    keys = {input_key(name, "/photos") for name in names}
    shares = [{key for key in keys if Shard(number, total).has(key)} for number in range(1, total + 1)]
    assert set().union(*shares) == keys
    assert sum(map(len, shares)) == len(keys)


@pytest.mark.parametrize("text", ["3", "0/4", "5/4", "a/4", "3/", "-1/4", ""])
def test_a_wrong_shard_is_refused(text: str) -> None:
    with pytest.raises(OptionError, match="NUMBER/TOTAL"):
        Shard.parse(text)


def test_of_two_readings_of_one_version_the_smaller_id_counts_for_everybody() -> None:
    one = ArchivePart((PlannedItem("a.jpg", 1, 1), PlannedItem("b.jpg", 1, 1)), "key", "/photos")
    other = ArchivePart((PlannedItem("a.jpg", 1, 1),), "key", "/photos")
    smaller = min(one.id, other.id)
    for parts in ((one, other), (other, one)):
        entry = book_of(*parts).entry_of("a.jpg", "/photos")
        assert entry is not None
        assert entry.part == smaller
