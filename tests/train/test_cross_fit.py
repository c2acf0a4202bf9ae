from pathlib import Path

import numpy as np
import pytest

from facemood.errors import RecipeError
from facemood.train import fit, load_trained
from facemood.train.cross_fit import label_out_of_fold
from facemood.train.data.soft_labels import write_soft_labels
from tests.train.test_fit import bright_or_dark, small_recipe

FOLDS = ["data.folds=2", "train.epochs=30", "train.learning_rate=0.05", "train.ema=0.8", "train.batch_size=8"]


@pytest.mark.slow
def test_teachers_label_what_they_never_saw_and_a_student_learns_from_it(tmp_path: Path) -> None:
    dataset = bright_or_dark()
    runs = [tmp_path / "0", tmp_path / "1"]
    for fold, run in enumerate(runs):
        fit(small_recipe(*FOLDS, f"data.fold={fold}"), dataset, run)
    seen = [load_trained(run)[1]["trained_on"]["images"] for run in runs]
    assert sum(seen) == 48  # each image trains one of the two teachers
    soft = label_out_of_fold(runs, dataset)
    assert soft.about["images"] == len(soft.keys) == 48
    found = soft.about["out_of_fold_accuracy"]
    assert found["fer2013"]["n"] == found["ferplus"]["n"] == 48
    assert min(found["fer2013"]["accuracy"], found["ferplus"]["accuracy"]) > 0.9
    rows = soft.find(np.asarray(dataset.split("Training").images))
    hits = soft.logits["fer2013"][rows].argmax(1) == dataset.labels[:48]
    assert float(np.mean(hits)) == pytest.approx(found["fer2013"]["accuracy"], abs=1e-4)
    write_soft_labels(tmp_path / "soft.npz", soft)
    student = small_recipe("train.epochs=2", f"distill.labels='{tmp_path / 'soft.npz'}'", "augment.mixup=1.0")
    fit(student, dataset, tmp_path / "student")
    assert load_trained(tmp_path / "student")[1]["recipe"]["distill"]["label_share"] == 0.6
    with pytest.raises(RecipeError, match="expected one run for each fold of one recipe, but got folds 0 of 2"):
        label_out_of_fold(runs[:1], dataset)
