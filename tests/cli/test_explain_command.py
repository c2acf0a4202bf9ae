import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from facemood.text import percent
from tests.cli.conftest import Run
from tests.conftest import PHOTOS

HOPPER = PHOTOS / "grace_hopper.jpg"


def test_a_photo_is_explained_by_all_segmenters(facemood: Run, tmp_path: Path) -> None:
    pytest.importorskip("lime", reason="needs the extra explain")
    done = facemood(
        "explain", HOPPER, "--model", "nano", "--segmenter", "all", "--samples", 60, "-o", "why.png", "--json"
    )
    assert done.returncode == 0, done.stderr
    (rows,) = json.loads(done.stdout)["faces"]
    assert "face 0: neutral 87%" in done.stderr
    assert f"face 0: neutral {percent(rows[0]['probability'])}, explained in why.png; fit R2 " in done.stderr
    assert [row["settings"]["segmenter"] for row in rows] == ["felzenszwalb", "quickshift", "slic"]
    with Image.open(tmp_path / "why.png") as image:
        assert image.height == 3 * 300


def test_each_face_has_its_own_figure(facemood: Run, tmp_path: Path) -> None:
    with Image.open(HOPPER) as one:
        Image.fromarray(np.hstack([np.asarray(one.convert("RGB"))] * 2)).save(tmp_path / "two.png")
    done = facemood("explain", "two.png", "--method", "occlusion", "--label", "happy", "-o", "out/why.png")
    assert done.returncode == 0, done.stderr
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["why-0.png", "why-1.png"]
    assert "face 1: happy <1%, explained in" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--method", "cam", "--model", "nano", "--label", "bored"), 3, "does not know the label 'bored'"),
        (("--method", "gradcam"), 3, "unknown method 'gradcam'; expected one of lime, cam, occlusion"),
        (("--segmenter", "slik"), 3, "Did you mean 'slic'?"),
        (("--set", "n_segments"), 2, "expects NAME=NUMBER"),
        (("--set", "scale=1", "--segmenter", "all"), 2, "works with one segmenter"),
        (("--method", "occlusion", "--face", "1"), 2, "there is no face 1; found 1"),
    ],
)
def test_bad_requests_end_with_a_message(
    facemood: Run, arguments: tuple[str, ...], code: int, message: str, tmp_path: Path
) -> None:
    done = facemood("explain", HOPPER, *arguments)
    assert done.returncode == code
    assert message in " ".join(done.stderr.replace("│", " ").split())
    assert not list(tmp_path.iterdir())


def test_a_photo_is_not_written_over_by_its_explanation(facemood: Run, tmp_path: Path) -> None:
    with Image.open(HOPPER) as one:
        Image.fromarray(np.hstack([np.asarray(one.convert("RGB"))] * 2)).save(tmp_path / "why-1.png")
    before = (tmp_path / "why-1.png").read_bytes()
    for output in ("why-1.png", "why.png"):  # the second is known only once two faces are found
        done = facemood("explain", "why-1.png", "--method", "occlusion", "-o", output)
        assert done.returncode == 2
        assert "would write over the input why-1.png" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["why-1.png"]
    assert (tmp_path / "why-1.png").read_bytes() == before


def test_activation_maps_are_drawn_as_a_layer(facemood: Run, tmp_path: Path) -> None:
    for name, layers in (("plain.png", ()), ("mapped.png", ("--draw", "map"))):
        done = facemood("analyze", HOPPER, "--model", "nano", "-o", name, *layers)
        assert done.returncode == 0, done.stderr
    plain, mapped = (np.asarray(Image.open(tmp_path / name)).astype(int) for name in ("plain.png", "mapped.png"))
    greener = (mapped[..., 1] - mapped[..., 0]) - (plain[..., 1] - plain[..., 0])
    assert 0.02 < (greener > 60).mean() < 0.9


def test_a_photo_without_a_face_is_an_error(facemood: Run, tmp_path: Path) -> None:
    Image.new("RGB", (90, 90), (128, 128, 128)).save(tmp_path / "grey.png")
    done = facemood("explain", "grey.png", "--method", "occlusion")
    assert done.returncode == 3
    assert "grey.png: found no face to explain" in done.stderr
