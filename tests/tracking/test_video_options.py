import dataclasses

import numpy as np
import pytest

from facemood.tracking import PATIENCE, SMOOTH, SmoothOptions, TrackOptions, VideoOptions


def test_defaults_are_those_of_the_parts() -> None:
    options = VideoOptions()
    assert (options.smooth, options.patience) == (SMOOTH, PATIENCE)
    assert (SmoothOptions().seconds, TrackOptions().patience) == (SMOOTH, PATIENCE)


def test_a_period_may_be_an_array() -> None:
    assert VideoOptions(baseline=np.array([0.0, 10.0])).baseline is not None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"patience": -1}, "patience must be a number of seconds, 0 or more, but is -1"),
        ({"patience": float("nan")}, "patience must be a number of seconds, 0 or more, but is nan"),
        ({"every": "often"}, "every must be a number of frames or seconds above 0, or 'auto', but is 'often'"),
        ({"every": 0}, "every must be a number of frames or seconds above 0, or 'auto', but is 0"),
        ({"every": True}, "every must be a number of frames or seconds above 0, or 'auto', but is True"),
        ({"people": 0}, "people must be a number of people from 1 on, or 'auto', but is 0"),
        ({"people": "many"}, "people must be a number of people from 1 on, or 'auto', but is 'many'"),
        ({"people": True}, "people must be a number of people from 1 on, or 'auto', but is True"),
        ({"people": 2.0}, "people must be a number of people from 1 on, or 'auto', but is 2.0"),
        ({"people": 2, "segment": 600}, "people are joined over a whole video; read it without segments"),
        ({"baseline": "0-10"}, r"baseline must be its start and end in seconds, such as \(0, 10\), but is '0-10'"),
        ({"baseline": (5,)}, r"baseline must be its start and end in seconds, such as \(0, 10\), but is \(5,\)"),
        ({"baseline": (5, 1)}, "baseline must start at 0 seconds or later and end after its start, but runs from 5 to"),
        ({"patience": float("inf")}, "patience must be a number of seconds, 0 or more, but is inf"),
    ],
)
def test_options_out_of_range_are_rejected(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        VideoOptions(**wrong)  # type: ignore[arg-type]


def test_the_info_has_every_option() -> None:
    options = VideoOptions(every=5, smooth=0.2, baseline=(0, 10), patience=3.5)
    optional = {"segment", "people", "same_people"}
    known = {name: value for name, value in dataclasses.asdict(options).items() if name not in optional}
    assert options.info() == {**known, "baseline": [0, 10], "variants": ["raw", "change"]}
    options = VideoOptions(every="auto", segment=600)
    known = {name: value for name, value in dataclasses.asdict(options).items() if name not in optional - {"segment"}}
    assert options.info() == {**known, "variants": ["raw", "repeated"]}
    assert VideoOptions(people=2).info()["people"] == 2
    info = VideoOptions(same_people=True).info()
    assert (info["people"], info["same_people"]) == ("auto", True)


def test_people_across_videos_are_people() -> None:
    assert VideoOptions(same_people=True).people == "auto"
    assert VideoOptions(same_people=True).passes == 2
    assert VideoOptions(people=3, same_people=True).people == 3
    assert VideoOptions(same_people=False).people is None
    with pytest.raises(ValueError, match="people are joined over a whole video; read it without segments"):
        VideoOptions(same_people=True, segment=600)


def test_auto_decodes_all_frames_and_marks_those_that_are_not_read() -> None:
    options = VideoOptions(every="auto", baseline=(0, 10))
    assert options.step is None
    assert options.variants == ("raw", "change", "repeated")
    assert VideoOptions(every="auto").variants == ("raw", "repeated")
    assert VideoOptions(every=5).variants == ("raw",)
    assert (VideoOptions(every=5).step, VideoOptions(every=0.2).step, VideoOptions().step) == (5, 0.2, None)
