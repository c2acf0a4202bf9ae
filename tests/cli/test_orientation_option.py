"""``--orientation`` on the command line."""

import json
from pathlib import Path

import cv2
import pytest

from facemood.sources import load_image
from tests.cli.conftest import Run
from tests.test_any_way_up import lay


def test_the_command_line_turns_photos(facemood: Run, astronaut: Path, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), lay(load_image(astronaut), 90))
    found = json.loads(facemood("analyze", "a.png", "--json").stdout)["faces"]
    assert [face["emotion"] for face in found] == ["happy"]
    done = facemood("analyze", "a.png", "--json", "--orientation", 0)
    assert json.loads(done.stdout)["faces"] == []


@pytest.mark.parametrize(("command", "value"), [("analyze", "45"), ("serve", "up"), ("live", "auto")])
def test_the_command_line_refuses_other_orientations(facemood: Run, command: str, value: str) -> None:
    done = facemood(command, *(["a.png"] if command == "analyze" else []), "--orientation", value)
    assert done.returncode == 2
    assert "90, 180 or 270" in " ".join(done.stderr.replace("│", " ").split())
