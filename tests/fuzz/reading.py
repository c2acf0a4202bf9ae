"""The process that reads damaged files: it says when it begins with each, and what became of it.

    python -m tests.fuzz.reading KIND SEED FOLDER < CASES

FOLDER holds the whole files of the kind. CASES are lines: a number, from which the damage follows, or the path of a
kept file. For each, two lines of JSON are written.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz.mutations import damage, damage_json, damage_toml

Reader = Callable[[Path], object]


def image_reader() -> Reader:
    """What reads images."""
    recognizer = open_recognizer()
    return lambda file: recognizer.analyze_image(file.read_bytes())


def video_reader() -> Reader:
    """What reads videos."""
    recognizer = open_recognizer()
    return lambda file: [len(result) for result in recognizer.stream(str(file))]


def open_recognizer() -> Any:
    """The recognizer, on one thread, so that times can be compared."""
    import cv2

    from facemood import EmotionRecognizer

    cv2.setNumThreads(1)
    return EmotionRecognizer(threads=1)


def file_reader() -> Reader:
    """What reads models, and what belongs to training, by their endings."""
    import numpy as np

    from facemood import open_recognizer as open_model
    from facemood.errors import FacemoodError
    from facemood.models import ModelCard
    from facemood.numpy_cnn import Sequential
    from facemood.numpy_cnn.pretrained import load_network
    from facemood.train import load_recipe
    from facemood.train.data.soft_labels import read_soft_labels
    from facemood.train.run_folder import read_checkpoint, read_facts, read_history, read_recipe

    face = np.full((48, 48, 3), 120, np.uint8)
    readers: dict[str, list[Reader]] = {
        "nano.onnx": [load_network],
        ".onnx": [lambda file: open_model(file, threads=1).analyze_image(face).to_json()],
        ".toml": [lambda file: load_recipe(str(file))],
        ".ckpt": [read_checkpoint],
        "card.json": [lambda file: ModelCard.from_json(file.read_text(encoding="utf-8", errors="replace"))],
        "run.json": [lambda file: read_facts(file.parent), lambda file: read_recipe(file.parent)],
        ".jsonl": [lambda file: read_history(file.parent)],
        "soft_labels.npz": [lambda file: read_soft_labels(str(file))],
        "network.npz": [lambda file: Sequential.load(file).predict(np.zeros((1, 8, 8, 1)))],
    }

    def read(file: Path) -> None:
        told = [tell(reader, file) for reader in next(readers[end] for end in readers if file.name.endswith(end))]
        if set(told) != {"read"}:
            raise FacemoodError(f"{told}")

    return read


READERS: dict[str, Callable[[], Reader]] = {"images": image_reader, "videos": video_reader, "files": file_reader}
"""What reads the files of a kind."""


def tell(reader: Reader, file: Path) -> str:
    """Read a file, and say whether that went well; errors that are not facemood's go on."""
    from facemood.errors import FacemoodError

    try:
        reader(file)
    except FacemoodError as error:
        return type(error).__name__
    return "read"


def damaged_copy(case: int, seed: int, sources: list[Path], folder: Path) -> Path:
    """Write the damaged file that a number stands for."""
    random = Random(seed * 1_000_003 + case)
    source = random.choice(sources)
    data = source.read_bytes()
    structured = {".json": damage_json, ".toml": damage_toml}.get(source.suffix)
    if structured and random.random() < 0.7:
        changed = structured(random, data.decode()).encode("utf-8", "surrogatepass")
    else:
        changed = damage(random, data, [other.read_bytes() for other in sources if other.suffix == source.suffix])
    file = folder / "damaged" / source.name
    file.write_bytes(changed)
    return file


def peak_memory() -> float:
    """Megabytes of this process at its largest; `ru_maxrss` would begin with those of the process that started it."""
    status = Path("/proc/self/status")
    if not status.is_file():
        return 0.0
    return next(int(line.split()[1]) / 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))


def take_stdout() -> Callable[[str], None]:
    """Return what writes lines to the standard output; what libraries write there goes to the errors from now on."""
    lines = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    return lambda text: lines.writelines((text, "\n"))


def main() -> None:
    """Read the cases, one after the other."""
    say = take_stdout()
    kind, seed, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    (folder / "damaged").mkdir(exist_ok=True)
    sources, reader = sorted(path for path in folder.iterdir() if path.is_file()), READERS[kind]()
    for line in sys.stdin.read().splitlines():
        file = damaged_copy(int(line), seed, sources, folder) if line.isdecimal() else Path(line)
        say(json.dumps({"case": line, "file": str(file)}))
        began = time.process_time()
        try:
            outcome = tell(reader, file)
        except BaseException as error:  # whatever it is, the parent must hear of it
            places = [
                f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)
            ]
            outcome = f"{type(error).__name__}: {str(error)[:200]} at {' > '.join(places[-5:])}"
            say(json.dumps({"case": line, "fault": outcome}))
            continue
        peak = peak_memory()
        say(json.dumps({"outcome": outcome, "seconds": time.process_time() - began, "peak": peak}))


if __name__ == "__main__":
    main()
