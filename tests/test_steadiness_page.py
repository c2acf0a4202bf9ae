"""The page on labels over time says what the script measured, and shares hardly depend on the frames that are read."""

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest

from facemood.sources import read_video
from tests.conftest import ROOT, load_script


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return load_script("measure_steadiness")


@pytest.fixture(scope="module")
def known() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "docs" / "steadiness.json").read_text())
    return found


def test_the_page_is_made_from_the_figures(script: ModuleType, known: dict[str, Any]) -> None:
    page = (ROOT / "docs" / "steadiness.md").read_text()
    assert page == script.page(known), "run: python scripts/measure_steadiness.py --page"
    assert "{{" not in page


def test_the_shares_at_all_rates_lie_within_3_points(known: dict[str, Any]) -> None:
    rates = [list(found["shares"].values()) for found in known["made"].values()]
    assert len(rates) == 4
    assert np.ptp(rates, axis=0).max() <= 0.03


def test_the_display_label_is_the_steadiest(known: dict[str, Any]) -> None:
    flips = known["flips a minute"]
    assert flips["displayed"] < flips["smoothed"] <= flips["single frames"]


def test_the_display_label_flips_less_than_the_usual_rule_of_the_same_delay(known: dict[str, Any]) -> None:
    for found in known["rules"].values():
        own, usual = found["display label"], found["dwell of 0.15 s"]
        assert own["per minute"] <= 0.6 * usual["per minute"]
        assert own["delay"] <= usual["delay"] + 0.04
    assert (round(known["flips a minute"]["displayed"] * known["seconds"] / 60), known["changes"]) == (5, 4)
    worn = known["rules"]["with the worn copies"]
    assert worn["display label"]["per minute"] <= 0.65 * worn["dwell of 0.2 s"]["per minute"]
    assert worn["display label"]["delay"] <= worn["dwell of 0.2 s"]["delay"]


def test_the_usual_rule_shows_a_label_after_its_dwell(script: ModuleType) -> None:
    rows = np.full((90, 8), 0.02, np.float32)
    rows[:45, 3], rows[45:, 4] = 0.86, 0.86
    clip = script.Predictions(np.arange(90) / 30, rows, tuple("abcdefgh"))
    track = script.track_of(clip)
    delays = [script.delays_of(clip, script.dwell_labels(track, rows, dwell)) for dwell in (0.15, 0.5)]
    assert [len(found) for found in delays] == [1, 1]
    assert 0.3 < delays[1][0] - delays[0][0] < 0.4
    flicker = rows.copy()
    flicker[45:] = flicker[0]
    flicker[20] = rows[50]  # one frame
    clip = script.Predictions(clip.times, flicker, clip.labels)
    assert set(script.dwell_labels(script.track_of(clip), flicker, 0.15).tolist()) == {3}


def test_worn_copies_keep_frames_and_size(script: ModuleType, tmp_path: Path) -> None:
    made, image = tmp_path / "made.avi", np.full((48, 64, 3), 100, np.uint8)
    writer = cv2.VideoWriter(str(made), cv2.VideoWriter.fourcc(*"MJPG"), 25, (64, 48))
    for _ in range(3):
        writer.write(image)
    writer.release()
    means = {}
    for name in script.WORN:
        script.write_worn(made, tmp_path / f"{name}.avi", name)
        frames = [frame.image for frame in read_video(tmp_path / f"{name}.avi")]
        assert [frame.shape for frame in frames] == [image.shape] * 3
        means[name] = float(np.mean(frames))
    assert means["dark"] == pytest.approx(15, abs=5)
    assert means["bright"] == pytest.approx(200, abs=6)


def test_delays_count_lasting_changes_to_another_label(script: ModuleType) -> None:
    rows = np.full((90, 8), 0.02, np.float32)
    rows[:45, 3], rows[45:, 4] = 0.86, 0.86
    clip = script.Predictions(np.arange(90) / 30, rows, tuple("abcdefgh"))
    (delay,) = script.delays_of(clip, script.track_of(clip).display_labels)
    assert 0.1 < delay < 0.35
    assert script.thin(clip, 0.5).times.tolist() == pytest.approx([0, 0.5, 1, 1.5, 2, 2.5])
