import pytest
import torch

from facemood.errors import RecipeError
from facemood.train.networks.plain import TrunkNetwork
from facemood.train.networks.se_resnet import ExpressionNetwork
from facemood.train.networks.zoo import build_network
from tests.train.test_fit import small_recipe

HEADS = {"expression": 5}
PLAIN = ["network.kind='cnn'", "network.widths=[4, 8]", "network.blocks=[2, 1]", "input.pixels='unit'"]


def test_ours_is_built_for_grey_and_colour() -> None:
    for colour, channels in (("grey", 1), ("rgb", 3)):
        network = build_network(small_recipe(f"input.colour='{colour}'"), HEADS, size=32)
        assert isinstance(network, ExpressionNetwork)
        assert network(torch.zeros(2, channels, 32, 32))["expression"].shape == (2, 5)


def test_a_plain_network_has_the_layers_that_the_recipe_names() -> None:
    recipe = small_recipe(*PLAIN, "network.dense=[16]", "network.pool='average'", "network.batch_norm=false")
    network = build_network(recipe, HEADS, size=24)
    assert isinstance(network, TrunkNetwork)
    kinds = [type(layer).__name__ for layer in network.trunk.children()]
    stage = ["AvgPool2d", "Dropout"]
    assert kinds == ["Conv2d", "ReLU"] * 2 + stage + ["Conv2d", "ReLU"] + stage + ["Flatten", "Linear", "ReLU"]
    assert network(torch.zeros(3, 1, 24, 24))["expression"].shape == (3, 5)
    normed = build_network(small_recipe(*PLAIN), HEADS, size=25)
    assert sum(isinstance(layer, torch.nn.BatchNorm2d) for layer in normed.modules()) == 3
    assert normed(torch.zeros(3, 1, 25, 25))["expression"].shape == (3, 5)


def test_an_unknown_network_is_reported() -> None:
    with pytest.raises(RecipeError, match="network.kind must be se-resnet, cnn or timm:NAME, but is 'resnet'"):
        build_network(small_recipe("network.kind='resnet'"), HEADS, size=32)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["mobilenetv1_100", "vgg16", "resnet50", "inception_v3", "efficientnet_b0", "efficientnet_b2"]
)
def test_timm_backbones_give_a_vector_to_each_head(name: str) -> None:
    pytest.importorskip("timm", reason="backbones need the extra backbones")
    for colour, channels in (("rgb", 3), ("grey", 1)) if name == "mobilenetv1_100" else (("rgb", 3),):
        recipe = small_recipe(f"network.kind='timm:{name}'", "network.pretrained=false", f"input.colour='{colour}'")
        network = build_network(recipe, HEADS, size=96).eval()
        with torch.no_grad():
            assert network(torch.rand(1, channels, 96, 96) * 255)["expression"].shape == (1, 5)


@pytest.mark.slow
@pytest.mark.parametrize("size", [48, 96])
def test_a_vision_transformer_is_built_for_the_images(size: int) -> None:
    pytest.importorskip("timm", reason="backbones need the extra backbones")
    vit = ["network.kind='timm:vit_tiny_patch16_224'", "network.pretrained=false"]
    with pytest.raises(RecipeError, match=f"takes images of {size} pixels only, but train.crop is 24: set it to 0"):
        build_network(small_recipe(*vit), HEADS, size=size)
    recipe = small_recipe(*vit, "train.crop=0")
    network = build_network(recipe, HEADS, size=size).eval()
    assert network.trunk.pos_embed.shape == (1, (size // 16) ** 2 + 1, 192)  # type: ignore[union-attr]
    with torch.no_grad():
        assert network(torch.rand(1, 1, size, size) * 255)["expression"].shape == (1, 5)


def test_an_unknown_backbone_is_reported() -> None:
    pytest.importorskip("timm", reason="backbones need the extra backbones")
    with pytest.raises(RecipeError, match="timm has no backbone 'resnet5'.*Did you mean 'resnet"):
        build_network(small_recipe("network.kind='timm:resnet5'"), HEADS, size=32)
