import pytest
import torch
from torch import Tensor, nn

from facemood.errors import RecipeError
from facemood.train.networks.frozen_part import FrozenPart
from facemood.train.networks.plain import TrunkNetwork
from facemood.train.networks.zoo import build_network
from tests.train.test_fit import small_recipe

HEADS = {"expression": 5, "ferplus": 8}
PLAIN = ["network.kind='cnn'", "network.widths=[4, 8]", "network.blocks=[2, 1]", "network.batch_norm=true"]
TIMM = ["network.pretrained=false", "input.pixels='half'"]

DIVIDED = [
    ("se-resnet", [], 32, "stages.0", "stages.1"),
    ("plain", PLAIN, 24, "6", "8"),
    ("efficientnet", [*TIMM, "network.kind='timm:test_efficientnet'"], 64, "blocks.1", "blocks.2"),
    ("resnet", [*TIMM, "network.kind='timm:test_resnet'"], 64, "layer2", "layer3"),
    ("vit", [*TIMM, "network.kind='timm:test_vit'", "input.size=160", "train.crop=0"], 160, "blocks.2", "blocks.3"),
]
"""Networks: the last module that is frozen, and the one behind it."""


def make(settings: list[str], size: int) -> tuple[nn.Module, Tensor]:
    """A network whose batch norms are not at their start, and images."""
    if any("timm:" in setting for setting in settings):
        pytest.importorskip("timm", reason="backbones need the extra backbones")
    torch.manual_seed(3)
    network = build_network(small_recipe(*settings), HEADS, size=size)
    for norm in (module for module in network.modules() if isinstance(module, nn.BatchNorm2d)):
        norm.running_mean.uniform_(-0.1, 0.1)  # type: ignore[union-attr]
    return network.eval(), 255 * torch.rand(3, 1, size, size)


def slopes(network: nn.Module, outputs: dict[str, Tensor]) -> dict[str, Tensor | None]:
    """The gradient of each weight."""
    network.zero_grad()
    sum((value**2).sum() for value in outputs.values()).backward()  # type: ignore[union-attr]
    return {name: weight.grad for name, weight in network.named_parameters()}


@pytest.mark.parametrize(
    ("settings", "size", "last", "behind"), [row[1:] for row in DIVIDED], ids=[row[0] for row in DIVIDED]
)
def test_the_rest_goes_on_from_the_features_and_learns_the_same(
    settings: list[str], size: int, last: str, behind: str
) -> None:
    network, images = make(settings, size)
    part = FrozenPart(network, last, images)
    features = part.features(images).detach()
    assert features.shape == (3, *part.shape)
    whole = network(images)
    before = slopes(network, whole)
    with part.given(features.clone()):
        rest = network(part.placeholder(features))
    after = slopes(network, rest)
    for head, logits in rest.items():
        torch.testing.assert_close(logits, whole[head])
    learning = {name for name, weight in network.named_parameters() if all(weight is not p for p in part.parameters)}
    assert {name for name, slope in after.items() if slope is not None} == learning
    for name in learning:
        torch.testing.assert_close(after[name], before[name])
    prefix = "trunk." if isinstance(network, TrunkNetwork) else ""
    assert any(name.startswith(f"{prefix}{behind}.") for name in learning)
    frozen = {name for name in before if name not in learning}
    assert any(name.startswith(f"{prefix}{last}.") for name in frozen) or last == "6"  # a pooling has no weights
    assert not any(name.startswith((f"{prefix}{behind}.", "heads.")) for name in frozen)


def test_the_whole_trunk_is_the_part_if_no_module_is_named() -> None:
    network, images = make(PLAIN, 24)
    part = FrozenPart(network, "", images)
    learning = [name for name, weight in network.named_parameters() if all(weight is not p for p in part.parameters)]
    assert learning == [f"heads.{head}.{kind}" for head in HEADS for kind in ("weight", "bias")]


def test_what_is_frozen_does_not_change_in_training_and_the_rest_does() -> None:
    network, images = make(PLAIN, 24)
    part = FrozenPart(network, "6", images)
    network.train()
    part.freeze()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    slopes(network, network(images))
    optimizer.step()
    changed = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    assert not any(name.startswith(tuple(f"trunk.{index}." for index in range(7))) for name in changed)
    assert {"trunk.8.weight", "trunk.10.running_mean", "heads.expression.weight"} <= changed


def test_the_network_is_whole_again_after_an_error() -> None:
    network, images = make(PLAIN, 24)
    part, expected = FrozenPart(network, "6", images), network(images)["expression"]
    with pytest.raises(RuntimeError), part.given(torch.zeros(3, 1, 1, 1)):
        network(part.placeholder(torch.zeros(3, 1, 1, 1)))
    assert torch.equal(network(images)["expression"], expected)


class Skipping(nn.Module):
    """The last layer sees what the first gives, beside what the second gives."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.unused = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)
        self.heads = nn.ModuleDict({"expression": nn.Linear(4, 2)})

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        early = self.first(images)
        return {"expression": self.heads["expression"](early + self.second(early))}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("second", "cannot be divided behind 'second', because later layers see more"),
        ("unused", "does not use its module 'unused'"),
        ("secnd", "has no module 'secnd'.*Did you mean 'second'"),
        ("", "has no module ''"),
    ],
)
def test_a_network_that_cannot_be_divided_there_is_reported(name: str, message: str) -> None:
    torch.manual_seed(1)
    with pytest.raises(RecipeError, match=message):
        FrozenPart(Skipping(), name, torch.rand(2, 4))
