"""Write docs/speed.md from the figures that threads.py, batching.py, large_photos.py and ratios.py have written.

python benchmarks/speed_page.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from facemood.text import count, markdown_table

FOLDER = Path(__file__).parent

PAGE = """# Speed

This page is written by `benchmarks/speed_page.py`, from the figures of four other scripts in `benchmarks/`. They were
measured while the machine did much other work, so milliseconds are long; ratios within a table were measured by
turns.

## Threads

By default, ONNX Runtime takes one thread for each core that the process may use: the affinity and the CPU quota of a
container count. Waiting threads sleep. A 640x480 photo with one face, in milliseconds, beside so many processes that
only compute (`threads.py`; {threads_machine}, load {threads_load}):

{threads}

The default here is {threads_default}. It took at most {threads_most} times as long as the best number, whatever
else ran. CPU times hardly differ. Machines with more cores were not measured. Processes that read at the same time
(`--workers`) have one thread each.

## Devices

`--device` names where the expression network runs: `cpu`, `cuda` (package onnxruntime-gpu), `coreml` (macOS),
`directml` (Windows, package onnxruntime-directml) or `openvino` (package onnxruntime-openvino). `auto`, the default,
takes an NVIDIA GPU if ONNX Runtime has one, and warns if it cannot be started. A device that is named and cannot be
used is an error. Face detector and landmark network always run on the CPU. None of this was tried on a GPU: only the
errors and the fallback were.

## Large photos

JPEGs of more than 4 million pixels are decoded at a fraction of their size if `--min-face` lets no face be lost
([inputs.md](inputs.md#large-photos)). {large_photos} photos, enlarged to {large_pixels} million pixels and read whole
and reduced (`large_photos.py`, CPU time on one thread):

{large}

*Change* is the largest change of a probability of a face: its median, the 95th percentile, and the largest one. For
comparison, the last two columns are of the same photos decoded whole, without their first three columns and five rows
of pixels: such a cut changes results about as much. A face whose size is within a few percent of `--min-face` may
count or not. Enlarged photos have little detail, so files of a camera gain somewhat less time.

## Folders

Photos are decoded ahead in a thread, and the faces of {many} photos go through the expression network in one run. To
run the other networks over several photos at once would save little. CPU milliseconds of one input, run alone and
with seven others (`batching.py`, one thread):

{batching}

For a photo with one face, batches of faces save {saved_expressions} ms. Batches for detection and landmarks would
save {saved_rest} ms, so they are not made. `--workers 2` uses both cores of a machine with two.

## Against earlier commits

`make ratios AGAINST=COMMIT` runs both commits by turns and appends to [history.jsonl](../benchmarks/history.jsonl).
The newest figures of each run, compared with {against}:

{ratios}

*A photo*, one of seven *faces*, and *a live frame* of a camera with one face are read again and again, without the
start (`repeated.py`). The other times include the start of Python. Wall times depend on the load; CPU times much less.
"""
"""The page."""


def main() -> None:
    """Write the page."""
    (FOLDER.parent / "docs" / "speed.md").write_text(page(), encoding="utf-8")


def page() -> str:
    """Return the page."""
    threads, large, batching = (read(f"{name}.json") for name in ("threads", "large_photos", "batching"))
    history = list(map(json.loads, (FOLDER / "history.jsonl").read_text(encoding="utf-8").splitlines()))
    saved = batching["ms saved a photo"]
    return PAGE.format(
        threads=markdown_table([thread_row(many, row) for many, row in threads["busy"].items()]),
        threads_default=count(int(threads["default"]), "thread"),
        threads_machine=threads["processor"],
        threads_load=threads["load before the run"],
        threads_most=f"{max(row['default_to_best'] for row in threads['busy'].values()):.2f}",
        large=markdown_table([large_row(size, row) for size, row in large["min_face"].items()]),
        large_photos=large["photos"],
        large_pixels=large["pixels"] // 1_000_000,
        many=batching["photos together"],
        batching=markdown_table(
            [
                {"network": name, "alone": f"{alone:.2f}", "together": f"{together:.2f}"}
                for name, (alone, together) in batching["ms one by one and together"].items()
            ]
        ),
        saved_expressions=f"{saved['expressions']:.1f}",
        saved_rest=f"{saved['detection and landmarks']:.1f}",
        ratios=markdown_table([ratio_row(what, line) for what, line in newest(history).items()]),
        against=history[-1]["against"],
    )


def read(name: str) -> dict[str, Any]:
    """Return the figures of a file beside this one."""
    found: dict[str, Any] = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    return found


def thread_row(many: str, row: dict[str, Any]) -> dict[str, str]:
    """Return the row of a number of busy processes."""
    names = {name: count(int(name), "thread") for name in row["wall_ms"]}
    shown = {text: f"{row['wall_ms'][name]:.0f} ({row['cpu_ms'][name]:.0f} CPU)" for name, text in names.items()}
    return {"busy processes": many, **shown, "default / best": f"{row['default_to_best']:.2f}"}


def large_row(size: str, row: dict[str, Any]) -> dict[str, str]:
    """Return the row of a smallest face."""
    whole, reduced = row["cpu_ms"]
    return {
        "`--min-face`": size,
        "read at": f"1/{row['reduction']}",
        "ms whole": f"{whole:.0f}",
        "ms reduced": f"{reduced:.0f}",
        "ratio": f"{reduced / whole:.2f}",
        "faces whole, reduced": " and ".join(map(str, row["reduced"]["faces"])),
        **changes(row["reduced"], ""),
        **changes(row["shifted"], ", cut"),
    }


def changes(found: dict[str, Any], suffix: str) -> dict[str, str]:
    """Return the cells on how labels and probabilities changed."""
    shown = [f"{found[key]:.3f}" for key in ("median_change", "p95_change", "largest_change")]
    return {f"same label{suffix}": f"{found['same_label']} of {found['in_both']}", f"change{suffix}": ", ".join(shown)}


def newest(history: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the newest line of each run: those of the last line of all runs, and of later lines of some (``only``)."""
    found: dict[str, dict[str, Any]] = {}
    for line in history:
        if line["against"] == history[-1]["against"]:
            found = (found if "only" in line else {}) | dict.fromkeys(line["ratios"], line)
    return found


def ratio_row(what: str, line: dict[str, Any]) -> dict[str, str]:
    """Return the row of a run."""
    row = line["ratios"][what]
    return {
        "run": what,
        "CPU time": f"{row['cpu']:.2f}x",
        "wall time": f"{row['wall']:.2f}x",
        "commit": line["commit"],
        "measured": f"{line['date']}, load {line['load before the run']}, {count(line['rounds'], 'round')}",
    }


if __name__ == "__main__":
    main()
