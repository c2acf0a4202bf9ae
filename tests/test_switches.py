"""Options that are on or off take True and False alone, wherever users give them: a text such as "no" is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import facemood.archive
from facemood import Analysis, EmotionRecognizer, OptionError, Result
from facemood.render.curve_plots import plot_time_locked
from facemood.server.limits import ServerOptions
from facemood.switches import check_switches
from facemood.tracking.tracker import TrackOptions
from facemood.tracking.video_options import VideoOptions
from facemood.window import LiveOptions

BLANK = np.full((48, 64, 3), 128, np.uint8)

TABLE = Analysis((Result("a.jpg"),))


@pytest.mark.parametrize("value", ["no", "yes", "", 0, 1, 1.0, None, [], np.zeros(2, bool)], ids=repr)
def test_what_is_neither_on_nor_off_is_refused(value: object) -> None:
    with pytest.raises(OptionError, match=re.escape(f"over_cuts must be True or False, but is {value!r}")):
        check_switches(over_cuts=value)


def test_truth_values_of_numpy_are_as_good() -> None:
    check_switches(one=True, other=False, third=np.bool_(True))
    options = VideoOptions(same_people=np.bool_(True))  # type: ignore[arg-type]
    assert json.loads(json.dumps(options.info()))["same_people"] is True


@pytest.mark.parametrize("name", ["same_people", "progress", "allow_download", "keep_images"])
def test_a_stream_refuses_before_it_reads(recognizer: EmotionRecognizer, name: str) -> None:
    with pytest.raises(OptionError, match=rf"^{name} must be True or False, but is 'no'$"):
        recognizer.stream([BLANK], **{name: "no"})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["same_people", "progress", "allow_download"])
def test_an_analysis_refuses(recognizer: EmotionRecognizer, name: str) -> None:
    with pytest.raises(OptionError, match=rf"^{name} must be True or False, but is 'no'$"):
        recognizer.analyze([BLANK], **{name: "no"})  # type: ignore[arg-type]


CALLS: dict[str, Callable[..., object]] = {
    "valence": EmotionRecognizer,
    "over_cuts": TrackOptions,
    "mirror": LiveOptions,
    "record": LiveOptions,
    "access_log": ServerOptions,
    "summary": TABLE.codebook,
    "codebook": lambda **given: TABLE.to_csv("a.csv", **given),
    "retry": lambda **given: facemood.archive.run("photos", "out", **given),
    "pictures": lambda **given: facemood.archive.run("photos", "out", **given),
    "mixed": lambda **given: facemood.archive.collect("out", "all.parquet", **given),
    "same_axes": lambda **given: plot_time_locked(None, **given),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("name", CALLS)
def test_all_else_refuses(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OptionError, match=rf"^{name} must be True or False, but is 'no'$"):
        CALLS[name](**{name: "no"})
    assert list(tmp_path.iterdir()) == []


def test_an_image_at_an_address_is_not_fetched_by_a_text(recognizer: EmotionRecognizer) -> None:
    with pytest.raises(OptionError, match="allow_download must be True or False, but is 'no'"):
        recognizer.analyze_image(BLANK, allow_download="no")  # type: ignore[arg-type]
