from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from facemood import EmotionRecognizer
from facemood.errors import OutputError
from facemood.labels import BASIC_EXPRESSIONS, EXPRESSIONS
from facemood.models import ModelSession
from facemood.models.activation import activation_maps
from facemood.train import fit, load_trained
from facemood.train.export import export, reframe
from facemood.train.export.write_onnx import write_onnx
from facemood.train.onnx_file import SMALL
from tests.evaluation.test_crop_framing import OffsetDetector
from tests.train.test_fit import bright_or_dark, small_recipe


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small run and its exported model."""
    folder = tmp_path_factory.mktemp("export")
    fit(small_recipe("train.epochs=6"), bright_or_dark(), folder / "run")
    export(folder / "run", bright_or_dark(), folder / "model.onnx", detectors=(OffsetDetector(),))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(("half", "tolerance"), [(False, 1e-4), (True, 1e-2)])
def test_torch_and_onnx_give_the_same_logits(exported: Path, tmp_path: Path, half: bool, tolerance: float) -> None:
    module, _ = load_trained(exported / "run")
    card = ModelSession(exported / "model.onnx", device="cpu").card
    write_onnx(module.network, tmp_path / "model.onnx", card, half=half)
    session = ModelSession(tmp_path / "model.onnx", device="cpu")
    for count in (1, 2, 5):
        crops = np.random.default_rng(count).integers(0, 256, (count, 32, 32), np.uint8)
        with torch.no_grad():
            expected = module.network(torch.from_numpy(crops[:, None]).float())
        for head, logits in session.run(crops).items():
            np.testing.assert_allclose(logits, expected[head].numpy(), atol=tolerance)


@pytest.mark.slow
def test_half_precision_takes_half_the_space_and_sources_are_removed(exported: Path, tmp_path: Path) -> None:
    module, _ = load_trained(exported / "run")
    card = ModelSession(exported / "model.onnx", device="cpu").card
    sizes = {}
    for half in (False, True):
        write_onnx(module.network, tmp_path / "model.onnx", card, half=half)
        sizes[half] = (tmp_path / "model.onnx").stat().st_size
        assert str(Path(__file__).parents[3]).encode() not in (tmp_path / "model.onnx").read_bytes()
    weights = sum(weight.numel() for weight in module.network.parameters() if weight.numel() >= SMALL)
    assert sizes[False] - sizes[True] == pytest.approx(2 * weights, rel=0.1)
    whole, kept = ((exported / "model.onnx").stat().st_size, sizes[True])
    assert whole == pytest.approx(kept, abs=64)  # export stores half precision unless told otherwise


@pytest.mark.slow
def test_the_mean_of_an_activation_map_is_the_logit_without_its_bias(exported: Path) -> None:
    session = ModelSession(exported / "model.onnx", device="cpu")
    network = load_trained(exported / "run")[0].network
    crops = np.asarray(bright_or_dark().images[:4])
    logits = session.run(crops)
    for head, labels in session.card.heads.items():
        maps = activation_maps(session, crops, head=head)
        assert maps.shape == (4, len(labels), 8, 8)
        bias = network.get_submodule(f"heads.{head}").bias
        assert isinstance(bias, torch.Tensor)
        np.testing.assert_allclose(maps.mean(axis=(2, 3)) + bias.detach().numpy(), logits[head], atol=1e-2)


@pytest.mark.slow
def test_the_card_has_all_measured_figures(exported: Path) -> None:
    card = ModelSession(exported / "model.onnx", device="cpu").card
    assert card.heads == {"fer2013": BASIC_EXPRESSIONS, "ferplus": EXPRESSIONS}
    assert (card.default_head, card.input_size, card.colour) == ("ferplus", (32, 32), "grey")
    assert set(card.temperature) == {"fer2013", "ferplus"}
    assert set(card.framing) == {"offset"}
    assert card.trained_on["images"] == 48
    assert card.trained_on["epochs"] == 6
    assert card.metrics["PublicTest: fer2013 labels"]["n"] == 16
    assert card.metrics["framing"]["offset"]["tiles"] == 48


@pytest.mark.slow
def test_the_file_is_complete_and_alone(exported: Path) -> None:
    onnx.checker.check_model(onnx.load(exported / "model.onnx"), full_check=True)
    assert sorted(path.name for path in exported.iterdir()) == ["model.onnx", "run"]


@pytest.mark.slow
def test_a_file_that_cannot_be_written_is_reported_before_the_work(exported: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        export(exported / "run", bright_or_dark(), tmp_path / "file" / "m.onnx", detectors=(OffsetDetector(),))


@pytest.mark.slow
def test_an_exported_model_is_used_by_its_path(exported: Path) -> None:
    recognizer = EmotionRecognizer(exported / "model.onnx")
    part = bright_or_dark().split("PublicTest")
    read = recognizer.classify(np.asarray(part.images)).argmax(axis=1)
    assert [recognizer.labels[index] for index in read] == [part.classes[label] for label in part.labels]


@pytest.mark.slow
def test_a_model_learns_the_framing_of_another_detector(exported: Path, tmp_path: Path) -> None:
    class Other(OffsetDetector):
        name = "other"

    before = ModelSession(exported / "model.onnx", device="cpu")
    card = reframe(exported / "model.onnx", bright_or_dark(), tmp_path / "again.onnx", detectors=(Other(),))
    after = ModelSession(tmp_path / "again.onnx", device="cpu")
    assert after.card.framing == card.framing
    assert set(card.framing) == {"offset", "other"}
    assert card.framing["other"] == card.framing["offset"]
    assert card.metrics["PublicTest: fer2013 labels"] == before.card.metrics["PublicTest: fer2013 labels"]
    crops = np.random.default_rng(0).integers(0, 256, (2, 32, 32), np.uint8)
    for head, logits in before.run(crops).items():
        np.testing.assert_array_equal(after.run(crops)[head], logits)
