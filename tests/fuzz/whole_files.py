"""Whole small files of each kind, which are damaged then."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image, features

from tests.conftest import PHOTOS, ROOT

IMAGES: dict[str, dict[str, Any]] = {
    "base.jpg": {}, "progressive.jpg": {"progressive": True}, "restarts.jpg": {"restart_marker_blocks": 4},
    "grey.jpg": {"mode": "L"}, "cmyk.jpg": {"mode": "CMYK"}, "rgb.png": {}, "palette.png": {"mode": "P"},
    "alpha.png": {"mode": "RGBA"}, "one.png": {"mode": "1"}, "lossy.webp": {}, "lossless.webp": {"lossless": True},
    "moving.webp": {"moving": True}, "one.gif": {"mode": "P"}, "moving.gif": {"mode": "P", "moving": True},
    "rgb.bmp": {}, "palette.bmp": {"mode": "P"}, "raw.tif": {}, "lzw.tif": {"compression": "tiff_lzw"},
    "deflate.tif": {"compression": "tiff_deflate"}, "jpeg.tif": {"compression": "jpeg"}, "float.tif": {"mode": "F"},
    "grey16.png": {"mode": "I;16"}, "x.avif": {}, "x.jp2": {}, "x.ppm": {}, "x.tga": {}, "x.ico": {}, "x.mpo": {},
}  # fmt: skip
"""Name -> mode, whether it moves, and options of Pillow."""

OPTIONAL = {".avif": "avif", ".jp2": "jpg_2000", ".webp": "webp"}
"""Formats that not every Pillow can write."""

VIDEOS: dict[str, tuple[str, str]] = {
    "a.mp4": ("libx264", "yuv420p"), "b.webm": ("libvpx-vp9", "yuv420p"), "c.mkv": ("libx264", "yuv420p"),
    "d.avi": ("mjpeg", "yuvj420p"), "e.mov": ("mpeg4", "yuv420p"), "f.ts": ("libx264", "yuv420p"),
    "g.flv": ("flv", "yuv420p"), "h.webm": ("libvpx", "yuv420p"), "i.wmv": ("wmv2", "yuv420p"),
}  # fmt: skip
"""Name -> encoder and pixels."""

QUIET = {"libvpx-vp9": {"cpu-used": "8", "deadline": "realtime"}}
"""Options that save time."""


def photo(width: int, height: int) -> Image.Image:
    """A face of so many pixels."""
    with Image.open(PHOTOS / "astronaut.png") as whole:
        return whole.convert("RGB").crop((120, 0, 320, 240)).resize((width, height))


def write_images(folder: Path) -> None:
    """Write an image of each format."""
    base = photo(100, 120)
    for name, options in IMAGES.items():
        if not features.check(OPTIONAL.get(Path(name).suffix, "zlib")):
            continue
        mode, moving = options.get("mode", "RGB"), options.get("moving", False)
        picture = base.convert("L") if mode in ("F", "I;16") else base.convert(mode)
        if mode in ("F", "I;16"):
            values = np.asarray(picture)
            picture = Image.fromarray(values.astype(np.float32) if mode == "F" else values.astype(np.uint16) * 257)
        more: dict[str, Any] = {key: value for key, value in options.items() if key not in ("mode", "moving")}
        if moving or name.endswith(".mpo"):
            more |= {"save_all": True, "append_images": [picture.rotate(9), picture.rotate(18)]}
        picture.save(folder / name, **(more | {"duration": 50} if moving else more))


def write_videos(folder: Path) -> None:
    """Write a video of each format."""
    base = photo(120, 144)
    for name, (codec, pixels) in VIDEOS.items():
        with av.open(str(folder / name), "w") as container:
            stream: Any = container.add_stream(codec, rate=10, options=QUIET.get(codec, {}))
            stream.width, stream.height, stream.pix_fmt = 120, 144, pixels
            for index in range(6):
                picture = np.asarray(base.rotate(3 * index))
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pixels)
                container.mux(stream.encode(frame))
            container.mux(stream.encode())


def write_files(folder: Path) -> None:
    """Write models, a card, recipes, soft labels, a network of numpy_cnn, and the files of a training run."""
    from facemood.models import ModelSession, find_model
    from facemood.numpy_cnn import Conv2D, Dense, Flatten, MaxPool, ReLU, Residual, Sequential, Softmax
    from tests.models.made import make_model

    make_model(folder / "small.onnx")
    for name in ("ferc", "nano"):
        shutil.copy(find_model(name), folder / f"{name}.onnx")
    (folder / "card.json").write_text(ModelSession(find_model("nano"), device="cpu").card.to_json())
    layers = [Conv2D(2, 3), ReLU(), MaxPool(2), Residual([ReLU()]), Flatten(), Dense(3), Softmax()]
    Sequential(layers, input_shape=(8, 8, 1)).save(folder / "network.npz")
    for recipe in ("default.toml", "own.toml", "vgg16-ferplus-focal.toml"):
        shutil.copy(ROOT / "src" / "facemood" / "train" / "recipes" / recipe, folder)
    write_training(folder)


def write_training(folder: Path) -> None:
    """Write soft labels, a checkpoint, what a run says of itself, and its history."""
    import torch

    from facemood.train import load_recipe
    from facemood.train.data.soft_labels import SoftLabels, pixel_keys, write_soft_labels

    random = np.random.default_rng(0)
    keys = np.sort(pixel_keys(random.integers(0, 256, (9, 4, 4), np.uint8)))
    about = {"heads": {"fer2013": list("abcdefg")}, "dataset": "fer2013"}
    soft = SoftLabels(keys, {"fer2013": random.normal(0, 3, (9, 7)).astype(np.float32)}, about)
    write_soft_labels(folder / "soft_labels.npz", soft)
    weights = torch.nn.Linear(3, 2).state_dict()
    stored = io.BytesIO()
    torch.save({"epoch": 1, "state_dict": weights, "optimizer_states": [{"state": {0: weights}}]}, stored)
    (folder / "last.ckpt").write_bytes(stored.getvalue())
    counts = {"split": "Training", "images": 2, "classes": {"happy": 1, "sad": 1}}
    facts = {
        "recipe": load_recipe("baseline").to_dict(), "dataset": "fer2013", "classes": ["happy", "sad"],
        "heads": {"fer2013": 2}, "input_size": 48, "trained_on": counts, "validated_on": counts,
        "unreadable": ["a.jpg"],
        "versions": {"torch": "2"}, "environment": {"cpus": 2},
    }  # fmt: skip
    (folder / "run.json").write_text(json.dumps(facts))
    lines = [{"epoch": epoch, "seconds": 1.5 * epoch, "train_loss": 1 / (epoch + 1)} for epoch in range(4)]
    (folder / "history.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


WRITERS = {"images": write_images, "videos": write_videos, "files": write_files}
"""What writes the whole files of a kind."""
