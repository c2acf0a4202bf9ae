"""The table and the page of agreement say what the labels say, each kind of sample apart."""

from __future__ import annotations

import csv
import json
import math
from html.parser import HTMLParser
from pathlib import Path

import pytest

from facemood.review import HARD_TO_TELL, LabelStore, open_review
from facemood.review.agreement_page import agreement_page
from facemood.review.agreement_table import CERTAIN, compare_raters, write_agreement
from facemood.review.label_store import FACEMOOD
from tests.review.conftest import label_all


@pytest.fixture
def labelled(store: LabelStore) -> LabelStore:
    """Anna says what facemood says, but for the first moment and one that is hard to tell; Ben says happy always."""
    answers = [moment.label for moment in store.sample.moments.values()]
    label_all(store, "Anna", lambda place: ("disgust", HARD_TO_TELL)[place] if place < 2 else answers[place])
    label_all(store, "Ben", lambda place: "happy")
    return store


def test_people_and_facemood_are_compared(labelled: LabelStore) -> None:
    rows = {(row.first, row.second): row for row in compare_raters(labelled)}
    assert list(rows) == [("Anna", FACEMOOD), ("Anna", CERTAIN), ("Ben", FACEMOOD), ("Ben", CERTAIN), ("Anna", "Ben")]
    anna = rows["Anna", FACEMOOD]
    assert (anna.agreement.n, anna.hard_to_tell) == (11, 1)
    assert anna.agreement.agreed == pytest.approx(10 / 11)
    assert anna.confusion.sum() == 11
    assert anna.confusion.trace() == 10
    certain = sum(moment.certain is True for moment in labelled.sample.moments.values())
    assert rows["Ben", CERTAIN].agreement.n == certain <= 12
    happy = sum(moment.label == "happy" for moment in labelled.sample.moments.values())
    assert rows["Ben", FACEMOOD].agreement.agreed == pytest.approx(happy / 12)
    assert rows["Anna", "Ben"].agreement.n == 11


def test_labels_after_the_answer_do_not_count(labelled: LabelStore) -> None:
    before = [row.agreement for row in compare_raters(labelled)]
    for moment, known in labelled.sample.moments.items():
        labelled.put("Ben", moment, known.label, seen=True)
    assert [row.agreement for row in compare_raters(labelled)] == before


def test_each_kind_of_sample_is_told_apart(labelled: LabelStore, run: Path) -> None:
    both = open_review(run, kind="rare", count=4)
    rare = [moment for moment in both.sample.kinds["rare"] if moment not in both.given["Ben"]]
    for moment in rare:
        both.put("Ben", moment, "sad")
    rows = [row for row in compare_raters(both) if (row.first, row.second) == ("Ben", FACEMOOD)]
    assert [(row.sample, row.agreement.n) for row in rows] == [("uniform", 12), ("rare", 4)]
    page = agreement_page(both, name="out")
    assert "an estimate for all of them" in page
    assert "holds for this sample only" in page


def test_the_table_is_a_csv(labelled: LabelStore, tmp_path: Path) -> None:
    write_agreement(tmp_path / "agreement.csv", compare_raters(labelled))
    with (tmp_path / "agreement.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["first"] for row in rows] == ["Anna", "Anna", "Ben", "Ben", "Anna"]
    for row, known in zip(rows, compare_raters(labelled), strict=True):
        assert (int(row["n"]), int(row["hard_to_tell"])) == (known.agreement.n, known.hard_to_tell)
        if math.isnan(known.agreement.kappa):
            assert row["kappa"] == ""
        else:
            assert float(row["kappa"]) == pytest.approx(known.agreement.kappa, abs=1e-4)
    beside = json.loads((tmp_path / "agreement.csv.json").read_text())
    assert (beside["table"], beside["settings"]["bootstrap_samples"]) == ("agreement.csv", 2000)
    assert [column["name"] for column in beside["codebook"]] == list(rows[0])


class Cells(HTMLParser):
    """The cells of the tables of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "tr":
            self.rows.append([])
        self.inside = tag in ("td", "th") or (self.inside and tag == "span")
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.rows[-1][-1] += data


def test_the_page_says_the_same(labelled: LabelStore) -> None:
    page = agreement_page(labelled, name="<b>out</b>")
    assert "<b>out</b>" not in page
    rows = Cells(page).rows
    assert rows[0] == ["first", "second", "moments", "hard to tell", "agreed", "kappa", "95% interval"]
    assert rows[1][:5] == ["Anna", "facemood", "11", "1", "91%"]
    assert "Anna.labels.csv: 12 labels" in page
    assert agreement_page(labelled, name="x").count("<details>") == 3  # Anna, Ben, and both


def test_without_labels_the_page_says_so(store: LabelStore) -> None:
    page = agreement_page(store, name="out")
    assert "labelled by nobody yet" in page
    assert "No moment of it is labelled yet." in page
