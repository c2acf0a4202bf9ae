"""Derived measures: which are there, what they are called, and where they show."""

from __future__ import annotations

import copy
import csv
import dataclasses
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from facemood import Analysis, EmotionRecognizer, Face, OptionError, Result
from facemood.derived import DerivedMeasures, read_expressions
from facemood.labels import EXPRESSIONS
from facemood.sinks import open_sink
from facemood.table import RAW, columns_for, summary_columns
from tests.conftest import make_face
from tests.tables import known_face

DOUBT = {"doubt": "min(AU04, AU01) - AU12"}


def measured(face: Face, **options: object) -> dict[str, float]:
    (found,) = DerivedMeasures.of(EXPRESSIONS, **options).add([face])  # type: ignore[arg-type]
    return dict(found.measures)


def test_nothing_is_derived_unless_asked_for() -> None:
    derived = DerivedMeasures()
    assert derived.measures == ()
    assert derived.info() == {}
    assert derived.add([make_face()])[0].measures == {}
    assert [column.name for column in columns_for(EXPRESSIONS, (RAW,), None, ())] == [
        column.name for column in columns_for(EXPRESSIONS, (RAW,))
    ]


def test_a_photo_has_a_valence_and_no_arousal() -> None:
    assert measured(make_face(), valence=True) == {"valence": pytest.approx(0.7 - 0.04)}


def test_an_own_expression_is_clipped_and_empty_where_a_unit_is_missing() -> None:
    for units, value in (({"AU01": 0.9, "AU04": 0.5, "AU12": 0.2}, 0.3), ({"AU01": 0, "AU04": 1, "AU12": 1}, 0.0)):
        found = measured(dataclasses.replace(make_face(), action_units=units), expressions=DOUBT)
        assert found == {"doubt": pytest.approx(value)}
    high = measured(dataclasses.replace(make_face(), action_units={"AU01": 0.9}), expressions={"big": "9 * AU01"})
    assert high == {"big": 1.0}
    assert measured(dataclasses.replace(make_face(), action_units={"AU01": 0.9}), expressions=DOUBT) == {}
    assert measured(make_face(), expressions={"joy_or_surprise": "happy + surprise"}) == {
        "joy_or_surprise": pytest.approx(0.75)
    }


def test_a_side_of_a_unit_can_be_named() -> None:
    face = dataclasses.replace(make_face(), action_units={"AU12": 0.5, "AU12L": 0.9, "AU12R": 0.1})
    assert measured(face, expressions={"crooked": "max(AU12L - AU12R, AU12R - AU12L)"}) == {
        "crooked": pytest.approx(0.8)
    }


@pytest.mark.parametrize("name", ["engagement", "stress", "lie", "Zweifel", "müde", "x_1"])
def test_the_name_is_the_users(name: str) -> None:
    assert DerivedMeasures.of(EXPRESSIONS, expressions={name: "AU01"}).measures == ((name, "AU01"),)


@pytest.mark.parametrize(
    "name", ["happy", "Happy", "AU12", "au12", "AU12L", "AU99", "score", "x1", "raw_happy", "label_doubt", "valence",
             "arousal", "participant", "display_label", "min", "max", "two words", "1st", "", "a-b", "bored"],
)  # fmt: skip
def test_a_name_that_a_column_has_or_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(OptionError, match=r"rename it|such as 'doubt'"):
        DerivedMeasures.of((*EXPRESSIONS, "bored"), expressions={name: "AU01"})


def test_names_that_differ_in_case_only_are_refused() -> None:
    with pytest.raises(OptionError, match="rename it"):
        DerivedMeasures.of(EXPRESSIONS, expressions={"doubt": "AU01", "Doubt": "AU02"})


def test_a_model_with_a_label_valence_has_no_derived_one() -> None:
    with pytest.raises(OptionError, match="so that valence cannot be derived"):
        DerivedMeasures.of(("happy", "sad", "valence"), valence=True)
    assert DerivedMeasures.of(("happy", "sad", "valence")).measures == ()


@pytest.mark.parametrize(
    ("formula", "told"),
    [
        ("AU4", "'AU4' is no action unit and no label of the model"),
        ("hapy", "Did you mean 'happy'?"),
        ("AU01 +", "the expression doubt = 'AU01 +': expected a number"),
        ("AU12M", "'AU12M' is no action unit"),
        ("doubt", "'doubt' is no action unit"),
    ],
)
def test_a_formula_that_is_wrong_is_told(formula: str, told: str) -> None:
    with pytest.raises(OptionError) as error:
        EmotionRecognizer(threads=1, expressions={"doubt": formula})
    assert told in str(error.value)


def test_definitions_and_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('[expressions]\ndoubt = "min(AU04, AU01)"\n"müde" = "AU43"\n', encoding="utf-8")
    found = read_expressions([" joy = happy >= 0.5 ", str(tmp_path / "own.toml")])
    assert found == {"joy": "happy >= 0.5", "doubt": "min(AU04, AU01)", "müde": "AU43"}
    assert read_expressions([]) == {}
    with pytest.raises(OptionError, match="'doubt' is defined twice"):
        read_expressions(["doubt = AU01", str(tmp_path / "own.toml")])


@pytest.mark.parametrize("text", ["AU01 + 2", "doubt == 2", "doubt", "= 3", "a b = 3"])
def test_what_is_no_definition_is_told(text: str) -> None:
    with pytest.raises(OptionError, match="expected an expression such as 'doubt ="):
        read_expressions([text])


@pytest.mark.parametrize(
    "content", ["doubt = 3", "[expressions]\ndoubt = 3", "[expressions", "expressions = 1", "\xff"]
)
def test_a_file_that_is_wrong_is_told(content: str, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_bytes(content.encode("latin-1"))
    with pytest.raises(OptionError, match=r"own\.toml: (expected a table|the expressions cannot be read)"):
        read_expressions([str(tmp_path / "own.toml")])
    with pytest.raises(OptionError, match=r"missing\.toml: the expressions cannot be read"):
        read_expressions([str(tmp_path / "missing.toml")])


def made() -> Analysis:
    """A photo and a video with measures."""
    derived = DerivedMeasures.of(EXPRESSIONS, valence=True, expressions=DOUBT)
    face = known_face(EXPRESSIONS)
    still = dataclasses.replace(face, raw_probabilities=None, display_label="", track_id=None, change=None)
    moving = [dataclasses.replace(face, change=None, measures={"arousal": arousal}) for arousal in (0.1, 0.25)]
    bare = dataclasses.replace(moving[0], action_units={}, measures={})
    frames = [(moving[0],), (bare,), (), (moving[1],)]
    results = [
        Result("talk.mp4", place, 0.5 * place, (120, 90), tuple(derived.add(faces)), EXPRESSIONS, (RAW,),
               measures=derived.measures)
        for place, faces in enumerate(frames)
    ]  # fmt: skip
    photo = Result("a.jpg", size=(120, 90), faces=tuple(derived.add([still])), labels=EXPRESSIONS,
                   measures=derived.measures)  # fmt: skip
    return Analysis((photo, *results), {"labels": list(EXPRESSIONS), "variants": [RAW], **derived.info()})


def test_all_tables_have_them(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="Parquet needs the extra data")
    analysis = made()
    for name in ("t.csv", "t.parquet", "t.jsonl", "codebook.csv", "t.html", "summary.csv"):
        sink = open_sink(str(tmp_path / name), analysis.info)
        for result in analysis:
            sink.write(result)
        sink.close()
    rows = list(analysis.rows())
    assert list(rows[0])[-4:] == ["raw_contempt", "valence", "arousal", "doubt"]
    valence = round(4 / 36 - 5 / 36, 4)
    assert [row["valence"] for row in rows] == [valence, valence, valence, "", valence]
    assert [row["arousal"] for row in rows] == ["", 0.1, "", "", 0.25]
    with (tmp_path / "t.csv").open() as file:
        assert [row["doubt"] for row in csv.DictReader(file)] == ["0.0", "0.0", "", "", "0.0"]
    assert parquet.read_table(tmp_path / "t.parquet")["arousal"].to_pylist() == [None, 0.1, None, None, 0.25]
    lines = [json.loads(line)["faces"] for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    assert lines[1][0]["measures"] == {"valence": valence, "arousal": 0.1, "doubt": 0.0}
    assert lines[2][0]["measures"] == {"valence": valence}
    with (tmp_path / "codebook.csv").open() as file:
        meanings = {row["name"]: row for row in csv.DictReader(file)}
    assert (meanings["valence"]["range"], meanings["arousal"]["range"]) == ("-1..1", "0..1")
    assert "derived, not learned" in meanings["valence"]["meaning"]
    assert meanings["doubt"]["meaning"] == f"Own expression of the user: {DOUBT['doubt']}, clipped to 0..1"


def test_summaries_have_mean_lowest_and_highest(tmp_path: Path) -> None:
    analysis = made()
    sink = open_sink(str(tmp_path / "summary.csv"), analysis.info)
    for result in analysis:
        sink.write(result)
    sink.close()
    with (tmp_path / "summary.csv").open() as file:
        photo, person = csv.DictReader(file)
    assert [person[f"{kind}_arousal"] for kind in ("mean", "min", "max")] == ["0.175", "0.1", "0.25"]
    assert float(person["mean_valence"]) == pytest.approx(-1 / 36, abs=1e-4)
    assert [photo["mean_arousal"], photo["max_doubt"]] == ["", "0.0"]
    names = [column.name for column in summary_columns(EXPRESSIONS, (), None, (("valence", ""), ("doubt", "AU01")))]
    assert names[-6:] == ["mean_valence", "min_valence", "max_valence", "mean_doubt", "min_doubt", "max_doubt"]


def test_tracks_have_them_where_they_are_known() -> None:
    (track,) = made().tracks()
    assert track.measures.keys() == {"valence", "arousal", "doubt"}
    assert np.isnan(track.measures["arousal"]).tolist() == [False, True, False]


def test_a_plan_with_such_a_column_is_told() -> None:
    with pytest.raises(OptionError, match="the plan has a column 'valence', and so has the table"):
        columns_for(EXPRESSIONS, (), (("valence", "number"),), (("valence", ""), ("arousal", "")))
    assert "valence" in [column.name for column in columns_for(EXPRESSIONS, (), (("valence", "number"),))]


def test_a_recognizer_derives_them_and_is_copied_with_them(astronaut: Path) -> None:
    recognizer = EmotionRecognizer(threads=1, valence=True, expressions={"beam": "min(AU06, AU12)"})
    result = recognizer.analyze_image(astronaut)
    (row,) = result.rows()
    assert row["valence"] == pytest.approx(
        float(row["happy"]) - max(float(row[label]) for label in ("angry", "disgust", "fear", "sad")), abs=2e-4
    )
    assert row["beam"] == pytest.approx(min(float(row["AU06"]), float(row["AU12"])), abs=1e-3)
    assert recognizer.info()["measures"] == [["valence", ""], ["arousal", ""], ["beam", "min(AU06, AU12)"]]
    for other in (pickle.loads(pickle.dumps(recognizer)), copy.deepcopy(recognizer)):
        assert other.pipeline.derived == recognizer.pipeline.derived


def test_a_file_of_expressions_that_is_nested_too_deep_is_named(tmp_path: Path) -> None:
    file = tmp_path / "deep.toml"
    file.write_text("a = " + 5000 * "[")
    with pytest.raises(OptionError, match=r"deep\.toml: the expressions cannot be read"):
        read_expressions([str(file)])
