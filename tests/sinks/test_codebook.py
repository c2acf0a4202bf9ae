import csv
import io
from pathlib import Path

import pytest

from facemood import OutputError
from facemood.sinks import open_sink
from facemood.sinks.codebook import codebook_markdown
from tests.tables import NASTY, made_analysis


@pytest.mark.parametrize("name", ["codebook.csv", "my-codebook.md", "CODEBOOK.MD"])
def test_the_codebook_has_a_line_for_each_column(name: str, tmp_path: Path) -> None:
    analysis = made_analysis()
    sink = open_sink(str(tmp_path / name), {"labels": list(analysis.labels), "variants": list(analysis.variants)})
    for result in analysis:
        sink.write(result)
    sink.close()
    text = (tmp_path / name).read_text()
    expected = [["" if value is None else str(value) for value in line.values()] for line in analysis.codebook()]
    if name.endswith("csv"):
        header, *lines = csv.reader(io.StringIO(text))
    else:
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.replace("\\", "").splitlines()]
        header, _, *lines = rows
    assert header == ["name", "type", "unit", "range", "decimals", "meaning"]
    assert lines == expected
    assert [line[0] for line in lines] == list(next(analysis.rows()))


def test_it_says_what_columns_hold() -> None:
    lines = {line["name"]: line for line in made_analysis().codebook()}
    assert lines["timestamp"] == {
        "name": "timestamp", "type": "number", "unit": "s", "range": "0..", "decimals": None,
        "meaning": "Time from the start of the input; empty for a single image",
    }  # fmt: skip
    assert (lines["AU12"]["range"], lines["AU12"]["decimals"]) == ("0..1", 3)
    assert lines["AU12"]["meaning"] == "Intensity of the action unit lip corner puller"
    assert lines["yaw"]["unit"] == "degrees"
    assert lines["change_happy"]["unit"] == "log-odds"
    assert all(line["meaning"] for line in lines.values())


def test_labels_that_a_model_does_not_know_are_said_to_be_empty() -> None:
    lines = {line["name"]: str(line["meaning"]) for line in made_analysis(NASTY).codebook()}
    assert lines["angry"].endswith("always empty, because the model does not have this label")
    assert lines["happy"] == "Probability of the label happy"
    assert lines["label_score"] == "Probability of the label score"


def test_markdown_keeps_labels_as_they_are() -> None:
    text = codebook_markdown(made_analysis(NASTY).columns)
    for name in ("| a\\|b |", "| a, b |", '| so "so" |', "| track_id |", "| \\_\\_proto\\_\\_ |"):
        assert name in text
    assert {line.replace("\\|", "").count("|") for line in text.splitlines()} == {7}


def test_a_name_that_is_no_codebooks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="unknown kind of output '.md'"):
        open_sink(str(tmp_path / "notes.md"), {"labels": ["happy"]})
