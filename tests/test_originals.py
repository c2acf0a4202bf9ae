import os
import sys
from pathlib import Path

import numpy as np
import pytest

from facemood import Analysis, OutputConflictError, Result
from facemood.originals import Originals, ignores_case, refuse_overwriting
from facemood.render import write_image


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photos" / "a.png"
    path.parent.mkdir()
    write_image(path, np.zeros((4, 4, 3), np.uint8))
    return path


def test_an_input_is_known_by_whatever_name(photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.link(photo, tmp_path / "hard.png")
    (tmp_path / "soft.png").symlink_to(photo)
    (tmp_path / "folder").symlink_to(photo.parent)
    names = [str(photo), "photos/a.png", "./photos/../photos/a.png", "hard.png", "soft.png", "folder/a.png"]
    for source in names:
        for target in names:
            with pytest.raises(OutputConflictError, match=rf"{target}: this would write over the input {source}"):
                refuse_overwriting(["other.png", target], ["camera:0", source])
    refuse_overwriting(["photos/A2.png", "-", "/dev/null", "photos"], names)


def test_what_is_no_file_is_no_original() -> None:
    known = Originals(["camera:0", "rtsp://host/1", "-", "/dev/null"])
    assert [known.find(name) for name in ("-", "/dev/null", "x.png")] == [None, None, None]


def test_a_result_is_not_saved_over_its_source(photo: Path, tmp_path: Path) -> None:
    before = photo.read_bytes()
    result = Result(str(photo), image=np.zeros((4, 4, 3), np.uint8))
    for name in ("a.png", "b.csv", "b.json"):
        (tmp_path / name).symlink_to(photo)
        with pytest.raises(OutputConflictError, match="would write over the input"):
            result.save(tmp_path / name)
    with pytest.raises(OutputConflictError):
        Analysis((Result("x.png"), result)).to_csv(photo)
    with pytest.raises(OutputConflictError):
        Analysis((result,)).to_json(photo)
    assert photo.read_bytes() == before
    assert result.save(tmp_path / "drawn.png").exists()


def test_case_is_asked_of_the_file_system(tmp_path: Path) -> None:
    folder = tmp_path / "Folder"
    folder.mkdir()
    there = (tmp_path / "fOLDER").exists()
    assert ignores_case(folder) == ignores_case(folder / "new" / "newer") == there
    if not there:  # a link answers as a file system does that ignores case: by another name, with the same file
        (tmp_path / "fOLDER").symlink_to(folder)
        assert ignores_case(folder / "new")
        (folder / "Photo.png").write_bytes(b"x")
        with pytest.raises(OutputConflictError):
            refuse_overwriting([tmp_path / "fOLDER" / "Photo.png"], [folder / "Photo.png"])


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
def test_names_that_are_not_utf8_are_told(tmp_path: Path) -> None:
    name = os.path.join(os.fsencode(tmp_path), b"caf\xe9.png")
    Path(os.fsdecode(name)).write_bytes(b"x")
    with pytest.raises(OutputConflictError):
        refuse_overwriting([os.fsdecode(name)], [os.fsdecode(name)])
