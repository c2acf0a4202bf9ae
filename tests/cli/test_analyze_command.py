import csv
import inspect
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facemood import EmotionRecognizer, __version__
from facemood.cli.analyze_command import analyze
from tests.cli.conftest import Run, wait_for_rows
from tests.conftest import PHOTOS


def test_the_options_have_the_defaults_of_the_recognizer() -> None:
    command, library = (inspect.signature(part).parameters for part in (analyze, EmotionRecognizer.__init__))
    shared = [name for name in library if name in command]
    assert shared == [
        "model",
        "head",
        "detector",
        "min_face",
        "threshold",
        "max_faces",
        "views",
        "prior",
        "orientation",
        "device",
        "threads",
        "precision",
        "valence",
    ]
    assert {name: command[name].default for name in shared} == {name: library[name].default for name in shared}
    assert command["batch"].default == inspect.signature(EmotionRecognizer.stream).parameters["batch"].default


def test_a_table_for_people_goes_to_stderr(facemood: Run, astronaut: Path, tmp_path: Path) -> None:
    done = facemood("analyze", astronaut)
    assert (done.returncode, done.stdout) == (0, "")
    assert "happy" in done.stderr
    assert "1 image, 1 face" in done.stderr
    assert done.stderr.split()[:5] == ["image", "face", "expression", "confidence", "next"]
    assert done.stderr.split()[6:8] == ["0", "happy"]
    assert list(tmp_path.iterdir()) == []


def test_expressions_are_said_in_the_language_asked_for(facemood: Run, astronaut: Path, tmp_path: Path) -> None:
    outputs = [part for name in ("d.png", "t.csv", "r.html") for part in ("-o", name)]
    done = facemood("analyze", astronaut, "--language", "de", *outputs)
    assert done.returncode == 0
    assert "Freude >99%" in " ".join(done.stderr.split())
    assert ",happy," in (tmp_path / "t.csv").read_text()
    assert "Freude" in (tmp_path / "r.html").read_text(encoding="utf-8")
    assert facemood("analyze", astronaut, "-o", "e.png").returncode == 0
    assert (tmp_path / "d.png").read_bytes() != (tmp_path / "e.png").read_bytes()
    refused = facemood("analyze", astronaut, "--language", "xx")
    assert refused.returncode == 2
    assert "expected en, de, es, fr, tr, zh" in " ".join(refused.stderr.split())


def test_json_goes_to_stdout_a_line_an_image(facemood: Run) -> None:
    done = facemood("analyze", PHOTOS, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    results = [json.loads(line) for line in done.stdout.splitlines()]
    assert [Path(result["source"]).name for result in results] == ["astronaut.png", "grace_hopper.jpg"]
    assert results[0]["faces"][0]["emotion"] == "happy"
    assert list(results[0]["faces"][0]["emotions"])[:3] == ["angry", "disgust", "fear"]


def test_several_outputs_are_written_by_their_endings(facemood: Run, tmp_path: Path) -> None:
    outputs = ["t.csv", "r.json", "r.jsonl", "pictures/"]
    done = facemood("analyze", PHOTOS, "-q", *[part for name in outputs for part in ("-o", name)])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    with (tmp_path / "t.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    known = json.loads((tmp_path / "r.json").read_text())
    lines = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert [row["emotion"] for row in table] == [result["faces"][0]["emotion"] for result in known["results"]]
    assert [result["faces"] for result in lines] == [result["faces"] for result in known["results"]]
    assert known["info"]["head"] == "ferplus"
    pictures = sorted(path.name for path in (tmp_path / "pictures").iterdir())
    assert pictures == ["astronaut.png", "facemood.json", "grace_hopper.png"]
    assert not [*tmp_path.rglob("*.part"), *tmp_path.rglob("*.lock")]


def test_options_reach_the_pipeline(facemood: Run, astronaut: Path) -> None:
    done = facemood("analyze", astronaut, "--json", "--head", "fer2013", "--min-face", 300, "--threads", 1)
    assert json.loads(done.stdout)["faces"] == []
    done = facemood("analyze", astronaut, "--json", "--head", "fer2013", "--max-faces", 1)
    assert len(json.loads(done.stdout)["faces"][0]["emotions"]) == 7


def test_pictures_show_what_is_drawn_on_request(facemood: Run, astronaut: Path, tmp_path: Path) -> None:
    plain = facemood("analyze", astronaut, "-q", "-o", "plain.png")
    one = facemood("analyze", astronaut, "-q", "-o", "one.png", "--draw", "points,mesh,pose")
    each = facemood("analyze", astronaut, "-q", "-o", "each/", "--draw", "mesh", "--draw", "pose", "--draw", "points")
    assert [done.returncode for done in (plain, one, each)] == [0, 0, 0]
    pictures = [np.asarray(Image.open(tmp_path / name)) for name in ("plain.png", "one.png", "each/astronaut.png")]
    assert (pictures[0] != pictures[1]).any(axis=2).sum() > 500
    np.testing.assert_array_equal(pictures[1], pictures[2])


def test_what_cannot_be_drawn_is_usage_and_drawing_nowhere_is_told(
    facemood: Run, astronaut: Path, tmp_path: Path
) -> None:
    done = facemood("analyze", astronaut, "-o", "a.png", "--draw", "points,mash")
    assert done.returncode == 2
    assert "Did you mean 'mesh'" in " ".join(done.stderr.replace("│", " ").split())
    assert list(tmp_path.iterdir()) == []
    done = facemood("analyze", astronaut, "-o", "t.csv", "--draw", "points")
    assert (done.returncode, (tmp_path / "t.csv").exists()) == (0, True)
    assert "--draw has no effect without images or videos" in done.stderr


def test_the_json_lists_what_could_not_be_read(facemood: Run, astronaut: Path, tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("dear diary")
    done = facemood("analyze", "missing.jpg", astronaut, "text.jpg", "-q", "-o", "r.json")
    assert done.returncode == 1
    known = json.loads((tmp_path / "r.json").read_text())
    assert [len(result["faces"]) for result in known["results"]] == [1]
    assert [failure["source"] for failure in known["failures"]] == ["missing.jpg", "text.jpg"]
    assert all(failure["message"] in done.stderr for failure in known["failures"])


def bad_inputs(folder: Path) -> dict[str, bytes]:
    """Write what breaks things; return each name with a word that its message must hold."""
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    noise.save(folder / "whole.jpg")
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "text.jpg").write_text("dear diary")
    (folder / "cut.jpg").write_bytes((folder / "whole.jpg").read_bytes()[:900])
    Image.new("RGB", (1, 1)).save(folder / "pixel.png")
    return {"empty.jpg": b"empty", "text.jpg": b"looks like text", "cut.jpg": b"cut short"}


def test_some_bad_inputs_are_told_and_the_rest_is_done(facemood: Run, astronaut: Path, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    messages = bad_inputs(folder)
    done = facemood("analyze", folder, astronaut, tmp_path / "nowhere.jpg", "-o", "t.csv")
    assert done.returncode == 1
    for name, word in messages.items():
        assert any(name in line and word.decode() in line for line in done.stderr.splitlines())
    assert "nowhere.jpg: there is no such file" in done.stderr
    assert "Traceback" not in done.stderr
    with (tmp_path / "t.csv").open(newline="") as file:
        rows = {Path(row["source"]).name: row["emotion"] for row in csv.DictReader(file)}
    assert rows == {"pixel.png": "", "whole.jpg": "", "astronaut.png": "happy"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.jpg"], "there is no such file"),
        (["."], "the folder holds no images"),
        ([PHOTOS, "--model", "nana"], "Did you mean 'nano'"),
        ([PHOTOS, "--device", "cuda"], "onnxruntime-gpu"),
        ([PHOTOS, "--detector", "yunet:no.onnx"], "there is no such file"),
        ([PHOTOS, "-o", "t.xyz"], "unknown kind of output '.xyz'"),
        ([PHOTOS, "-o", "/proc/no/t.csv"], "cannot be written"),
    ],
)
def test_what_cannot_start_says_why(facemood: Run, arguments: list[str], message: str) -> None:
    done = facemood("analyze", *arguments)
    assert done.returncode == 3
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_run_without_any_input_overwrites_nothing(facemood: Run, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("of yesterday")
    assert facemood("analyze", "nowhere.jpg", "-o", "t.csv").returncode == 3
    assert (tmp_path / "t.csv").read_text() == "of yesterday"


def test_a_single_bad_input_failed(facemood: Run, tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").write_bytes(b"")
    done = facemood("analyze", "empty.jpg", "-o", "t.csv")
    assert done.returncode == 1
    assert "the file is empty" in done.stderr
    assert (tmp_path / "t.csv").read_text().count("\n") == 1


def test_impossible_numbers_are_usage(facemood: Run) -> None:
    done = facemood("analyze", PHOTOS, "--threshold", 2)
    assert done.returncode == 2
    assert "--threshold" in done.stderr


def test_two_results_do_not_fit_one_picture(facemood: Run, tmp_path: Path) -> None:
    done = facemood("analyze", PHOTOS, "-o", "a.png", "-o", "t.csv")
    assert done.returncode == 2
    assert "give a folder's name, a/" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_keeps_the_finished_part(astronaut: Path, tmp_path: Path) -> None:
    with Image.open(astronaut) as picture:
        for number in range(400):
            picture.save(tmp_path / f"{number:03}.png", compress_level=1) if number == 0 else os.link(
                tmp_path / "000.png", tmp_path / f"{number:03}.png"
            )
    command = [
        sys.executable,
        "-m",
        "facemood",
        "analyze",
        str(tmp_path),
        "-o",
        str(tmp_path / "t.csv"),
        "--batch",
        "2",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        wait_for_rows(tmp_path / "t.csv", 5000)
        process.send_signal(signal.SIGINT)
        _, words = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted after" in words
    assert "Traceback" not in words
    with (tmp_path / "t.unfinished.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert 0 < len(rows) < 400
    assert all(row["emotion"] == "happy" for row in rows)
    assert not [*tmp_path.glob("*.part"), *tmp_path.glob("*.lock"), *tmp_path.glob("t.csv")]


def test_a_closed_pipe_is_no_error_for_people(astronaut: Path, tmp_path: Path) -> None:
    for number in range(30):
        os.link(astronaut, tmp_path / f"{number:02}.png")
    command = f"{sys.executable} -m facemood analyze {tmp_path} --json --batch 1 -q -o {tmp_path}/t.csv | head -n 1"
    done = subprocess.run(["bash", "-c", f"{command}; exit ${{PIPESTATUS[0]}}"], capture_output=True, text=True)
    assert json.loads(done.stdout)["source"] == str(tmp_path / "00.png")
    assert (done.stderr, done.returncode) == ("", 141)
    assert (tmp_path / "t.unfinished.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["p.png", "-o", "p.png"], "would write over the input p.png"),
        (["p.png", "-o", "{name}.png"], "would write over the input p.png"),
        ([".", "-o", "."], "would write over the input p.png"),
        (["p.png", "-o", "t.csv", "-o", "./t.csv"], "is written twice"),
        (["p.png", "-o", "o.mp4"], "p.png is a photo"),
        (["p.png", "-o", "-", "--json"], "both write to stdout"),
        (["p.png", "--resume"], "--resume needs an output to continue"),
    ],
)
def test_what_would_harm_or_not_fit_is_refused_before_anything_is_read(
    facemood: Run, astronaut: Path, tmp_path: Path, arguments: list[str], words: str
) -> None:
    (tmp_path / "p.png").write_bytes(astronaut.read_bytes())
    done = facemood("analyze", *arguments, "--model", "nano", "--threads", 1)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["p.png"]
    assert (tmp_path / "p.png").read_bytes() == astronaut.read_bytes()


def test_another_file_of_an_outputs_name_is_kept_unless_it_may_be_replaced(
    facemood: Run, astronaut: Path, tmp_path: Path
) -> None:
    (tmp_path / "p.jpg").write_bytes(astronaut.read_bytes())
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "p.png").write_text("my holidays")
    run = ("analyze", "p.jpg", "-o", "photos/", "--model", "nano", "--threads", 1, "-q")
    refused = facemood(*run)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "photos/p.png: there is already a file of this name" in refused.stderr
    assert "--overwrite" in refused.stderr
    assert (tmp_path / "photos" / "p.png").read_text() == "my holidays"
    assert facemood(*run, "--overwrite").returncode == 0
    with Image.open(tmp_path / "photos" / "p.png") as drawn:
        assert drawn.size == (512, 512)
    assert facemood(*run).returncode == 0  # it is ours now


def test_equal_names_into_one_folder_are_all_there(facemood: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    grey = Image.new("RGB", (32, 32), "grey")
    for name in ("a.png", "a.jpg", "a-2.webp", "A.bmp"):
        grey.save(tmp_path / "in" / name)
    done = facemood("analyze", "in", "-o", "out/", "-o", "t/{name}.csv", "-o", "t/all.csv", "-q", "--threads", 1)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.stem for path in (tmp_path / "out").glob("*.png")) == ["A", "a-2", "a-3", "a-4"]
    with (tmp_path / "t" / "all.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 4
    sidecar = json.loads((tmp_path / "t" / "facemood.json").read_text())
    for entry in sidecar["sources"]:
        with (tmp_path / "t" / entry["outputs"][0]).open(newline="") as file:
            assert [row["source"] for row in csv.DictReader(file)] == [entry["source"]]
    (settings,) = sidecar["settings"].values()
    assert (settings["model"], settings["facemood"]) == ("default", __version__)


def test_standard_input_and_output(facemood: Run, astronaut: Path, tmp_path: Path) -> None:
    command = f"{sys.executable} -m facemood analyze - -q --threads 1 < {astronaut}"
    done = subprocess.run(
        f"{command} -o - && {command} -o -.jsonl && {command} -o /dev/stdout >> kept.txt && {command} -o out/",
        shell=True, capture_output=True, text=True, cwd=tmp_path,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    header, row, line = done.stdout.splitlines()
    assert (row.split(",")[0], row.split(",")[header.split(",").index("emotion")]) == ("-", "happy")
    assert json.loads(line)["faces"][0]["emotion"] == "happy"
    assert (tmp_path / "kept.txt").read_text().splitlines() == [header, row]
    assert (tmp_path / "out" / "stdin.png").exists()


@pytest.mark.slow
def test_a_huge_picture_is_read_in_bounded_memory(facemood: Run, astronaut: Path, tmp_path: Path) -> None:
    with Image.open(astronaut) as picture:
        large = Image.new("RGB", (20_000, 20_000), "grey")
        large.paste(picture.resize((8_000, 8_000)), (6_000, 6_000))
    large.save(tmp_path / "huge.jpg", quality=60)
    done = facemood("analyze", tmp_path / "huge.jpg", "--json")
    assert done.returncode == 0
    assert "was reduced to 2500 x 2500" in done.stderr
    result = json.loads(done.stdout)
    assert result["size"] == [2500, 2500]
    assert result["faces"][0]["emotion"] == "happy"
    np.testing.assert_allclose(result["faces"][0]["box"], [1094, 900, 1270, 1076], atol=40)


def test_a_number_of_views_that_there_is_not_is_wrong_usage(facemood: Run, astronaut: Path) -> None:
    done = facemood("analyze", str(astronaut), "--views", "3")
    assert done.returncode == 2
    assert "views must be one of 1, 2, 10" in done.stderr


def test_int8_gives_the_same_label_and_a_model_without_it_says_so(facemood: Run) -> None:
    photo = PHOTOS / "astronaut.png"
    found = [json.loads(facemood("analyze", photo, "--json", "--precision", name).stdout) for name in ("fp32", "int8")]
    assert [result["faces"][0]["emotion"] for result in found] == ["happy", "happy"]
    assert found[0]["faces"] != found[1]["faces"]
    done = facemood("analyze", photo, "--model", "nano", "--precision", "int8")
    assert (done.returncode, done.stdout) == (3, "")
    assert "'nano' has no int8 file nano.int8.onnx next to it; use precision 'fp32'" in done.stderr
    done = facemood("analyze", photo, "--precision", "int4")
    assert done.returncode == 2
