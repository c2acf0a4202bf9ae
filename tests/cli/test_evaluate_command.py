import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.conftest import Run


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for word in ("happy", "sad"):
        (tmp_path / "faces" / word).mkdir(parents=True)
        for number in range(3):
            noise = Image.fromarray(rng.integers(0, 256, (48, 48), np.uint8))
            noise.save(tmp_path / "faces" / word / f"{number}.png")
    return tmp_path / "faces"


def test_a_folder_of_faces_is_measured(facemood: Run, tree: Path, tmp_path: Path) -> None:
    done = facemood("evaluate", "--data", f"folder:{tree}", "--split", "all", "--json", "-o", "report")
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)["evaluations"]
    assert (found["n"], found["protocol"]) == (6, "faces labels")
    assert json.loads((tmp_path / "report" / "report.json").read_text()) == json.loads(done.stdout)


def test_without_json_a_page_is_printed_on_stderr(facemood: Run, tree: Path) -> None:
    done = facemood("evaluate", "--data", tree, "--split", "all")
    assert done.stdout == ""
    assert "faces labels" in done.stderr
    assert "Recall of each expression" in done.stderr


def test_groups_of_a_table_are_measured(facemood: Run, tree: Path) -> None:
    rows = [f"{word}/{number}.png,{'yes' if number else 'no'}" for word in ("happy", "sad") for number in range(3)]
    (tree / "groups.csv").write_text("\n".join(["file,glasses", *rows]) + "\n")
    done = facemood("evaluate", "nano", "--data", f"folder:{tree}", "--groups", "glasses", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert [(row["group"], row["n"]) for row in report["groups"]] == [("no", 2), ("yes", 4)]
    (found,) = report["evaluations"]
    assert (found["head"], found["prior"]) == ("ferplus", "tuned")
    right = sum(row["n"] * row["accuracy"] for row in report["groups"])
    assert right == pytest.approx(6 * found["accuracy"], abs=0.001)
    done = facemood("evaluate", "nano", "--data", f"folder:{tree}", "--groups", "glases")
    assert done.returncode == 3
    assert "there is no column 'glases'; it has glasses. Did you mean 'glasses'?" in done.stderr


def test_the_study_is_written(facemood: Run, tree: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="figures need the extra plot")
    done = facemood("evaluate", "nano", "--data", tree, "--split", "all", "--report", "out/page.md")
    assert done.returncode == 0, done.stderr
    assert "wrote out/page.md, its numbers out/page.json and its figures in out/page" in done.stderr
    assert "| nano | " in (tmp_path / "out" / "page.md").read_text()
    assert len(list((tmp_path / "out" / "page").glob("nano-*.svg"))) == 5


def test_unknown_splits_and_missing_data_are_errors(facemood: Run, tree: Path) -> None:
    done = facemood("evaluate", "--data", tree, "--split", "PrivateTest")
    assert done.returncode == 3
    assert "no split 'PrivateTest'; it has all" in done.stderr
    done = facemood("evaluate", "--data", "nowhere")
    assert done.returncode == 3
    assert "there is no such file or folder" in done.stderr


@pytest.mark.dataset
def test_the_documented_command_prints_the_figures(facemood: Run, shared_data: Path) -> None:
    done = facemood("evaluate", "--data", f"fer2013:{shared_data / 'fer2013'}", "--split", "PrivateTest", "--json")
    found = {part["protocol"]: part for part in json.loads(done.stdout)["evaluations"]}
    assert list(found) == [
        "fer2013 labels",
        "fer2013 labels, de-duplicated",
        "FER+ majority",
        "FER+ majority, de-duplicated",
    ]
    assert {"accuracy", "n", "macro_f1", "recall", "ece"} <= set(found["fer2013 labels"])
