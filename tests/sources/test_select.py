from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facemood.errors import SourceError
from facemood.render import encode_png
from facemood.sources import ImageLike, find_inputs, is_video, read_frame


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.png", "a.jpg", "deep/er/c.webp", "deep/d.JPG"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no image")
    return tmp_path


def names(found: list[object], folder: Path) -> list[str]:
    return [str(Path(str(item)).relative_to(folder)) for item in found]


def test_a_folder_is_searched_recursively_and_sorted(folder: Path) -> None:
    assert names(list(find_inputs(folder)), folder) == ["a.jpg", "b.png", "deep/d.JPG", "deep/er/c.webp"]


def test_a_pattern_is_expanded_and_sorted(folder: Path) -> None:
    assert names(list(find_inputs(f"{folder}/*.*")), folder) == ["a.jpg", "b.png"]
    assert names(list(find_inputs(f"{folder}/**/*.webp")), folder) == ["deep/er/c.webp"]


def test_lists_keep_their_order_and_may_mix(folder: Path) -> None:
    array = np.zeros((4, 4), np.uint8)
    found = list(find_inputs([folder / "b.png", array, str(folder / "deep"), Image.new("L", (2, 2))]))
    assert len(found) == 5
    assert found[0] == str(folder / "b.png")
    assert found[1] is array


def test_a_named_file_may_have_any_suffix(folder: Path) -> None:
    file = folder / "face.data"
    Image.new("RGB", (4, 4)).save(file, "PNG")
    assert read_frame(next(iter(find_inputs(file)))).size == (4, 4)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("deep/dd.JPG", "there is no such file or folder. Did you mean 'd.JPG'"),
        ("*.tiff", "the pattern matches no image or video"),
        ("empty", "the folder holds no images or videos"),
        ("ftps://camera/1", "unsupported protocol; expected rtsp://"),
    ],
)
def test_sources_without_inputs_are_errors(
    folder: Path, source: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "empty").mkdir()
    monkeypatch.chdir(folder)
    with pytest.raises(SourceError, match=message):
        find_inputs(source)


def test_videos_live_sources_and_folders_of_videos_are_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "clip.mp4").write_bytes(b"video")
    monkeypatch.chdir(folder)
    assert find_inputs("camera:0") == ["camera:0"]
    assert find_inputs("rtsp://camera/1") == ["rtsp://camera/1"]
    assert [name for name in find_inputs(folder) if is_video(name)] == [str(folder / "clip.mp4")]
    assert find_inputs("*.mp4") == ["clip.mp4"]
    (folder / "camera:0").mkdir()
    with pytest.raises(SourceError, match="holds no images or videos"):
        find_inputs("camera:0")


def test_a_missing_source_among_several_is_passed_to_on_error(folder: Path) -> None:
    seen: list[str] = []
    sources: list[ImageLike] = [folder / "b.png", "nowhere.jpg", folder / "a.jpg"]
    found = find_inputs(sources, on_error=lambda name, error: seen.append(name))
    assert names(list(found), folder) == ["b.png", "a.jpg"]
    assert seen == ["nowhere.jpg"]
    with pytest.raises(SourceError, match="nowhere.jpg"):
        find_inputs(sources)


def test_another_type_is_refused() -> None:
    with pytest.raises(SourceError, match="cannot read int"):
        find_inputs(7)  # type: ignore[arg-type]


def test_frames_have_the_name_of_their_source(folder: Path) -> None:
    assert read_frame(str(folder / "a.jpg")).source == str(folder / "a.jpg")
    assert read_frame(np.zeros((4, 4), np.uint8)).source == "array"
    assert read_frame((folder / "a.jpg").read_bytes()).source == "bytes"
    with Image.open(folder / "a.jpg") as picture:
        assert read_frame(picture).source == str(folder / "a.jpg")
    assert read_frame(Image.new("L", (2, 2))).source == "image"


def test_a_file_address_is_its_path(tmp_path: Path) -> None:
    file = tmp_path / "my cat.png"
    file.write_bytes(encode_png(np.zeros((4, 6, 3), np.uint8)))
    assert find_inputs(file.as_uri()) == [str(file)]
    assert find_inputs(tmp_path.as_uri()) == [str(file)]
    with pytest.raises(SourceError, match="no such file or folder.*my cat"):
        find_inputs((tmp_path / "my cut.png").as_uri())
    with pytest.raises(SourceError, match="on another machine"):
        find_inputs("file://nas/photos/a.png")
