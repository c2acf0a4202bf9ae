import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from facemood.errors import OutputError
from facemood.locks import FileLock, beside, cannot_write

HOLDER = """
import sys
from pathlib import Path
from facemood.locks import FileLock
lock = FileLock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_one_is_told_until_the_first_lets_go(tmp_path: Path) -> None:
    first = FileLock(tmp_path / "t.csv")
    with pytest.raises(OutputError, match=rf"t\.csv: another process is writing it \(process ID {os.getpid()}\)"):
        FileLock(tmp_path / "t.csv")
    first.release()
    first.release()
    FileLock(tmp_path / "t.csv").release()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="needs locks of the system")
def test_another_process_holds_it_as_long_as_it_lives(tmp_path: Path) -> None:
    target = tmp_path / "t.csv"
    command = [sys.executable, "-c", HOLDER, str(target)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(OutputError, match=rf"process ID {holder.pid}"):
            FileLock(target)
        holder.kill()
        holder.wait()
    assert [path.name for path in tmp_path.iterdir()] == [".t.csv.lock"]  # it lies there, and hinders nobody
    FileLock(target).release()
    assert list(tmp_path.iterdir()) == []


def test_the_name_of_a_lock_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / ".t.csv.lock").symlink_to(victim)
    with pytest.raises(OutputError, match="cannot be written"):
        FileLock(tmp_path / "t.csv")
    assert victim.read_text() == "precious"


def test_a_lock_that_was_removed_meanwhile_is_taken_anew(tmp_path: Path) -> None:
    first = FileLock(tmp_path / "t.csv")
    first.path.unlink()
    second = FileLock(tmp_path / "t.csv")
    with pytest.raises(OutputError):
        FileLock(tmp_path / "t.csv")
    second.release()
    first.release()


def test_names_fit_the_file_system() -> None:
    long = "ü" * 127
    assert len(os.fsencode(beside(long, ".0123456789abcdef.part"))) <= 255
    assert beside("a", ".lock") == "a.lock"


def test_the_systems_refusal_says_what_to_do() -> None:
    told = str(cannot_write(Path("t.csv"), OSError(errno.ENOSPC, "No space left on device")))
    assert told == "t.csv: cannot be written (No space left on device); choose another place"
