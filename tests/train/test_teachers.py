from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from facemood.errors import DatasetError, RecipeError
from facemood.train import fit, load_trained
from facemood.train.data.soft_labels import SoftLabels, write_soft_labels
from facemood.train.export.describe import describe
from facemood.train.teachers import label_by_teachers
from tests.train.test_fit import bright_or_dark, small_recipe

FOLDS = ["data.folds=2", "train.epochs=30", "train.learning_rate=0.05", "train.ema=0.8", "train.batch_size=8"]


@pytest.mark.slow
def test_teachers_label_their_left_out_folds_and_a_student_learns_from_it(tmp_path: Path) -> None:
    dataset = bright_or_dark()
    runs = [tmp_path / "0", tmp_path / "1"]
    for fold, run in enumerate(runs):
        fit(small_recipe(*FOLDS, f"data.fold={fold}"), dataset, run)
    seen = [load_trained(run)[1]["trained_on"]["images"] for run in runs]
    assert sum(seen) == 48  # each image trains one of the two teachers
    soft = label_by_teachers(runs, dataset)
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
        label_by_teachers(runs[:1], dataset)


@pytest.mark.slow
def test_teachers_without_folds_label_everything_together(tmp_path: Path) -> None:
    dataset = bright_or_dark()
    runs = [tmp_path / seed for seed in "12"]
    for seed, run in zip("12", runs, strict=True):
        fit(small_recipe("train.epochs=3", f"train.seed={seed}"), dataset, run)
    alone = [label_by_teachers([run], dataset, views=1) for run in runs]
    both = label_by_teachers(runs, dataset, views=1)
    assert both.about["teachers"]["count"] == 2
    assert both.about["in_sample_accuracy"]["fer2013"]["n"] == 48
    for head, logits in both.logits.items():
        assert np.abs(alone[0].logits[head] - alone[1].logits[head]).max() > 0.01
        np.testing.assert_allclose(logits, np.mean([one.logits[head] for one in alone], axis=0), atol=1e-5)
    network = load_trained(runs[0])[0].network
    pool = dataset.split("Training")
    rows = alone[0].find(np.asarray(pool.images))
    with torch.no_grad():
        said = network(torch.from_numpy(np.asarray(pool.images)[:, None].astype(np.float32)))["fer2013"].numpy()
    np.testing.assert_allclose(alone[0].logits["fer2013"][rows], said, atol=1e-4)
    fit(small_recipe("train.epochs=1", "train.ferplus_weight=0"), dataset, tmp_path / "labels")
    with pytest.raises(RecipeError, match=r"fer2013 \(7 classes\) and ferplus .* but it has fer2013 \(7 classes\)$"):
        label_by_teachers([runs[0], tmp_path / "labels"], dataset)
    fit(small_recipe("data.folds=2", "train.epochs=1"), dataset, tmp_path / "fold")
    with pytest.raises(RecipeError, match="expected one run for each fold of one recipe, but got folds 0, 0 of 0, 2"):
        label_by_teachers([runs[0], tmp_path / "fold"], dataset)


@pytest.mark.slow
def test_a_teacher_sees_tiles_at_its_own_size(tmp_path: Path) -> None:
    dataset = bright_or_dark()
    fit(small_recipe("train.epochs=1", "input.size=40", "input.colour='rgb'"), dataset, tmp_path)
    soft, tile = label_by_teachers([tmp_path], dataset, views=1), dataset.pixels[:1]
    large = cv2.resize(tile[0].astype(np.float32), (40, 40), interpolation=cv2.INTER_LINEAR)
    with torch.no_grad():
        said = load_trained(tmp_path)[0].network(torch.from_numpy(large).expand(1, 3, 40, 40))
    np.testing.assert_allclose(soft.logits["fer2013"][soft.find(tile)], said["fer2013"], atol=1e-3)


@pytest.mark.slow
def test_soft_labels_of_earlier_teachers_are_averaged_in(tmp_path: Path) -> None:
    dataset = bright_or_dark()
    for seed in "12":
        fit(small_recipe("train.epochs=1", f"train.seed={seed}"), dataset, tmp_path / seed)
    earlier = label_by_teachers([tmp_path / "1"] * 2, dataset, views=1)
    alone = label_by_teachers([tmp_path / "2"], dataset, views=1)
    both = label_by_teachers([tmp_path / "2"], dataset, views=1, added=earlier)
    assert both.teachers_of_an_image == 3
    for head, logits in both.logits.items():
        wanted = (2 * earlier.logits[head] + alone.logits[head]) / 3
        np.testing.assert_allclose(logits, wanted, atol=1e-5)
    write_soft_labels(tmp_path / "soft.npz", both)
    student = small_recipe("train.epochs=1", f"distill.labels='{tmp_path / 'soft.npz'}'")
    fit(student, dataset, tmp_path / "student")
    told = describe(load_trained(tmp_path / "student")[1]).trained_on["teachers"]
    group = {"recipe": "baseline", "dataset": "fer2013"}
    assert told == [{**group, "count": 1}, {**group, "count": 2}]
    few = SoftLabels(earlier.keys[:5], {head: logits[:5] for head, logits in earlier.logits.items()}, earlier.about)
    with pytest.raises(DatasetError, match="the added soft labels know only 5 of 48 images"):
        label_by_teachers([tmp_path / "2"], dataset, views=1, added=few)
    other = SoftLabels(earlier.keys, earlier.logits, {"heads": {"fer2013": ["one", "two"]}})
    with pytest.raises(DatasetError, match="the added soft labels have no head fer2013 with the labels angry, disgust"):
        label_by_teachers([tmp_path / "2"], dataset, views=1, added=other)
