import dataclasses
from pathlib import Path

import numpy as np
import pytest

from facemood.datasets import ExpressionDataset, open_dataset
from facemood.errors import DatasetError, ModelError
from facemood.evaluation import evaluate
from facemood.evaluation.paper_study import make_study
from facemood.evaluation.protocol import compare, match_head, score
from facemood.labels import BASIC_EXPRESSIONS, EXPRESSIONS, FERPLUS_COLUMNS
from facemood.models import DEFAULT_MODEL, ModelCard, ModelSession, find_model

CARD = ModelCard("m", heads={"seven": BASIC_EXPRESSIONS, "eight": EXPRESSIONS}, default_head="eight")


@pytest.fixture(scope="module")
def session() -> ModelSession:
    return ModelSession(find_model(DEFAULT_MODEL), device="cpu", threads=1)


def made(**changes: object) -> ExpressionDataset:
    """Six training and six test images of noise. The first test image is a near-duplicate, the last has no majority."""
    images = np.random.default_rng(0).integers(0, 256, (12, 48, 48), np.uint8)
    images[6] = images[0]
    votes = np.zeros((12, 10), np.float32)
    votes[:, FERPLUS_COLUMNS.index("happiness")] = 10
    votes[11] = 0
    columns: dict[str, object] = {
        "name": "fer2013",
        "images": images,
        "labels": np.arange(12) % 7,
        "classes": BASIC_EXPRESSIONS,
        "usage": np.array(["Training"] * 6 + ["PrivateTest"] * 6),
        "votes": votes,
    }
    return ExpressionDataset(**{**columns, **changes})  # type: ignore[arg-type]


def test_both_label_sets_are_measured_raw_and_de_duplicated(session: ModelSession) -> None:
    found = evaluate(session, made(), split="PrivateTest")
    assert [(part.protocol, part.head, part.n) for part in found] == [
        ("fer2013 labels", "fer2013", 6),
        ("fer2013 labels, de-duplicated", "fer2013", 5),
        ("FER+ majority", "ferplus", 5),
        ("FER+ majority, de-duplicated", "ferplus", 4),
    ]
    assert [part.near_duplicates for part in found] == [1, 0, 1, 0]


@pytest.mark.parametrize("fresh", [(), (11,)], ids=["none", "one without a majority"])
def test_a_split_of_near_duplicates_has_no_de_duplicated_evaluation(session: ModelSession, fresh: tuple[int]) -> None:
    images = made().pixels
    copies = np.concatenate([images[:6], images[:6]])
    copies[list(fresh)] = images[list(fresh)]
    found = {part.protocol: part for part in evaluate(session, made(images=copies), split="PrivateTest")}
    labels = ["fer2013 labels", *(["fer2013 labels, de-duplicated"] if fresh else [])]
    assert list(found) == [*labels, "FER+ majority"]
    assert (found["FER+ majority"].n, found["FER+ majority"].near_duplicates) == (5, 5)
    assert (found["fer2013 labels"].n, found["fer2013 labels"].near_duplicates) == (6, 6 - len(fresh))
    numbers = [part.to_dict() for part in found.values()]
    assert all(np.isfinite(known[name]) for known in numbers for name in ("accuracy", "macro_f1", "ece", "nll"))


def test_a_split_without_a_majority_label_has_no_vote_protocol(session: ModelSession) -> None:
    found = evaluate(session, made(votes=np.zeros((12, 10), np.float32)), split="PrivateTest")
    assert [part.protocol for part in found] == ["fer2013 labels", "fer2013 labels, de-duplicated"]


def test_without_votes_or_training_split_there_is_one_protocol(session: ModelSession) -> None:
    alone = made(votes=None).split("PrivateTest")
    (found,) = evaluate(session, alone, split="PrivateTest")
    assert found.protocol == "fer2013 labels"
    assert found.confusion.sum() == 6


def test_a_model_that_does_not_take_pixels_is_rejected() -> None:
    with pytest.raises(ModelError, match="'ferc' does not predict expressions from images"):
        evaluate(ModelSession(find_model("ferc"), device="cpu"), made(), split="PrivateTest")
    with pytest.raises(ModelError, match="'ferc' does not predict expressions from images"):
        make_study(["ferc"], made(), split="PrivateTest")


def test_the_report_has_plain_numbers(session: ModelSession) -> None:
    known = evaluate(session, made(), split="PrivateTest")[0].to_dict()
    assert (known["n"], known["views"]) == (6, 1)
    assert known["accuracy"] == pytest.approx(np.trace(known["confusion"]) / 6, abs=1e-4)
    assert list(known["recall"]) == list(BASIC_EXPRESSIONS)
    assert known["recall"]["neutral"] is not None


def test_the_head_with_exactly_the_labels_is_chosen_then_one_that_knows_them() -> None:
    for classes, head in ((BASIC_EXPRESSIONS, "seven"), (EXPRESSIONS, "eight"), (("happy", "sad"), "seven")):
        assert match_head(CARD, made(classes=classes, labels=np.zeros(12, int))) == head
    assert match_head(CARD, made(classes=("bored",), labels=np.zeros(12, int))) is None


def test_other_datasets_are_read_by_the_default_head_as_analyze_does() -> None:
    for classes in (BASIC_EXPRESSIONS, EXPRESSIONS, ("happy", "sad")):
        own = dataclasses.replace(made(classes=classes, labels=np.zeros(12, int)), name="my_photos")
        assert match_head(CARD, own) == "eight"
        assert match_head(dataclasses.replace(CARD, default_head="seven"), own) == (
            "eight" if classes == EXPRESSIONS else "seven"
        )


def test_labels_that_no_head_knows_are_reported(session: ModelSession) -> None:
    own = made(classes=("bored",), labels=np.zeros(12, int), votes=None)
    with pytest.raises(DatasetError, match=r"does not know the labels of fer2013 \(bored\)"):
        evaluate(session, own, split="PrivateTest")


def test_labels_in_another_order_are_matched_by_word() -> None:
    dataset = made(classes=("sad", "happy"), labels=np.array([0, 1] * 6))
    logits = np.zeros((12, 7), np.float32)
    logits[::2, BASIC_EXPRESSIONS.index("sad")] = 5
    logits[1::2, BASIC_EXPRESSIONS.index("happy")] = 5
    assert score(CARD, compare(CARD, "seven", dataset, logits, protocol="x")).accuracy == 1.0


def test_temperature_changes_calibration_not_accuracy() -> None:
    logits = np.random.default_rng(0).normal(0, 3, (12, 7)).astype(np.float32)
    warm = dataclasses.replace(CARD, temperature={"seven": 4.0})
    outcome = compare(CARD, "seven", made(), logits, protocol="x")
    plain, scaled = score(CARD, outcome), score(warm, outcome)
    assert plain.accuracy == scaled.accuracy
    assert scaled.before == plain.calibration
    assert scaled.calibration["ece"] != plain.calibration["ece"]


@pytest.mark.dataset
def test_the_shipped_model_reaches_its_figures(session: ModelSession, shared_data: Path) -> None:
    dataset = open_dataset(shared_data / "fer2013")
    found = {part.protocol: part for part in evaluate(session, dataset, split="PrivateTest", prior="dataset")}
    label, vote = found["fer2013 labels"], found["FER+ majority"]
    assert (label.n, vote.n) == (3589, 3153)
    assert label.accuracy >= 0.68
    assert vote.accuracy >= 0.85
    assert found["fer2013 labels, de-duplicated"].n == 3589 - 337
    for part in found.values():
        stated = session.card.metrics[f"PrivateTest: {part.protocol}"]
        assert part.accuracy == pytest.approx(stated["accuracy"], abs=0.0006), "the card must say what the file does"
