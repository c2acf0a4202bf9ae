"""ONNX Runtime is opened in one module: devices, threads without spinning, and telemetry off."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from facemood.errors import DeviceError
from facemood.models import DEFAULT_MODEL, ModelSession, find_model, runtime
from facemood.models.runtime import PACKAGES, PROVIDERS, available_providers, open_session, select_providers
from tests.conftest import ROOT
from tests.models.made import make_model

FOLDERS = ("src", "tests", "scripts", "benchmarks", "examples")
ONE_PLACE = ROOT / "src" / "facemood" / "models" / "runtime.py"


def state_after(code: str, environment: dict[str, str]) -> str:
    """The state of telemetry in a fresh interpreter after running some code."""
    report = f"{code}\nfrom facemood.models.runtime import telemetry_state\nprint(telemetry_state())"
    done = subprocess.run(
        [sys.executable, "-c", report], capture_output=True, text=True, check=True, env=environment, cwd=ROOT
    )
    return done.stdout.strip()


def test_an_unknown_device_is_named() -> None:
    with pytest.raises(DeviceError, match="unknown device 'cude'.*Did you mean 'cuda'"):
        select_providers("cude")


@pytest.mark.parametrize("device", ["gpu", "GPU", "gpu:0", "cuda:1", 0])
def test_other_names_of_a_gpu_lead_to_cuda(device: str) -> None:
    with pytest.raises(DeviceError, match=f"unknown device {device!r}.*Did you mean 'cuda'"):
        select_providers(device)


@pytest.mark.parametrize(("name", "meant"), [("mps", "coreml"), ("dml", "directml"), ("open-vino", "openvino")])
def test_other_names_of_other_devices_lead_to_theirs(name: str, meant: str) -> None:
    with pytest.raises(DeviceError, match=f"unknown device {name!r}.*Did you mean {meant!r}"):
        select_providers(name)


@pytest.mark.parametrize(("device", "fix"), PACKAGES.items())
def test_each_missing_device_is_refused_with_its_own_fix(device: str, fix: str) -> None:
    if PROVIDERS[device] in available_providers():
        pytest.skip(f"this ONNX Runtime has {PROVIDERS[device]}")
    with pytest.raises(DeviceError) as refusal:
        ModelSession(find_model(DEFAULT_MODEL), device=device)
    assert f"device {device!r} is not available" in str(refusal.value)
    assert fix in str(refusal.value)


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_a_gpu_that_cannot_be_started_is_a_warning_with_auto_and_an_error_by_name(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if PROVIDERS["cuda"] in available_providers():
        pytest.skip("there is a GPU")
    told = ["CUDAExecutionProvider", "CPUExecutionProvider"]  # as onnxruntime-gpu says on a machine without a GPU
    monkeypatch.setattr(runtime, "available_providers", lambda: told)
    session = ModelSession(find_model(DEFAULT_MODEL), device="auto")
    assert session.device == "cpu"
    assert "'cuda' could not be started, so ONNX Runtime fell back to 'cpu'; check the driver" in caplog.text
    with pytest.raises(DeviceError, match="'cuda' could not be started"):
        ModelSession(find_model(DEFAULT_MODEL), device="cuda")


def test_nothing_is_said_where_auto_gets_what_it_wants(caplog: pytest.LogCaptureFixture) -> None:
    ModelSession(find_model(DEFAULT_MODEL), device="auto")
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


def test_a_bound_run_gives_what_a_plain_run_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    faces = np.random.default_rng(0).integers(0, 256, (3, 48, 48), np.uint8)
    session = ModelSession(find_model(DEFAULT_MODEL), device="cpu", threads=1)
    plain = session.run(faces)
    monkeypatch.setattr(runtime, "BOUND", ("cpu",))
    bound = session.run(faces)
    assert bound.keys() == plain.keys()
    for name, values in plain.items():
        np.testing.assert_array_equal(bound[name], values)


@pytest.mark.skipif("CUDAExecutionProvider" in available_providers(), reason="there is a GPU")
def test_the_message_for_a_missing_device_names_the_fix() -> None:
    with pytest.raises(DeviceError, match="onnxruntime-gpu"):
        ModelSession(find_model(DEFAULT_MODEL), device="cuda")
    assert select_providers("auto") == ["CPUExecutionProvider"]


def test_threads_do_not_spin_and_have_the_given_number() -> None:
    options = open_session(find_model(DEFAULT_MODEL), threads=2).get_session_options()
    assert options.intra_op_num_threads == 2
    for pool in ("intra_op", "inter_op"):
        assert options.get_session_config_entry(f"session.{pool}.allow_spinning") == "0"


def test_only_one_module_imports_onnxruntime() -> None:
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py") if path != ONE_PLACE]
    assert [str(path) for path in files if "onnxruntime" in imported(path)] == []


def imported(path: Path) -> set[str]:
    """The top-level packages that a file's import statements name."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return {name.partition(".")[0] for name in names}


def test_telemetry_is_off_unless_the_user_says_otherwise(clean_environment: dict[str, str]) -> None:
    assert state_after("import facemood", clean_environment) == "off (ORT_DISABLE_TELEMETRY=1)"
    assert "may be on" in state_after("import facemood", {**clean_environment, "ORT_DISABLE_TELEMETRY": "0"})


def test_an_earlier_import_of_onnxruntime_is_reported(clean_environment: dict[str, str]) -> None:
    environment = {**clean_environment, "ORT_DISABLE_TELEMETRY": "1"}  # so that the test itself sends nothing
    assert "imported before" in state_after("import onnxruntime", environment)


@pytest.mark.parametrize(("usable", "threads"), [(1, 1), (3, 3), (8, 0), (9, 0)])
def test_a_quota_or_an_affinity_limits_the_threads(monkeypatch: pytest.MonkeyPatch, usable: int, threads: int) -> None:
    monkeypatch.setattr(runtime, "usable_cpus", lambda: usable)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert runtime.default_threads() == threads


def test_the_threads_of_a_session_follow_the_quota(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(runtime, "usable_cpus", lambda: 1)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    for asked, given in ((None, 1), (2, 2)):
        session = runtime.open_session(make_model(tmp_path / "m.onnx"), threads=asked)
        assert session.get_session_options().intra_op_num_threads == given
