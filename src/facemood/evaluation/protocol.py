"""Evaluation protocols: which head is evaluated on which images with which labels.

* FER2013: the FER2013 head on a split, on all images (raw), and without near-duplicates of Training (de-duplicated).
* FER+: the FER+ head on the images of that split with an official majority label, raw and de-duplicated.
* A user's folder: the head that knows its labels.

There is one view of each image by default. PrivateTest is never used to choose anything (checkpoint, temperature,
framing).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facemood.datasets import ExpressionDataset, Images, ferplus
from facemood.errors import DatasetError, ModelError
from facemood.evaluation import metrics
from facemood.labels import EXPRESSIONS
from facemood.models import ModelCard, ModelSession, run_views
from facemood.stages.classify import Logits, choose_prior, probabilities_of, softmax

TRAINING = "Training"
"""The split that is searched for near-duplicates."""

FER2013 = "fer2013"
"""Name of the dataset FER2013; with the majority labels of FER+ it is ``fer2013+``."""

MAJORITY = "FER+ majority"
"""Name of the protocol with the official majority labels of FER+."""

BATCH = 256
"""Images per run of a network."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The logits of one head for one set of images, with the true labels.

    Attributes:
        protocol: Such as ``"FER+ majority, de-duplicated"``.
        head: The head.
        logits: (N, K) float32.
        labels: (N,) int64 true labels, as columns of the head.
        images: The images with their votes.
        near_duplicates: How many of the images have a near-duplicate in Training.
        all_logits: The logits of all heads for these images, which an operating point needs.
    """

    protocol: str
    head: str
    logits: NDArray[np.float32]
    labels: NDArray[np.int64]
    images: ExpressionDataset
    near_duplicates: int = 0
    all_logits: Logits = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Metrics of one head on one set of images.

    Attributes:
        protocol: Such as ``"FER+ majority, de-duplicated"``.
        head: The head.
        prior: The prior over expressions, as for `EmotionRecognizer`.
        classes: Labels, in the order of the confusion matrix.
        confusion: (K, K) counts; true classes are the rows.
        calibration: Expected calibration error (0..1), negative log-likelihood (nats) and Brier score (0..2), by the
            names ``"ece"``, ``"nll"`` and ``"brier"``, with the card's temperature.
        before: The same with a temperature of 1.
        coverage: Accuracy on the most confident share of the images, by share.
        vote_distance: Mean Jensen-Shannon distance to the votes, 0..1; None without votes.
        views: Number of views of each image (test-time augmentation, TTA).
        near_duplicates: How many of the images have a near-duplicate in Training; if all have one, there is no
            de-duplicated evaluation.
    """

    protocol: str
    head: str
    classes: tuple[str, ...]
    confusion: NDArray[np.int64]
    calibration: dict[str, float]
    before: dict[str, float]
    coverage: dict[float, float]
    vote_distance: float | None = None
    prior: str = "dataset"
    views: int = 1
    near_duplicates: int = 0

    @property
    def n(self) -> int:
        """The number of images."""
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """Share of correct predictions, 0..1."""
        return _share_right(self.confusion)

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers: shares with 4 decimals; a class without images has no recall."""
        recalls = zip(self.classes, metrics.recalls(self.confusion).tolist(), strict=True)
        return {
            "protocol": self.protocol,
            "head": self.head,
            "prior": self.prior,
            "views": self.views,
            "n": self.n,
            "near_duplicates": self.near_duplicates,
            "accuracy": round(self.accuracy, 4),
            "standard_error": round(metrics.standard_error(self.accuracy, self.n), 4),
            "interval": [round(end, 4) for end in metrics.bootstrap_interval(self.confusion, _share_right)],
            "macro_f1": round(metrics.macro_f1(self.confusion), 4),
            "macro_f1_interval": [
                round(end, 4) for end in metrics.bootstrap_interval(self.confusion, metrics.macro_f1)
            ],
            "mean_recall": round(metrics.mean_recall(self.confusion), 4),
            "recall": {label: None if np.isnan(value) else round(value, 4) for label, value in recalls},
            **{name: round(value, 4) for name, value in self.calibration.items()},
            **{f"{name}_before_temperature": round(value, 4) for name, value in self.before.items()},
            "coverage": {str(share): round(value, 4) for share, value in self.coverage.items()},
            "vote_distance": None if self.vote_distance is None else round(self.vote_distance, 4),
            "classes": list(self.classes),
            "confusion": self.confusion.tolist(),
        }


def evaluate(
    session: ModelSession, dataset: ExpressionDataset, *, split: str, views: int = 1, prior: str | None = None
) -> list[Evaluation]:
    """Evaluate a model on one split of a dataset, by all protocols that suit both.

    Args:
        session: The model.
        dataset: The dataset with all its splits; its Training split is searched for near-duplicates.
        split: The split to evaluate.
        views: Number of views of each image (test-time augmentation, TTA): 1, 2 or 10.
        prior: The prior over expressions; None for the default of each head (`choose_prior`).

    Raises:
        ModelError: The model does not take pixels, or a head does not support the prior.
        DatasetError: There is no such split, or no head knows the dataset's labels.
    """
    outcomes = predict_split(session, dataset, split=split, views=views)
    priors = [choose_prior(session.card, outcome.head, prior) for outcome in outcomes]
    pairs = zip(outcomes, priors, strict=True)
    found = [score(session.card, outcome, prior=chosen) for outcome, chosen in pairs]
    return [dataclasses.replace(evaluation, views=views) for evaluation in found]


def predict_split(session: ModelSession, dataset: ExpressionDataset, *, split: str, views: int = 1) -> list[Outcome]:
    """Run a model over one split of a dataset, and return an outcome for each protocol that suits both.

    Raises:
        ModelError: The model does not take pixels.
        DatasetError: There is no such split, or no head knows the dataset's labels.
    """
    if session.card.task != "expression":
        raise ModelError(
            f"the model {session.card.name!r} does not predict expressions from images; see its card for its figures"
        )
    part, duplicates = dataset.split(split), dataset.near_duplicates_of([TRAINING])[dataset.usage == split]
    logits = run_all(session, part.images, views=views)
    unique = {head: values[~duplicates] for head, values in logits.items()}
    kept = {outcome.protocol: outcome for outcome in compare_all(session.card, part.subset(~duplicates), unique)}
    found: list[Outcome] = []
    for raw in compare_all(session.card, part, logits):
        left = len(kept[raw.protocol].labels) if raw.protocol in kept else 0
        found.append(dataclasses.replace(raw, near_duplicates=len(raw.labels) - left))
        if 0 < left < len(raw.labels):
            found.append(dataclasses.replace(kept[raw.protocol], protocol=f"{raw.protocol}, de-duplicated"))
    if not found:
        heads = "; ".join(f"{head} ({', '.join(labels)})" for head, labels in session.card.heads.items())
        raise DatasetError(
            f"model {session.card.name!r} does not know the labels of {dataset.name} ({', '.join(dataset.classes)}); "
            f"its heads know {heads}"
        )
    return found


def targets(part: ExpressionDataset) -> list[tuple[str, ExpressionDataset, NDArray[np.bool_]]]:
    """Return the label sets of a split: (protocol, images with these labels, mask of these images in the split)."""
    everything = [(f"{part.name} labels", part, np.ones(len(part), bool))]
    if part.votes is None:
        return everything
    voted = part.ferplus_majority()
    return [*everything, (MAJORITY, voted, ferplus.majority(part.votes) >= 0)]


def match_head(card: ModelCard, dataset: ExpressionDataset) -> str | None:
    """Return the head that is evaluated on a dataset, or None if no head knows all of its labels.

    FER2013's own labels are the words of web searches, so a head with exactly these labels is evaluated on them. Other
    labels say what people see, as FER+ does: the default head is evaluated, if it knows them.
    """
    knowing = [head for head, labels in card.heads.items() if set(dataset.classes) <= set(labels)]
    exact = [head for head in knowing if card.heads[head] == dataset.classes]
    default = [head for head in knowing if head == card.default_head]
    order = [*exact, *knowing] if dataset.name.startswith(FER2013) else [*default, *exact, *knowing]
    return next(iter(order), None)


def run_all(session: ModelSession, images: Images, *, views: int = 1) -> dict[str, NDArray[np.float32]]:
    """Run the network over (N, h, w) images in batches: (N, K) logits of each head."""
    batches = (np.asarray(images[start : start + BATCH]) for start in range(0, len(images), BATCH))
    parts = [run_views(session, batch, views=views) for batch in batches]
    return {head: np.concatenate([part[head] for part in parts]) for head in session.card.heads}


def compare_all(card: ModelCard, part: ExpressionDataset, logits: dict[str, NDArray[np.float32]]) -> list[Outcome]:
    """Pair the logits with the true labels, for each protocol that a head fits and that has images."""
    found = []
    for protocol, target, rows in targets(part):
        head = match_head(card, target)
        if head is not None and len(target):
            outcome = compare(card, head, target, logits[head][rows], protocol=protocol)
            found.append(dataclasses.replace(outcome, all_logits={name: part[rows] for name, part in logits.items()}))
    return found


def compare(
    card: ModelCard, head: str, images: ExpressionDataset, logits: NDArray[np.float32], *, protocol: str
) -> Outcome:
    """Pair the logits of a head with the true labels, as columns of the head."""
    own = [card.heads[head].index(word) for word in images.classes]
    return Outcome(protocol, head, logits, np.array(own, np.int64)[images.labels], images)


def score(card: ModelCard, outcome: Outcome, *, prior: str = "dataset") -> Evaluation:
    """Compute the metrics of an outcome with a prior that its head supports."""
    classes, labels = card.heads[outcome.head], outcome.labels
    logits = outcome.all_logits or {outcome.head: outcome.logits}
    calibrated = probabilities_of(card, outcome.head, logits, prior=prior)
    return Evaluation(
        protocol=outcome.protocol,
        head=outcome.head,
        classes=classes,
        confusion=metrics.confusion_matrix(calibrated.argmax(axis=1), labels, len(classes)),
        calibration=_calibration(calibrated, labels),
        before=_calibration(softmax(outcome.logits), labels),
        coverage=metrics.accuracy_at_coverage(calibrated, labels),
        vote_distance=_vote_distance(calibrated, classes, outcome.images),
        prior=prior,
        near_duplicates=outcome.near_duplicates,
    )


def _calibration(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> dict[str, float]:
    """Return the three metrics of the quality of probabilities."""
    return {
        "ece": metrics.expected_calibration_error(probabilities, labels),
        "nll": metrics.negative_log_likelihood(probabilities, labels),
        "brier": metrics.brier_score(probabilities, labels),
    }


def _vote_distance(
    probabilities: NDArray[np.float32], classes: tuple[str, ...], dataset: ExpressionDataset
) -> float | None:
    """Return the mean distance of probabilities to the votes, if the head has the labels of the votes."""
    if dataset.votes is None or classes != EXPRESSIONS:
        return None
    votes, share = ferplus.distribution(dataset.votes)
    return metrics.jensen_shannon_distance(probabilities[share > 0], votes[share > 0])


def _share_right(confusion: NDArray[np.int64]) -> float:
    """Return the accuracy of a confusion matrix."""
    return float(confusion.trace() / confusion.sum())
