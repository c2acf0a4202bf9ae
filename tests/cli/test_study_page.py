"""The walk-through of docs/study.md, run as it stands there on made videos of a small study."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.study_videos import Shot, write_video

PAGE = (Path(__file__).parents[2] / "docs" / "study.md").read_text()

PLAN = "path,person,participant,condition,start,end,joke_at\n"


def block_of(kind: str, number: int = 0) -> str:
    """A block of code of a kind; by default the first one."""
    return PAGE.split(f"```{kind}\n")[1 + number].partition("```")[0]


def test_the_walk_through_ends_with_a_table_of_differences(
    facemood: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pandas", reason="findings need the extra study")
    pytest.importorskip("scipy", reason="findings need the extra study")
    pytest.importorskip("matplotlib", reason="curves are drawn with the extra plot")
    plan = PLAN
    (tmp_path / "videos").mkdir()
    for number in range(1, 4):  # a solemn face while calm, the smiling one while funny
        shots = [Shot(1, [("hopper", 240)]), Shot(1, [("astronaut", 240)])]
        write_video(tmp_path / "videos" / f"p0{number}.mp4", shots, light=1 - number / 20, seed=number)
        plan += f"p0{number}.mp4,,p0{number},calm,0,1,0.5\np0{number}.mp4,,p0{number},funny,1,,0.5\n"
    (tmp_path / "plan.csv").write_text(plan)
    command, *arguments = shlex.split(block_of("sh"))
    assert command == "facemood"
    done = facemood(*arguments)
    assert done.returncode == 0, done.stderr
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(block_of("python"), names)
    difference = names["differences"].set_index("value").loc["mean_happy"]
    assert (difference["n"], difference["left_out"]) == (3, 0)
    assert 0 < difference["low"] <= difference["difference"] <= difference["high"] <= 1
    assert names["means"]["n"].tolist() == [3] * 4
    smiles = names["curves"].query("value == 'happy'").set_index("condition")["mean"]
    assert smiles["calm"].max() < smiles["funny"].min()
    exec(block_of("python", 1), names)
    around = names["curves"].query("value == 'happy'")
    assert (
        around["time"].round(1).tolist() == [-0.5, -0.3, -0.1, 0.1, 0.3, 0.5] * 2
    )  # bins of 0.2 s, the event at 0.5 s
    assert around["mean"].abs().max() < 0.1  # whoever smiles does so from the start of the segment
    assert [Path(name).read_bytes()[:4] for name in ("curves.png", "joke.png")] == [b"\x89PNG"] * 2
    assert "(p01)" in (tmp_path / "report.html").read_text()
