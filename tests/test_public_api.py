"""The front door: which names are public, and what importing costs."""

import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest

import facemood
from facemood import Analysis, EmotionRecognizer, ExpressionDataset, Frame, Result
from facemood.timeline import TrackCollector
from tests.conftest import PHOTOS, make_face

PUBLIC = [
    "Analysis",
    "DatasetError",
    "DeviceError",
    "EXPRESSIONS",
    "EmotionRecognizer",
    "Explanation",
    "ExplanationError",
    "ExpressionDataset",
    "Face",
    "FacemoodError",
    "Frame",
    "ImageError",
    "MissingExtraError",
    "ModelCard",
    "ModelError",
    "OptionError",
    "OutputConflictError",
    "OutputError",
    "RecipeError",
    "Result",
    "SourceError",
    "VideoError",
    "__version__",
    "find_episodes",
    "list_models",
    "open_dataset",
    "open_recognizer",
]

HEAVY = {"torch", "lightning", "onnx", "pandas", "matplotlib", "lime", "fastapi", "skimage", "scipy"}
HEAVY |= {"av", "pygame", "mss"}


def modules_after(code: str) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after running some code."""
    report = f"{code}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_public_names_are_these() -> None:
    assert sorted(facemood.__all__) == PUBLIC
    assert all(getattr(facemood, name) is not None for name in PUBLIC)
    assert set(PUBLIC) <= set(dir(facemood))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Emotion'"):
        _ = facemood.Emotion


def test_importing_the_package_loads_nothing_else() -> None:
    assert not modules_after("import facemood") & (
        HEAVY | {"numpy", "cv2", "onnxruntime", "PIL", "dlib", "rich", "typer"}
    )


def names_after(*arguments: str) -> set[str]:
    """All modules that a command loads in a fresh interpreter, by their full names."""
    code = "import contextlib, io, sys\nbefore = set(sys.modules)\n"
    code += f"from facemood.cli import main\nsys.argv = ['facemood', *{arguments!r}]\n"
    code += "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n    main()\n"
    report = f"{code}\nprint(*set(sys.modules) - before)"  # before: what measures the coverage needs
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_help_needs_neither_numpy_nor_a_network() -> None:
    names = names_after("--help")
    assert not names & (HEAVY | {"numpy", "cv2", "onnxruntime", "PIL", "dlib"})
    assert not names & {"importlib.metadata", "pydantic", "facemood.table", "facemood.models", "facemood.render"}


def test_a_photo_loads_only_what_reads_it() -> None:
    names = names_after("analyze", str(PHOTOS / "grace_hopper.jpg"), "--json", "--quiet")
    assert {"cv2", "onnxruntime", "facemood.pipeline"} <= names
    assert not names & (HEAVY | {"pyarrow", "dlib", "http.client", "numpy.ma", "rich.console", "rich.markdown"})
    assert not names & {"pydantic", "tempfile", "hashlib", "concurrent.futures", "PIL.ImageDraw", "PIL.TiffImagePlugin"}
    assert {name for name in names if name.startswith("facemood.sinks.")} == {
        "facemood.sinks.sink",
        "facemood.sinks.table_files",  # the endings
    }
    assert "facemood.ferc" not in names
    assert not {
        name for name in names if name.startswith(("facemood.explain", "facemood.evaluation", "facemood.server"))
    }
    assert "facemood.analysis" not in names
    assert {name for name in names if name.endswith("_command")} == {"facemood.cli.analyze_command"}


def test_analyze_starts_no_threads_for_large_matrices() -> None:
    photo = str(PHOTOS / "grace_hopper.jpg")
    code = "from facemood.cli import main\nimport os, sys\n"
    code += f"sys.argv = ['facemood', 'analyze', {photo!r}, '-q', '--json']\n"
    code += "try:\n    main()\nexcept SystemExit:\n    print(os.environ['OPENBLAS_NUM_THREADS'], file=sys.stderr)"
    for given, expected in ((None, "1"), ("2", "2")):
        environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
        environment |= {"OPENBLAS_NUM_THREADS": given} if given else {}
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        assert done.stderr.strip().endswith(expected)


def test_reading_a_face_loads_no_training_or_plotting_package() -> None:
    code = "import numpy\nfrom facemood import EmotionRecognizer\n"
    code += "EmotionRecognizer().analyze_image(numpy.zeros((64, 64, 3), numpy.uint8))"
    assert not modules_after(code) & HEAVY


def test_what_people_get_prints_as_one_short_line(recognizer: EmotionRecognizer) -> None:
    photo = PHOTOS / "astronaut.png"
    analysis = recognizer.analyze(PHOTOS)
    face = dataclasses.replace(make_face(), track_id=1)
    frames = Analysis(tuple(Result("a.mp4", n, n / 10, (90, 90), (face,), face.labels) for n in range(40)))
    collector = TrackCollector()
    for frame in frames:
        collector.add(frame)
    (timeline,) = collector.timelines()
    (why,) = recognizer.explain(photo, method="cam")
    dataset = ExpressionDataset(
        "mine", np.zeros((9, 48, 48), np.uint8), np.zeros(9, np.int64), ("happy",), np.array(["all"] * 9)
    )
    image = Frame(np.zeros((9, 9, 3), np.uint8), source="a.jpg")
    own = [recognizer, recognizer.session, recognizer.card, why, dataset, image]
    lines = [repr(one) for one in (*own, analysis, analysis[0], analysis[0][0], frames, timeline, *timeline.tracks)]
    most = 100 + len(str(PHOTOS))
    assert [line for line in lines if "\n" in line or len(line) > most or " object at 0x" in line] == []
    assert {
        "<EmotionRecognizer: default, ferplus, finder, cpu>",
        "<ModelSession: default, cpu>",
        "<Timeline: 'a.mp4', 40 frames, 1 person>",
        "<Track: 'a.mp4', person 1, 4.0 s in 40 frames, happy 100% of the time>",
        "<Explanation: happy >99%, by cam>",
        "<ExpressionDataset: 'mine', 9 images of 48 x 48, 1 label, all>",
    } <= set(lines)
