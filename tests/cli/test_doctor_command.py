import json
import os
import re
import subprocess
import sys

from facemood.cli.doctor_command import EXTRAS
from facemood.models import DEFAULT_MODEL
from tests.cli.conftest import Run
from tests.conftest import ROOT


def test_a_good_installation_works(facemood: Run) -> None:
    done = facemood("doctor")
    assert done.returncode == 0, done.stderr
    assert "everything works" in done.stderr
    assert f"model {DEFAULT_MODEL}" in done.stderr


def test_the_findings_are_json_on_request(facemood: Run) -> None:
    known = json.loads(facemood("doctor", "--json").stdout)
    assert known["problems"] == []
    assert "onnxruntime" in dict(known["facts"])


def test_telemetry_is_reported_as_off() -> None:
    bare = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    command = [sys.executable, "-m", "facemood", "doctor", "--json"]  # not forked: what is imported first counts
    told = subprocess.run(command, capture_output=True, text=True, check=True, env=bare).stdout
    assert dict(json.loads(told)["facts"])["telemetry"].startswith("off")


def test_every_extra_with_features_is_listed_by_a_package_that_it_installs(facemood: Run) -> None:
    text = (ROOT / "pyproject.toml").read_text()
    extras = dict(
        re.findall(
            r"^([a-z]+) = \[(.*)\]$",
            text.partition("[project.optional-dependencies]")[2].partition("\n[")[0],
            re.MULTILINE,
        )
    )
    assert set(EXTRAS) == set(extras) - {"all", "dev", "test"}
    assert all(re.search(rf'"{name}(\[\w+\])?>=', extras[extra]) for extra, name in EXTRAS.items())
    facts = dict(json.loads(facemood("doctor", "--json").stdout)["facts"])
    for extra, name in EXTRAS.items():
        assert facts[f"extra {extra}"] == "not installed" or facts[f"extra {extra}"].startswith(f"{name} ")
