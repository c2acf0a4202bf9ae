from pathlib import Path

import numpy as np
import pytest

from facemood.datasets import ExpressionDataset
from facemood.errors import DatasetError
from facemood.evaluation.evaluation_report import to_markdown
from facemood.evaluation.groups import UNSTATED, mean_recall_of, read_groups, score_groups

FILES = np.array(["happy/a.jpg", "happy/b.jpg", "sad/c.jpg"])

DATASET = ExpressionDataset(
    "mine", np.zeros((3, 8, 8), np.uint8), np.array([0, 0, 1]), ("happy", "sad"), np.array(["all"] * 3), files=FILES
)


def table(root: Path, *rows: str) -> Path:
    (root / "groups.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return root


def test_each_image_gets_its_group_and_others_are_not_stated(tmp_path: Path) -> None:
    root = table(tmp_path, "file,beard,light", "sad/c.jpg,yes,dim", "happy/a.jpg,,bright", "other.jpg,no,dim")
    assert read_groups(root, DATASET, "beard").tolist() == [UNSTATED, UNSTATED, "yes"]
    assert read_groups(root, DATASET, "light").tolist() == ["bright", UNSTATED, "dim"]
    kept = DATASET.subset(np.array([False, True, True])).files
    assert kept is not None
    assert kept.tolist() == ["happy/b.jpg", "sad/c.jpg"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["file,light", "happy/a.jpg,dim"], "no column 'beard'; it has light"),
        (["name,beard", "happy/a.jpg,yes"], "expected the columns file"),
        (["file,beard", "happy/a.jpg,yes", "happy/a.jpg,no"], "line 3: happy/a.jpg is in the table twice"),
        (["file,beard", "happy/a.jpg,yes", "happy\\a.jpg,no"], r"line 3: happy\\a.jpg is in the table twice"),
        (
            ["file,beard", "a.jpg,yes"],
            "none of its files is an image of the dataset; expected paths such as happy/a.jpg",
        ),
        (["file,beard"], "no column 'beard'; it has none"),
    ],
)
def test_a_wrong_table_is_an_error(tmp_path: Path, rows: list[str], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        read_groups(table(tmp_path, *rows), DATASET, "beard")


def test_a_file_that_is_not_there_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "sad").mkdir()
    (tmp_path / "sad" / "faceless.jpg").touch()  # left out of the dataset
    read_groups(table(tmp_path, "file,beard", "happy/a.jpg,yes", "sad/faceless.jpg,yes"), DATASET, "beard")
    assert caplog.messages == []
    read_groups(table(tmp_path, "file,beard", "happy/a.jpg,yes", "c.jpg,no"), DATASET, "beard")
    (message,) = caplog.messages
    assert message.endswith(
        "groups.csv: 1 file of it, such as c.jpg, was not found; expected paths such as happy/a.jpg"
    )


def test_accents_and_backslashes_are_as_any_system_writes_them(tmp_path: Path) -> None:
    files = np.array(["happy/Zo\u00eb.jpg", "sad/Jo\u0308rg.jpg", "sad/c.jpg"])
    dataset = ExpressionDataset("mine", DATASET.images, DATASET.labels, DATASET.classes, DATASET.usage, files=files)
    root = table(tmp_path, "file,beard", "happy\\Zoe\u0308.jpg,a", "sad/J\u00f6rg.jpg,b")
    assert read_groups(root, dataset, "beard").tolist() == ["a", "b", UNSTATED]


def test_a_missing_table_and_a_dataset_without_files_are_errors(tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError, match=r"groups.csv: there is no such file; write a CSV table with the columns file,b"
    ):
        read_groups(tmp_path, DATASET, "beard")
    tiles = ExpressionDataset("tiles", DATASET.images, DATASET.labels, DATASET.classes, DATASET.usage)
    with pytest.raises(DatasetError, match="tiles: groups need a dataset of image files"):
        read_groups(tmp_path, tiles, "beard")


def test_groups_have_accuracy_recalls_counts_and_intervals() -> None:
    labels, groups = np.array([0] * 8 + [1] * 4), np.array(["b"] * 4 + ["a"] * 7 + [UNSTATED])
    predicted = np.array([0, 0, 0, 1, 0, 0, 1, 1, 1, 1, 1, 0])
    first, second, unstated = score_groups(predicted, labels, groups, ("happy", "sad", "fear"))
    assert [row["group"] for row in (first, second, unstated)] == ["a", "b", UNSTATED]
    assert (first["n"], first["accuracy"], first["mean_recall"]) == (7, 0.7143, 0.75)
    assert list(first["recall"]) == ["happy", "sad"]
    assert first["recall"]["sad"] == {"share": 1.0, "n": 3, "interval": [0.4385, 1.0]}
    assert second["recall"]["happy"]["share"] == second["accuracy"] == 0.75
    assert unstated["accuracy"] == 0.0
    assert unstated["interval"][1] > 0.7  # one image says nothing


def test_the_interval_of_a_mean_recall_follows_from_those_of_the_recalls() -> None:
    one = {"share": 0.5, "n": 10, "interval": [0.2, 0.7]}
    alone = mean_recall_of({"happy": one}, ["happy"])
    assert alone == {"mean_recall": 0.5, "mean_recall_interval": [0.2, 0.7]}
    four = mean_recall_of(dict.fromkeys("abcd", one), "abcd")
    assert four["mean_recall_interval"] == [0.35, 0.6]  # half as wide, as for the mean of four measurements
    assert mean_recall_of({"happy": one, "sad": one}, ["sad"]) == alone


def test_an_interval_of_the_mean_recall_holds_the_truth_as_often_as_it_says() -> None:
    draw, held = np.random.default_rng(5), 0
    truth, sizes = np.array([0.9, 0.7, 0.5, 0.95, 0.6]), np.array([60, 15, 30, 100, 10])
    labels, groups = np.repeat(np.arange(5), sizes), np.full(sizes.sum(), "all")
    for _ in range(400):
        predicted = np.where(draw.random(len(labels)) < truth[labels], labels, 5)
        (row,) = score_groups(predicted, labels, groups, tuple("abcde"))
        low, high = row["mean_recall_interval"]
        held += low <= truth.mean() <= high
    assert 0.92 <= held / 400 <= 0.98


def test_the_page_shows_the_groups() -> None:
    rows = score_groups(np.array([0, 1]), np.array([0, 0]), np.array(["a", "b"]), ("happy", "sad"))
    known = {
        "protocol": "mine labels", "prior": "tuned", "n": 2, "near_duplicates": 0, "accuracy": 0.5, "interval": [0, 1],
        "macro_f1": 0.5, "macro_f1_interval": [0, 1], "mean_recall": 0.5, "views": 1, "ece": 0.1, "nll": 1, "brier": 1,
        "ece_before_temperature": 0.1, "vote_distance": None, "coverage": {"1.0": 0.5}, "recall": {"happy": 0.5},
    }  # fmt: skip
    report = {"model": "m", "dataset": "mine", "split": "all", "evaluations": [known], "groups": rows, "left_out": 3}
    page = to_markdown(report)
    assert "| b | 1 | 0.0% (0.0 to 79.3) | 0.0% (0.0 to 79.3) |" in page
    assert "| happy | b | 1 | 0.0% (0.0 to 79.3) |" in page
    assert "Files left out, because they have no face or cannot be read: 3." in page
