"""``facemood analyze --valence --expression``: derived measures in files, as a user asks for them."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.study_videos import Shot, write_video

NEGATIVE = ("angry", "disgust", "fear", "sad")


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_video_gets_valence_arousal_and_own_columns(facemood: Run, tmp_path: Path, astronaut: Path) -> None:
    write_video(tmp_path / "a.mp4", [Shot(1.5, (("astronaut", 240),))])
    (tmp_path / "own.toml").write_text('[expressions]\nbeam = "min(AU06, AU12)"\n')
    outputs = ["-o", "t.csv", "-o", "summary.csv", "-o", "t.html", "-o", "codebook.csv"]
    done = facemood(
        "analyze", "a.mp4", astronaut, "--valence", "--expression", "own.toml", "--expression", "joy = happy > 0.5",
        *outputs,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    rows = [row for row in rows_of(tmp_path / "t.csv") if row["face"]]
    assert list(rows[0])[-4:] == ["valence", "arousal", "beam", "joy"]
    for row in rows:
        expected = float(row["happy"]) - max(float(row[label]) for label in NEGATIVE)
        assert float(row["valence"]) == pytest.approx(expected, abs=2e-4)
        units = [row["AU06"], row["AU12"]]
        assert (row["beam"] == "") == ("" in units)
        assert "" in units or float(row["beam"]) == pytest.approx(min(map(float, units)), abs=2e-3)
        assert row["joy"] == ("1.0" if float(row["happy"]) > 0.5 else "0.0")
    moving, photo = [row for row in rows if row["timestamp"]], rows[-1]
    assert photo["beam"] != ""
    assert (moving[0]["arousal"], photo["arousal"]) == ("0.0", "")
    assert max(float(row["arousal"]) for row in moving) > 0
    person = rows_of(tmp_path / "summary.csv")[0]
    assert float(person["max_valence"]) == pytest.approx(max(float(row["valence"]) for row in moving), abs=1e-4)
    assert [row["name"] for row in rows_of(tmp_path / "codebook.csv")] == list(rows[0])
    page = (tmp_path / "t.html").read_text()
    assert "Derived measures" in page
    assert 'aria-label="beam over time"' in page


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ("doubt = AU04 +", "expected a number, a name, min(, max( or (, but got the end"),
        ("doubt = AU4", "'AU4' is no action unit and no label of the model"),
        ("happy = AU12", "is called like a column of the tables or like a unit; rename it"),
        ("AU12", "expected an expression such as"),
        ("none.toml", "the expressions cannot be read"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_written(
    facemood: Run, tmp_path: Path, astronaut: Path, expression: str, told: str
) -> None:
    done = facemood("analyze", astronaut, "--expression", expression, "-o", "t.csv", columns=400)
    assert done.returncode == 2
    assert told in " ".join(done.stderr.split())
    assert list(tmp_path.iterdir()) == []


def test_tables_of_peers_are_written_for_each_video(facemood: Run, tmp_path: Path, astronaut: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        write_video(tmp_path / name, [Shot(0.5, (("astronaut", 240),)), Shot(0.3)])
    done = facemood("analyze", "a.mp4", "b.mp4", "-o", "t/{name}.openface.csv", "-o", "all.pyfeat.csv", "--every", 2)
    assert done.returncode == 0, done.stderr
    for name in ("a", "b"):
        rows = rows_of(tmp_path / "t" / f"{name}.openface.csv")
        assert [row["success"] for row in rows] == ["1", "1", "1", "0"]
        assert all(row["x_0"] != "" and row["pose_Ry"] != "" for row in rows[:3])
        assert any(row[f"{code}_r"] != "" for row in rows[:3] for code in ("AU01", "AU12"))
    rows = rows_of(tmp_path / "all.pyfeat.csv")
    assert [row["input"] for row in rows] == ["a.mp4"] * 4 + ["b.mp4"] * 4
    assert [row["happiness"] != "" for row in rows[:4]] == [True, True, True, False]
    refused = facemood("analyze", "a.mp4", "b.mp4", "-o", "both.openface.csv")
    assert refused.returncode == 2
    assert facemood("analyze", astronaut, "-o", "photo.openface.csv").returncode == 2
