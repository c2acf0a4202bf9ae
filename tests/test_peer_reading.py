"""Tables of OpenFace and py-feat: ours are read by pandas as theirs are, and theirs become an Analysis."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facemood import Analysis, Face, Result, SourceError
from facemood.facs import KEYS
from facemood.geometry import rotation_of
from facemood.labels import EXPRESSIONS
from facemood.sinks import open_sink
from facemood.table import RAW
from facemood.table.peer_columns import OPENFACE_UNITS, PYFEAT_LABELS, PYFEAT_UNITS, openface_angles
from tests.conftest import make_face

OPENFACE = """frame, face_id, timestamp, confidence, success, gaze_0_x, pose_Tx, pose_Rx, pose_Ry, pose_Rz, AU12_r, \
AU45_r, AU12_c, AU28_c
1, 0, 0.000, 0.98, 1, 0.1, 30.5, 0.100, -0.200, 0.050, 2.50, 0.00, 1.00, 0.00
2, 0, 0.040, 0.00, 0, 0.0, 0.0, 0.000, 0.000, 0.000, 0.00, 0.00, 0.00, 0.00
3, 0, 0.080, 0.90, 1, 0.1, 30.5, 0.100, -0.200, 0.050, 7.00, 5.00, 1.00, 0.00
"""
"""Lines of OpenFace, with spaces behind the commas, as its older versions write them; without landmarks."""

PYFEAT = """,FaceRectX,FaceRectY,FaceRectWidth,FaceRectHeight,FaceScore,Pitch,Roll,Yaw,AU01,AU11,AU12,anger,disgust,\
fear,happiness,sadness,surprise,neutral,Identity,input,frame,approx_time
0,10.5,20,100,120,0.99,-3.5,1.5,12,0.25,0.9,0.75,0.1,0,0,0.8,0,0,0.1,Person_4,talk.mp4,0,00:00
1,200,20,50,60,0.9,0,0,0,0.5,0.1,0.1,0.7,0,0,0.1,0.1,0,0.1,Person_0,talk.mp4,0,00:00
2,,,,,,,,,,,,,,,,,,,,talk.mp4,24,00:01
3,10.5,20,100,120,0.99,-3.5,1.5,12,0.25,0.9,,0.1,0,0,0.8,0,0,0.1,Person_4,talk.mp4,48,01:02
"""
"""Lines of py-feat."""


def known_face(track: int | None) -> Face:
    """A face with landmarks, pose and units."""
    random = np.random.default_rng(2)
    return dataclasses.replace(
        make_face((10.0, 20.0, 50.0, 70.0)),
        landmarks=random.uniform(10, 70, (68, 2)).round(1).astype(np.float32),
        pose=np.array([12.3, -4.5, 6.7], np.float32),
        action_units={key: (place + 1) / 50 for place, key in enumerate(KEYS)},
        track_id=track,
    )


def made() -> list[Result]:
    """A video with a face, a frame without one, and two faces."""
    face, other = known_face(1), dataclasses.replace(known_face(2), box=np.array([60, 20, 80, 40], np.float32))
    return [
        Result("talk.mp4", place, 0.04 * place, (120, 90), faces, EXPRESSIONS, (RAW,))
        for place, faces in enumerate([(face,), (), (face, other)])
    ]


def written(path: Path, results: list[Result]) -> Path:
    sink = open_sink(str(path), {"labels": list(EXPRESSIONS), "variants": [RAW]})
    for result in results:
        sink.write(result)
    sink.close()
    return path


def test_openface_is_read_by_pandas_as_its_users_do(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="needs the extra data")
    table = pandas.read_csv(written(tmp_path / "talk.openface.csv", made()))
    assert table["frame"].tolist() == [1, 2, 3, 3]
    assert table["success"].tolist() == [1, 0, 1, 1]
    assert table["face_id"].tolist() == [0, 0, 0, 1]
    seen = table[table["success"] == 1]
    strong = seen.filter(regex=r"^AU\d\d_r$")
    assert list(strong) == [f"{name}_r" for name in OPENFACE_UNITS]
    assert ((strong >= 0) & (strong <= 5)).all(axis=None)
    face = known_face(1)
    for name, code in OPENFACE_UNITS.items():
        assert seen[f"{name}_r"].iloc[0] == pytest.approx(5 * face.action_units[code], abs=6e-4)
        assert seen[f"{name}_c"].iloc[0] == (face.action_units[code] >= 0.5)
    assert face.landmarks is not None
    points = np.stack([seen.filter(regex=rf"^{axis}_\d+$").iloc[0].to_numpy() for axis in "xy"], axis=1)
    np.testing.assert_allclose(points, face.landmarks, atol=0.06)
    assert table[table["success"] == 0].drop(columns=["frame", "face_id", "timestamp", "confidence", "success"]).isna(
    ).all(axis=None)  # fmt: skip


def test_the_pose_of_openface_is_the_same_rotation() -> None:
    scipy = pytest.importorskip("scipy.spatial.transform", reason="needs the extra study")
    for yaw, pitch, roll in ((0, 0, 0), (20, -10, 5), (-35, 25, 40), (3, 28, -60)):
        face = dataclasses.replace(known_face(1), pose=np.array([yaw, pitch, roll], np.float32))
        angles = openface_angles(face)
        assert angles is not None
        assert face.pose is not None
        turn = scipy.Rotation.from_euler("XYZ", angles).as_matrix()  # about x, times about y, times about z
        np.testing.assert_allclose(turn, rotation_of(face.pose), atol=1e-5)
    down = dataclasses.replace(known_face(1), pose=np.array([0, -10, 0], np.float32))
    assert openface_angles(down) == pytest.approx((np.radians(10), 0, 0), abs=1e-6)


def test_our_openface_comes_back(tmp_path: Path) -> None:
    analysis = Analysis.from_openface(written(tmp_path / "talk.openface.csv", made()), source="talk.mp4")
    assert [(one.index, one.timestamp, len(one)) for one in analysis] == [(0, 0.0, 1), (1, 0.04, 0), (2, 0.08, 2)]
    face, known = analysis[0][0], known_face(1)
    assert face.track_id == 1
    assert face.score == pytest.approx(0.9)
    assert face.pose is not None
    assert known.pose is not None
    np.testing.assert_allclose(face.pose, known.pose, atol=0.1)
    for code in OPENFACE_UNITS.values():
        assert face.action_units[code] == pytest.approx(known.action_units[code], abs=2e-4)
    rows = list(analysis.rows())
    assert (rows[0]["emotion"], rows[0]["AU12"], rows[1]["face"]) == ("", round(known.action_units["AU12"], 3), "")


def test_a_table_of_openface_becomes_an_analysis(tmp_path: Path) -> None:
    (tmp_path / "clip.csv").write_text(OPENFACE)
    analysis = Analysis.from_openface(tmp_path / "clip.csv")
    first, none, last = analysis
    assert [first[0].action_units, len(none), last[0].action_units] == [
        {"AU12": 0.5, "AU43": 0.0}, 0, {"AU12": 1.0, "AU43": 1.0}]  # fmt: skip
    assert (first.source, first.index, last.timestamp) == (str(tmp_path / "clip.csv"), 0, 0.08)
    assert first[0].box.tolist() == [0, 0, 0, 0]
    assert openface_angles(first[0]) == pytest.approx((0.1, -0.2, 0.05), abs=1e-4)
    assert analysis.to_csv(tmp_path / "t.csv").exists()


def test_pyfeat_is_read_by_pandas_by_its_rules(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="needs the extra data")
    photo = Result("a.jpg", size=(120, 90), faces=(known_face(None),), labels=EXPRESSIONS)
    table = pandas.read_csv(written(tmp_path / "all.pyfeat.csv", [photo, *made()]))
    units = [column for column in table.columns if "AU" in column]  # as py-feat finds them
    assert units == list(PYFEAT_UNITS)
    assert table["input"].tolist() == ["a.jpg", *["talk.mp4"] * 4]
    assert table["frame"].tolist() == [0, 0, 1, 2, 2]
    assert table["Identity"].fillna("").tolist() == ["", "Person_0", "", "Person_0", "Person_1"]
    assert table["approx_time"].fillna("").tolist() == ["", "00:00.000", "00:00.040", "00:00.080", "00:00.080"]
    assert table[["FaceRectX", "FaceRectY", "FaceRectWidth", "FaceRectHeight"]].iloc[0].tolist() == [10, 20, 40, 50]
    assert table[["Pitch", "Roll", "Yaw"]].iloc[0].tolist() == [-4.5, 6.7, 12.3]
    assert list(table[list(PYFEAT_LABELS)].iloc[0]) == pytest.approx([0.02, 0.01, 0.03, 0.7, 0.04, 0.05, 0.14])
    assert table.iloc[2][["FaceScore", "AU12", "happiness", "x_0"]].isna().all()


def test_our_pyfeat_comes_back(tmp_path: Path) -> None:
    photo = Result("a.jpg", size=(120, 90), faces=(known_face(None),), labels=EXPRESSIONS)
    analysis = Analysis.from_pyfeat(written(tmp_path / "all.pyfeat.csv", [photo, *made()]))
    assert [(one.source, one.index, one.timestamp) for one in analysis] == [
        ("a.jpg", 0, None), ("talk.mp4", 0, 0.0), ("talk.mp4", 1, 0.04), ("talk.mp4", 2, 0.08)]  # fmt: skip
    known, face = known_face(None), analysis[0][0]
    assert face.box.tolist() == known.box.tolist()
    assert face.emotion == "happy"
    assert face.labels == tuple(PYFEAT_LABELS.values())
    assert [face.action_units[code] for code in PYFEAT_UNITS] == pytest.approx(
        [known.action_units[code] for code in PYFEAT_UNITS], abs=6e-4
    )
    assert [track.track_id for track in analysis.tracks()] == [1, 2]


def test_a_table_of_pyfeat_becomes_an_analysis(tmp_path: Path) -> None:
    (tmp_path / "fex.csv").write_text(PYFEAT)
    analysis = Analysis.from_pyfeat(tmp_path / "fex.csv")
    assert [(one.index, one.timestamp, len(one)) for one in analysis] == [(0, 0.0, 2), (24, 1.0, 0), (48, 62.0, 1)]
    large, small = analysis[0]
    assert (large.track_id, small.track_id) == (5, 1)
    assert (large.emotion, small.emotion) == ("happy", "angry")
    assert large.box.tolist() == [10.5, 20, 110.5, 140]
    assert large.pose is not None
    assert large.pose.tolist() == [12, -3.5, 1.5]
    assert large.action_units == {"AU01": 0.25, "AU12": 0.75}
    assert analysis[2][0].action_units == {"AU01": 0.25}
    assert [one.timestamp for one in Analysis.from_pyfeat(tmp_path / "fex.csv", fps=24)] == [0, 1, 2]


def test_a_video_of_one_face_without_identities_is_one_person(tmp_path: Path) -> None:
    lines = [line.replace("Person_4", "") for line in PYFEAT.splitlines() if "Person_0" not in line]
    (tmp_path / "fex.csv").write_text("\n".join(lines))
    assert [track.track_id for track in Analysis.from_pyfeat(tmp_path / "fex.csv").tracks()] == [1]


@pytest.mark.parametrize(
    ("read", "content", "told"),
    [
        ("from_openface", "a,b\n1,2\n", "no column 'confidence'"),
        ("from_openface", "frame,confidence\n1,0.5\n", "no column is an action unit of OpenFace"),
        ("from_openface", "frame,confidence,AU12_r\n1,0.5,much\n", "line 2: expected a number in the column 'AU12_r'"),
        ("from_pyfeat", "", "no column 'FaceRectX'"),
        ("from_pyfeat", "\xff", "cannot be read"),
        ("from_pyfeat", PYFEAT.replace("10.5,20", "left,20"), "line 2: expected a number in the column 'FaceRectX'"),
    ],
)
def test_other_tables_are_told(read: str, content: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(content.encode("latin-1"))
    method: Any = getattr(Analysis, read)
    with pytest.raises(SourceError) as error:
        method(tmp_path / "t.csv")
    assert told in str(error.value)
    with pytest.raises(SourceError, match="cannot be read"):
        method(tmp_path / "none.csv")


def test_an_empty_table_is_an_empty_analysis(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(OPENFACE.splitlines()[0] + "\n")
    assert len(Analysis.from_openface(tmp_path / "t.csv")) == 0
    (tmp_path / "u.csv").write_text(PYFEAT.splitlines()[0] + "\n")
    assert len(Analysis.from_pyfeat(tmp_path / "u.csv")) == 0
