"""ONNX Runtime is opened in one module: devices, threads without spinning, and telemetry off."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from facemood.errors import DeviceError
from facemood.models import DEFAULT_MODEL, ModelSession, find_model, runtime
from facemood.models.runtime import available_providers, open_session, select_providers
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
