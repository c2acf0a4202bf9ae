"""Recipes: everything a training run does, as data. What a file leaves out is as in the baseline."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from facemood.errors import RecipeError, did_you_mean

CHOICES: dict[str, tuple[str, ...]] = {
    "input.colour": ("grey", "rgb"),
    "input.pixels": ("standardized", "unit", "imagenet"),
    "network.pool": ("max", "average"),
    "network.stem": ("single", "deep"),
    "augment.fill": ("reflect", "nearest", "constant"),
    "loss.kind": ("cross-entropy", "focal"),
    "loss.targets": ("labels", "votes"),
    "loss.class_weights": ("none", "balanced"),
    "train.optimizer": ("sgd", "adam", "adamw"),
    "train.schedule": ("cosine", "constant", "plateau"),
    "train.precision": ("float32", "bfloat16"),
    "stop.monitor": ("accuracy", "loss"),
    "stop.keep": ("last", "best"),
}
"""The words that some keys take."""


@dataclass(frozen=True, slots=True)
class InputConfig:
    """What the network sees of an image.

    Attributes:
        size: Side in pixels to which images are brought; 0 leaves them as the dataset has them.
        colour: ``"grey"`` or ``"rgb"``; grey images are repeated in three channels for the latter.
        pixels: ``"standardized"`` (each image to mean 0 and deviation 1), ``"unit"`` (0..1), or ``"imagenet"`` (0..1,
            less ImageNet's mean, over its deviation, as pretrained backbones want it).
    """

    size: int = 0
    colour: str = "grey"
    pixels: str = "standardized"


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """The network.

    Attributes:
        kind: ``"se-resnet"`` (ours), ``"cnn"`` (plain convolutions), or ``"timm:NAME"`` for a backbone of timm.
        start: A model of ours, by name or file, whose weights but for the heads the network starts from; its widths and
            blocks count then.
        widths: Channels of each stage.
        blocks: Residual blocks, or convolutions, of each stage.
        stem: Our network's first layers: ``"single"`` (a 5x5 convolution) or ``"deep"`` (two of 3x3, the first of them
            narrow and at the image's size).
        stem_stride: Of the last convolution there: 2 works at half the image's size from then on, 1 at all.
        dropout: Share of the pooled or last dense features that is dropped in training, 0..1.
        pool: How a plain network shrinks after each stage: ``"max"`` or ``"average"``.
        batch_norm: Whether a plain network normalizes after each convolution.
        stage_dropout: Share that a plain network drops after each stage, 0..1.
        dense: Widths of a plain network's dense layers between the last map and the heads.
        pretrained: Whether a timm backbone starts from its published weights.
    """

    kind: str = "se-resnet"
    start: str = ""
    widths: tuple[int, ...] = (40, 80, 160)
    blocks: tuple[int, ...] = (1, 2, 2)
    stem: str = "single"
    stem_stride: int = 2
    dropout: float = 0.2
    pool: str = "max"
    batch_norm: bool = True
    stage_dropout: float = 0.0
    dense: tuple[int, ...] = ()
    pretrained: bool = True


@dataclass(frozen=True, slots=True)
class AugmentConfig:
    """How training images are varied. Each image draws its own values.

    Attributes:
        mirror: Probability of a left-right mirror image.
        rotation: Largest turn, degrees either way.
        scale: Smallest and largest zoom factor: below 1 zooms out, above 1 zooms in.
        shift: Largest shift, as a share of the side, either way.
        shear: Largest horizontal shear, degrees either way.
        fill: What comes in from outside: ``"reflect"``, ``"nearest"`` (the edge repeated) or ``"constant"`` (black).
        brightness: Largest factor of the brightness, drawn between 1 / brightness and brightness.
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
    fill: str = "reflect"
    brightness: float = 1.0
    gamma: float = 1.5
    overexpose: float = 0.0
    blur: float = 0.15
    noise: float = 0.1
    noise_level: float = 12.0
    erase: float = 0.3
    mixup: float = 0.0
    mixup_alpha: float = 0.4


@dataclass(frozen=True, slots=True)
class LossConfig:
    """What is made small.

    Attributes:
        kind: ``"cross-entropy"``, or ``"focal"`` (Lin et al. 2017), which weighs what is read right already less.
        targets: ``"labels"``, or ``"votes"`` to learn the distribution of people's votes in place of one label.
        class_weights: ``"none"``, or ``"balanced"`` to weigh each class by the inverse of its count.
        gamma: Exponent of the focal loss; 0 is cross-entropy.
        alpha: Weight of each class by its label word; a class that is left out has 1. It multiplies `class_weights`.
    """

    kind: str = "cross-entropy"
    targets: str = "labels"
    class_weights: str = "none"
    gamma: float = 2.0
    alpha: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OptimizeConfig:
    """How the weights are fitted.

    Attributes:
        optimizer: ``"sgd"`` (with Nesterov momentum), ``"adam"`` or ``"adamw"``.
        schedule: ``"cosine"`` to zero, ``"constant"``, or ``"plateau"`` (halved when the watched figure stands still).
        freeze_epochs: Epochs at the beginning in which the heads alone learn (transfer learning, first phase).
        fine_tune_rate: What the learning rate is multiplied with from then on.
        l1: Weight of the sum of the absolute weights in the loss.
        epochs: Passes over the training set.
        fine_epochs: How many of them, at the end, see whole images; the others see crops of `crop` pixels.
        crop: Side of the crops in the first epochs, pixels; 0 for whole images throughout.
        batch_size: Images a step.
        learning_rate: The highest rate.
        warmup: Epochs in which the rate rises from 0.
        momentum: Nesterov momentum of SGD, 0..1.
        weight_decay: L2 penalty on convolution and linear weights.
        label_smoothing: Share of the label spread over all classes, on hard labels alone.
        ferplus_weight: Weight of the vote head's loss; the label head's is 1; at 0 there is no vote head.
        ema: Decay of the weights' exponential moving average a step; the averages are what is kept. 0 averages nothing.
        precision: ``"float32"``, or ``"bfloat16"`` to run the network in half the bits where the processor can; the
            weights stay float32.
        seed: Number from which every random choice follows.
    """

    optimizer: str = "sgd"
    schedule: str = "cosine"
    freeze_epochs: int = 0
    fine_tune_rate: float = 0.1
    l1: float = 0.0
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
        train: The split that trains. Splits are also found under the other names that are common for them.
        validate: The split that is watched.
        validation_share: Share of the training images that is split off to be watched, where there is no such split.
        held_out: The splits whose near-duplicates are left out of training.
        folds: Folds of the training images, near-duplicates in one fold; 0 for none.
        fold: The fold that is left out, so that the network can label images that it never saw.
    """

    train: str = "Training"
    validate: str = "PublicTest"
    validation_share: float = 0.2
    held_out: tuple[str, ...] = ("PublicTest", "PrivateTest")
    folds: int = 0
    fold: int = 0


@dataclass(frozen=True, slots=True)
class DistillConfig:
    """What the network learns from teachers, besides labels and votes (Hinton et al. 2015, knowledge distillation).

    Attributes:
        labels: The file of soft labels, empty for none; a relative path starts at the working directory, then at the
            source tree.
        label_share: Weight 0..1 of the teachers in what the label head learns.
        vote_share: The same for the vote head.
        temperature: What the teachers' logits are divided by before the softmax.
    """

    labels: str = ""
    label_share: float = 0.6
    vote_share: float = 0.5
    temperature: float = 1.0


@dataclass(frozen=True, slots=True)
class StopConfig:
    """When training ends before its last epoch, and which weights are kept.

    Attributes:
        monitor: The validation figure that is watched: ``"accuracy"`` or ``"loss"`` of the label head.
        patience: Epochs without a better figure after which training ends; 0 never ends it early.
        min_delta: How much better a figure must be to count.
        keep: ``"last"``, or ``"best"`` for the weights of the epoch with the best figure.
    """

    monitor: str = "accuracy"
    patience: int = 0
    min_delta: float = 0.0
    keep: str = "last"


@dataclass(frozen=True, slots=True)
class Recipe:
    """One training run, whole."""

    name: str
    description: str = ""
    data: DataConfig = field(default_factory=DataConfig)
    input: InputConfig = field(default_factory=InputConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    distill: DistillConfig = field(default_factory=DistillConfig)
    train: OptimizeConfig = field(default_factory=OptimizeConfig)
    stop: StopConfig = field(default_factory=StopConfig)

    def __post_init__(self) -> None:
        for key, words in CHOICES.items():
            section, _, name = key.partition(".")
            value = getattr(getattr(self, section), name)
            if value not in words:
                expected = f"{key} must be one of {', '.join(words)}"
                raise RecipeError(f"{expected}, but is {value!r}.{did_you_mean(value, words)}")
        for wrong, message in self._faults():
            if wrong:
                raise RecipeError(message)

    def _faults(self) -> Iterator[tuple[bool, str]]:
        """Yield what could be wrong with the numbers: whether it is, and what to say then."""
        data, network, train = self.data, self.network, self.train
        for key, value in (("fine_epochs", train.fine_epochs), ("freeze_epochs", train.freeze_epochs)):
            yield (
                not 0 <= value <= train.epochs,
                f"train.{key} must be 0..{train.epochs} (train.epochs), but is {value}",
            )
        yield (
            train.batch_size < 2 or train.epochs < 1,
            "train.epochs must be at least 1 and train.batch_size at least 2 (batch norm needs two)",
        )
        yield (
            data.folds == 1 or not 0 <= data.fold < max(1, data.folds),
            f"data.fold must be 0..data.folds-1, with 0 or at least 2 folds, but is {data.fold} of {data.folds}",
        )
        yield not 0 < data.validation_share < 1, f"data.validation_share must be 0..1, but is {data.validation_share}"
        yield (
            bool(network.start) and (network.kind, self.input.colour) != ("se-resnet", "grey"),
            "network.start needs network.kind='se-resnet' and input.colour='grey', as our models have them",
        )
        yield (
            len(network.widths) != len(network.blocks),
            "network.widths and network.blocks must name the same number of stages",
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as plain nested dicts, as the TOML file holds it."""
        return dataclasses.asdict(self)
