from pathlib import Path

import numpy as np
import pytest
import torch

from facemood.datasets import ExpressionDataset
from facemood.ferc.vector import MIRRORED_PAIRS
from facemood.labels import BASIC_EXPRESSIONS, EXPRESSIONS, FERPLUS_COLUMNS
from facemood.models import ModelSession
from facemood.train.perceptron import (
    FIVE,
    HEADS,
    Perceptron,
    TrainingSet,
    export_perceptron,
    targets_of,
    train_perceptron,
    training_set_of,
    upright,
)


def made_dataset() -> ExpressionDataset:
    """Four images, two of them near-duplicates in different splits: votes for happy, surprise, contempt and nothing."""
    images = np.random.default_rng(0).integers(0, 256, (4, 48, 48), np.uint8)
    images[3] = images[0]
    votes = np.zeros((4, len(FERPLUS_COLUMNS)), np.float32)
    votes[0, 1], votes[1, [2, 0]], votes[2, 7] = 10, (7, 3), 10
    usage = np.array(["Training", "Training", "Training", "PublicTest"])
    return ExpressionDataset("made", images, np.array([3, 5, 1, 3]), BASIC_EXPRESSIONS, usage, votes=votes)


def test_targets_follow_votes_and_labels() -> None:
    targets = targets_of(made_dataset())
    assert {head: rows.shape for head, rows in targets.items()} == {
        head: (4, len(labels)) for head, labels in HEADS.items()
    }
    assert targets["fer2013"].argmax(axis=1).tolist() == [3, 5, 1, 3]
    assert targets["fer2013-five"].sum(axis=1).tolist() == [1, 1, 0, 1]  # disgust is not among the five
    assert targets["ferplus"][2, EXPRESSIONS.index("contempt")] == 1
    assert targets["ferplus-five"][:, FIVE.index("surprise")].tolist() == pytest.approx([0, 0.7, 0, 0])
    assert targets["ferplus-five"].sum(axis=1).tolist() == pytest.approx([1, 1, 0, 0])


def test_near_duplicates_and_unmeasured_faces_are_left_out() -> None:
    vectors = np.ones((4, 24), np.float32)
    vectors[2] = np.nan
    training = training_set_of(made_dataset(), vectors)
    assert training.vectors.shape == (1, 24)  # the first has a near-duplicate in PublicTest, the third was not measured
    assert training.targets["fer2013"].argmax(axis=1).tolist() == [5]


def test_it_learns_a_rule_on_a_distance_and_mirroring_does_not_matter() -> None:
    random = np.random.default_rng(0)
    vectors = random.normal(1, 0.2, (1500, 24)).astype(np.float32)
    wide = vectors[:, 10] > 1  # CN-CP, which is its own mirror image
    targets = {head: np.zeros((1500, len(labels)), np.float32) for head, labels in HEADS.items()}
    for head, labels in HEADS.items():
        targets[head][np.arange(1500), np.where(wide, labels.index("happy"), labels.index("sad"))] = 1
    network = train_perceptron(
        TrainingSet(vectors[:1200], {head: rows[:1200] for head, rows in targets.items()}), hidden=16, epochs=100
    )
    with torch.no_grad():
        read = network(torch.from_numpy(vectors[1200:]))
        mirrored = network(torch.from_numpy(vectors[1200:][:, MIRRORED_PAIRS]))
    for head, logits, other in zip(HEADS, read, mirrored, strict=True):
        happy = HEADS[head].index("happy")
        assert ((logits.argmax(dim=1) == happy).numpy() == wide[1200:]).mean() > 0.93
        assert ((other.argmax(dim=1) == happy).numpy() == wide[1200:]).mean() > 0.93


def test_the_exported_perceptron_gives_the_same_logits(tmp_path: Path) -> None:
    file = tmp_path / "ferc.onnx"
    torch.manual_seed(0)
    network = Perceptron().eval()
    export_perceptron(network, file, images=7)
    session = ModelSession(file, device="cpu")
    vectors = np.random.default_rng(0).random((5, 24), np.float32)
    with torch.no_grad():
        wanted = network(torch.from_numpy(vectors))
    for logits, head in zip(wanted, HEADS, strict=True):
        np.testing.assert_allclose(session.run_batch(vectors)[head], logits.numpy(), atol=1e-5)
    assert (session.card.task, session.card.default_head) == ("vector", "ferplus-five")
    assert session.card.trained_on["images"] == 7
    assert file.stat().st_size < 30_000


def test_points_are_made_upright_and_scaled() -> None:
    points = np.random.default_rng(0).normal(0, 20, (68, 2)).astype(np.float32)
    turn = np.array([[np.cos(0.4), -np.sin(0.4)], [np.sin(0.4), np.cos(0.4)]])
    np.testing.assert_allclose(upright(points), upright((3 * points @ turn.T + 50).astype(np.float32)), atol=1e-4)
    assert upright(points)[36, 1] == pytest.approx(upright(points)[45, 1], abs=1e-4)
