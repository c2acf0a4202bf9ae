import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from facemood import EmotionRecognizer
from facemood.datasets import ExpressionDataset
from facemood.errors import OutputError, RecipeError
from facemood.labels import BASIC_EXPRESSIONS, FERPLUS_COLUMNS
from facemood.train import Hardware, Recipe, fit, load_recipe, load_trained
from facemood.train.data.batches import as_tensor
from facemood.train.data.fit_input import fit_input
from facemood.train.export import export
from facemood.train.export.describe import describe
from facemood.train.module import ExpressionModule
from facemood.train.networks.zoo import build_network
from facemood.train.trainer import History
from tests.conftest import PHOTOS

SMALL = ["network.widths=[8, 16]", "network.blocks=[1, 1]", "train.batch_size=16", "train.crop=24", "train.ema=0.9"]

BACKBONE = ["network.kind='timm:test_efficientnet'", "input.size=64", "input.pixels='half'"]
"""A backbone of timm that is made for tests: 0.3 M parameters."""


def small_recipe(*more: str) -> Recipe:
    return load_recipe("baseline", overrides=[*SMALL, "train.epochs=3", "train.fine_epochs=1", *more])


def bright_or_dark(count: int = 64) -> ExpressionDataset:
    """Images that any network can classify: a bright bar at the top is happy, one at the bottom is sad."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 80, (count, 32, 32), np.uint8)
    labels = np.where(np.arange(count) % 2, BASIC_EXPRESSIONS.index("sad"), BASIC_EXPRESSIONS.index("happy"))
    images[::2, :8] += 150
    images[1::2, -8:] += 150
    votes = np.zeros((count, 10), np.float32)
    votes[::2, FERPLUS_COLUMNS.index("happiness")] = 10
    votes[1::2, FERPLUS_COLUMNS.index("sadness")] = 10
    usage = np.array(["Training"] * (count - 16) + ["PublicTest"] * 16)
    cluster = np.arange(count)
    return ExpressionDataset("fer2013", images, labels, BASIC_EXPRESSIONS, usage, votes, cluster)


def write_csv_files(folder: Path) -> Path:
    """Write these images at 48 x 48 as the two CSV files that users have."""
    dataset = bright_or_dark()
    folder.mkdir()
    rows, votes = ["emotion,pixels,Usage"], [",".join(["Usage", "Image name", *FERPLUS_COLUMNS])]
    for number, (image, label, usage) in enumerate(zip(dataset.images, dataset.labels, dataset.usage, strict=True)):
        pixels = Image.fromarray(image).resize((48, 48))
        rows.append(f"{label},{' '.join(map(str, pixels.tobytes()))},{usage}")
        counts = dataset.votes[number].astype(int)  # type: ignore[index]
        votes.append(f"{usage},{number}.png,{','.join(map(str, counts))}")
    (folder / "fer2013.csv").write_text("\n".join(rows) + "\n")
    (folder / "fer2013new.csv").write_text("\n".join(votes) + "\n")
    return folder


def history(run: Path) -> list[dict[str, float]]:
    """The epochs' figures, without their seconds."""
    lines = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]


@pytest.mark.slow
def test_a_network_learns_and_its_averaged_weights_are_kept(tmp_path: Path) -> None:
    fit(small_recipe("train.epochs=12", "train.learning_rate=0.05"), bright_or_dark(), tmp_path / "run")
    epochs = history(tmp_path / "run")
    assert epochs[-1]["train_loss"] < 0.75 * epochs[0]["train_loss"]
    assert epochs[-1]["fer2013_accuracy"] == epochs[-1]["ferplus_accuracy"] == 1.0
    module, facts = load_trained(tmp_path / "run")
    assert facts["epochs_done"] == 12
    part = bright_or_dark().split("PublicTest")
    logits = module.network(torch.from_numpy(np.asarray(part.images)[:, None]).float())
    assert (logits["fer2013"].argmax(1).numpy() == part.labels).all()


class Killed(BaseException):
    """Replaces a signal that ends the process."""


def kill_in_second_epoch(self: History, trainer: object, module: object, batch: object, index: int) -> None:
    if trainer.current_epoch == 1 and index == 1:  # type: ignore[attr-defined]
        raise Killed


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_curve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, dataset = small_recipe(), bright_or_dark()
    fit(recipe, dataset, tmp_path / "whole")
    with monkeypatch.context() as patch:
        patch.setattr(History, "on_train_batch_start", kill_in_second_epoch)
        with pytest.raises(Killed):
            fit(recipe, dataset, tmp_path / "killed")
    assert len(history(tmp_path / "killed")) == 1
    fit(recipe, dataset, tmp_path / "killed", resume=True)
    assert history(tmp_path / "killed") == history(tmp_path / "whole")
    weights = [load_trained(tmp_path / run)[0].state_dict() for run in ("whole", "killed")]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


@pytest.mark.slow
def test_a_run_that_was_killed_before_its_first_checkpoint_starts_again(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    (tmp_path / "history.jsonl").write_text('{"epoch": 0}\n')
    fit(small_recipe("train.epochs=1"), bright_or_dark(), tmp_path)
    assert len(history(tmp_path)) == 1
    assert load_trained(tmp_path)[1]["recipe"]["train"]["epochs"] == 1


@pytest.mark.slow
def test_a_seed_repeats_and_another_differs(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        fit(small_recipe("train.epochs=1", f"train.seed={seed}"), bright_or_dark(), tmp_path / name)
    assert history(tmp_path / "a") == history(tmp_path / "b") != history(tmp_path / "c")


@pytest.mark.slow
def test_a_dataset_without_votes_trains_one_head(tmp_path: Path) -> None:
    dataset = dataclasses.replace(bright_or_dark(), votes=None)
    fit(small_recipe("train.epochs=1"), dataset, tmp_path)
    assert load_trained(tmp_path)[1]["heads"] == {"fer2013": 7}


@pytest.mark.slow
def test_a_run_is_not_overwritten_nor_resumed_as_another(tmp_path: Path) -> None:
    recipe, dataset = small_recipe("train.epochs=1"), bright_or_dark()
    with pytest.raises(RecipeError, match="nothing to resume"):
        fit(recipe, dataset, tmp_path / "run", resume=True)
    fit(recipe, dataset, tmp_path / "run")
    with pytest.raises(RecipeError, match="already has a run"):
        fit(recipe, dataset, tmp_path / "run")
    with pytest.raises(RecipeError, match="was started with another recipe"):
        fit(small_recipe("train.epochs=2"), dataset, tmp_path / "run", resume=True)
    with pytest.raises(RecipeError, match="was started with another trained_on"):
        fit(recipe, dataset.subset(np.arange(64) != 3), tmp_path / "run", resume=True)


def test_a_folder_without_a_complete_run_is_reported(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="expected a training run's folder"):
        load_trained(tmp_path)
    (tmp_path / "last.ckpt").write_bytes(b"")
    for damage in (None, "{"):
        if damage is not None:
            (tmp_path / "run.json").write_text(damage)
        with pytest.raises(RecipeError, match="run.json: is missing or damaged"):
            load_trained(tmp_path)
        with pytest.raises(RecipeError, match="run.json: is missing or damaged"):
            fit(small_recipe(), bright_or_dark(), tmp_path, resume=True)


def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        fit(small_recipe(), bright_or_dark(), tmp_path / "file" / "run")


@pytest.mark.slow
def test_training_stops_early_and_the_best_weights_are_kept(tmp_path: Path) -> None:
    settings = (
        "stop.patience=2",
        "stop.keep='best'",
        "stop.monitor='loss'",
        "train.ema=0.0",
        "train.learning_rate=3.0",
    )
    fit(small_recipe("train.epochs=40", "train.warmup=0.0", *settings), bright_or_dark(), tmp_path)
    losses = [line["fer2013_loss"] for line in history(tmp_path)]
    best = int(np.argmin(losses))
    assert len(losses) == best + 3 < 40  # two epochs without a better figure
    _, facts = load_trained(tmp_path)
    assert (facts["epochs_done"], facts["epoch_kept"]) == (len(losses), best + 1)


@pytest.mark.slow
def test_a_frozen_trunk_does_not_change_and_then_learns(tmp_path: Path) -> None:
    def trunk(run: str, *settings: str) -> list[torch.Tensor]:
        fit(small_recipe("train.epochs=4", "train.ema=0.0", *settings), bright_or_dark(), tmp_path / run)
        module, _ = load_trained(tmp_path / run)
        assert module.label_head == "fer2013"
        return [value for name, value in module.network.state_dict().items() if not name.startswith("heads")]

    start = trunk("start", "train.freeze_epochs=4", "train.learning_rate=0.0")
    frozen = trunk("frozen", "train.freeze_epochs=4")
    freed = trunk("freed", "train.freeze_epochs=2")
    assert all(torch.equal(one, other) for one, other in zip(start, frozen, strict=True))  # batch norm included
    assert not any(torch.equal(one, other) for one, other in zip(start, freed, strict=True) if one.is_floating_point())


@pytest.mark.slow
def test_a_transformer_trains_is_exported_and_reads(tmp_path: Path) -> None:
    pytest.importorskip("timm", reason="backbones need the extra backbones")
    vit = ["network.kind='timm:test_vit'", "network.pretrained=false", "input.size=64", "input.pixels='half'"]
    rate = ["train.optimizer='adamw'", "train.learning_rate=1e-3", "train.crop=0", "train.ema=0.0"]
    fit(small_recipe(*vit, *rate, "train.epochs=2", "train.warmup=0.0"), bright_or_dark(), tmp_path / "run")
    first, last = history(tmp_path / "run")
    assert last["train_loss"] < first["train_loss"]
    export(tmp_path / "run", bright_or_dark(), tmp_path / "vit.onnx")
    recognizer = EmotionRecognizer(model=tmp_path / "vit.onnx", threads=1)
    (face,) = recognizer.analyze_image(PHOTOS / "astronaut.png").faces
    assert face.probabilities is not None
    assert face.probabilities.sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_other_optimizers_schedules_and_penalties_train(tmp_path: Path, optimizer: str) -> None:
    settings = (
        f"train.optimizer='{optimizer}'",
        "train.learning_rate=0.01",
        "train.schedule='plateau'",
        "train.l1=1e-5",
    )
    fit(small_recipe("train.epochs=6", "loss.kind='focal'", *settings), bright_or_dark(), tmp_path)
    losses = [line["train_loss"] for line in history(tmp_path)]
    assert losses[-1] < losses[0]


@pytest.mark.slow
def test_memory_that_does_not_suffice_says_what_to_lower(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def starve(*_: object) -> None:
        raise RuntimeError("[enforce fail] DefaultCPUAllocator: not enough memory: you tried to allocate 99 bytes")

    monkeypatch.setattr(ExpressionModule, "training_step", starve)
    with pytest.raises(RecipeError, match="batches of 16 images of 32 pixels; lower train.batch_size"):
        fit(small_recipe(), bright_or_dark(), tmp_path)


@pytest.mark.parametrize("devices", [0, 10_000])
def test_more_devices_than_there_are_are_rejected(devices: int) -> None:
    with pytest.raises(RecipeError, match=f"cannot train on {devices} devices: expected 1 to"):
        Hardware(devices=devices)


@pytest.mark.slow
def test_a_log_for_tensorboard_is_written_on_request(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="needs the extra tensorboard")
    fit(small_recipe("train.epochs=1"), bright_or_dark(), tmp_path, hardware=Hardware(tensorboard=True))
    assert list((tmp_path / "tensorboard").glob("events.*"))


@pytest.mark.slow
def test_colour_images_train_a_grey_and_a_colour_network(tmp_path: Path) -> None:
    grey = bright_or_dark()
    colour = dataclasses.replace(grey, images=np.repeat(grey.pixels[..., None], 3, axis=3))
    for kind in ("grey", "rgb"):
        run = tmp_path / kind
        fit(small_recipe("train.epochs=1", f"input.colour='{kind}'", "input.size=24"), colour, run)
        module, facts = load_trained(run)
        assert facts["input_size"] == 24
        assert module.network(torch.zeros(1, 1 if kind == "grey" else 3, 24, 24))["fer2013"].shape == (1, 7)


@pytest.mark.slow
def test_a_run_says_which_weights_it_started_from_and_goes_on_without_them(tmp_path: Path) -> None:
    timm = pytest.importorskip("timm", reason="backbones need the extra backbones")
    file = tmp_path / "tiny.pth"
    torch.save(timm.create_model("test_efficientnet", pretrained=False, num_classes=3).state_dict(), file)
    recipe, dataset = small_recipe(*BACKBONE, f"network.weights='{file}'", "train.epochs=2"), bright_or_dark()
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(History, "on_train_batch_start", kill_in_second_epoch)
        fit(recipe, dataset, tmp_path / "run")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    file.unlink()
    fit(recipe, dataset, tmp_path / "run", resume=True)
    _, facts = load_trained(tmp_path / "run")
    assert facts["epochs_done"] == 2
    assert facts["weights"] == {"file": "tiny.pth", "sha256": digest}
    assert describe(facts).trained_on["weights"] == facts["weights"]
    random = dataclasses.replace(recipe, network=dataclasses.replace(recipe.network, pretrained=False))
    fit(random, dataset, tmp_path / "random")
    _, facts = load_trained(tmp_path / "random")
    assert "weights" not in describe(facts).trained_on


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    ["accurate", "default-start", "default", "default-noisy", "default-steady", "nano", "teacher", "teacher-lite0"],
)
def test_the_recipes_of_our_models_run_dry(tmp_path: Path, name: str) -> None:
    settings = ["train.epochs=1", "train.fine_epochs=1", "train.warmup=0.0", "train.batch_size=16", "distill.labels=''"]
    if load_recipe(name).network.start:  # a later stage starts from a run of the first; its like is in the package
        settings.append("network.start='default'")
    if load_recipe(name).network.weights:  # their package need not be installed
        pytest.importorskip("timm", reason="backbones need the extra backbones")
        settings += ["network.pretrained=false", "augment.upright=0.0"]
    dataset = bright_or_dark()
    fit(load_recipe(name, overrides=settings), dataset, tmp_path)
    module, facts = load_trained(tmp_path)
    assert facts["epochs_done"] == 1
    with torch.no_grad():
        logits = module.network(fit_input(as_tensor(dataset.pixels[:2]).float(), module.recipe, module.size))
    assert {head: tuple(values.shape) for head, values in logits.items()} == {"fer2013": (2, 7), "ferplus": (2, 8)}
    assert all(torch.isfinite(values).all() for values in logits.values())


def test_our_models_stay_within_their_sizes() -> None:
    for name, most in (("accurate", 5.0), ("default", 2.5), ("nano", 0.45)):
        network = build_network(load_recipe(name), {"fer2013": 7, "ferplus": 8}, size=48)
        assert sum(weight.numel() for weight in network.parameters()) < most * 1e6
