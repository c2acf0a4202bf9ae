from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from facemood.server.temp_folder import FILES, LOCK, PREFIX, TempFolder, remove_abandoned

HOLD = "from pathlib import Path; from facemood.server.temp_folder import TempFolder; import sys, time\n"
HOLD += "folder = TempFolder(Path(sys.argv[1])); print(folder.path, flush=True); time.sleep(60)"


def test_a_folder_is_private_and_goes_when_it_is_closed(tmp_path: Path) -> None:
    folder = TempFolder(tmp_path)
    assert folder.path.parent.parent == tmp_path
    assert folder.path.stat().st_mode & 0o077 == folder.path.parent.stat().st_mode & 0o077 == 0
    (folder.path / "video").mkdir()
    assert folder.free() > 0
    folder.close()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_server_left_goes_at_the_next_start_and_not_what_a_living_one_has(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        theirs = Path(other.stdout.readline().strip())
        (theirs / "upload").write_bytes(b"private")
        own = TempFolder(tmp_path)
        assert (theirs / "upload").exists()
        other.kill()
        other.wait()
        assert (theirs / "upload").exists()
        assert remove_abandoned(tmp_path) == [theirs.parent]
        assert not theirs.parent.exists()
        assert own.path.exists()
        own.close()


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="the system has no links")
def test_nothing_else_is_deleted(tmp_path: Path) -> None:
    other = tmp_path / "other"
    (other / FILES).mkdir(parents=True)
    (other / LOCK).touch()
    (tmp_path / f"{PREFIX}link").symlink_to(other)
    (tmp_path / f"{PREFIX}file").write_text("a file")
    (tmp_path / f"{PREFIX}empty").mkdir()  # perhaps of a server that starts in this moment
    assert remove_abandoned(tmp_path) == []
    assert {path.name for path in tmp_path.iterdir()} == {
        "other", f"{PREFIX}link", f"{PREFIX}file", f"{PREFIX}empty",
    }  # fmt: skip
