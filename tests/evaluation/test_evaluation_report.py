import json
from pathlib import Path

import numpy as np
import pytest

from facemood.evaluation import evaluation_report
from facemood.models import DEFAULT_MODEL
from tests.evaluation.test_protocol import made


@pytest.fixture(scope="module")
def found() -> dict[str, object]:
    return evaluation_report.make_report(DEFAULT_MODEL, made(), split="PrivateTest")


def test_a_report_names_model_dataset_and_split(found: dict[str, object]) -> None:
    assert (found["model"], found["dataset"], found["split"]) == (DEFAULT_MODEL, "fer2013", "PrivateTest")
    assert json.loads(json.dumps(found)) == found


def test_the_page_has_a_line_for_each_protocol(found: dict[str, object]) -> None:
    page = evaluation_report.to_markdown(found)
    assert page.startswith(f"# {DEFAULT_MODEL} on fer2013, PrivateTest")
    assert page.count("| FER+ majority, de-duplicated | ") == 4
    assert "contempt" in page
    assert "| labels | ECE | without | NLL | Brier | votes |" in page
    assert "| labels | 100% | 90% | 80% | 60% | 40% |" in page


def test_the_page_states_the_number_of_views(found: dict[str, object]) -> None:
    assert "Single view; in brackets" in evaluation_report.to_markdown(found)
    several = evaluation_report.make_report(DEFAULT_MODEL, made(), split="PrivateTest", views=2)
    assert "Mean of 2 views; in brackets" in evaluation_report.to_markdown(several)


def test_the_page_names_label_sets_without_a_de_duplicated_row(found: dict[str, object]) -> None:
    assert "near-duplicate in Training" not in evaluation_report.to_markdown(found)
    images = made().pixels
    copies = made(images=np.concatenate([images[:6], images[:6]]))
    page = evaluation_report.to_markdown(evaluation_report.make_report(DEFAULT_MODEL, copies, split="PrivateTest"))
    assert "fer2013 labels: all 6 images have a near-duplicate in Training, so there is no de-duplicated row." in page
    assert "FER+ majority: all 5 images have a near-duplicate in Training" in page
    assert "nan" not in page.lower()
    assert "| FER+ majority, de-duplicated" not in page


def test_both_files_are_written(found: dict[str, object], tmp_path: Path) -> None:
    evaluation_report.write_report(tmp_path / "new", found)
    assert json.loads((tmp_path / "new" / "report.json").read_text()) == found
    assert (tmp_path / "new" / "report.md").read_text() == evaluation_report.to_markdown(found)


def test_the_end_to_end_evaluation_is_a_sentence(found: dict[str, object]) -> None:
    known = {
        "detector": "hog", "n": 10, "found": 8, "detection_rate": 0.8,
        "accuracy_of_given_crop": 0.7, "accuracy_end_to_end": 0.68, "loss": 0.02,
    }  # fmt: skip
    assert "found 8 of 10 faces (80.0%)" in evaluation_report.to_markdown({**found, "end_to_end": known})
    assert "a loss of 2.0 points" in evaluation_report.to_markdown({**found, "end_to_end": known})
