"""Made material: drawn faces and scenes of noise, as arrays or as the files that the training reads."""

from pathlib import Path

import cv2
import numpy as np

from facemood.train.faces.material import LabelledPhoto, Material
from tests.stages.points import made_points


def made_material(count: int = 6) -> Material:
    """Some drawn faces, and three scenes of noise of which one has a face; the labels as the teacher's would be."""
    random = np.random.default_rng(3)
    wobble = random.normal(0, 0.3, (count, 104, 2)).astype(np.float32)
    points = made_points(24, 26, 30) + wobble
    tiles = random.integers(60, 200, (count, 48, 48)).astype(np.uint8)
    for tile, face in zip(tiles, points, strict=True):
        for x, y in np.round(face).astype(int).clip(0, 47):
            tile[y, x] = 0
    scenes = []
    for number in range(3):
        copies = [random.integers(0, 256, (side, side + 40, 3), np.uint8) for side in (240, 120, 60)]
        there = made_points(120, 110, 60)[None] if number == 2 else np.zeros((0, 104, 2), np.float32)
        scenes.append(LabelledPhoto(tuple(copies), there, np.zeros((0, 4), np.float32)))
    return Material(tiles, points, tuple(scenes))


def write_data(folder: Path) -> Path:
    """Write eight tiles as FER2013's CSV, four scenes, and the teacher's labels; the seventh tile has no points."""
    material = made_material(8)
    usage = ["Training"] * 7 + ["PublicTest"]
    (folder / "fer2013").mkdir()
    rows = [
        f"{number % 7},{' '.join(map(str, tile.ravel()))},{usage[number]}" for number, tile in enumerate(material.tiles)
    ]
    (folder / "fer2013" / "fer2013.csv").write_text("\n".join(["emotion,pixels,Usage", *rows]) + "\n")
    (folder / "scenes").mkdir()
    noise = np.random.default_rng(1).integers(0, 256, (160, 200, 3), np.uint8)
    for name in ("0000.jpg", "0001.jpg", "0217.jpg", "0800.jpg"):
        cv2.imwrite(str(folder / "scenes" / name), cv2.GaussianBlur(noise, (0, 0), 4))
    depth = np.zeros((8, 104, 1), np.float32)
    np.savez(
        folder / "faces.npz",
        tile_found=np.arange(8) != 6,
        tile_points=np.round(np.concatenate([material.points, depth], axis=2) * 256).astype(np.int16),
        scene_file=np.array(["0000.jpg"] * 3),
        scene_box=np.array([[60, 40, 120, 110], [1, 2, 30, 40], [100, 90, 150, 140]], np.float32),
        scene_score=np.array([0.9, 0.95, 0.5], np.float32),
        scene_found=np.array([True, False, True]),
        scene_points=np.stack([made_points(90, 75, 50)] * 3),
    )
    return folder
