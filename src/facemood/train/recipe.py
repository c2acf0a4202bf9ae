"""Recipes: all settings of a training run, as data. Settings that a file leaves out are those of the baseline."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from facemood.errors import RecipeError, did_you_mean
from facemood.train.augment_config import AugmentConfig
from facemood.train.recipe_rules import check_name, check_numbers, show

TIMM = "timm:"
"""Prefix of `network.kind` for backbones of timm."""

SHA256 = re.compile("[0-9a-fA-F]{64}")
"""A SHA-256, as `network.weights_sha256` gives it."""

CHOICES: dict[str, tuple[str, ...]] = {
    "input.colour": ("grey", "rgb"),
    "input.pixels": ("standardized", "unit", "imagenet", "half", "caffe"),
    "network.pool": ("max", "average"),
    "network.stem": ("single", "deep"),
    "augment.fill": ("reflect", "nearest", "constant"),
    "degraded.fill": ("reflect", "nearest", "constant"),
    "loss.kind": ("cross-entropy", "focal"),
    "loss.targets": ("labels", "votes"),
    "loss.class_weights": ("none", "balanced"),
    "train.optimizer": ("sgd", "adam", "adamw"),
    "train.schedule": ("cosine", "constant", "plateau"),
    "train.precision": ("float32", "bfloat16"),
    "stop.monitor": ("accuracy", "loss", "recall"),
    "stop.keep": ("last", "best"),
}
"""Allowed words of some keys."""


@dataclass(frozen=True, slots=True)
class InputConfig:
    """The input of the network.

    Attributes:
        size: Side in pixels to which images are resized; 0 keeps the dataset's size.
        colour: ``"grey"`` or ``"rgb"``; grey images are repeated in three channels for the latter.
        pixels: ``"standardized"`` (each image to mean 0 and standard deviation 1), ``"unit"`` (0..1), ``"imagenet"``
            (0..1, minus ImageNet's mean, divided by its standard deviation), ``"half"`` (minus 127, divided by 128:
            about -1..1) or ``"caffe"`` (blue first, minus ImageNet's mean). Pretrained backbones need the one that they
            were trained with.
    """

    size: int = 0
    colour: str = "grey"
    pixels: str = "standardized"


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """The network.

    Attributes:
        kind: ``"se-resnet"`` (facemood's own), ``"cnn"`` (plain convolutions), or ``"timm:NAME"`` for a timm backbone.
        start: Name or file of a facemood model whose weights, except the heads, the network starts from. Widths and
            blocks are then those of that model.
        start_heads: Whether the heads are those of that model, too; for the same classes in the same order.
        widths: Channels of each stage.
        blocks: Residual blocks, or convolutions, of each stage.
        stem: First layers of an se-resnet: ``"single"`` (a 5x5 convolution) or ``"deep"`` (two 3x3 convolutions, the
            first one narrow and at the image's size).
        stem_stride: Stride of the last convolution of the stem: 2 halves the map, 1 keeps the image's size.
        dropout: Share of the pooled or last dense features that is dropped in training, 0..1.
        pool: Pooling of a plain network after each stage: ``"max"`` or ``"average"``.
        batch_norm: Whether a plain network has batch norm after each convolution.
        stage_dropout: Dropout of a plain network after each stage, 0..1.
        dense: Widths of a plain network's dense layers between the last map and the heads.
        pretrained: Whether a timm backbone starts from pretrained weights.
        weights: These weights: a file, or ``"package:NAME"`` for the file that an installed package carries. Empty for
            those that timm publishes, which are downloaded.
        weights_sha256: SHA-256 that the file must have, 64 hexadecimal digits; empty for any file.
        features_only: Whether a VGG of timm ends at its last convolution, whose map is averaged, instead of going on
            with a last pooling and two dense layers of 4,096 (120 M parameters).
    """

    kind: str = "se-resnet"
    start: str = ""
    start_heads: bool = False
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
    weights: str = ""
    weights_sha256: str = ""
    features_only: bool = False


@dataclass(frozen=True, slots=True)
class LossConfig:
    """The loss.

    Attributes:
        kind: ``"cross-entropy"``, or ``"focal"`` (Lin et al. 2017), which down-weights well-classified images.
        targets: ``"labels"``, or ``"votes"`` to learn the distribution of people's votes instead of one label.
        class_weights: ``"none"``, or ``"balanced"`` to weight each class by the inverse of its count.
        gamma: Exponent of the focal loss; 0 is cross-entropy.
        alpha: Weight of each class by its label; the default is 1. It multiplies `class_weights`.
    """

    kind: str = "cross-entropy"
    targets: str = "labels"
    class_weights: str = "none"
    gamma: float = 2.0
    alpha: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OptimizeConfig:
    """Optimization.

    Attributes:
        optimizer: ``"sgd"`` (with Nesterov momentum), ``"adam"`` or ``"adamw"``.
        schedule: ``"cosine"`` to zero, ``"constant"``, or ``"plateau"`` (halved when the monitored figure does not
            improve).
        freeze_epochs: First epochs, in which a part of the network is frozen (transfer learning, first phase).
        freeze_through: The last module of the part that is frozen then, by its name in the backbone, such as
            ``"features.16"`` or ``"blocks.3"``; empty to let only the heads learn.
        cached_versions: Augmented versions of each training image whose features, the output of the frozen part, are
            computed once and kept in the run's folder; an epoch takes the next version. 0 computes them in each epoch.
        fine_tune_rate: Factor of the learning rate afterwards.
        l1: Weight of the sum of the absolute weights in the loss.
        epochs: Passes over the training set.
        fine_epochs: Number of epochs at the end with whole images; the others use crops of `crop` pixels.
        crop: Side of the crops in the first epochs, pixels; 0 for whole images throughout.
        batch_size: Images per step.
        learning_rate: Highest learning rate.
        warmup: Epochs in which the rate rises from 0.
        momentum: Nesterov momentum of SGD, 0..1.
        weight_decay: L2 penalty on convolution and linear weights.
        label_smoothing: Share of the label that is spread over all classes; hard labels only.
        ferplus_weight: Weight of the vote head's loss, where the label head's is 1; at 0 there is no vote head.
        consistency: Share of the network's own answer to the usual view in the targets of a second, degraded view of
            each image (`Recipe.degraded`), 0..1; 0 for no second view.
        ema: Decay per step of the exponential moving average of the weights, which is kept; 0 for no averaging.
        precision: ``"float32"``, or ``"bfloat16"`` to run the network in half precision where the hardware has
            instructions for it; the weights stay float32.
        seed: Seed of the random numbers.
    """

    optimizer: str = "sgd"
    schedule: str = "cosine"
    freeze_epochs: int = 0
    freeze_through: str = ""
    cached_versions: int = 0
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
    consistency: float = 0.0
    ema: float = 0.999
    precision: str = "float32"
    seed: int = 1


@dataclass(frozen=True, slots=True)
class DataConfig:
    """The images for training and validation.

    Attributes:
        train: The training split. Splits are also found by their other usual names.
        validate: The validation split.
        validation_share: Share of the training images that is split off for validation if there is no such split.
        test_share: Share of the training images that is kept aside for the test, before that, if there is no test
            split; 0 for none.
        held_out: Splits whose near-duplicates are left out of training.
        folds: Folds of the training images, near-duplicates in one fold; 0 for none.
        fold: The fold that is left out, so that the network can label images that it was not trained on.
        licence: Licence of the trained weights, for the model's card. Empty: that of the package for FER2013, and not
            stated for other images.
    """

    train: str = "Training"
    validate: str = "PublicTest"
    validation_share: float = 0.2
    test_share: float = 0.0
    held_out: tuple[str, ...] = ("PublicTest", "PrivateTest")
    folds: int = 0
    fold: int = 0
    licence: str = ""


@dataclass(frozen=True, slots=True)
class DistillConfig:
    """Knowledge distillation from teachers, in addition to labels and votes (Hinton et al. 2015).

    Attributes:
        labels: The file of soft labels, empty for none. A relative path is looked for in the working directory, then
            in the source tree.
        label_share: Weight 0..1 of the teachers in the targets of the label head.
        vote_share: Weight 0..1 of the teachers in the targets of the vote head.
        temperature: Temperature by which the teachers' logits are divided before the softmax.
    """

    labels: str = ""
    label_share: float = 0.6
    vote_share: float = 0.5
    temperature: float = 1.0


@dataclass(frozen=True, slots=True)
class StopConfig:
    """Early stopping, and the weights that are kept.

    Attributes:
        monitor: The monitored validation figure of the label head: ``"accuracy"``, ``"loss"`` or ``"recall"``, the mean
            of the classes' recalls.
        patience: Epochs without an improvement after which training stops; 0 for no early stopping.
        min_delta: Smallest change that counts as an improvement.
        keep: ``"last"``, or ``"best"`` for the weights of the epoch with the best figure.
    """

    monitor: str = "accuracy"
    patience: int = 0
    min_delta: float = 0.0
    keep: str = "last"


@dataclass(frozen=True, slots=True)
class Recipe:
    """All settings of one training run.

    Attributes:
        degraded: Augmentation of the second view of each image, which only `train.consistency` asks for.
    """

    name: str
    description: str = ""
    data: DataConfig = field(default_factory=DataConfig)
    input: InputConfig = field(default_factory=InputConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    degraded: AugmentConfig = field(default_factory=AugmentConfig)
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
                raise RecipeError(f"{expected}, but is {show(value)}.{did_you_mean(value[:99], words)}")
        for wrong, message in self._faults():
            if wrong:
                raise RecipeError(message)
        for message in (*check_name(self.name), *check_numbers(self.to_dict())):
            raise RecipeError(message)

    def _faults(self) -> Iterator[tuple[bool, str]]:
        """Yield the checks of the numbers: whether one fails, and its message."""
        data, network, train = self.data, self.network, self.train
        for key, value in (("fine_epochs", train.fine_epochs), ("freeze_epochs", train.freeze_epochs)):
            yield (
                not 0 <= value <= train.epochs,
                f"train.{key} must be 0..{show(train.epochs)} (train.epochs), but is {show(value)}",
            )
        yield (
            train.batch_size < 2 or train.epochs < 1,
            "train.epochs must be at least 1 and train.batch_size at least 2 (batch norm needs two)",
        )
        yield (
            data.folds == 1 or not 0 <= data.fold < max(1, data.folds),
            "data.fold must be 0..data.folds-1, with 0 or at least 2 folds, but is "
            f"{show(data.fold)} of {show(data.folds)}",
        )
        yield data.test_share == 1, "data.test_share must be below 1, or nothing is left to learn from"
        yield not 0 < data.validation_share < 1, f"data.validation_share must be 0..1, but is {data.validation_share}"
        yield (
            bool(network.start) and (network.kind, self.input.colour) != ("se-resnet", "grey"),
            "network.start needs network.kind='se-resnet' and input.colour='grey', as facemood's models have them",
        )
        yield (
            network.start_heads and not network.start,
            "network.start_heads needs network.start, the model to begin with",
        )
        yield (
            bool(network.weights) and not network.kind.startswith(TIMM),
            f"network.weights is for the backbones of timm; network.kind must be {TIMM}NAME, but is "
            f"{show(network.kind)}",
        )
        yield (
            bool(network.weights_sha256) and not SHA256.fullmatch(network.weights_sha256),
            f"network.weights_sha256 must have 64 hexadecimal digits, but is {show(network.weights_sha256)}",
        )
        yield (
            network.features_only and not network.kind.startswith(TIMM),
            f"network.features_only is for VGGs of timm, but network.kind is {show(network.kind)}",
        )
        yield (
            bool(train.freeze_through or train.cached_versions) and not train.freeze_epochs,
            "train.freeze_through and train.cached_versions need train.freeze_epochs: in how many epochs it is frozen",
        )
        yield (
            bool(train.cached_versions) and bool(train.crop or self.augment.mixup),
            "train.cached_versions needs train.crop=0 and augment.mixup=0: cached images are whole and stay apart",
        )
        yield (
            bool(train.consistency) and bool(train.cached_versions or self.augment.mixup or self.degraded.mixup),
            "train.consistency needs train.cached_versions=0 and mixup=0: both views show the same image",
        )
        yield (
            len(network.widths) != len(network.blocks),
            "network.widths and network.blocks must have the same number of stages",
        )

    @property
    def turns_upright(self) -> bool:
        """Whether a view needs the landmarks of the training images."""
        return bool(self.augment.upright or (self.train.consistency and self.degraded.upright))

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as plain nested dicts, in the form of the TOML file."""
        return dataclasses.asdict(self)
