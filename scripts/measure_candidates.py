"""Choose the score of a candidate by what is found, and how many crops are looked at. Writes docs/candidates.json.

    python scripts/measure_candidates.py DATA

DATA holds ``photos/``, ``scenes/``, ``news_faces/`` and ``fer2013/``. Then ``measure_detection.py --page`` puts the
figures into docs/detection.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from facemood.datasets import open_dataset  # noqa: E402
from facemood.schema import Face, Image  # noqa: E402
from facemood.sources import load_image  # noqa: E402
from facemood.stages.detect import FinderDetector, select_faces  # noqa: E402
from facemood.stages.detect.cells import Candidates  # noqa: E402
from facemood.stages.detect.finder import CANDIDATE  # noqa: E402
from scripts import detection_metrics  # noqa: E402

FIGURES = ROOT / "docs" / "candidates.json"

SCORES = (0.35, CANDIDATE, 0.6, 0.7, 0.8, 0.9)
"""Scores that are tried."""

TEST_SCENES = "0800.jpg"
"""First scene that was held out from training, by file name."""

EACH_TILE = 4
"""Every so many tiles of PublicTest are searched."""


class CountingFinder(FinderDetector):
    """The finder as users get it, with another score of a candidate; it counts the crops of the landmark network."""

    def __init__(self, score: float) -> None:
        super().__init__(threads=1)
        self.score, self.crops = score, 0
        self._predict_crops = self.landmark_model.predict_crops
        vars(self.landmark_model)["predict_crops"] = self._count

    def __call__(self, image: Image) -> list[Face]:
        """Find faces in an (H, W, 3) uint8 BGR image."""
        return select_faces(super().__call__(image), self.options)

    def search(self, grey: NDArray[np.uint8], *, threshold: float = CANDIDATE) -> Candidates:
        """Return the candidates in an (H, W) uint8 image."""
        return super().search(grey, threshold=self.score)

    def _count(self, crops: Sequence[NDArray[np.uint8]]) -> Any:
        """Predict landmarks, and count the crops."""
        self.crops += len(crops)
        return self._predict_crops(crops)


def main() -> None:
    """Measure, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    cv2.setNumThreads(1)
    photos = detection_metrics.read_photos(data / "photos")
    scenes = [file for file in sorted((data / "scenes").glob("*.jpg")) if file.name >= TEST_SCENES]
    tiles = np.asarray(open_dataset(data / "fer2013").split("PublicTest").images[::EACH_TILE])
    news = [load_image(file) for file in sorted((data / "news_faces").rglob("*.jpg"))]
    rows = [measure(CountingFinder(score), photos, scenes, tiles, news) for score in SCORES]
    FIGURES.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def measure(
    finder: CountingFinder,
    photos: list[detection_metrics.Annotated],
    scenes: list[Path],
    tiles: NDArray[np.uint8],
    news: list[Image],
) -> dict[str, Any]:
    """Return the figures of one score."""
    annotated = detection_metrics.measure_photos(finder, photos)
    empty = detection_metrics.measure_empty(finder, scenes)
    enlarged = detection_metrics.measure_tiles(finder, tiles)
    finder.crops = 0
    faces = [len(finder(image)) for image in news]
    row = {
        "score": finder.score,
        "photos": [annotated.found, annotated.faces],
        "false boxes, photos": annotated.false,
        "boxes in scenes": empty.false,
        "scenes": empty.pictures,
        "tiles": [enlarged.found, enlarged.faces],
        "news photos with a face": [sum(many > 0 for many in faces), len(news)],
        "crops per news photo": round(finder.crops / len(news), 3),
    }
    print(row, file=sys.stderr)
    return row


if __name__ == "__main__":
    main()
