"""Photos that are no plain files: pages, data URLs, open files, and what only looks like a pattern or a home folder."""

from __future__ import annotations

import base64
import io
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import TiffImagePlugin

from facemood.errors import ImageError, SourceError
from facemood.sources import find_inputs, images, read_frame, read_frames
from facemood.sources.open_input import name_of_item
from tests.videos import number_of, numbered_image


def encode(number: int = 9, kind: str = "PNG", **options: Any) -> bytes:
    data = io.BytesIO()
    Pillow.fromarray(numbered_image(number)).save(data, kind, **options)
    return data.getvalue()


def pages(*numbers: int) -> bytes:
    rest = [Pillow.fromarray(numbered_image(number)) for number in numbers[1:]]
    return encode(numbers[0], "TIFF", save_all=True, append_images=rest)


def read(source: Any) -> tuple[str, int]:
    (item,) = find_inputs(source)
    frame = read_frame(item)
    return frame.source, number_of(frame.image)


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview, lambda data: memoryview(data)[:]])
def test_bytes_of_any_type_are_a_photo(wrap: Any) -> None:
    assert read(wrap(encode())) == ("bytes", 9)
    assert len(list(find_inputs([wrap(encode())] * 2))) == 2


def test_open_files_are_photos_from_where_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"head" + encode(5))
    with path.open("rb") as file:
        file.seek(4)
        assert read(file) == (str(path), 5)
    assert read(io.BytesIO(encode(6))) == ("file", 6)
    with path.open(errors="replace") as text, pytest.raises(SourceError, match="open it for bytes"):
        find_inputs(text)
    with path.open("rb") as file:
        pass
    with pytest.raises(SourceError, match="cannot be read .ValueError: read of closed file"):
        find_inputs(file)


def test_data_urls_are_photos() -> None:
    plain = base64.b64encode(encode()).decode()
    wrapped = "\n".join(plain[place : place + 76] for place in range(0, len(plain), 76))
    assert read(f"data:image/png;base64,{plain}") == ("data:image/png", 9)
    assert read(f"DATA:image/png;name=a.png;base64,{wrapped}") == ("DATA:image/png", 9)
    percent = "".join(f"%{byte:02x}" for byte in encode())
    assert read(f"data:,{percent}") == ("data:", 9)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("data:image/png;base64,iVBORw0KGgo=", "data:image/png: this is not an image"),
        ("data:image/png;base64,not base64!", "data:image/png: the data URL is damaged"),
        ("data:image/png;base64,", "data:image/png: the file is empty"),
    ],
)
def test_damaged_data_urls_are_told_without_their_bytes(url: str, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        read(url)


def test_pages_of_a_tiff_are_photos_with_their_numbers(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "scan.tif"
    path.write_bytes(pages(3, 1, 4, 1))
    frames = list(read_frames(str(path)))
    assert [(frame.index, frame.timestamp, number_of(frame.image)) for frame in frames] == [
        (0, None, 3), (1, None, 1), (2, None, 4), (3, None, 1),
    ]  # fmt: skip
    assert {frame.source for frame in frames} == {str(path)}
    assert number_of(read_frame(str(path)).image) == 3
    assert "of several pages only the first is read" in caplog.text
    assert len(list(read_frames(path.read_bytes()))) == 4


def test_smaller_copies_of_a_page_are_left_out() -> None:
    out = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(out, new=True) as writer:
        for number, kind in ((3, 0), (1, images.REDUCED_PAGE), (4, 0)):
            picture = Pillow.fromarray(numbered_image(number))
            picture.save(writer, "TIFF", tiffinfo={images.PAGE_KIND: kind})
            writer.newFrame()
        data = out.getvalue()
    assert [number_of(frame.image) for frame in read_frames(data)] == [3, 4]


def test_a_damaged_page_is_named() -> None:
    data = pages(3, 1, 4)
    with pytest.raises(ImageError, match=r"bytes.* page 1: "):
        list(read_frames(data[: len(data) // 2]))


def test_an_animation_is_read_by_its_first_frame_and_a_warning_tells(caplog: pytest.LogCaptureFixture) -> None:
    rest = [Pillow.fromarray(numbered_image(2))]
    data = encode(1, "GIF", save_all=True, append_images=rest)
    assert number_of(read_frame(data).image) == 1
    assert "of an animation only the first frame is read" in caplog.text


@pytest.mark.parametrize("name", ["~x.png", "~.png", "~root.png", "p [2025].png", "a*.png", "screen", "http:x"])
def test_a_file_of_that_name_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / name).write_bytes(encode(7))
    monkeypatch.chdir(tmp_path)
    assert number_of(read_frame(next(iter(find_inputs(name)))).image) == 7


@pytest.mark.skipif(sys.platform != "linux", reason="needs file names of any bytes")
def test_a_name_that_is_not_utf8_is_found_and_read(tmp_path: Path) -> None:
    with open(os.path.join(os.fsencode(tmp_path), b"caf\xe9.png"), "wb") as file:
        file.write(encode(8))
    (name,) = find_inputs(tmp_path)
    assert read(name) == (f"{tmp_path}/caf\udce9.png", 8)


@pytest.mark.parametrize("source", ["", "~nobody/x.png", "a\0b.png", "x" * 5000, "~\0", " "])
def test_names_of_nothing_are_errors_of_ours(source: str) -> None:
    with pytest.raises(SourceError):
        find_inputs(source)
    told: list[str] = []
    assert find_inputs([source, encode()], on_error=lambda name, error: told.append(str(error))) == [encode()]
    assert len(told) == 1


def test_an_empty_text_is_not_the_working_folder() -> None:
    with pytest.raises(SourceError, match="the source is an empty text; expected .* or '.' for this folder"):
        find_inputs("")


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (Pillow.new("RGB", (0, 5)), "the image has no pixels, 0 x 5"),
        (Pillow.open(io.BytesIO(encode(9, "JPEG")[:-40])), "truncated"),
    ],
)
def test_damaged_pillow_images_are_errors_of_ours(picture: Pillow.Image, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        read_frame(picture)


def test_a_closed_pillow_image_is_an_error_of_ours() -> None:
    picture = Pillow.open(io.BytesIO(encode()))
    picture.close()
    with pytest.raises(ImageError, match="cannot be read"):
        read_frame(picture)


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "La", "P", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV", "I", "F"]
)
def test_pillow_images_of_every_mode_are_read(mode: str) -> None:
    steps = {"La": ["LA", "La"], "RGBa": ["RGBA", "RGBa"]}.get(mode, [mode])
    picture: Pillow.Image = Pillow.fromarray(numbered_image(9))
    for step in steps:
        picture = picture.convert(step)
    assert number_of(read_frame(picture).image) == 9


def test_a_list_of_names_may_be_an_array() -> None:
    assert find_inputs(np.array(["camera:0", "screen"])) == ["camera:0", "screen"]
    assert find_inputs(np.array([b"1", "camera:1"], dtype=object)) == [b"1", "camera:1"]


def test_a_file_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_BYTES", 1000)
    monkeypatch.setattr("facemood.sources.items.MAX_BYTES", 1000)
    if Path("/dev/zero").exists():
        with pytest.raises(ImageError, match="more than 1,000 bytes"):
            read_frame("/dev/zero")
    with pytest.raises(ImageError, match="more than 1,000 bytes"):
        find_inputs(io.BytesIO(bytes(2000)))


@pytest.mark.parametrize("suffix", [".heic", ".jpg", ""])
def test_heic_is_read(tmp_path: Path, suffix: str) -> None:
    heif = pytest.importorskip("pillow_heif", reason="needs the extra heic")
    path = tmp_path / f"a{suffix}"
    picture = heif.from_pillow(Pillow.fromarray(numbered_image(9)))
    picture.save(str(tmp_path / "made.heic"), quality=95)
    (tmp_path / "made.heic").rename(path)
    assert number_of(read_frame(str(path)).image) == 9
    assert number_of(read_frame(path.read_bytes()).image) == 9


def test_without_its_package_heic_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in images.HEIF_PACKAGES:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImageError, match="bytes: this is a HEIC image; 'pillow_heif' is not installed.*extra 'heic'"):
        read_frame(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))


def test_inputs_have_names() -> None:
    assert name_of_item(Path("a/b.png")) == "a/b.png"
    assert name_of_item("data:image/png;base64,AAAA") == "data:image/png"
    assert [name_of_item(item) for item in (b"", None, 1.5, np.empty(0))] == ["bytes", "None", "1.5", "ndarray"]
