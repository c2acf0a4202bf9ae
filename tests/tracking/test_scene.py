import dataclasses

import pytest

from facemood.tracking import PATIENCE, SMOOTH, SmoothOptions, TrackOptions, VideoOptions


def test_defaults_are_those_of_the_parts() -> None:
    options = VideoOptions()
    assert (options.smooth, options.patience) == (SMOOTH, PATIENCE)
    assert (SmoothOptions().seconds, TrackOptions().patience) == (SMOOTH, PATIENCE)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"patience": -1}, "patience must be a number of seconds, 0 or more, but is -1"),
        ({"patience": float("nan")}, "patience must be a number of seconds, 0 or more, but is nan"),
        ({"patience": float("inf")}, "patience must be a number of seconds, 0 or more, but is inf"),
    ],
)
def test_options_out_of_range_are_rejected(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        VideoOptions(**wrong)  # type: ignore[arg-type]


def test_the_info_has_every_option() -> None:
    options = VideoOptions(every=5, smooth=0.2, baseline=(0, 10), patience=3.5)
    assert options.info() == {**dataclasses.asdict(options), "baseline": [0, 10], "variants": ["raw", "change"]}
