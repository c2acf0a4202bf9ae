from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from facemood.datasets import ferplus
from facemood.errors import DatasetError, OutputError
from facemood.train import list_recipes, load_recipe
from facemood.train.data.divide import open_data, training_pool
from facemood.train.data.soft_labels import (
    SoftLabels,
    find_soft_labels,
    pixel_keys,
    read_soft_labels,
    teachers_of,
    to_planes,
    write_soft_labels,
)
from tests.conftest import ROOT

SHIPPED = sorted(f"soft_labels/{file.name}" for file in (ROOT / "soft_labels").glob("*.npz"))
IMAGES = np.random.default_rng(0).integers(0, 256, (5, 8, 8), np.uint8)


def test_every_recipes_soft_labels_are_in_the_source_tree_from_wherever_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    named = {labels for name in list_recipes() if (labels := load_recipe(name).distill.labels)}
    assert named == {"soft_labels/fer2013.npz", "soft_labels/fer2013-ensemble.npz"} == set(SHIPPED)
    for name in named:
        assert find_soft_labels(name) == ROOT / name


def test_the_working_directory_comes_before_the_source_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("soft_labels").mkdir()
    write_soft_labels(tmp_path / SHIPPED[0], made())
    assert len(read_soft_labels(SHIPPED[0]).keys) == len(IMAGES)
    assert find_soft_labels(str(tmp_path / SHIPPED[0])) == tmp_path / SHIPPED[0]


def made() -> SoftLabels:
    logits = np.random.default_rng(1).normal(0, 3, (5, 7)).astype(np.float32)
    return SoftLabels(np.sort(pixel_keys(IMAGES)), {"fer2013": logits}, {"heads": {"fer2013": list("abcdefg")}})


def test_a_file_comes_back_to_the_nearest_step(tmp_path: Path) -> None:
    soft = made()
    write_soft_labels(tmp_path / "soft.npz", soft)
    again = read_soft_labels(str(tmp_path / "soft.npz"))
    np.testing.assert_array_equal(again.keys, soft.keys)
    np.testing.assert_allclose(again.logits["fer2013"], soft.logits["fer2013"], atol=1 / 128)
    assert again.about == soft.about


@pytest.mark.parametrize(
    ("about", "told", "count"),
    [
        ({}, {"recipe": "unknown", "count": 1, "dataset": "unknown"}, 1),
        ({"teachers": 4}, {"recipe": "unknown", "count": 1, "dataset": "unknown"}, 1),
        (
            {"dataset": "mine", "teachers": {"count": 4, "recipe": {"name": "teacher"}}, "out_of_fold_accuracy": {}},
            {"recipe": "teacher", "count": 4, "dataset": "mine", "cross-fitted": True},
            1,
        ),
        (
            {"dataset": "mine", "teachers": {"count": 2, "recipe": {"name": "x"}, "weights": {"sha256": "1"}}},
            {"recipe": "x", "count": 2, "dataset": "mine", "weights": {"sha256": "1"}},
            2,
        ),
    ],
)
def test_soft_labels_say_who_the_teachers_were(about: dict[str, Any], told: dict[str, Any], count: int) -> None:
    assert teachers_of(about) == [told]
    assert SoftLabels(made().keys, {}, about).teachers_of_an_image == count
    both = {**about, "added": {"teachers": {"count": 3}}}
    assert teachers_of(both) == [told, {"recipe": "unknown", "count": 3, "dataset": "unknown"}]
    assert SoftLabels(made().keys, {}, both).teachers_of_an_image == count + 3


@pytest.mark.dataset
@pytest.mark.parametrize("name", SHIPPED)
def test_the_source_trees_soft_labels_know_every_training_image_and_are_as_right_as_they_say(
    name: str, shared_data: Path
) -> None:
    recipe, soft = load_recipe("default"), read_soft_labels(name)
    pool = training_pool(recipe, open_data(recipe, shared_data / "fer2013"))
    rows = soft.find(pool.pixels)
    assert pool.votes is not None
    assert len(pool) == soft.about["images"]
    assert (rows >= 0).all()
    told = soft.about.get("out_of_fold_accuracy") or soft.about["in_sample_accuracy"]
    for head, truth in (("fer2013", pool.labels), ("ferplus", ferplus.majority(pool.votes))):
        known = truth >= 0
        right = soft.logits[head][rows].argmax(axis=1)[known] == truth[known]
        assert told[head]["n"] == known.sum()
        assert right.mean() == pytest.approx(told[head]["accuracy"], abs=1e-3)  # logits are kept in steps


@given(arrays.arrays(np.uint8, (4, 3, 3)))
def test_images_are_found_by_their_pixels_in_any_order(images: np.ndarray) -> None:
    soft = SoftLabels(np.unique(pixel_keys(images)), {}, {})
    rows = soft.find(images[::-1])
    np.testing.assert_array_equal(soft.keys[rows], pixel_keys(images[::-1]))
    changed = images ^ np.uint8(1)
    unknown = ~(changed[:, None] == images[None]).all(axis=(2, 3)).any(axis=1)
    assert (soft.find(changed)[unknown] == -1).all()


@given(st.floats(0.5, 5))
def test_a_higher_temperature_is_softer_and_sums_to_one(temperature: float) -> None:
    rows = np.arange(5)
    shares = made().distribution("fer2013", rows, temperature=temperature)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)
    softer = made().distribution("fer2013", rows, temperature=temperature * 1.5)
    assert (softer.max(axis=1) < shares.max(axis=1) + 1e-6).all()


def changed(file: Path, **arrays: Any) -> str:
    """Write a file of soft labels with other arrays; None leaves one out."""
    write_soft_labels(file, made())
    with np.load(file) as whole:
        kept = {**dict(whole), **arrays}
    np.savez(file, **{name: array for name, array in kept.items() if array is not None})
    return str(file)


FALLING = to_planes(np.array([5, -1, 3, 3, 3], np.int64).astype(np.uint64))

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no keys": ({"keys": None}, "the array 'keys' is missing"),
    "no table": ({"about": None}, "the array 'about' is missing"),
    "no logits": ({"logits_fer2013": None}, "the array 'logits_fer2013' is missing"),
    "keys of another type": ({"keys": np.zeros((8, 5))}, "the array 'keys' must be"),
    "keys of another shape": ({"keys": np.zeros((7, 5), np.uint8)}, "the array 'keys' must be"),
    "keys that fall": ({"keys": FALLING}, "the array 'keys' must rise"),
    "one key many times": ({"keys": np.zeros((8, 5), np.uint8)}, "the array 'keys' must rise"),
    "empty keys": ({"keys": np.zeros((8, 0), np.uint8)}, "the array 'keys' must rise"),
    "keys that are objects": ({"keys": np.array([None] * 8, object)}, "the array 'keys' is damaged .holds Python"),
    "logits of another type": ({"logits_fer2013": np.full((2, 7, 5), np.nan)}, "'logits_fer2013' must be"),
    "logits of too few classes": ({"logits_fer2013": np.zeros((2, 6, 5), np.uint8)}, "'logits_fer2013' must be"),
    "logits of too few images": ({"logits_fer2013": np.zeros((2, 7, 4), np.uint8)}, "'logits_fer2013' must be"),
    "a number for a table": ({"about": np.array(3)}, "the array 'about' must be"),
    "many texts": ({"about": np.array(["{}", "{}"])}, "the array 'about' must be"),
    "no JSON": ({"about": np.array("{")}, "about: it is no JSON"),
    "nested JSON": ({"about": np.array("[" * 100_000)}, "about: its tables and lists are nested too deep"),
    "a list": ({"about": np.array("[]")}, "about.heads must be a table"),
    "no heads": ({"about": np.array('{"heads": {}}')}, "about.heads must be a table"),
    "heads in a list": ({"about": np.array('{"heads": ["a"]}')}, "about.heads must be a table"),
    "labels as text": ({"about": np.array('{"heads": {"fer2013": "abcdefg"}}')}, "about.heads.fer2013 must be a list"),
    "numbers as labels": ({"about": np.array('{"heads": {"fer2013": [1]}}')}, "about.heads.fer2013 must be a list"),
    "another head": ({"about": np.array('{"heads": {"x": ["a"]}}')}, "the array 'logits_x' is missing"),
}
"""What is wrong with a file of soft labels -> its arrays, and what the error says."""


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_array_is_named(case: str, tmp_path: Path) -> None:
    arrays, message = WRONG[case]
    with pytest.raises(DatasetError, match=rf"soft\.npz: is not a file of soft labels, or is damaged: .*{message}"):
        read_soft_labels(changed(tmp_path / "soft.npz", **arrays))


def test_a_file_that_is_cut_or_changed_anywhere_is_said_or_the_same(tmp_path: Path) -> None:
    file = tmp_path / "soft.npz"
    write_soft_labels(file, made())
    whole, good, said = file.read_bytes(), read_soft_labels(str(file)), 0
    for place in range(len(whole)):
        changed = whole[:place] + bytes([whole[place] ^ 8]) + whole[place + 1 :]
        for data in (whole[:place], changed):
            file.write_bytes(data)
            try:
                found = read_soft_labels(str(file))
            except DatasetError as error:
                assert str(error).startswith(f"{file}: is not a file of soft labels, or is damaged: ")
                said += 1
            else:  # a byte that nobody reads, such as a date
                np.testing.assert_array_equal(found.logits["fer2013"], good.logits["fer2013"])
    assert said > 1.5 * len(whole)


def test_missing_damaged_and_unwritable_files_are_reported(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"^nowhere\.npz: there is no such file.*facemood soft-labels"):
        read_soft_labels("nowhere.npz")
    (tmp_path / "bad.npz").write_bytes(b"no zip")
    with pytest.raises(DatasetError, match="is not a file of soft labels, or is damaged"):
        read_soft_labels(str(tmp_path / "bad.npz"))
    with pytest.raises(OutputError):
        write_soft_labels(tmp_path / "bad.npz" / "soft.npz", made())
