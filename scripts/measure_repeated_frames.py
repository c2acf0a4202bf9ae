"""Measure ``every="auto"``: how many frames are read, what it saves, and how far results are from reading each frame.

    python scripts/measure_repeated_frames.py VIDEO [VIDEO ...]

Prints the table of docs/videos.md. Each video is read as it is; with every frame twice, as after a conversion to twice
the frame rate; and with a pause of a second after each second, as in a call that hangs.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from facemood import EmotionRecognizer, Frame, Result
from facemood.sinks.video_writer import VideoWriter
from facemood.sources import read_video

STEP = 1 / 25
"""Seconds from frame to frame in the videos that are made here."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("videos", nargs="+", type=Path)
    recognizer = EmotionRecognizer(device="cpu", threads=1)
    names = ("video", "frames", "read", "CPU time", "same expression", "mean difference", "same people")
    print(f"| {' | '.join(names)} |\n{'|---' * len(names)}|")
    with tempfile.TemporaryDirectory() as folder:
        for video in parser.parse_args().videos:
            for kind, change in KINDS.items():
                path = video if change is None else write(change(read_video(video)), Path(folder, f"{video.stem}.mp4"))
                print(row(f"{video.name}{kind}", path, recognizer), flush=True)


def twice(frames: Iterator[Frame]) -> Iterator[Frame]:
    """Yield each frame twice."""
    for frame in frames:
        yield from (frame, frame)


def hanging(frames: Iterator[Frame]) -> Iterator[Frame]:
    """Yield the last frame of each second for a second more."""
    for frame in frames:
        yield from [frame] * (26 if frame.index % 25 == 24 else 1)


KINDS: dict[str, Callable[[Iterator[Frame]], Iterator[Frame]] | None] = {
    "": None,
    ", each frame twice": twice,
    ", hanging half of the time": hanging,
}
"""What the name of a video is followed by, and how its frames are changed."""


def write(frames: Iterator[Frame], path: Path) -> Path:
    """Write frames as a video."""
    writer = VideoWriter(path)
    for number, frame in enumerate(frames):
        writer.add(frame.image, number * STEP)
    writer.close()
    return path


def row(name: str, path: Path, recognizer: EmotionRecognizer) -> str:
    """Return the row of a video."""
    (every, whole), (auto, part) = (read(recognizer, path, way) for way in (None, "auto"))
    pairs = [(one, other) for a, b in zip(every, auto, strict=True) for one, other in zip(a, b, strict=False)]
    same = np.mean([one.emotion == other.emotion for one, other in pairs])
    difference = np.mean([np.abs(one.probabilities - other.probabilities).mean() for one, other in pairs])
    faces = all(
        [face.track_id for face in a] == [face.track_id for face in b] for a, b in zip(every, auto, strict=True)
    )
    taken = sum(not result.repeated for result in auto)
    return (
        f"| {name} | {len(auto):,} | {taken:,} ({taken / len(auto):.0%}) | {part / whole:.2f}x | {same:.1%} | "
        f"{difference:.3f} | {'yes' if faces else 'no'} |"
    )


def read(recognizer: EmotionRecognizer, path: Path, every: str | None) -> tuple[list[Result], float]:
    """Read a video, and return the results and the CPU time in seconds."""
    started = time.process_time()
    results = list(recognizer.stream(path, every=every))  # type: ignore[arg-type]
    return results, time.process_time() - started


if __name__ == "__main__":
    main()
