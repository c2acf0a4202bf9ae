import json

from facemood.models import DEFAULT_MODEL
from tests.cli.conftest import Run


def test_a_sound_machine_is_in_order(facemood: Run) -> None:
    done = facemood("doctor")
    assert done.returncode == 0, done.stderr
    assert "everything is in order" in done.stderr
    assert f"model {DEFAULT_MODEL}" in done.stderr


def test_the_findings_are_data_too(facemood: Run) -> None:
    known = json.loads(facemood("doctor", "--json").stdout)
    assert known["problems"] == []
    assert "onnxruntime" in dict(known["facts"])


def test_telemetry_is_said_to_be_off(facemood: Run) -> None:
    known = dict(json.loads(facemood("doctor", "--json").stdout)["facts"])
    assert known["telemetry"].startswith("off")
