"""Folders and patterns give the same files, each once, and say what they leave out."""

from __future__ import annotations

import os
import socket
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from facemood.errors import SourceError
from facemood.sources import find_inputs, kinds
from facemood.sources.folder_walk import Walk, describe_left_out


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def names(files: list[str], folder: Path) -> list[str]:
    return [str(Path(file).relative_to(folder)) for file in files]


def both(folder: Path) -> list[str]:
    """What the folder gives; the pattern for all below it gives the same."""
    found = Walk().files_below(folder)
    assert Walk().files_matching(f"{folder}/**/*") == found
    assert Walk().files_matching(f"{folder}/**") == found
    return names(found, folder)


def test_what_systems_and_programs_put_beside_photos_is_skipped(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "a.jpg", "._a.jpg", ".hidden.png", "__MACOSX/a.jpg", ".thumbnails/t.png", "@eaDir/x/t.jpg", ".git/b.png",
        "Thumbs.db", ".ipynb_checkpoints/a-checkpoint.png", "#recycle/c.jpg", "$RECYCLE.BIN/d.jpg", "deep/THUMBS.DB",
        "deep/b.jpg",
    )  # fmt: skip
    assert both(tmp_path) == ["a.jpg", "deep/b.jpg"]
    walk = Walk()
    walk.files_below(tmp_path)
    assert walk.left_out == Counter()


def test_a_hidden_folder_that_is_named_is_read(tmp_path: Path) -> None:
    touch(tmp_path, ".album/a.jpg", ".album/.b.jpg")
    assert names(Walk().files_below(tmp_path / ".album"), tmp_path) == [".album/a.jpg"]
    assert names(Walk().files_matching(f"{tmp_path}/.album/*"), tmp_path) == [".album/a.jpg"]
    assert names(Walk().files_matching(f"{tmp_path}/.*/.*.jpg"), tmp_path) == [".album/.b.jpg"]


def test_linked_folders_are_followed_once_and_circles_end(tmp_path: Path) -> None:
    touch(tmp_path, "outside/e.png", "sl/real/r.png", "sl/z/deep/d.png")
    (tmp_path / "sl/a-link").symlink_to(tmp_path / "outside")
    (tmp_path / "sl/b-link").symlink_to(tmp_path / "outside")
    (tmp_path / "sl/a-real").symlink_to("real")
    (tmp_path / "sl/real/loop").symlink_to("..")
    (tmp_path / "sl/real/up").symlink_to("../..")
    (tmp_path / "sl/self").symlink_to("self")
    (tmp_path / "outside/back").symlink_to(tmp_path / "sl")
    assert both(tmp_path / "sl") == ["a-link/e.png", "real/r.png", "z/deep/d.png"]
    assert names(Walk().files_matching(f"{tmp_path}/sl/*/*.png"), tmp_path) == ["sl/a-link/e.png", "sl/real/r.png"]


def test_many_links_in_circles_take_no_time(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg", "b/c.jpg")
    for number in range(12):
        (tmp_path / f"loop{number}").symlink_to(tmp_path / "b")
        (tmp_path / f"b/back{number}").symlink_to(tmp_path)
    assert both(tmp_path) == ["a.jpg", "b/c.jpg"]
    assert names(Walk().files_matching(f"{tmp_path}/*/*/*/*/*/*/*/*.jpg"), tmp_path) != []


def test_linked_files_are_files_and_a_link_to_nowhere_is_told_when_it_is_read(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg")
    (tmp_path / "b.jpg").symlink_to("a.jpg")
    (tmp_path / "c.jpg").symlink_to("nowhere.jpg")
    assert both(tmp_path) == ["a.jpg", "b.jpg", "c.jpg"]


def test_pipes_and_sockets_are_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a.jpg")
    os.mkfifo(tmp_path / "pipe.png")
    monkeypatch.chdir(tmp_path)  # names of sockets are short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        walk = Walk()
        assert names(walk.files_below(tmp_path), tmp_path) == ["a.jpg"]
    assert walk.left_out == {"not a regular file": 2}


def test_an_existing_name_outranks_a_pattern(tmp_path: Path) -> None:
    touch(tmp_path, "br [x]/p.png", "br x/q.png", "p [2025].png", "p 2.png", "a*b.png", "axb.png")
    assert names(Walk().files_matching(f"{tmp_path}/br [x]/*.png"), tmp_path) == ["br [x]/p.png"]
    assert find_inputs(f"{tmp_path}/p [2025].png") == [f"{tmp_path}/p [2025].png"]
    assert find_inputs(f"{tmp_path}/a*b.png") == [f"{tmp_path}/a*b.png"]
    assert names(Walk().files_matching(f"{tmp_path}/p [2].png"), tmp_path) == ["p 2.png"]
    assert names(Walk().files_matching(f"{tmp_path}/b? [xy]/*"), tmp_path) == ["br x/q.png"]


def test_patterns_are_relative_where_they_are_given_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a.jpg", "b/c.JPG", "b/d.txt")
    monkeypatch.chdir(tmp_path)
    assert Walk().files_matching("*.jpg") == ["a.jpg"]
    assert Walk().files_matching("**/*.[jJ]*") == ["a.jpg", "b/c.JPG"]
    assert Walk().files_matching("./b/*") == ["b/c.JPG"]
    assert Walk().files_matching("nowhere/*") == Walk().files_matching("a.jpg/*") == []


def test_what_is_left_out_is_counted_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facemood.sources.folder_walk.heif_is_installed", lambda: False)
    touch(tmp_path, "a.jpg", *(f"{n}.heic" for n in range(9)), "n.txt", "m.TXT", "o.txt", "README", "d.png.crdownload")
    left_out = Counter[str]()
    assert find_inputs(tmp_path, left_out=left_out) == [str(tmp_path / "a.jpg")]
    assert left_out == {".heic": 9, ".txt": 3, "without an ending": 1, "other": 1}
    told = "14 files left out: 9 .heic, 3 .txt, 1 "
    assert f"{tmp_path}: {told}" in caplog.text
    assert "; .heic needs the extra heic" in caplog.text
    (tmp_path / "a.jpg").unlink()
    with pytest.raises(SourceError, match="holds no images or videos.*14 files left out: 9 .heic"):
        find_inputs(tmp_path)
    with pytest.raises(SourceError, match="matches no image or video .3 files left out: 3 .txt"):
        find_inputs(f"{tmp_path}/*.[tT][xX][tT]")


def test_many_endings_are_summed_up() -> None:
    told = describe_left_out(Counter({f".{letter}": 9 - place for place, letter in enumerate("abcdefg")}))
    assert told == "42 files left out: 9 .a, 8 .b, 7 .c, 6 .d, 5 .e, 7 other"


def test_files_without_an_ending_are_known_by_their_first_bytes(tmp_path: Path) -> None:
    (tmp_path / "photo").write_bytes(b"\xff\xd8\xff\xe0 and more")
    (tmp_path / "video").write_bytes(b"\x1aE\xdf\xa3 and more")
    (tmp_path / "script").write_bytes(b"#!/bin/sh")
    assert both(tmp_path) == ["photo", "video"]


def test_heic_is_read_where_its_package_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(tmp_path, "a.HEIC", "b.heif")
    monkeypatch.setattr("facemood.sources.folder_walk.heif_is_installed", lambda: True)
    assert both(tmp_path) == ["a.HEIC", "b.heif"]
    assert kinds.file_kind("a.HEIC") == "photo"


@pytest.fixture
def nobody() -> Iterator[Path]:
    """A folder that everybody may enter, and the rights of a user who may not read everything."""
    if not hasattr(os, "geteuid"):
        pytest.skip("needs the rights of POSIX")
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)
        if os.getuid() == 0:
            os.seteuid(0)


def test_folders_without_rights_are_told_and_the_rest_is_found(nobody: Path) -> None:
    touch(nobody, "a.jpg", "locked/b.jpg", "open/c.jpg", "deep/locked/d.jpg")
    locked = [nobody / "locked", nobody / "deep/locked"]
    for folder in locked:
        folder.chmod(0)
    if os.getuid() == 0:
        os.seteuid(65534)
    told: list[tuple[str, str]] = []
    found = find_inputs(nobody, on_error=lambda name, error: told.append((name, str(error))))
    assert names([str(item) for item in found], nobody) == ["a.jpg", "open/c.jpg"]
    assert sorted(told) == sorted(
        (str(folder), f"{folder}: the folder cannot be listed (Permission denied)") for folder in locked
    )
    with pytest.raises(SourceError, match="the folder cannot be listed"):
        find_inputs(nobody)
    with pytest.raises(SourceError, match="the folder cannot be listed"):
        find_inputs(locked[0], on_error=lambda name, error: None)
    if os.getuid() == 0:
        os.seteuid(0)
    for folder in locked:
        folder.chmod(0o755)
