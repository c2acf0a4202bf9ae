import logging
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from facemood.models import ModelSession
from facemood.train.faces import __main__ as commands
from facemood.train.faces import teach
from facemood.train.faces.finder_network import FinderNetwork
from facemood.train.faces.landmark_network import LandmarkNetwork
from facemood.train.faces.material import Material, Place
from facemood.train.faces.train_loop import Plan
from tests.train.faces.made import write_data


class EverywhereNetwork(torch.nn.Module):
    """Takes every cell for a face of 32 pixels."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        cells = torch.zeros(len(images), 15, images.shape[2] // 8, images.shape[3] // 8)
        cells[:, 0] = 3.0
        cells[:, 1:5] = float(np.log(2))
        return cells


def test_false_alarms_are_sought_in_scenes_without_faces_only(material: Material) -> None:
    found = teach.find_false_alarms(EverywhereNetwork(), material.scenes)
    assert {place.scene for place in found} == {0, 1}  # the third scene has a face
    assert {round(place.scale, 2) for place in found} <= {1.0, 0.5, 0.25}
    assert all(place.side == pytest.approx(32 / place.scale, rel=0.05) for place in found)


def test_false_alarms_are_kept_and_read_again(material: Material, tmp_path: Path) -> None:
    kept = teach.store_false_alarms(tmp_path, EverywhereNetwork(), material)
    assert teach.read_hard(tmp_path / teach.HARD) == kept
    assert teach.read_hard(tmp_path / "none.npz") == []
    assert teach.read_hard(None) == []


def test_the_finder_learns_and_looks_for_its_false_alarms(
    material: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teach, "MINE_FROM", 2)
    plan = Plan(steps=3, batch=2, warmup=1, save=3)
    teach.train_finder(material, plan, tmp_path)
    assert (tmp_path / teach.HARD).is_file()
    assert torch.load(tmp_path / "last.pt", weights_only=True)["step"] == 3


def test_refining_begins_at_the_given_weights(material: Material, tmp_path: Path) -> None:
    torch.manual_seed(5)
    begun = LandmarkNetwork()
    torch.save(begun.state_dict(), tmp_path / "begun.pt")
    np.savez(tmp_path / "hard.npz", hard=np.array([Place(0, 0.5, 60, 60, 40)]))
    plan = Plan(steps=1, batch=4, rate=0.0, save=1)
    refined = teach.train_landmarks(
        material, plan, tmp_path / "run", start=tmp_path / "begun.pt", hard=tmp_path / "hard.npz"
    )
    for name, value in begun.named_parameters():
        torch.testing.assert_close(refined.get_parameter(name), value)


@pytest.mark.slow
def test_the_commands_of_the_page_make_both_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = write_data(tmp_path)
    given = ["--data", data, "--labels", data / "faces.npz"]
    runs = {name: ["--run", tmp_path / name] for name in ("finder", "landmarks", "refined")}
    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)  # the handlers are pytest's
    for command in (
        ["finder", *given, *runs["finder"], "--steps", "1"],
        ["landmarks", *given, *runs["landmarks"], "--steps", "1"],
        ["mine", *given, *runs["finder"]],
        ["landmarks", *given, *runs["refined"], "--steps", "1", "--start", tmp_path / "landmarks" / "network.pt",
         "--hard", tmp_path / "finder" / "hard.npz"],
        ["export", *runs["finder"], "--refined", tmp_path / "refined", "--output", tmp_path / "made"],
    ):  # fmt: skip
        monkeypatch.setattr(sys, "argv", ["faces", *map(str, command)])
        commands.main()
    finder = ModelSession(tmp_path / "made" / "finder.onnx", device="cpu")
    assert finder.card.task == "detection"
    images = np.random.default_rng(0).integers(0, 256, (1, 1, 96, 208)).astype(np.float32)
    network = teach.load_weights(FinderNetwork(), tmp_path / "finder" / "network.pt").eval()
    with torch.no_grad():
        expected = network(torch.from_numpy(images)).numpy()
    np.testing.assert_allclose(finder.run_batch(images)["cells"], expected, atol=1e-3)
    landmarks = ModelSession(tmp_path / "made" / "landmarks.onnx", device="cpu")
    crops = np.random.default_rng(0).integers(0, 256, (3, 64, 64), np.uint8)
    other = teach.load_weights(LandmarkNetwork(), tmp_path / "refined" / "network.pt").eval()
    with torch.no_grad():
        points, presence = other(torch.from_numpy(crops[:, None]).float())
    read = landmarks.run(crops)
    np.testing.assert_allclose(read["points"], points.numpy(), atol=1e-4)
    np.testing.assert_allclose(read["presence"], presence.numpy(), atol=1e-3)
