"""The columns of the table, and that all outputs agree."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facemood import Analysis, EmotionRecognizer, ModelCard, Result
from facemood.csv_dialect import csv_line
from facemood.facs import CODES
from facemood.labels import EXPRESSIONS
from facemood.models import ModelSession, find_model
from facemood.models.card import write_card
from facemood.sinks import open_sink
from facemood.table import CHANGE, RAW, VARIANTS, Column, column_name, columns_for, distinct_names
from tests.conftest import make_face
from tests.tables import NASTY, Rows, from_csv, from_json, made_analysis


def written(analysis: Analysis, path: Path) -> Path:
    """The file that a sink writes of an analysis, result by result."""
    sink = open_sink(str(path), {"labels": list(analysis.labels), "variants": list(analysis.variants)})
    for result in analysis:
        sink.write(result)
    sink.close()
    return path


def from_parquet(analysis: Analysis, folder: Path) -> Rows:
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra data")
    return list(parquet.read_table(written(analysis, folder / "t.parquet")).to_pylist())


def from_dataframe(analysis: Analysis, folder: Path) -> Rows:
    pandas = pytest.importorskip("pandas", reason="needs the extra data")
    table = analysis.to_dataframe().astype(object)
    return list(table.where(pandas.notna(table), None).to_dict("records"))


def from_rows(analysis: Analysis, folder: Path) -> Rows:
    lines = [csv_line(row.values()) for row in analysis.rows()]
    return from_csv("".join([csv_line(next(analysis.rows())), *lines]), analysis.columns)


OUTPUTS: dict[str, Callable[[Analysis, Path], Rows]] = {
    "rows": from_rows,
    "to_dict": lambda a, _: from_json(a.to_dict()["results"], a.columns),
    "to_csv": lambda a, folder: from_csv(a.to_csv(folder / "t.csv").read_text(), a.columns),
    "csv": lambda a, folder: from_csv(written(a, folder / "t.csv").read_text(), a.columns),
    "json": lambda a, folder: from_json(json.loads(written(a, folder / "t.json").read_text())["results"], a.columns),
    "jsonl": lambda a, folder: from_json(
        [json.loads(line) for line in written(a, folder / "t.jsonl").read_text().splitlines()], a.columns
    ),
    "parquet": from_parquet,
    "dataframe": from_dataframe,
}


@pytest.mark.parametrize("labels", [EXPRESSIONS, NASTY], ids=["shipped", "nasty"])
@pytest.mark.parametrize("output", OUTPUTS)
def test_all_outputs_have_the_same_values(labels: tuple[str, ...], output: str, tmp_path: Path) -> None:
    analysis = made_analysis(labels)
    rows = OUTPUTS[output](analysis, tmp_path)
    assert rows == list(analysis.values())
    face = analysis.results[2].faces[0]
    assert face.raw_probabilities is not None
    assert face.change is not None
    row = rows[3]  # after two faces of a photo, and a photo without any
    for place, label in enumerate(labels):
        name = distinct_names(labels)[label]
        assert row[column_name(name)] == pytest.approx(face.probabilities[place], abs=6e-5)
        assert row[f"raw_{name}"] == pytest.approx(face.raw_probabilities[place], abs=6e-5)
        assert row[f"change_{name}"] == pytest.approx(face.change[place], abs=6e-5)
    for code in CODES:
        assert row[code] == pytest.approx(face.action_units[code], abs=6e-4)
    assert (row["source"], row["frame"], row["timestamp"], row["face"], row["track_id"]) == ("talk.mp4", 0, 0.0, 0, 3)
    assert [row[name] for name in ("x1", "y1", "x2", "y2", "score")] == [10.0, 20.3, 50.5, 70.8, 0.9]
    assert [row[name] for name in ("yaw", "pitch", "roll")] == [12.3, -4.0, 0.0]
    assert (row["emotion"], row["certain"], row["display_label"]) == (labels[-1], True, labels[0])
    assert (rows[2]["source"], rows[2]["face"], rows[4]["emotion"]) == ("nobody.jpg", None, None)
    assert [line["certain"] for line in rows] == [True, None, None, True, None, None, False]


@pytest.mark.parametrize("labels", [EXPRESSIONS, NASTY], ids=["shipped", "nasty"])
def test_column_names_are_unique(labels: tuple[str, ...]) -> None:
    names = [column.name for column in columns_for(labels, VARIANTS)]
    assert (
        len(names)
        == len({name.casefold() for name in names})
        == 44 + len(set(labels) - set(EXPRESSIONS)) + 1 + 2 * len(labels)
    )
    assert len({column.path for column in columns_for(labels, VARIANTS)}) == len(names)


@given(
    st.lists(st.from_regex(r"((label|raw|change)_){0,3}(happy|Happy|score|Score|a|A)?", fullmatch=True), unique=True)
)
def test_a_label_cannot_replace_another_column(labels: list[str]) -> None:
    columns = columns_for(tuple(filter(None, labels)), VARIANTS)
    assert len({column.name.casefold() for column in columns}) == len(columns)


def test_labels_that_differ_from_a_column_or_another_label_in_case_have_columns_of_their_own() -> None:
    names = [column.name for column in columns_for(("Happy", "happy", "Bored", "bored", "au12", "Raw_sad"), (RAW,))]
    assert names[44:48] == ["label_label_Happy", "Bored", "label_label_bored", "label_au12"]
    assert names[48:50] == ["label_Raw_sad", "display_label"]
    assert names[50:] == [
        "raw_label_Happy", "raw_happy", "raw_Bored", "raw_label_bored", "raw_au12", "raw_Raw_sad",
    ]  # fmt: skip


@given(st.lists(st.text(st.characters(blacklist_categories=("C", "Z"))).filter(bool), unique=True))
def test_any_valid_labels_survive_csv(labels: list[str]) -> None:
    names = [column.name for column in columns_for(tuple(labels), (RAW,))]
    assert next(csv.reader(io.StringIO(csv_line(names), newline=""))) == names
    assert [name for name in names if name.startswith("raw_")] == [
        f"raw_{distinct_names(labels)[label]}" for label in labels
    ]


def test_a_custom_model_with_such_labels_fills_the_table(tmp_path: Path, astronaut: Path) -> None:
    pytest.importorskip("onnx", reason="needs the extra train")
    file = tmp_path / "own.onnx"
    shutil.copy(find_model("nano"), file)
    card = ModelSession(file, device="cpu", threads=1).card
    labels = NASTY[: len(card.heads[card.default_head])]
    write_card(file, ModelCard("own", {card.default_head: labels}, card.default_head, card.input_size, card.colour))
    analysis = EmotionRecognizer(file, threads=1).analyze(astronaut)
    (row,) = analysis.values()
    (face,) = analysis.results[0].faces
    assert row["score"] == round(face.score, 4)
    assert row["face"] == 0
    assert {label: row[column_name(label)] for label in labels} == analysis.to_dict()["results"][0]["faces"][0][
        "emotions"
    ]
    assert row["AU12"] == round(face.action_units["AU12"], 3) != row["label_AU12"]


def test_invalid_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="printable characters"):
        columns_for(("happy", ""))
    with pytest.raises(ValueError, match="'happy' occurs 2 times"):
        columns_for(("happy", "happy"))


def test_results_of_different_runs_share_one_header(tmp_path: Path) -> None:
    photo = Result("a.jpg", faces=(make_face(),), labels=("happy", "bored"))
    video = Result("a.mp4", 0, 0.0, faces=(make_face(),), labels=("happy", "shy"), variants=(RAW,))
    changed = dataclasses.replace(video, variants=(CHANGE,))
    for results in ([photo, video, changed], [changed, video, photo]):
        header, *lines = csv.reader(Analysis(tuple(results)).to_csv(tmp_path / "t.csv").read_text().splitlines())
        assert {len(line) for line in lines} == {len(header)}
        assert {"bored", "shy", "display_label", "raw_happy", "change_shy"} < set(header)
        assert header.index("raw_happy") < header.index("change_happy")


def test_a_photo_has_no_display_label() -> None:
    photo, video = made_analysis().results[0], made_analysis().results[2]
    assert "display_label" not in photo.to_dict()["faces"][0]
    assert video.to_dict()["faces"][0]["display_label"] == "angry"
    assert [face["face"] for face in video.to_dict()["faces"]] == [0, 1]


def test_json_has_the_stated_decimals() -> None:
    face = made_analysis().results[2].faces[0]
    assert face.to_dict()["landmarks"] == [[167.9, 167.9]] * 68
    assert '"landmarks": [[167.9, 167.9]' in made_analysis().results[2].to_json()


def test_json_has_the_labels_in_the_models_order() -> None:
    assert list(made_analysis(NASTY).results[2].to_dict()["faces"][0]["emotions"]) == list(NASTY)


def check_range(column: Column, value: Any) -> bool:
    low, _, high = column.range.replace(", ", "..").partition("..")
    return (not low or value >= float(low)) and (not high or value <= float(high))


def test_values_match_the_type_range_and_decimals_of_their_columns() -> None:
    types = {"string": str, "integer": int, "number": float, "boolean": bool}
    analysis = made_analysis()
    filled = set()
    for row in analysis.values():
        for column in analysis.columns:
            if (value := row[column.name]) is None:
                continue
            filled.add(column.name)
            assert type(value) is types[column.type], column.name
            assert check_range(column, value), column.name
            if column.decimals is not None:
                assert isinstance(value, float)
                assert value == round(value, column.decimals)
    assert filled == {column.name for column in analysis.columns}
