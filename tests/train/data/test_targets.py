import dataclasses
import logging
from pathlib import Path

import numpy as np
import pytest

from facemood.errors import DatasetError
from facemood.labels import BASIC_EXPRESSIONS, EXPRESSIONS
from facemood.train.data.soft_labels import SoftLabels, pixel_keys, write_soft_labels
from facemood.train.data.targets import heads_of, make_targets
from facemood.train.recipe import DistillConfig
from tests.train.test_fit import bright_or_dark

HEADS = {"fer2013": list(BASIC_EXPRESSIONS), "ferplus": list(EXPRESSIONS)}


def soft_file(folder: Path, *, first: int = 64, heads: dict[str, list[str]] = HEADS) -> str:
    """Soft labels for the first images of `bright_or_dark`: the teachers predict angry for each with confidence."""
    images = np.asarray(bright_or_dark().images[:first])
    keys = np.sort(pixel_keys(images))
    logits = {head: np.zeros((first, len(labels)), np.float32) for head, labels in heads.items()}
    for values in logits.values():
        values[:, 0] = 20
    write_soft_labels(folder / "soft.npz", SoftLabels(keys, logits, {"heads": heads}))
    return str(folder / "soft.npz")


def test_labels_are_smoothed_and_votes_are_shares() -> None:
    dataset = bright_or_dark()
    targets = make_targets(dataset, smoothing=0.07)
    np.testing.assert_allclose(targets.labels[0], [0.01, 0.01, 0.01, 0.94, 0.01, 0.01, 0.01], atol=1e-6)
    assert targets.votes[0].tolist() == [0, 0, 0, 1, 0, 0, 0, 0]
    assert targets.share.tolist() == [1.0] * 64


def test_the_label_head_can_learn_votes_and_labels_of_images_without_votes() -> None:
    dataset = bright_or_dark()
    own = dataclasses.replace(dataset, name="ferplus", labels=dataset.labels, classes=EXPRESSIONS)
    assert own.votes is not None
    own.votes[0] = [2, 8, *[0] * 8]
    own.votes[2] = 0
    targets = make_targets(own, from_votes=True)
    assert targets.labels[0].tolist() == pytest.approx([0, 0, 0, 0.8, 0, 0, 0.2, 0])
    assert targets.labels[2].tolist() == [0, 0, 0, 1, 0, 0, 0, 0]
    with pytest.raises(DatasetError, match="loss.targets='votes' needs votes for the classes"):
        make_targets(dataset, from_votes=True)


def test_heads_are_named_after_what_they_learn() -> None:
    dataset = bright_or_dark()
    assert list(heads_of(dataset)) == ["fer2013", "ferplus"]
    assert list(heads_of(dataclasses.replace(dataset, votes=None))) == ["fer2013"]
    assert heads_of(dataclasses.replace(dataset, name="ferplus", classes=EXPRESSIONS)) == {"ferplus": EXPRESSIONS}
    assert list(heads_of(dataclasses.replace(dataset, name="mine", votes=None))) == ["expression"]


def test_teachers_are_blended_in_by_their_share(tmp_path: Path) -> None:
    distill = DistillConfig(soft_file(tmp_path), label_share=0.6, vote_share=0.25)
    targets = make_targets(bright_or_dark(), distill=distill)
    np.testing.assert_allclose(targets.labels[0], [0.6, 0, 0, 0.4, 0, 0, 0], atol=1e-6)
    np.testing.assert_allclose(targets.votes[0], [0.25, 0, 0, 0.75, 0, 0, 0, 0], atol=1e-6)


def test_images_that_the_teachers_do_not_know_keep_their_labels(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "facemood"):
        targets = make_targets(bright_or_dark(), distill=DistillConfig(soft_file(tmp_path, first=10)))
    assert "soft labels for 10 of 64 images" in caplog.text
    assert targets.labels[9].max() == pytest.approx(0.6)
    assert targets.labels[10].max() == 1


def test_images_without_votes_get_none_from_the_teachers(tmp_path: Path) -> None:
    dataset = bright_or_dark()
    assert dataset.votes is not None
    dataset.votes[0] = 0
    targets = make_targets(dataset, distill=DistillConfig(soft_file(tmp_path)))
    assert targets.votes[0].sum() == targets.share[0] == 0


def test_soft_labels_for_other_classes_or_images_are_rejected(tmp_path: Path) -> None:
    other = soft_file(tmp_path, heads={"fer2013": ["a", "b"]})
    with pytest.raises(DatasetError, match=r"are for fer2013 \(a, b\), not for fer2013 \(angry"):
        make_targets(bright_or_dark(), distill=DistillConfig(other))
    stranger = dataclasses.replace(bright_or_dark(), images=np.asarray(bright_or_dark().images) + np.uint8(1))
    with pytest.raises(DatasetError, match="know none of the 64 images of fer2013"):
        make_targets(stranger, distill=DistillConfig(soft_file(tmp_path)))
