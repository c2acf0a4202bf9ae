"""Recipes: everything a training run does, as data in a TOML file. What a file leaves out is as in the baseline."""

from __future__ import annotations

import dataclasses
import importlib.resources
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from facemood.errors import RecipeError, did_you_mean

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PRECISIONS = ("float32", "bfloat16")

RECIPES = importlib.resources.files("facemood.train") / "recipes"


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """The network: channels and residual blocks of each stage, dropout before the heads."""

    widths: tuple[int, ...] = (40, 80, 160)
    blocks: tuple[int, ...] = (1, 2, 2)
    dropout: float = 0.2


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """How training images are varied. Each image draws its own values.

    Attributes:
        mirror: Probability of a left-right mirror image.
        rotation: Largest turn, degrees either way.
        scale: Smallest and largest zoom factor.
        shift: Largest shift, as a share of the side, either way.
        shear: Largest horizontal shear, degrees either way.
        gamma: Largest factor of the tone curve's exponent, drawn between 1 / gamma and gamma.
        overexpose: Probability that brightness is multiplied by up to 2.2 and cut off at white.
        blur: Probability of a 3 x 3 blur.
        noise: Probability of Gaussian noise.
        noise_level: The noise's largest standard deviation, of 255.
        erase: Probability of a grey rectangle over 2% to 20% of the image.
        mixup: Probability that a batch is mixed: each image with another, and what they are read as likewise.
        mixup_alpha: How evenly; both parameters of the Beta distribution that the shares are drawn from.
    """

    mirror: float = 0.5
    rotation: float = 12.0
    scale: tuple[float, float] = (0.85, 1.15)
    shift: float = 0.06
    shear: float = 5.0
    gamma: float = 1.5
    overexpose: float = 0.0
    blur: float = 0.15
    noise: float = 0.1
    noise_level: float = 12.0
    erase: float = 0.3
    mixup: float = 0.0
    mixup_alpha: float = 0.4


@dataclass(frozen=True, slots=True)
class OptimizeConfig:
    """How the weights are fitted: SGD with Nesterov momentum, warm-up and a cosine to zero.

    Attributes:
        epochs: Passes over the training set.
        fine_epochs: How many of them, at the end, see whole images; the others see crops of `crop` pixels.
        crop: Side of the crops in the first epochs, pixels.
        batch_size: Images a step.
        learning_rate: The highest rate.
        warmup: Epochs in which the rate rises from 0.
        momentum: Nesterov momentum, 0..1.
        weight_decay: L2 penalty on convolution and linear weights.
        label_smoothing: Share of the label spread over all classes, on hard labels alone.
        ferplus_weight: Weight of the vote head's loss beside the label head's.
        ema: Decay of the weights' exponential moving average a step; the averages are what is kept.
        precision: ``"float32"``, or ``"bfloat16"`` to run the network in half the bits where the processor can; the
            weights stay float32.
        seed: Number from which every random choice follows.
    """

    epochs: int = 60
    fine_epochs: int = 15
    crop: int = 40
    batch_size: int = 128
    learning_rate: float = 0.1
    warmup: float = 2.0
    momentum: float = 0.9
    weight_decay: float = 5e-4
    label_smoothing: float = 0.1
    ferplus_weight: float = 1.0
    ema: float = 0.999
    precision: str = "float32"
    seed: int = 1


@dataclass(frozen=True, slots=True)
class DataConfig:
    """Which images train.

    Attributes:
        train: The split that trains.
        validate: The split that is watched.
        held_out: The splits whose twins are left out of training.
        folds: In how many parts the training images are dealt, twins together; 0 does not deal them.
        fold: The part that is left out, so that the network can label what it never saw.
    """

    train: str = "Training"
    validate: str = "PublicTest"
    held_out: tuple[str, ...] = ("PublicTest", "PrivateTest")
    folds: int = 0
    fold: int = 0


@dataclass(frozen=True, slots=True)
class DistillConfig:
    """What the network learns from teachers, beside labels and votes.

    Attributes:
        labels: Soft labels: a name inside the package or a file; nothing is distilled where it is empty.
        label_share: Weight 0..1 of the teachers in what the label head learns.
        vote_share: The same for the vote head.
        temperature: What the teachers' logits are divided by before the softmax.
    """

    labels: str = ""
    label_share: float = 0.6
    vote_share: float = 0.5
    temperature: float = 1.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """One training run, whole."""

    name: str
    description: str = ""
    data: DataConfig = field(default_factory=DataConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    distill: DistillConfig = field(default_factory=DistillConfig)
    train: OptimizeConfig = field(default_factory=OptimizeConfig)

    def __post_init__(self) -> None:
        optimize = self.train
        if not 0 <= optimize.fine_epochs <= optimize.epochs:
            raise RecipeError(
                f"train.fine_epochs must be 0..{optimize.epochs} (train.epochs), but is {optimize.fine_epochs}"
            )
        if optimize.batch_size < 2 or optimize.epochs < 1:
            raise RecipeError("train.epochs must be at least 1 and train.batch_size at least 2 (batch norm needs two)")
        if optimize.precision not in PRECISIONS:
            raise RecipeError(f"train.precision must be one of {', '.join(PRECISIONS)}, but is {optimize.precision!r}")
        if self.data.folds == 1 or not 0 <= self.data.fold < max(1, self.data.folds):
            raise RecipeError(
                f"data.fold must be 0..data.folds-1, with 0 or at least 2 folds, but is {self.data.fold} of "
                f"{self.data.folds}"
            )
        if len(self.network.widths) != len(self.network.blocks):
            raise RecipeError("network.widths and network.blocks must name the same number of stages")

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as plain nested dicts, as the TOML file holds it."""
        return dataclasses.asdict(self)


def list_recipes() -> list[str]:
    """Name the recipes inside the package.

    Example:
        >>> "baseline" in list_recipes()
        True
    """
    return sorted(Path(item.name).stem for item in RECIPES.iterdir() if item.name.endswith(".toml"))


def load_recipe(name: str, *, overrides: Iterable[str] = ()) -> Recipe:
    """Load a recipe of the package by name, or a TOML file by path, and set single values.

    Args:
        name: A recipe's name, or the path of a TOML file.
        overrides: Settings such as ``"train.epochs=20"``; the value is read as TOML.

    Raises:
        RecipeError: There is no such recipe or key, or a value is of the wrong kind.

    Example:
        >>> load_recipe("baseline", overrides=["train.epochs=20"]).train.epochs
        20
    """
    table = _read_toml(name)
    for override in overrides:
        _override(table, override)
    return recipe_from_dict({"name": Path(name).stem, **table})


def recipe_from_dict(table: Mapping[str, Any]) -> Recipe:
    """Build a recipe from nested dicts, as `Recipe.to_dict` and TOML give them.

    Raises:
        RecipeError: A key is unknown or a value is of the wrong kind.
    """
    recipe: Recipe = _build(Recipe, table, prefix="")
    return recipe


def _read_toml(name: str) -> dict[str, Any]:
    """Find and parse the recipe's file."""
    if name in list_recipes():
        text = (RECIPES / f"{name}.toml").read_text(encoding="utf-8")
    elif Path(name).is_file():
        text = Path(name).read_text(encoding="utf-8")
    else:
        raise RecipeError(
            f"there is no recipe {name!r}: expected one of {', '.join(list_recipes())}, or the path of a TOML file."
            f"{did_you_mean(name, list_recipes())}"
        )
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"recipe {name!r} is not valid TOML: {error}") from None


def _override(table: dict[str, Any], setting: str) -> None:
    """Set one value in place: ``"train.epochs=20"``."""
    path, equals, text = setting.partition("=")
    section, dot, key = path.strip().partition(".")
    if not equals or not dot:
        raise RecipeError(f"cannot set {setting!r}: expected section.key=value, such as train.epochs=20")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        raise RecipeError(f"cannot set {setting!r}: {text!r} is no TOML value; write text in quotes") from None
    table.setdefault(section, {})[key] = value


def _build(kind: type[Any], table: Mapping[str, Any], *, prefix: str) -> Any:
    """Make a config dataclass of a table, checking each key and kind."""
    hints = get_type_hints(kind)
    unknown = set(table).difference(hints)
    if unknown:
        key = sorted(unknown)[0]
        raise RecipeError(
            f"unknown recipe key {prefix + key!r}; expected one of {', '.join(prefix + name for name in hints)}."
            f"{did_you_mean(key, hints)}"
        )
    return kind(**{key: _value(hints[key], value, prefix + key) for key, value in table.items()})


def _value(hint: Any, value: Any, name: str) -> Any:
    """Bring one TOML value to the field's kind."""
    if dataclasses.is_dataclass(hint) and isinstance(value, Mapping):
        return _build(hint, value, prefix=f"{name}.")  # type: ignore[arg-type]
    if hint is float and type(value) is int:
        return float(value)
    if isinstance(value, list | tuple) and "tuple" in str(hint):
        return tuple(value)
    if type(value) is not hint:
        raise RecipeError(f"recipe key {name!r} must be {getattr(hint, '__name__', hint)}, but is {value!r}")
    return value
