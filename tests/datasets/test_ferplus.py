from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from facemood.datasets import ferplus
from facemood.errors import DatasetError
from facemood.labels import EXPRESSIONS

HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"


def votes(**counts: int) -> np.ndarray:
    row = np.zeros(10, np.float32)
    for column, count in counts.items():
        row[HEADER.strip().split(",")[2:].index(column)] = count
    return row


@pytest.mark.parametrize(
    ("counts", "label"),
    [
        ({"happiness": 10}, "happy"),
        ({"happiness": 6, "neutral": 4}, "happy"),
        ({"happiness": 5, "neutral": 5}, None),
        ({"happiness": 5, "neutral": 4, "fear": 1}, "happy"),  # the single vote is dropped: 5 of 9
        ({"contempt": 3, "anger": 2, "sadness": 1, "fear": 1, "disgust": 1, "unknown": 1, "neutral": 1}, "contempt"),
        ({"unknown": 8, "happiness": 2}, None),
        ({"NF": 10}, None),
        ({"unknown": 3, "happiness": 3, "sadness": 2, "neutral": 2}, None),
        ({}, None),
    ],
)
def test_the_official_majority_rule(counts: dict[str, int], label: str | None) -> None:
    (found,) = ferplus.majority(votes(**counts)[None])
    assert (EXPRESSIONS[found] if found >= 0 else None) == label


@given(hnp.arrays(np.float32, (4, 10), elements=st.integers(0, 10).map(float)))
def test_distributions_sum_to_one_or_zero_and_agree_with_the_majority(counts: np.ndarray) -> None:
    shares, weight = ferplus.distribution(counts)
    np.testing.assert_allclose(shares.sum(axis=1), (weight > 0).astype(float), atol=1e-5)
    assert ((weight >= 0) & (weight <= 1 + 1e-6)).all()
    for row, label in zip(shares, ferplus.majority(counts), strict=True):
        assert label < 0 or row[label] == row.max() > 0.5


def test_votes_are_read_and_unlisted_rows_have_none(tmp_path: Path) -> None:
    file = tmp_path / "fer2013new.csv"
    file.write_text(HEADER + "Training,fer0000000.png,4,0,0,1,3,2,0,0,0,0\nTraining,,9,0,0,0,0,0,0,0,0,0\n")
    assert ferplus.read_votes(file).tolist() == [[4, 0, 0, 1, 3, 2, 0, 0, 0, 0], [0] * 10]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "an empty file"),
        ("a,b\n", "expected the columns Usage,Image name"),
        (HEADER + "Training,x.png,1,2\n", "line 2: expected 12 fields, but found 4"),
        (HEADER + "Training,x.png,1,2,-1,0,0,0,0,0,0,0\n", "line 2: surprise must be a whole number, but is '-1'"),
    ],
)
def test_a_damaged_table_names_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "fer2013new.csv"
    file.write_text(text)
    with pytest.raises(DatasetError, match=message) as raised:
        ferplus.read_votes(file)
    assert str(file) in str(raised.value)
