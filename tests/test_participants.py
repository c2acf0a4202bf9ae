"""Which inputs a plan means, and when its segments contradict each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from facemood.errors import OptionError
from facemood.participants import Participants, Segment


def plan(*segments: Segment, folder: str = ".") -> Participants:
    return Participants(segments, name="plan.csv", folder=folder)


@pytest.mark.parametrize(
    ("pattern", "source", "fits"),
    [
        ("p01.mp4", "videos/p01.mp4", True),
        ("p01*", "videos/p01_a.mp4", True),
        ("Zo\u0308*.mp4", "videos/Z\u00f6.mp4", True),
        ("videos/Z\u00f6.mp4", "videos/Zo\u0308.mp4", True),
        ("p0[12].mp4", "videos/p02.mp4", True),
        ("p[1].mp4", "p[1].mp4", True),
        ("videos/p01.mp4", "videos/p01.mp4", True),
        ("./videos/../videos/p01.mp4", "videos/p01.mp4", True),
        ("*/p01.mp4", "videos/p01.mp4", True),
        ("p01.mp4", "videos/p011.mp4", False),
        ("other/p01.mp4", "videos/p01.mp4", False),
        ("P01.mp4", "videos/p01.mp4", False),
    ],
)
def test_a_path_means_a_file_by_name_by_path_or_by_pattern(pattern: str, source: str, fits: bool) -> None:
    assert bool(plan(Segment(pattern, "p01")).of(source)) == fits


def test_paths_are_relative_to_the_plan_or_to_the_working_directory(tmp_path: Path) -> None:
    one = plan(Segment("videos/a.mp4", "p01"), folder=str(tmp_path))
    assert one.of(str(tmp_path / "videos" / "a.mp4"))
    assert one.of("videos/a.mp4")
    assert not one.of(str(tmp_path / "a.mp4"))


def test_a_segment_begins_at_its_start_and_ends_before_its_end() -> None:
    one = Segment("a.mp4", "p01", start=2.0, end=4.0)
    assert [one.covers(time) for time in (1.99, 2.0, 3.99, 4.0, None)] == [False, True, True, False, True]


def test_values_have_the_time_since_the_start_and_empty_cells() -> None:
    one = Segment("a.mp4", "p01", condition="", start=2.0, further={"age": 31.0})
    assert one.values(2.1) == {
        "participant": "p01", "condition": None, "session": None, "segment": "1", "segment_time": 0.1, "age": 31.0,
    }  # fmt: skip
    assert one.values(None)["segment_time"] is None


def test_inputs_that_are_not_in_the_plan_are_returned() -> None:
    assert plan(Segment("a.mp4", "p01")).check(["a.mp4", "b.mp4"]) == ["b.mp4"]


def test_a_line_that_fits_no_input_is_refused() -> None:
    with pytest.raises(OptionError, match=r"plan\.csv, line 3: no input fits the path 'b\.mp4'.*Did you mean 'c\.mp4'"):
        plan(Segment("a.mp4", "p01", line=2), Segment("b.mp4", "p02", line=3)).check(["a.mp4", "c.mp4"])


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        ({}, {"participant": "p02"}, "lines 2 and 3: in a.mp4, from 0:00.00, the largest face is in two segments at"),
        ({"end": 5.0}, {"start": 4.0}, "from 0:04.00, the largest face is in two segments at once .p01 and p01."),
        ({"person": "left"}, {"person": "left", "participant": "p02"}, "the person on the left is in two segments"),
        ({"person": "3"}, {"person": "3", "participant": "p02"}, "the track 3 is in two segments"),
        ({"person": "left"}, {"person": "right"}, "p01 is two persons at once .left and right."),
        ({"person": "left"}, {"participant": "p02"}, "the largest face may also be the one on the left"),
    ],
)
def test_segments_that_contradict_each_other_are_refused(
    one: dict[str, str], other: dict[str, str], message: str
) -> None:
    first = Segment(**{"path": "a.mp4", "participant": "p01", "line": 2, **one})  # type: ignore[arg-type]
    second = Segment(**{"path": "a.*", "participant": "p01", "line": 3, **other})  # type: ignore[arg-type]
    with pytest.raises(OptionError, match=message):
        plan(first, second).check(["a.mp4"])


def test_segments_that_follow_each_other_or_are_of_two_people_are_allowed() -> None:
    segments = [
        Segment("a.mp4", "p01", "left", end=5.0),
        Segment("a.mp4", "p01", "left", "loud", start=5.0),
        Segment("a.mp4", "p02", "right"),
        Segment("b.mp4", "p01", "left"),
    ]
    assert plan(*segments).check(["a.mp4", "b.mp4"]) == []


def test_a_part_of_the_inputs_has_a_part_of_the_plan() -> None:
    whole = plan(Segment("a.mp4", "p01"), Segment("*.mp4", "p01", start=5.0), Segment("b.mp4", "p02", "2"))
    part = whole.only(["b.mp4"])
    assert [one.path for one in part.segments] == ["*.mp4", "b.mp4"]
    assert part.check(["b.mp4"]) == []
