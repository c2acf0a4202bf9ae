"""Samples and labels on the disk: resumed, grown, kept apart by rater, and refused where they do not fit."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from facemood.errors import FacemoodError, OptionError, OutputBusyError, OutputConflictError, OutputError, SourceError
from facemood.review import HARD_TO_TELL, LabelStore, open_review
from facemood.review.label_store import ENDING, locked
from tests.review.conftest import label_all


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def test_the_sample_is_of_all_faces(store: LabelStore, run: Path) -> None:
    faces = [row for row in rows_of(run / "rows.csv") if row["emotion"]]
    assert sum(store.sample.counts.values()) == len(faces) > 12
    assert len(store.sample.moments) == 12
    known = {(row["source"], int(row["frame"]), int(row["face"])): row for row in faces}
    for moment in store.sample.moments.values():
        row = known[moment.source, moment.frame, moment.face]
        assert (moment.label, moment.confidence) == (row["emotion"], float(row["confidence"]))
        assert moment.box == tuple(float(row[name]) for name in ("x1", "y1", "x2", "y2"))
        assert moment.certain == (row["certain"] == "1")
    assert store.problems == []
    assert store.sample.labels[:2] == ("angry", "disgust")


def test_labels_are_there_after_a_restart(store: LabelStore, run: Path) -> None:
    first, second, *_ = store.sample.moments
    store.put("Anna", first, "happy")
    store.put("Anna", second, HARD_TO_TELL)
    store.put("anna", first, "neutral", seen=True)
    again = open_review(run)
    assert again.sample == store.sample
    assert again.given == store.given
    given = again.given["Anna"][first]
    assert (given.label, given.label_after) == ("happy", "neutral")
    rows = rows_of(run / "review" / f"Anna{ENDING}")
    assert [(row["moment"], row["label"], row["label_after"], row["rater"]) for row in rows] == [
        (first, "happy", "neutral", "Anna"), (second, HARD_TO_TELL, HARD_TO_TELL, "Anna"),
    ]  # fmt: skip
    assert {row["samples"] for row in rows} == {"uniform"}
    assert rows[0]["facemood"] == store.sample.moments[first].label


def test_two_raters_have_a_file_each(store: LabelStore) -> None:
    label_all(store, "Anna", lambda place: "happy")
    label_all(store, "Ben", lambda place: "sad")
    assert store.raters == ["Anna", "Ben"]
    assert sorted(file.name for file in store.folder.iterdir()) == [
        f"Anna{ENDING}", f"Ben{ENDING}", "sample.json",
    ]  # fmt: skip


def test_a_label_is_not_replaced_unseen(store: LabelStore) -> None:
    moment = next(iter(store.sample.moments))
    store.put("Anna", moment, "happy")
    with pytest.raises(OutputConflictError, match="Anna labelled this moment already; reload"):
        store.put("Anna", moment, "sad")
    assert store.given["Anna"][moment].label == "happy"


def test_a_failed_write_keeps_what_was_there(store: LabelStore, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, *_ = store.sample.moments
    store.put("Anna", first, "happy")
    before = (store.folder / f"Anna{ENDING}").read_bytes()

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(OutputError, match="No space left"):
            store.put("Anna", second, "sad")
    assert (store.folder / f"Anna{ENDING}").read_bytes() == before
    assert list(store.given["Anna"]) == [first]
    assert sorted(file.name for file in store.folder.iterdir()) == [f"Anna{ENDING}", "sample.json"]


@pytest.mark.parametrize(
    "name",
    ["", "  ", "../x", "a/b", ".hidden", "-x", "\u0301x", "Facemood", "x" * 41, "a\x00b", "a\nb\\", "a:b",
     "CON", "nul", "com1", "Lpt9", "aux.x", "COM²"],
)  # fmt: skip
def test_names_that_are_no_file_names_are_refused(store: LabelStore, name: str) -> None:
    with pytest.raises(OptionError, match="cannot be a rater's name"):
        store.put(name, next(iter(store.sample.moments)), "happy")


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("Jörg", "Jörg"),
        ("Jo\u0308rg", "J\xf6rg"),  # as macOS may spell it
        ("Q\u0303", "Q\u0303"),  # there is no single character for it
        (" B.  C. ", "B. C."),
        ("Anna B.", "Anna B."),
        ("rater 2", "rater 2"),
        ("हिन्दी", "हिन्दी"),
        ("தமிழ்", "தமிழ்"),
        ("ชื่อ", "ชื่อ"),
        ("Conny", "Conny"),
        ("com10", "com10"),
        ("x" * 40, "x" * 40),
    ],
)
def test_other_names_are_taken(store: LabelStore, run: Path, name: str, known: str) -> None:
    assert store.rater(name) == known
    store.put(name, next(iter(store.sample.moments)), "happy")
    assert open_review(run).raters == [known]


def test_a_file_with_decomposed_accents_is_that_of_the_same_person(store: LabelStore, run: Path) -> None:
    store.put("Jörg", next(iter(store.sample.moments)), "happy")
    (store.folder / f"J\xf6rg{ENDING}").rename(store.folder / f"Jo\u0308rg{ENDING}")
    assert open_review(run).given == {"J\xf6rg": store.given["J\xf6rg"]}


def test_unknown_labels_and_moments_are_refused(store: LabelStore) -> None:
    with pytest.raises(OptionError, match="unknown label 'joy'; expected angry"):
        store.put("Anna", next(iter(store.sample.moments)), "joy")
    with pytest.raises(OptionError, match="no moment 'x'"):
        store.put("Anna", "x", "happy")
    assert store.given == {}


def test_a_sample_grows_and_keeps_its_labels(store: LabelStore, run: Path) -> None:
    label_all(store, "Anna", lambda place: "happy")
    larger = open_review(run, count=16)
    assert list(larger.sample.moments)[:12] == list(store.sample.moments)
    assert len(larger.sample.moments) == 16
    assert larger.given == store.given
    assert open_review(run, count=3).sample == larger.sample  # it never shrinks


def test_another_kind_of_sample_is_added(store: LabelStore, run: Path) -> None:
    both = open_review(run, kind="uncertain", count=6)
    assert list(both.sample.kinds) == ["uniform", "uncertain"]
    assert list(both.sample.moments)[:12] == list(store.sample.moments)
    assert both.sample.kinds["uniform"] == store.sample.kinds["uniform"]
    shared = set(both.sample.kinds["uniform"]) & set(both.sample.kinds["uncertain"])
    assert len(both.sample.moments) == 18 - len(shared)
    assert all(both.sample.kinds_of(one) == ["uniform", "uncertain"] for one in shared)


def test_results_that_changed_are_told(store: LabelStore, run: Path) -> None:
    table = run / "rows.csv"
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join(line for line in lines if not line.split(",")[0].endswith("a.png")))
    with_a = [one for one in store.sample.moments.values() if one.source.endswith("a.png")]
    open_review(run)  # what was drawn stays
    kept = [one for one in store.sample.kinds["uniform"] if store.sample.moments[one] not in with_a]
    if len(kept) < 12:
        with pytest.raises(OutputConflictError, match="not those of which this sample was drawn"):
            open_review(run, count=14)
    with pytest.raises(OptionError, match="drawn with the seed 0"):
        open_review(run, seed=1)


def test_a_moved_video_is_found_in_another_folder(run: Path, read_once: Path, tmp_path: Path) -> None:
    shutil.copytree(read_once / "in", tmp_path / "in")
    point_to(run, tmp_path / "in")
    (tmp_path / "in" / "talk.mp4").rename(tmp_path / "talk.mp4")
    store = open_review(run, count=12)
    assert [problem for problem in store.problems if "talk.mp4: not found at" in problem and "--sources" in problem]
    assert {Path(one.source).name for one in store.sample.moments.values()} == {"a.png", "b.png"}
    found = open_review(run, folder=tmp_path / "other", count=12, sources=[tmp_path])
    assert found.problems == []
    videos = [one for one, moment in found.sample.moments.items() if moment.timestamp is not None]
    assert {found.file_of(one).path for one in videos} == {tmp_path / "talk.mp4"}


def test_a_video_that_is_moved_later_is_told_when_the_review_goes_on(
    run: Path, read_once: Path, tmp_path: Path
) -> None:
    shutil.copytree(read_once / "in", tmp_path / "in")
    point_to(run, tmp_path / "in")
    before = open_review(run, count=12)
    (tmp_path / "in" / "talk.mp4").rename(tmp_path / "talk.mp4")
    later = open_review(run)
    assert later.sample == before.sample
    assert ["talk.mp4: not found at" in problem for problem in later.problems] == [True]  # once, not for each moment
    assert open_review(run, sources=[tmp_path]).problems == []


def test_a_changed_photo_is_not_shown(run: Path, read_once: Path, tmp_path: Path) -> None:
    shutil.copytree(read_once / "in", tmp_path / "in")
    point_to(run, tmp_path / "in")
    with (tmp_path / "in" / "a.png").open("ab") as file:
        file.write(b"more")
    store = open_review(run, count=12)
    assert ["a.png: was changed after facemood read it" in problem for problem in store.problems] == [True]
    assert not any(one.source.endswith("a.png") for one in store.sample.moments.values())


def point_to(run: Path, folder: Path) -> None:
    """Let the sidecar tell of another folder."""
    sidecar = run / "rows.csv.json"
    known = json.loads(sidecar.read_text())
    for source in known["sources"]:
        source["path"] = str(folder / Path(source["path"]).name)
    sidecar.write_text(json.dumps(known))


@pytest.mark.parametrize("kind", ["rare", "uncertain", "uniform"])
def test_a_sample_of_other_answers_is_not_mixed_with_the_one_that_is_there(run: Path, kind: str) -> None:
    before = open_review(run, count=4)
    before.put("Anna", next(iter(before.sample.moments)), "happy")
    head, *rows = (run / "rows.csv").read_text().splitlines(keepends=True)
    turned = [row.replace("neutral", "?").replace("happy", "neutral").replace("?", "happy") for row in rows]
    assert turned != rows
    (run / "rows.csv").write_text("".join([head, *turned]))
    with pytest.raises(OutputConflictError, match="are not those of which this sample was drawn"):
        open_review(run, kind=kind, count=6)
    assert open_review(run).sample == before.sample


def test_a_review_that_another_process_has_open_draws_nothing(store: LabelStore, run: Path) -> None:
    lock = locked(store)
    with pytest.raises(OutputBusyError):
        open_review(run, kind="rare")
    lock.release()
    assert open_review(run, kind="rare").sample.kinds.keys() == {"uniform", "rare"}


def test_without_a_face_there_is_nothing_to_review(run: Path) -> None:
    table = run / "rows.csv"
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join([lines[0], *(line for line in lines if "nobody" in line)]))
    with pytest.raises(SourceError, match="no face with a prediction"):
        open_review(run)
    assert not (run / "review").exists()


@pytest.mark.parametrize("text", ["", "{}", '{"facemood_review": 2}', '{"facemood_review": 1, "moments": [{}]}', "[1]"])
def test_a_damaged_sample_is_not_written_over(run: Path, text: str) -> None:
    (run / "review").mkdir()
    (run / "review" / "sample.json").write_text(text)
    with pytest.raises(OutputConflictError, match="is not the sample of a review"):
        open_review(run)
    assert (run / "review" / "sample.json").read_text() == text


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "moment,label,label_after,labelled_at\nx,happy,happy,now\n", "\xff"])
def test_damaged_labels_are_not_written_over(store: LabelStore, run: Path, text: str) -> None:
    file = store.folder / f"Anna{ENDING}"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(FacemoodError, match=r"Anna.labels.csv: these are not labels of this review"):
        open_review(run)
    assert file.read_bytes() == text.encode("latin-1")


@pytest.mark.parametrize("column", ["label", "label_after"])
def test_a_label_that_nobody_could_choose_is_told(store: LabelStore, run: Path, column: str) -> None:
    """A person renamed a label in the file of labels."""
    store.put("Anna", next(iter(store.sample.moments)), "happy")
    file = store.folder / f"Anna{ENDING}"
    rows = rows_of(file)
    rows[0][column] = "joy"
    with file.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    with pytest.raises(OutputConflictError, match=r"Anna\.labels\.csv: these are not .*\(unknown label 'joy'\)"):
        open_review(run)


def test_a_second_process_is_refused(store: LabelStore, run: Path) -> None:
    lock = locked(store)
    with pytest.raises(OutputBusyError):
        locked(store)
    open_review(run).put("Anna", next(iter(store.sample.moments)), "happy")
    lock.release()
    assert store.given == {}
    locked(store).release()
    assert len(store.given["Anna"]) == 1  # what another process wrote before is not lost
