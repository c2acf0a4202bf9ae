"""Videos that look alike: profiles of rows, distances, groups, and the page, on made rows and on an archive."""

from __future__ import annotations

from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facemood import OptionError, SourceError
from facemood.archive.alike import BINS, AlikeVideos, VideoProfile, features_of, find_alike, group, profiles_of
from facemood.archive.alike_page import alike_page, described
from facemood.tracking import VideoOptions
from tests.archive.one_process import run_here
from tests.cli.conftest import command_in
from tests.study_videos import Shot, write_video

arrow = pytest.importorskip("pyarrow", reason="needs the extra data")
pytest.importorskip("sklearn", reason="needs the extra study")

LABELS = ("happy", "sad", "neutral")


def table_of(rows: Sequence[tuple[str, float | None, Sequence[float] | None]]) -> Any:
    """Rows of an archive: source, time, and the probabilities of the labels or None without a face."""
    columns: dict[str, Any] = {
        "source": [source for source, _, _ in rows],
        "timestamp": arrow.array([time for _, time, _ in rows], arrow.float64()),
    }
    for place, label in enumerate(LABELS):
        values = [None if shares is None else shares[place] for _, _, shares in rows]
        columns[label] = arrow.array(values, arrow.float64())
    return arrow.table(columns)


def ramp(source: str, *, frames: int = 50, start: int = 0) -> list[tuple[str, float | None, Sequence[float] | None]]:
    """A video that goes from sad to happy, in ten seconds."""
    steps = [place / (frames - 1) for place in range(start, frames)]
    return [(source, 10 * step, (step, 1 - step, 0.0)) for step in steps]


def made_profile(name: str, label: str, noise: float = 0.0) -> VideoProfile:
    shares = np.eye(3)[LABELS.index(label)] * (1 - noise) + noise / 3
    return VideoProfile(name, 4.0, 10, LABELS, np.tile(shares, (BINS, 1)), shares)


def alike(profiles: Sequence[VideoProfile], groups: int | None = None) -> AlikeVideos:
    return AlikeVideos(tuple(profiles), group(profiles, groups), 0)


def test_a_profile_has_the_curve_and_the_shares() -> None:
    (profile,) = profiles_of([table_of(ramp("a.mp4", frames=1000))], LABELS)
    assert (profile.source, profile.seconds, profile.faces) == ("a.mp4", 10.0, 1000)
    middles = (np.arange(BINS) + 0.5) / BINS
    np.testing.assert_allclose(profile.curve[:, 0], middles, atol=0.01)
    np.testing.assert_allclose(profile.curve.sum(axis=1), 1)
    assert profile.shares.tolist() == [0.5, 0.5, 0.0]


def test_rows_may_come_in_any_pieces_and_photos_are_skipped() -> None:
    rows = [*ramp("a.mp4"), ("b.jpg", None, (1.0, 0.0, 0.0)), *ramp("c.mp4", frames=30), ("d.mp4", 0.0, None)]
    whole = list(profiles_of([table_of(rows)], LABELS))
    for size in (1, 7, 33):
        pieces = [table_of(rows[first : first + size]) for first in range(0, len(rows), size)]
        found = list(profiles_of(pieces, LABELS))
        assert [one.source for one in found] == [one.source for one in whole] == ["a.mp4", "c.mp4", "d.mp4"]
        for one, other in zip(found, whole, strict=True):
            np.testing.assert_allclose(one.curve, other.curve)
    assert whole[-1].faces == 0


def test_a_part_without_a_face_is_filled_in_between_its_neighbours() -> None:
    rows = [row if not 40 <= place < 60 else (*row[:2], None) for place, row in enumerate(ramp("a.mp4", frames=100))]
    (profile,) = profiles_of([table_of(rows)], LABELS)
    assert profile.faces == 80
    np.testing.assert_allclose(profile.curve[:, 0], (np.arange(BINS) + 0.5) / BINS, atol=0.02)


def test_distances_are_those_of_curves_and_shares() -> None:
    one, other = made_profile("a.mp4", "happy"), made_profile("b.mp4", "sad")
    rows = features_of([one, other])
    curves, shares = np.square(one.curve - other.curve).sum(axis=1).mean(), np.square(one.shares - other.shares).sum()
    assert np.linalg.norm(rows[0] - rows[1]) == pytest.approx(np.sqrt(curves + shares)) == pytest.approx(2.0)


def test_videos_are_grouped_by_what_they_show_the_largest_group_first() -> None:
    profiles = [made_profile(f"{number}.mp4", label, number / 100) for number, label in
                enumerate(["sad", "happy", "happy", "sad", "happy", "neutral", "neutral"])]  # fmt: skip
    assert alike(profiles).groups.tolist() == [2, 1, 1, 2, 1, 3, 3]
    assert alike(profiles, 1).groups.tolist() == [1] * 7
    assert sorted(alike(profiles, 7).groups.tolist()) == list(range(1, 8))
    assert set(alike(profiles, 2).groups.tolist()) == {1, 2}


def test_without_a_clear_structure_there_is_one_group() -> None:
    random = np.random.default_rng(3)
    profiles = []
    for number in range(40):
        curve = random.dirichlet(np.full(3, 3.0), BINS)
        profiles.append(VideoProfile(f"{number}.mp4", 4.0, 10, LABELS, curve, random.dirichlet(np.full(3, 30.0))))
    assert set(alike(profiles).groups.tolist()) == {1}
    assert alike(profiles[:2]).groups.tolist() == [1, 1]
    assert alike(profiles[:1]).nearest("0.mp4") == []
    with pytest.raises(OptionError, match="2 videos cannot be put into 3 groups"):
        alike(profiles[:2], 3)


def test_the_nearest_are_found_by_path_or_file_name() -> None:
    names = ("x/a.mp4", "x/b.mp4", "y/b.mp4", "y/c.mp4")
    profiles = [made_profile(name, "happy", place / 10) for place, name in enumerate(names)]
    videos = alike(profiles)
    assert [one.source for one, _ in videos.nearest("a.mp4")] == ["x/b.mp4", "y/b.mp4", "y/c.mp4"]
    assert [one.source for one, _ in videos.nearest("y/b.mp4", count=1)] in (["x/b.mp4"], ["y/c.mp4"])
    for name, told in (("b.mp4", "2 videos are called"), ("a.mp", "Did you mean 'a.mp4'?")):
        with pytest.raises(OptionError) as error:
            videos.nearest(name)
        assert told in str(error.value)


class _Links(HTMLParser):
    """The ids and the links of a page, and the descriptions of its pictures."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids, self.links, self.pictures = set[str](), set[str](), list[str]()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        known = dict(attributes)
        self.ids.add(known.get("id") or "")
        if tag == "a":
            self.links.add((known["href"] or "").removeprefix("#"))
        if tag == "svg":
            self.pictures.append(known["aria-label"] or "")


def test_the_page_shows_each_video_and_links_those_alike() -> None:
    shown = {"<a>.mp4": "sad", "<b>.mp4": "sad", "<c>.mp4": "happy", "<d>.mp4": "happy"}
    profiles = [made_profile(name, label) for name, label in shown.items()]
    text = alike_page(alike(profiles), name="out/")
    page = _Links(text)
    assert page.links <= page.ids
    assert page.pictures == [f"{name}: mostly {label} 100%" for name, label in shown.items()]
    assert "4 videos in 2 groups." in text
    assert "<a>" not in text
    assert described(profiles) == "happy 50% and sad 50%"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the archive of four videos: two of one person, two of another."""
    folder = tmp_path_factory.mktemp("alike")
    for number, who in enumerate(["astronaut", "hopper", "astronaut", "hopper"]):
        write_video(folder / f"{number}.mp4", [Shot(1, [(who, 240)])], light=1 - number / 20, seed=number)
    write_video(folder / "empty.mp4", [Shot(0.5)])
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run_here([f"{name}.mp4" for name in ("0", "1", "2", "3", "empty")], "out", video=VideoOptions(every=3))
        run_here(["empty.mp4"], "nobody", video=VideoOptions(every=3))
    return folder


def test_an_archive_is_grouped_and_searched(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(made)
    videos = find_alike("out")
    assert [profile.source for profile in videos.profiles] == ["0.mp4", "1.mp4", "2.mp4", "3.mp4"]
    assert videos.groups.tolist() == [1, 2, 1, 2]
    assert videos.left_out == 1
    done = command_in(made)("archive", "alike", "out", "-o", "alike.html", "--groups", 2)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("group 1: 2 videos, happy")
    assert "1 video without a face left out" in (made / "alike.html").read_text()
    done = command_in(made)("archive", "alike", "out", "--like", "0.mp4")
    assert done.stdout.splitlines()[0].endswith("  2.mp4")
    assert len(done.stdout.splitlines()) == 3
    with pytest.raises(SourceError, match="no video in this archive shows a face"):
        find_alike("nobody")
