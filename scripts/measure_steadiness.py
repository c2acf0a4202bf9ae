"""Measure labels over time in videos; write docs/steadiness.json and the page docs/steadiness.md.

    python scripts/measure_steadiness.py CLIPS

CLIPS is a folder with ``a.mp4`` and ``b.mp4``, which show one person each. Their faces are read once, frame by frame.
The predictions, the clips in turns, make a video of ten minutes, of which every frame or fewer are smoothed. On them
and on worn copies, the display label is compared with the usual rule (`steadiness_rules.py`). It takes four minutes on
one core. ``--page`` only rewrites the page, from the figures.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""

sys.path.insert(0, str(ROOT))

from facemood import EmotionRecognizer  # noqa: E402
from facemood.results import Result  # noqa: E402
from facemood.schema import Face  # noqa: E402
from facemood.text import exact_percent, fill_template, markdown_table  # noqa: E402
from facemood.timeline import Track, collect_tracks  # noqa: E402
from facemood.tracking.smooth import Smoother  # noqa: E402
from scripts.network_digest import digest  # noqa: E402
from scripts.steadiness_rules import DWELLS, WORN, dwell_labels, write_worn  # noqa: E402

DOCS = ROOT / "docs"
"""Where the page goes."""

CLIPS = ("a.mp4", "b.mp4")
"""Videos with one person each."""

LENGTH = 600.0
"""Seconds of the made video."""

EVERY = (0.0, 0.2, 0.5, 1.0)
"""Seconds between two frames that are read; 0 for every frame."""

LASTING = 0.3
"""Seconds for which the frames' label must last for its delay to be measured."""


class Predictions(NamedTuple):
    """The predictions of one face: (T,) seconds, (T, K) probabilities and K labels."""

    times: NDArray[np.float64]
    probabilities: NDArray[np.float32]
    labels: tuple[str, ...]


def main() -> None:
    """Measure, and write figures and page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="?", type=Path, help="a folder with a.mp4 and b.mp4")
    parser.add_argument("--page", action="store_true", help="write the page from the figures that are there")
    options = parser.parse_args()
    figures = DOCS / "steadiness.json"
    if not options.page:
        figures.write_text(json.dumps(measure(options.clips), indent=1) + "\n", encoding="utf-8")
    (DOCS / "steadiness.md").write_text(page(json.loads(figures.read_text(encoding="utf-8"))), encoding="utf-8")


def measure(folder: Path) -> dict[str, Any]:
    """Return all figures."""
    clips = [read(folder / name) for name in CLIPS]
    smoothed = [track_of(clip) for clip in clips]
    seconds = sum(track.seconds for track in smoothed)
    delays = [
        delay for clip, track in zip(clips, smoothed, strict=True) for delay in delays_of(clip, track.display_labels)
    ]
    long = in_turns(clips)
    return {
        "model": digest("default"),
        "seconds": round(seconds, 1),
        "flips a minute": {
            "single frames": per_minute([clip.probabilities.argmax(axis=1) for clip in clips], seconds),
            "smoothed": per_minute([track.probabilities.argmax(axis=1) for track in smoothed], seconds),
            "displayed": per_minute([track.display_labels for track in smoothed], seconds),
        },
        "changes": len(delays),
        "delay": None if not delays else round(float(np.median(delays)), 2),
        "rules": {"as they are": compare(clips), "with the worn copies": compare([*clips, *read_worn(folder)])},
        "made": {str(every): shares_of(track_of(thin(long, every))) for every in EVERY},
    }


def read(file: Path) -> Predictions:
    """Read the largest face of each frame of a video."""
    recognizer, rows, times = EmotionRecognizer(threads=1), [], []
    for result in recognizer.stream(file, smooth=0):
        faces = [face for face in result.faces if face.labels]
        if faces:
            rows.append(max(faces, key=lambda face: face.size[0]).probabilities)
            times.append(float(result.timestamp or 0.0))
    return Predictions(np.array(times), np.array(rows), recognizer.labels)


def read_worn(folder: Path) -> list[Predictions]:
    """Read worn copies of the clips."""
    found = []
    with tempfile.TemporaryDirectory() as place:
        for number, (name, clip) in enumerate(itertools.product(WORN, CLIPS)):
            write_worn(folder / clip, Path(place, f"{number}.avi"), name)
            found.append(read(Path(place, f"{number}.avi")))
    return found


def compare(clips: list[Predictions]) -> dict[str, Any]:
    """Return seconds, and flips a minute and delay of the display label and of the usual rule, by its dwell."""
    tracks = [track_of(clip) for clip in clips]
    seconds = sum(track.seconds for track in tracks)
    shown = {"display label": [track.display_labels for track in tracks]} | {
        f"dwell of {dwell:g} s": [
            dwell_labels(track, clip.probabilities, dwell) for clip, track in zip(clips, tracks, strict=True)
        ]
        for dwell in DWELLS
    }
    found: dict[str, Any] = {"seconds": round(seconds, 1)}
    for rule, labels in shown.items():
        delays = [delay for clip, part in zip(clips, labels, strict=True) for delay in delays_of(clip, part)]
        found[rule] = {"per minute": per_minute(labels, seconds), "delay": round(float(np.median(delays)), 2)}
    return found


def in_turns(clips: list[Predictions]) -> Predictions:
    """Return the clips one after the other, again and again, for ten minutes."""
    times, rows, now = [], [], 0.0
    while now < LENGTH:
        for clip in clips:
            times.append(clip.times - clip.times[0] + now)
            rows.append(clip.probabilities)
            now = float(times[-1][-1] + np.median(np.diff(clip.times)))
    return Predictions(np.concatenate(times), np.concatenate(rows), clips[0].labels)


def thin(found: Predictions, every: float) -> Predictions:
    """Keep a frame where at least some seconds have passed since the last one that was kept."""
    kept = [0]
    for number, time in enumerate(found.times):
        if time - found.times[kept[-1]] >= max(every, 1e-6) - 1e-6:
            kept.append(number)
    return Predictions(found.times[kept], found.probabilities[kept], found.labels)


def track_of(found: Predictions) -> Track:
    """Smooth the predictions as a video's."""
    smoother, box = Smoother(), np.zeros(4, np.float32)
    results = []
    for time, row in zip(found.times.tolist(), found.probabilities, strict=True):
        face = Face(box, 0.9, labels=found.labels, probabilities=row, track_id=1)
        faces = tuple(smoother.update([face], time))
        results.append(Result("made.mp4", timestamp=time, faces=faces, labels=found.labels))
    (track,) = collect_tracks(results)
    return track


def per_minute(labels: list[NDArray[np.int64]], seconds: float) -> float:
    """Return the changes of a label per minute."""
    return round(sum(int((np.diff(part) != 0).sum()) for part in labels) / seconds * 60, 1)


def delays_of(clip: Predictions, shown: NDArray[np.int64]) -> list[float]:
    """Return the seconds from each lasting change of the frames' label until it is displayed, if it was not before."""
    best, times = clip.probabilities.argmax(axis=1), clip.times
    bounds = [*(np.flatnonzero(np.diff(best)) + 1).tolist(), len(best) - 1]
    delays = []
    for first, end in itertools.pairwise(bounds):
        if times[end] - times[first] >= LASTING and shown[first - 1] != best[first]:
            after = np.flatnonzero(shown[first:] == best[first])
            delays.append(float(times[first + after[0]] - times[first]) if len(after) else np.inf)
    return delays


def shares_of(track: Track) -> dict[str, Any]:
    """Return the shares of a track with their intervals, and those of the display label."""
    displayed = np.bincount(track.display_labels, track.durations, minlength=len(track.labels)) / track.seconds
    return {
        "shares": {label: round(share, 4) for label, share in track.shares.items()},
        "intervals": {label: [round(end, 4) for end in ends] for label, ends in track.share_intervals.items()},
        "displayed": dict(zip(track.labels, np.round(displayed, 4).tolist(), strict=True)),
    }


def page(known: dict[str, Any]) -> str:
    """Fill the template with the figures."""
    text = (ROOT / "scripts" / "steadiness.template.md").read_text(encoding="utf-8")
    made = known["made"]
    seen = [label for label in made["0.0"]["shares"] if any(found["shares"][label] > 0 for found in made.values())]
    spread = {label: np.ptp([found["shares"][label] for found in made.values()]) for label in seen}
    parts = {
        "seconds": f"{known['seconds']:g}",
        "flips": markdown_table([{"label": name, "per minute": str(n)} for name, n in known["flips a minute"].items()]),
        "changes": str(known["changes"]),
        "delay": f"{known['delay']:g}",
        "rules": rule_table(known["rules"]),
        "rules_told": told_rules(known["rules"]),
        "worn_seconds": f"{known['rules']['with the worn copies']['seconds']:g}",
        "shares": markdown_table([share_row(every, made[every], seen) for every in made]),
        "spread": f"{100 * max(spread.values()):.1f}",
        "model": known["model"],
    }
    return fill_template(text, parts)


def rule_table(known: dict[str, Any]) -> str:
    """Return the table that compares the rules."""
    rules = [name for name in known["as they are"] if name != "seconds"]
    return markdown_table(
        [
            {"rule": rule}
            | {
                title: f"{found[rule]['per minute']} a minute, {found[rule]['delay']:.2f} s"
                for title, found in known.items()
            }
            for rule in rules
        ]
    )


def told_rules(known: dict[str, Any]) -> str:
    """Say how often and how late the display label changes, against the usual rule with the shortest dwell."""
    fewer, later = [], []
    for found in known.values():
        own, usual = found["display label"], found[f"dwell of {DWELLS[0]:g} s"]
        fewer.append(exact_percent(1 - own["per minute"] / usual["per minute"]))
        later.append(f"{own['delay'] - usual['delay']:.2f}")
    return (
        f"Against a dwell of {DWELLS[0]:g} s, which was the rule before, the display label changes {fewer[0]} less "
        f"often, {later[0]} s later.\nWith the worn copies it is {fewer[1]} and {later[1]} s."
    )


def share_row(every: str, found: dict[str, Any], seen: list[str]) -> dict[str, str]:
    """Return the row of shares at one distance between frames."""
    cells = {label: exact_percent(found["shares"][label]) for label in seen}
    return {"frames": "all" if float(every) == 0 else f"every {float(every):g} s"} | cells


if __name__ == "__main__":
    main()
