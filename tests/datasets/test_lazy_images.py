import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from facemood.datasets import ImageFiles
from facemood.datasets.lazy_images import BLOCK, load, on_all_cores
from facemood.errors import DatasetError
from tests.datasets.image_files import save, save_noise, spoil


@pytest.fixture
def files(tmp_path: Path) -> ImageFiles:
    """Five grey images of the values 0, 10, 20, 30, 40."""
    return ImageFiles(tuple(save(tmp_path / f"{row}.png", row * 10) for row in range(5)), size=4)


def values(images: ImageFiles) -> list[int]:
    return [int(image[0, 0]) for image in images]


def test_it_has_the_shape_of_the_array(files: ImageFiles) -> None:
    assert (len(files), files.shape, files.ndim) == (5, (5, 4, 4), 3)
    assert files.dtype == np.asarray(files).dtype == np.uint8
    coloured = ImageFiles(files.paths, size=6, colour="bgr")
    assert (coloured.shape, coloured.ndim) == ((5, 6, 6, 3), 4)
    assert np.asarray(coloured).shape == (5, 6, 6, 3)


def test_an_integer_decodes_one_image_and_rows_decode_none(files: ImageFiles) -> None:
    image = files[np.int64(3)]
    assert image.dtype == np.uint8
    assert (image == np.full((4, 4), 30)).all()
    assert image.flags.writeable  # so that torch takes it without a warning
    assert files[-1][0, 0] == 40
    files.paths[0].unlink()
    assert len(files[:2]) == 2


def test_rows_are_indexed_as_in_an_array(files: ImageFiles) -> None:
    assert values(files[1:4:2]) == [10, 30]
    assert values(files[np.array([4, 0, -1])]) == [40, 0, 40]
    assert values(files[[2]]) == [20]
    assert values(files[np.arange(5) > 2]) == [30, 40]
    assert np.asarray(files[np.zeros(5, bool)]).shape == (0, 4, 4)


@given(
    st.one_of(st.slices(5), hnp.arrays(bool, 5), hnp.arrays(np.int64, st.integers(0, 7), elements=st.integers(-5, 4)))
)
def test_any_rows_are_those_of_the_array(rows: slice | np.ndarray) -> None:
    paths = tuple(Path(name) for name in "abcde")
    boxes = np.arange(20).reshape(5, 4)
    chosen = ImageFiles(paths, 4, boxes=boxes)[rows]
    assert chosen.paths == tuple(np.array(paths)[rows])
    np.testing.assert_array_equal(chosen.boxes, boxes[rows])


@pytest.mark.parametrize("index", [5, -6, np.array([5]), np.ones(4, bool), (slice(None), None)])
def test_missing_rows_are_rejected(files: ImageFiles, index: int) -> None:
    with pytest.raises(IndexError):
        files[index]


def test_an_array_of_it_holds_the_pixels_in_any_type(files: ImageFiles) -> None:
    assert np.asarray(files)[:, 0, 0].tolist() == [0, 10, 20, 30, 40]
    assert np.asarray(files[2:], np.float32).dtype == np.float32
    with pytest.raises(ValueError, match="leave out copy=False"):
        files.__array__(copy=False)


def test_it_can_be_sent_to_a_worker_process(files: ImageFiles) -> None:
    np.testing.assert_array_equal(np.asarray(pickle.loads(pickle.dumps(files))), np.asarray(files))


def test_colour_is_bgr_and_grey_is_its_luma(tmp_path: Path) -> None:
    paths = (save(tmp_path / "red.png", (200, 100, 50)),)
    assert ImageFiles(paths, 4, "bgr")[0][2, 3].tolist() == [50, 100, 200]
    assert ImageFiles(paths, 4, "grey")[0][2, 3] == round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)


def test_shrinking_averages_areas_and_enlarging_does_not_overshoot_a_flat_image(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (12, 12), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "1.png")
    means = pixels.reshape(4, 3, 4, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(ImageFiles((tmp_path / "1.png",), 4)[0], means, atol=1)
    np.testing.assert_array_equal(ImageFiles((tmp_path / "1.png",), 12)[0], pixels)
    assert (ImageFiles((save(tmp_path / "2.png", 77),), 64)[0] == 77).all()


def test_enlarging_is_smooth(tmp_path: Path) -> None:
    Image.fromarray(np.array([[0, 200], [0, 200]], np.uint8)).save(tmp_path / "1.png")
    row = ImageFiles((tmp_path / "1.png",), 8)[0][4].astype(int)
    assert (np.diff(row) >= 0).all()
    assert len(set(row.tolist())) > 3  # and no two flat halves


def test_the_exif_orientation_is_applied(tmp_path: Path) -> None:
    pixels = np.zeros((8, 8), np.uint8)
    pixels[:, :4] = 255  # the left half; turned by 90 degrees, the upper half
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(tmp_path / "1.png", exif=exif)
    upright = ImageFiles((tmp_path / "1.png",), 8)[0]
    assert upright[:4].min() == 255
    assert upright[4:].max() == 0


@pytest.mark.parametrize(
    ("mode", "pixel", "expected"),
    [("RGBA", (9, 9, 9, 0), 255), ("LA", (9, 255), 9), ("I;16", 0x8080, 0x80), ("1", 1, 255), ("P", 0, 0)],
)
def test_every_mode_becomes_eight_bits(tmp_path: Path, mode: str, pixel: int, expected: int) -> None:
    Image.new(mode, (5, 5), pixel).save(tmp_path / "1.png")
    for colour in ("grey", "bgr"):
        assert (ImageFiles((tmp_path / "1.png",), 4, colour)[0] == expected).all()


def test_a_box_is_cropped_to_the_image(tmp_path: Path) -> None:
    pixels = np.arange(100, dtype=np.uint8).reshape(10, 10)
    Image.fromarray(pixels).save(tmp_path / "1.png")
    boxes = np.array([[2, 3, 6, 7], [-5, 6, 4, 90]])
    cut = ImageFiles((tmp_path / "1.png",) * 2, 4, boxes=boxes)
    np.testing.assert_array_equal(cut[0], pixels[3:7, 2:6])
    np.testing.assert_array_equal(cut[1], pixels[6:, :4])
    np.testing.assert_array_equal(cut[1:][0], pixels[6:, :4])


@pytest.mark.parametrize("box", [(10, 0, 20, 10), (3, 3, 3, 5), (4, 0, 3, 9), (-9, -9, 0, 0)])
@pytest.mark.parametrize("memory", [1, 1 << 30])
def test_a_box_without_area_inside_of_the_image_is_reported(
    tmp_path: Path, box: tuple[int, ...], memory: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = ImageFiles((save(tmp_path / "1.png", size=(10, 10)),), 4, boxes=np.array([box]))
    with pytest.raises(DatasetError, match="1.png: the box .* has no area inside of the image of 10x10 pixels"):
        files[0]
    monkeypatch.setattr("facemood.datasets.lazy_images.MEMORY", memory)
    images, unreadable = load(files)
    assert len(images) == 0
    assert "has no area inside" in unreadable[0]


def test_a_box_is_in_pixels_of_the_upright_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", (10, 40)).save(tmp_path / "1.jpg", exif=exif)  # upright 40 wide and 10 high
    files = ImageFiles((tmp_path / "1.jpg",) * 2, 4, boxes=np.array([[30, 0, 40, 10], [0, 30, 10, 40]]))
    assert list(load(files)[1]) == [1]
    monkeypatch.setattr("facemood.datasets.lazy_images.MEMORY", 1)
    assert list(load(files)[1]) == [1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"colour": "gray"}, "unknown colour 'gray'; expected grey or bgr. Did you mean 'grey'"),
        ({"size": 0}, "size must be at least 1 pixel, but is 0"),
        ({"boxes": np.zeros((2, 4), np.int64)}, r"boxes must be \(1, 4\), one for each file, but are \(2, 4\)"),
    ],
)
def test_wrong_options_are_rejected(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        ImageFiles(**{"paths": (Path("a.png"),), "size": 4, **arguments})  # type: ignore[arg-type]


def test_an_unreadable_file_is_named_when_it_is_read(tmp_path: Path) -> None:
    files = ImageFiles((tmp_path / "gone.png", spoil(tmp_path / "text.png")), 4)
    with pytest.raises(DatasetError, match="gone.png: there is no such file; replace the file, or remove it"):
        files[0]
    with pytest.raises(DatasetError, match="text.png: it is not an image"):
        np.asarray(files[1:])


def broken(folder: Path) -> Iterator[Path]:
    """Files that are unreadable in different ways; the last one is detected when it is decoded."""
    yield folder / "gone.png"
    yield spoil(folder / "text.png")
    whole = save_noise(folder / "whole.png", 1, side=60).read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    yield folder / "cut.png"
    whole = save_noise(folder / "whole.jpg", 1, side=60).read_bytes()
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    yield folder / "cut.jpg"


def test_loading_leaves_out_unreadable_files_and_gives_the_reasons(tmp_path: Path) -> None:
    good = [save(tmp_path / "a.png", 10), save(tmp_path / "b.png", 20)]
    bad = list(broken(tmp_path))
    images, unreadable = load(ImageFiles((good[0], *bad, good[1]), 4))
    assert isinstance(images, np.ndarray)
    assert images[:, 0, 0].tolist() == [10, 20]
    assert list(unreadable) == [1, 2, 3, 4]
    assert unreadable[1] == "there is no such file"
    assert unreadable[2] == "it is not an image"
    assert "it cannot be read as an image (" in unreadable[3]
    assert "truncated" in unreadable[4]


def test_pixels_too_large_for_memory_stay_in_their_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = [save(tmp_path / "a.png", 10), save(tmp_path / "b.png", 20)]
    bad = list(broken(tmp_path))
    files = ImageFiles((good[0], *bad[:3], good[1]), 4, "bgr")
    monkeypatch.setattr("facemood.datasets.lazy_images.MEMORY", 5 * 4 * 4 * 3)
    images, unreadable = load(files)
    assert isinstance(images, ImageFiles)
    assert images.paths == tuple(good)
    assert list(unreadable) == [1, 2, 3]
    monkeypatch.setattr("facemood.datasets.lazy_images.MEMORY", 5 * 4 * 4 * 3 + 1)
    assert isinstance(load(files)[0], np.ndarray)


def test_files_that_stay_are_not_decoded(files: ImageFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr("facemood.datasets.lazy_images.MEMORY", 1)
    monkeypatch.setattr("facemood.datasets.lazy_images._decode", refuse)
    assert load(files)[1] == {}


def test_results_of_all_cores_are_in_order() -> None:
    count = 2 * BLOCK + 3
    assert list(on_all_cores(lambda row: row * row, count)) == [row * row for row in range(count)]
    assert list(on_all_cores(lambda row: row, 0)) == []
