"""The page on action units says what the script measured, of what is shipped; and the scripts count rightly."""

import json
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facemood.facs import SHARES, UNITS
from facemood.labels import EXPRESSIONS
from facemood.stages.action_units.texture import PATCH
from scripts.teach_action_units import LOOKS, Faces, cover, fit, focus, mask_of, unit_targets
from tests.conftest import ROOT, load_script


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_script("measure_action_units")


def test_the_page_is_made_from_the_figures(script: ModuleType) -> None:
    known = json.loads((ROOT / "docs" / "action-units.json").read_text())
    page = (ROOT / "docs" / "action-units.md").read_text()
    assert page == script.page(known), "run: python scripts/measure_action_units.py --page"
    assert "{{" not in page


def test_the_page_explains_every_source_of_the_units(script: ModuleType) -> None:
    assert {work for unit in UNITS for work in unit.sources} == set(script.WORKS)


def test_the_figures_are_of_what_is_shipped(script: ModuleType) -> None:
    known = json.loads((ROOT / "docs" / "action-units.json").read_text())
    assert known["with"] == script.digests()
    assert known["split"] == "PrivateTest"


def test_what_was_asked_for_is_reached() -> None:
    known = json.loads((ROOT / "docs" / "action-units.json").read_text())
    assert len(known["wanted"]) == 8
    for line in known["wanted"]:
        assert line["shipped"]["area"] >= line["wanted"], line["name"]
        low, high = line["shipped"]["interval"]
        assert low <= line["shipped"]["area"] <= high


def test_no_unit_is_at_its_upper_end_in_many_faces(script: ModuleType) -> None:
    known = json.loads((ROOT / "docs" / "action-units.json").read_text())
    assert known["ends"].keys() == {unit.code for unit in UNITS}
    assert max(one["high"] for one in known["ends"].values()) < 0.02
    assert {code for code, one in known["ends"].items() if one["one_width"] > 0.02} == set(script.STRONGEST)
    for clip in known["clips"]:
        (plain, short, missing), (fewer, flickers, gaps) = clip["plain"], clip["smoothed"]
        assert fewer < plain
        assert flickers < short / 3
        assert gaps <= missing


def test_ends_and_periods_are_counted_rightly(script: ModuleType) -> None:
    values = np.full((200, len(UNITS)), 0.3)
    values[:10, 0], values[10:30, 0], values[30:, 1] = 0.96, 0.04, np.nan
    found = script.ends(values)
    assert (found["AU01"]["high"], found["AU01"]["low"], found["AU02"]["high"]) == (0.05, 0.1, 0.0)
    assert script.active_periods(np.array([0.6, 0.4, 0.5, 0.9, np.nan, 0.7])) == [(0, 1), (2, 4), (5, 6)]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=2, max_size=30))
def test_the_area_is_the_share_of_pairs_in_order(pairs: list[tuple[int, bool]]) -> None:
    script = load_script("measure_action_units")
    values, positive = np.array([value for value, _ in pairs], float), np.array([own for _, own in pairs])
    found = script.area(values, positive)
    if positive.all() or not positive.any():
        assert found is None
        return
    own, other = values[positive], values[~positive]
    share = ((own[:, None] > other).mean() + 0.5 * (own[:, None] == other).mean()).item()
    assert found == pytest.approx(share)
    assert script.area(np.append(values, np.nan), np.append(positive, True)) == pytest.approx(share)


def test_an_interval_holds_the_area(script: ModuleType) -> None:
    random = np.random.default_rng(4)
    positive = np.arange(300) < 60
    values = random.normal(positive * 1.0, 1)
    low, high = script.interval(values, positive)
    assert low < script.area(values, positive) < high
    assert high - low < 0.2


def test_a_model_sees_its_part_of_the_face_alone() -> None:
    assert set(LOOKS) == {unit.number for unit in UNITS if unit.way == "learned"}
    masks = {number: mask_of(*look) for number, look in LOOKS.items()}
    assert not (masks[4] & masks[15]).any()
    assert all(0 < mask.sum() < len(mask) / 2 for mask in masks.values())


def test_ridge_finds_what_tells_and_looks_nowhere_else() -> None:
    random = np.random.default_rng(1)
    features = random.normal(0, 1, (400, 6))
    target = (features[:, 2] + 0.1 * random.normal(0, 1, 400) > 1).astype(float)
    mask = np.array([False, True, True, True, False, False])
    weights = fit(features, target, mask, stiffness=1.0)
    assert weights[2] > 10 * max(abs(weights[1]), abs(weights[3]))
    assert (weights[~mask] == 0).all()


def test_targets_are_votes_times_how_many_show_a_unit() -> None:
    votes = np.zeros((2, 8), np.float32)
    votes[0, EXPRESSIONS.index("sad")] = 1
    votes[1, [EXPRESSIONS.index("angry"), EXPRESSIONS.index("sad")]] = 0.5
    nothing = np.zeros(2)
    faces = Faces(nothing, nothing, votes, nothing, nothing, nothing)  # type: ignore[arg-type]
    learned = [unit.number for unit in UNITS if unit.way == "learned"]
    found = unit_targets(faces)[:, learned.index(17)]
    assert found == pytest.approx([SHARES["sad"][17], (SHARES["sad"][17] + SHARES["angry"][17]) / 2])


@pytest.mark.parametrize(("part", "rows"), [("upper", slice(0, 34)), ("lower", slice(18, 60))])
def test_what_covers_a_face_lies_on_its_part(part: str, rows: slice) -> None:
    random = np.random.default_rng(0)
    patch = np.full((PATCH, PATCH), 120, np.uint8)
    other = random.integers(0, 256, (PATCH, PATCH)).astype(np.uint8)
    touched = np.zeros((PATCH, PATCH))
    for _ in range(60):
        touched += cover(patch, part, other, random) != patch
    inside = touched[rows].sum() / touched.sum()
    assert inside > 0.95
    assert touched.max() > 40


def test_a_blurred_patch_is_smoother_and_a_sharpened_one_rougher() -> None:
    patch = np.random.default_rng(0).integers(60, 200, (PATCH, PATCH)).astype(np.uint8)
    random = np.random.default_rng(1)
    spreads = np.array([focus(patch, random).std() for _ in range(30)]) / patch.std()
    assert spreads.min() < 0.8
    assert spreads.max() > 1.1
