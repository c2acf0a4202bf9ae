"""The results of a small run: photos, a photo without a face and a video, read once, and copied for each test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from facemood.review import LabelStore, open_review
from tests.forking import run_command
from tests.moving_faces import read_photo
from tests.study_videos import Shot, write_video


def analyze(folder: Path, *options: str) -> None:
    """Read the folder ``in`` within a folder, by names that start there, in a process of its own."""
    words = ["analyze", "in", "--every", "0.2s", "-q", *options]
    done = run_command(words, folder, os.environ, timeout=300)
    assert done.returncode == 0, done.stderr


def make_inputs(folder: Path) -> None:
    """Two photos of faces, one without, and a video of two people, 2 seconds long."""
    folder.mkdir()
    cv2.imwrite(str(folder / "a.png"), read_photo("astronaut.png")[:300, 90:390])
    cv2.imwrite(str(folder / "b.png"), read_photo("grace_hopper.jpg")[60:420, 80:440])
    cv2.imwrite(str(folder / "nobody.png"), np.full((120, 160, 3), 90, np.uint8))
    write_video(folder / "talk.mp4", [Shot(2, [("astronaut", 120), ("hopper", 360)])])


@pytest.fixture(scope="session")
def read_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``in/``, and in ``out/`` the tables that were made of it."""
    folder = tmp_path_factory.mktemp("review")
    make_inputs(folder / "in")
    analyze(folder, "-o", "out/rows.csv")
    return folder


@pytest.fixture
def run(read_once: Path, tmp_path: Path) -> Path:
    """A copy of the results; photos and video are where they were."""
    shutil.copytree(read_once / "out", tmp_path / "out")
    return tmp_path / "out"


Label = Callable[[LabelStore, str, Callable[[int], str]], None]


def label_all(store: LabelStore, rater: str, choose: Callable[[int], str]) -> None:
    """Let a rater label all moments by their place in the sample."""
    for place, moment in enumerate(store.sample.moments):
        store.put(rater, moment, choose(place))


@pytest.fixture
def store(run: Path) -> LabelStore:
    """A review of 12 moments."""
    return open_review(run, count=12)
