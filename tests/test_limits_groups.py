"""Groups of photos: who agrees about them, and how well they are read."""

import csv
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from facemood.labels import EXPRESSIONS
from facemood.schema import Face
from tests.conftest import ROOT, load_script


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_script("limits_groups")


def test_kappa_is_what_is_left_of_the_agreement_without_chance(script: ModuleType) -> None:
    # the textbook table: 20 and 15 alike, 5 and 10 not; (0.7 - 0.5) / (1 - 0.5)
    first = np.repeat(["yes", "yes", "no", "no"], [20, 5, 10, 15])
    second = np.repeat(["yes", "no", "yes", "no"], [20, 5, 10, 15])
    assert script.agreement(first, second) == {"n": 50, "same": 35, "kappa": 0.4}
    assert script.agreement(first, first)["kappa"] == 1.0
    assert script.agreement(np.full(3, "no"), np.full(3, "no"))["kappa"] == 1.0


def test_photos_on_which_the_passes_differ_are_in_no_group(script: ModuleType) -> None:
    labels = np.array([EXPRESSIONS.index("happy")] * 40)
    first = np.array(["no"] * 20 + ["yes"] * 20)
    second = first.copy()
    second[:5] = "yes"
    found = labels.copy()
    found[20:30] = -1
    known = script.by_attribute(first, second, found, labels, EXPRESSIONS)
    assert [(row["group"], row["n"], row["mean_recall"]) for row in known["rows"]] == [
        ("no", 15, 1.0),
        ("yes", 20, 0.5),
    ]
    assert known["expressions"] == ["happy"]
    assert known["difference"] == -0.5
    low, high = known["interval"]
    assert -0.75 < low < -0.6
    assert -0.3 < high < -0.1


def test_only_expressions_with_enough_photos_in_both_groups_are_compared(script: ModuleType) -> None:
    happy, sad = EXPRESSIONS.index("happy"), EXPRESSIONS.index("sad")
    labels = np.array([happy] * 20 + [sad] * 11)
    groups = np.array(["no"] * 10 + ["yes"] * 10 + ["no"] * 2 + ["yes"] * 9)
    known = script.by_attribute(groups, groups, np.where(labels == sad, -1, labels), labels, EXPRESSIONS)
    assert known["expressions"] == ["happy"]
    assert known["difference"] == 0.0


def test_angles_are_grouped_to_either_side(script: ModuleType) -> None:
    box = np.zeros(4, np.float32)
    faces = [Face(box, 0.9, pose=np.array([yaw, 0, roll], np.float32)) for yaw, roll in ((-12, 3), (12, -30), (25, 5))]
    assert script.angle_groups([*faces, None], "yaw").tolist() == [
        "10° to 20°",
        "10° to 20°",
        "at least 20°",
        "not found",
    ]
    assert script.angle_groups(faces, "tilt").tolist() == ["0° to 5°", "at least 10°", "5° to 10°"]


def test_photos_are_read_end_to_end_and_a_missed_face_is_wrong(script: ModuleType, tmp_path: Path) -> None:
    photos = sorted((ROOT / "examples" / "photos").glob("*.*"))[:2]
    for photo in photos:
        (tmp_path / photo.name).write_bytes(photo.read_bytes())
    Image.new("L", (120, 120), 128).save(tmp_path / "blank.png")
    names = [*(photo.name for photo in photos), "blank.png"]
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["file", "label"], *([name, "happy"] for name in names)])
    for number, glasses in enumerate(("no", "yes")):
        rows = [[name, "even", "no" if name == names[0] else glasses, "no"] for name in names]
        with (tmp_path / f"{number}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["file", "lighting", "glasses", "beard"], *rows])
    known = script.measure_photos(tmp_path, [tmp_path / "0.csv", tmp_path / "1.csv"])
    assert (known["n"], known["missed"], known["all"]["n"]) == (3, 1, 3)
    assert known["all"]["accuracy"] <= 0.6667
    assert known["agreement"]["glasses"]["same"] == 1
    assert known["groups"]["glasses"]["rows"][0]["n"] == 1
    assert known["groups"]["glasses"]["difference"] is None
    assert known["models"] == script.digests()
