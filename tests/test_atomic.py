import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from facemood.atomic import LEFTOVER_AGE, PART, Part, is_stream, remove_leftovers, replacing, unfinished
from facemood.errors import OutputError
from tests.growing import full_disk, growing, part_of

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")


def test_a_file_takes_its_name_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.txt"
    with replacing(target) as file:
        file.write("half")
        assert not target.exists()
    assert target.read_text() == "half"
    assert list(target.parent.iterdir()) == [target]


def test_an_error_leaves_the_old_file_and_no_remains(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError), replacing(target) as file:
        file.write("new")
        raise RuntimeError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_place_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"), replacing(tmp_path / "file" / "a.txt"):
        pass
    with pytest.raises(OutputError, match="it is a folder"), replacing(tmp_path):
        pass


def test_a_part_that_is_not_whole_says_so_in_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("of yesterday")
    part = Part(tmp_path / "a.csv", "w")
    part.file.write("half")
    part.commit(whole=False)
    assert (tmp_path / "a.unfinished.csv").read_text() == "half"
    assert (tmp_path / "a.csv").read_text() == "of yesterday"
    assert unfinished(Path("x/a.tar.gz")) == Path("x/a.tar.unfinished.gz")


def test_a_part_that_is_given_up_leaves_nothing_but_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("old")
    part = Part(tmp_path / "a.csv")
    part.discard()
    part.discard()
    assert part.closed
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert (tmp_path / "a.csv").read_text() == "old"


def test_parts_have_random_names_and_follow_no_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    monkeypatch.setattr("facemood.atomic.os.urandom", bytes)
    (tmp_path / f"a.csv.{'0' * 16}.part").symlink_to(victim)
    with pytest.raises(OutputError, match="File exists"):
        Part(tmp_path / "a.csv")
    monkeypatch.undo()
    names = set()
    for _ in range(20):
        part = Part(tmp_path / "a.csv")
        names.add(part.path.name)
        part.discard()
    assert len(names) == 20
    assert all(PART.search(name) for name in names)
    assert victim.read_text() == "precious"


def test_a_target_that_is_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "a.txt").symlink_to(victim)
    with replacing(tmp_path / "a.txt") as file:
        file.write("new")
    assert (victim.read_text(), (tmp_path / "a.txt").read_text()) == ("precious", "new")


def test_names_that_are_nearly_too_long_have_parts_too(tmp_path: Path) -> None:
    name = "x" * 251 + ".csv"
    Part(tmp_path / name).commit()
    assert [path.name for path in tmp_path.iterdir()] == [name]


@POSIX
def test_the_second_writer_of_a_lasting_file_is_told(tmp_path: Path) -> None:
    first = Part(tmp_path / "a.csv")
    with pytest.raises(OutputError, match="another process is writing it"):
        Part(tmp_path / "a.csv")
    first.commit()
    Part(tmp_path / "a.csv").commit()
    with replacing(tmp_path / "b.txt"), replacing(tmp_path / "b.txt") as short:  # a moment's file: the last one counts
        short.write("inner")
    assert (tmp_path / "b.txt").read_text() == ""


def test_old_parts_of_dead_processes_go_and_what_lives_stays(tmp_path: Path) -> None:
    ending = "0123456789abcdef.part"
    for name in (f"new.png.{ending}", f"old.png.{ending}", "old.png.part", f"table.csv.{ending}", ".table.csv.lock"):
        (tmp_path / name).write_text("left")
    living = Part(tmp_path / "living.png", lasting=False)
    old = time.time() - 2 * LEFTOVER_AGE
    for path in (living.path, *tmp_path.glob("old.png*"), tmp_path / f"table.csv.{ending}"):
        os.utime(path, (old, old))
    remove_leftovers(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        living.path.name, f"new.png.{ending}", "old.png.part",
        f"table.csv.{ending}", ".table.csv.lock",  # a run that was killed may go on with these rows
    }  # fmt: skip
    living.commit()
    remove_leftovers(tmp_path / "nowhere")


def test_a_lock_cannot_have_other_files_removed(tmp_path: Path) -> None:
    for name in ("precious", "sub/a.csv.0123456789abcdef.part"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / ".a.csv.lock").write_text("1\nprecious\nsub/a.csv.0123456789abcdef.part\n\n")
    Part(tmp_path / "a.csv").commit()
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [
        "a.csv", "a.csv.0123456789abcdef.part", "precious",
    ]  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit of the size of files, which stands for a full disk")
def test_a_full_disk_leaves_a_lasting_part_and_no_short_one(tmp_path: Path) -> None:
    part = Part(tmp_path / "a.csv")
    part.file.write(b"x" * 3000)
    message = r"a\.csv: cannot be written \(File too large\); a part stands in"
    with pytest.raises(OutputError, match=message), full_disk(1000):
        part.commit()
    assert growing(tmp_path) == ["a.csv"]
    Part(tmp_path / "a.csv").commit()  # others may write it again, and what was left goes then
    with pytest.raises(OutputError, match="File too large"), full_disk(4096), replacing(tmp_path / "b", "wb") as file:
        file.write(b"x" * 90_000)
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_streams_are_known_by_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert [is_stream(name) for name in ("-", "-.jsonl", "/dev/stdout", "/dev/fd/1", "/dev/stderr")] == [True] * 5
    assert [is_stream(name) for name in ("-x.csv", tmp_path, tmp_path / "file", "no\0name", "t.csv")] == [False] * 5


@POSIX
def test_a_pipe_is_written_as_it_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    heard: list[str] = []
    reader = threading.Thread(target=lambda: heard.append(pipe.read_text()))
    reader.start()
    part = Part(pipe, "w")
    part.file.write("a,b\n")
    part.commit(whole=False)
    reader.join(10)
    assert heard == ["a,b\n"]
    assert [path.name for path in tmp_path.iterdir()] == ["pipe.csv"]


@POSIX
@pytest.mark.parametrize("target", ["-", "-.csv", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_stdout_goes_on_where_it_is(tmp_path: Path, target: str) -> None:
    code = (
        "import sys; from pathlib import Path; from facemood.atomic import replacing\n"
        "print('before', flush=True)\n"
        f"with replacing({target!r}) as file: file.write('data\\n')\n"
        "print('after')"
    )
    with (tmp_path / "out.txt").open("w") as out:
        subprocess.run([sys.executable, "-c", code], stdout=out, check=True, cwd=tmp_path)
    assert (tmp_path / "out.txt").read_text() == "before\ndata\nafter\n"
    assert [path.name for path in tmp_path.iterdir()] == ["out.txt"]


@POSIX
def test_a_killed_process_leaves_the_old_file_and_hinders_nobody(tmp_path: Path) -> None:
    target = tmp_path / "a.csv"
    target.write_text("old")
    code = (
        "import sys; from pathlib import Path; from facemood.atomic import Part\n"
        "part = Part(Path(sys.argv[1])); part.file.write(b'half'); part.sync(); print('here', flush=True)\n"
        "sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(target)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        part = part_of(target)
        assert part is not None
        assert part.read_text() == "half"
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert target.read_text() == "old"
    assert part.exists()
    Part(target).give_up()  # a second one that does not come to its end
    Part(target).discard()
    assert len(list(tmp_path.glob("a.csv.*.part"))) == 2
    Part(target).commit()
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
