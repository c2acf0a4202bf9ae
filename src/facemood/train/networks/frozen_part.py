"""The frozen first part of a network: compute its output alone, and run the rest of the network from it.

No network is cut apart for it. While the rest runs, each module of the first part gives back a placeholder of the right
shape at no cost, and the last one the features that were computed before. So it works for any network in which the rest
sees nothing of the first part but its output; `FrozenPart` makes sure of that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from facemood.errors import RecipeError, did_you_mean
from facemood.train.networks.plain import TrunkNetwork


class _Reached(BaseException):
    """Ends a run of the network at the last module of the first part."""


class FrozenPart:
    """The first part of a network, up to and including one of its modules.

    Args:
        network: Maps images to the logits of each head.
        name: The last module of the part, by its name in the network's trunk; empty for the whole trunk.
        images: (N, C, h, w) float32, two or more, with which the network is tried.

    Attributes:
        network: The whole network.
        name: The name of the last module of the part.
        last: That module.
        shape: The shape of an image's features.
        inputs: The shape of an image.
        modules: The outermost modules of the part, in the order in which they run.
        parameters: Its parameters: those that the rest does not use.

    Raises:
        RecipeError: There is no such module, its output is no tensor, or the rest sees more than its output.
    """

    network: nn.Module
    name: str
    last: nn.Module
    shape: tuple[int, ...]
    inputs: tuple[int, ...]
    modules: tuple[nn.Module, ...]
    parameters: tuple[nn.Parameter, ...]

    def __init__(self, network: nn.Module, name: str, images: Tensor) -> None:
        self.network, self.name, self.last = network, name, _find(network, name)
        training = network.training
        network.eval()
        self.inputs = tuple(images.shape[1:])
        self._shapes: dict[nn.Module, list[tuple[int, ...]]] = {}
        with torch.no_grad():
            self.modules = self._probe(images)
            features, expected = self.features(images), network(images)
        self.shape = tuple(features.shape[1:])
        with self.given(features), torch.enable_grad():
            outputs = network(self.placeholder(features))
            self._check(outputs, expected)
            weights = [weight for weight in network.parameters() if weight.requires_grad]
            used = torch.autograd.grad(sum(value.sum() for value in outputs.values()), weights, allow_unused=True)
        self.parameters = tuple(weight for weight, slope in zip(weights, used, strict=True) if slope is None)
        network.train(training)

    def freeze(self) -> None:
        """Stop the part from learning; its batch norms and dropout are in evaluation mode."""
        for weight in self.parameters:
            weight.requires_grad_(False)
        for module in self.modules:
            module.eval()

    def features(self, images: Tensor) -> Tensor:
        """Return the output of the part for (N, C, h, w) images; the rest of the network does not run."""
        found: list[Tensor] = []

        def stop(module: nn.Module, inputs: Any, output: Tensor) -> None:
            found.append(output)
            raise _Reached

        handle = self.last.register_forward_hook(stop)
        try:
            self.network(images)
        except _Reached:
            return found[0]
        finally:
            handle.remove()
        raise RecipeError(f"train.freeze_through: the network does not use its module {self.name!r}")

    @contextmanager
    def given(self, features: Tensor) -> Iterator[None]:
        """Inside the block, a run of the network goes on from these features, whatever images it gets.

        Args:
            features: (N, ...), as `features` returns them; a layer of the rest may write to them.
        """
        reached: list[bool] = []
        for module in self.modules:
            module.forward = self._stand_in(module, features, reached)
        try:
            yield
        finally:
            for module in self.modules:
                del module.forward

    def placeholder(self, features: Tensor) -> Tensor:
        """Return what the network is given instead of images inside `given`: (N, C, h, w), without memory."""
        return features.new_zeros(()).expand(len(features), *self.inputs)

    def _stand_in(self, module: nn.Module, features: Tensor, reached: list[bool]) -> Callable[..., Any]:
        """Return what replaces the forward pass of a module of the part, until the rest begins."""
        shapes, original = iter(self._shapes[module]), module.forward

        def forward(*inputs: Any, **options: Any) -> Any:
            if reached:
                return original(*inputs, **options)
            if module is self.last:
                reached.append(True)
                return features
            return features.new_zeros(()).expand(len(features), *next(shapes))

        return forward

    def _probe(self, images: Tensor) -> tuple[nn.Module, ...]:
        """Run the part, and return its outermost modules, whose output shapes are noted."""
        open_calls: list[int] = []
        ended: list[tuple[int, nn.Module, Any]] = []
        count = 0

        def begin(module: nn.Module, inputs: Any) -> None:
            nonlocal count
            open_calls.append(count)
            count += 1

        def end(module: nn.Module, inputs: Any, output: Any) -> None:
            begun = open_calls.pop()
            ended[:] = [call for call in ended if call[0] < begun]  # those inside this one are done by it
            ended.append((begun, module, output))
            if module is self.last:
                raise _Reached

        parts = [module for module in self.network.modules() if module is not self.network]
        handles = [module.register_forward_pre_hook(begin) for module in parts]
        handles += [module.register_forward_hook(end) for module in parts]
        try:
            self.network(images)
        except _Reached:
            pass
        finally:
            for handle in handles:
                handle.remove()
        for _, module, output in ended:
            if not isinstance(output, Tensor) or len(output) != len(images):
                raise RecipeError(
                    f"train.freeze_through: {self.name!r} cannot be frozen, because a module before it gives back more "
                    "than a tensor; name an earlier one"
                )
            self._shapes.setdefault(module, []).append(tuple(output.shape[1:]))
        return tuple(self._shapes)

    def _check(self, outputs: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
        """Make sure that the rest gives from the features what the network gives from the images."""
        same = all(torch.allclose(outputs[head], value, rtol=1e-3, atol=1e-4) for head, value in expected.items())
        if not same:
            raise RecipeError(
                f"train.freeze_through: the network cannot be divided behind {self.name!r}, because later layers see "
                "more than its output; name the end of a stage"
            )


def _find(network: nn.Module, name: str) -> nn.Module:
    """Return a module by its name in the trunk."""
    trunk = network.trunk if isinstance(network, TrunkNetwork) else network
    known = [found for found, _ in trunk.named_modules() if found]
    if not name and trunk is not network:
        return trunk
    if name not in known:
        raise RecipeError(
            f"train.freeze_through: the network has no module {name!r}; it has {', '.join(known[:8])} and so on."
            f"{did_you_mean(name[:99], known)}"
        )
    return trunk.get_submodule(name)
