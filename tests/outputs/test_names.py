import os
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from facemood.outputs.names import FRAME, Label, fold, label_inputs, plain_labels, stem_of

STEMS = st.sampled_from(["a", "A", "a-2", "A-2", "a-3", "b", "ä", "a\u0308", "clip", "clip-000001", "all", "a.b"])
ENDINGS = st.sampled_from([".png", ".jpg", ".mp4"])
FOLDERS = st.sampled_from(["", "x/", "x/y/", "z/"])
INPUTS = st.lists(st.builds(lambda *parts: "".join(parts), FOLDERS, STEMS, ENDINGS), unique=True, max_size=12)

PATTERNS = st.sampled_from(
    [["{name}.csv"], ["{path}.csv"], ["{name}.csv", "t/{path}.html"], ["f"], ["f", "g/{name}.png"]]
)


def outputs_of(patterns: Sequence[str], source: str, label: Label) -> list[str]:
    """As `OutputTargets` has it: a pattern without an ending is a folder of images."""
    number = f"-{FRAME}" if source.endswith(".mp4") else ""
    return [label.fill(pattern if "." in pattern else f"{pattern}/{{name}}{number}.png") for pattern in patterns]


def names_of(inputs: Sequence[str]) -> dict[str, str]:
    labels = label_inputs(inputs, lambda source, label: [f"{label.name}.csv"])
    return {source: label.name for source, label in labels.items()}


def test_equal_names_in_other_folders_get_a_number() -> None:
    assert names_of(["x/a.mp4", "y/a.mov", "y/b.mp4"]) == {"x/a.mp4": "a", "y/a.mov": "a-2", "y/b.mp4": "b"}


def test_a_number_is_none_that_another_file_is_really_called() -> None:
    assert names_of(["a.png", "a.jpg", "a-2.webp"]) == {"a.png": "a-3", "a.jpg": "a", "a-2.webp": "a-2"}


def test_names_that_differ_by_case_or_accents_alone_are_equal() -> None:
    assert names_of(["x/A.png", "y/a.png"]) == {"x/A.png": "A", "y/a.png": "a-2"}
    assert set(names_of(["x/\u00e4.png", "y/a\u0308.png"]).values()) == {"\u00e4", "a\u0308-2"}
    assert fold("./X/\u00c4.png") == fold("x/a\u0308.png")


def test_the_tree_is_that_below_the_common_folder() -> None:
    labels = plain_labels(["photos/2024/a.jpg", "photos/2025/x/a.jpg", "photos/b.jpg", "-"])
    assert [label.tree for label in labels.values()] == ["2024/a", "2025/x/a", "b", "stdin"]
    assert plain_labels(["photos/2024/a.jpg"])["photos/2024/a.jpg"] == Label("a", "a")
    assert Label("a", "2024/a").fill("out/{path}/{name}.csv") == "out/2024/a/a.csv"


def test_trees_keep_equal_names_apart_without_numbers() -> None:
    inputs = ["p/2024/a.jpg", "p/2025/a.jpg", "p/2025/a.png"]
    labels = label_inputs(inputs, lambda source, label: [f"{label.tree}.csv"])
    assert [label.tree for label in labels.values()] == ["2024/a", "2025/a", "2025/a-2"]


def test_what_is_no_file_has_a_name_that_fits_one() -> None:
    assert [stem_of(name) for name in ("camera:0", "screen", "rtsp://h:5/a?b", "-")] == [
        "camera_0",
        "screen",
        "a_b",
        "stdin",
    ]


def test_a_picture_is_not_called_as_a_frame_of_a_video() -> None:
    inputs = ["clip-000012.png", "clip.mp4", "z/clip-12.png"]
    labels = label_inputs(inputs, lambda source, label: outputs_of(["f"], source, label))
    assert {source: label.name for source, label in labels.items()} == {
        "clip-000012.png": "clip-000012",
        "clip.mp4": "clip-2",
        "z/clip-12.png": "clip-12",
    }


def test_reserved_outputs_are_nobodys() -> None:
    labels = label_inputs(["all.mp4"], lambda source, label: [f"{label.name}.csv"], reserved=["ALL.csv", "all-2.csv"])
    assert labels["all.mp4"].name == "all-3"


def test_thousands_of_equal_names_take_no_time() -> None:
    names = names_of([f"{number}/frame.png" for number in range(5000)])
    assert len(set(names.values())) == 5000


def could_be_frame(output: str, frames: str) -> bool:
    """Whether a picture could be one of a video's frames."""
    head, tail = frames.split(FRAME)
    middle = output.removeprefix(head).removesuffix(tail)
    return output.startswith(head) and output.endswith(tail) and middle.isdigit() and len(middle) >= 6


@settings(max_examples=100, deadline=None)
@given(INPUTS, PATTERNS, st.randoms(use_true_random=False))
def test_no_two_inputs_share_an_output_and_their_order_does_not_matter(inputs, patterns, random) -> None:  # type: ignore[no-untyped-def]
    def of(source: str, label: Label) -> list[str]:
        return outputs_of(patterns, source, label)

    labels = label_inputs(inputs, of)
    outputs = [fold(output) for source in inputs for output in of(source, labels[source])]
    assert len(outputs) == len(set(outputs))
    frames = [output for output in outputs if FRAME in output]
    assert not any(could_be_frame(output, frame) for output in outputs for frame in frames if FRAME not in output)
    shuffled = list(inputs)
    random.shuffle(shuffled)
    assert label_inputs(shuffled, of) == labels


@settings(max_examples=100, deadline=None)
@given(INPUTS, INPUTS, PATTERNS, st.data())
def test_names_stay_whichever_inputs_are_missing_or_new(before, new, patterns, data) -> None:  # type: ignore[no-untyped-def]
    def of(source: str, label: Label) -> list[str]:
        return outputs_of(patterns, source, label)

    labels = label_inputs(before, of)
    present = [source for source in before if data.draw(st.booleans())] + [s for s in new if s not in before]
    missing = [output for source in before if source not in present for output in of(source, labels[source])]
    again = label_inputs(present, of, known=labels, reserved=missing)
    assert all(again[source] == labels[source] for source in present if source in labels)
    outputs = [fold(output) for source in present for output in of(source, again[source])]
    assert len(outputs) == len(set(outputs))
    assert not set(outputs) & set(map(fold, missing))


def test_the_working_folder_does_not_matter_for_files(tmp_path: Path) -> None:
    inputs = [os.path.join(tmp_path, name) for name in ("x/a.png", "y/a.png")]
    assert list(names_of(inputs).values()) == ["a", "a-2"]
