import json

from facemood.models import DEFAULT_MODEL
from tests.cli.conftest import Run


def test_a_good_installation_works(facemood: Run) -> None:
    done = facemood("doctor")
    assert done.returncode == 0, done.stderr
    assert "everything works" in done.stderr
    assert f"model {DEFAULT_MODEL}" in done.stderr


def test_the_findings_are_json_on_request(facemood: Run) -> None:
    known = json.loads(facemood("doctor", "--json").stdout)
    assert known["problems"] == []
    assert "onnxruntime" in dict(known["facts"])


def test_telemetry_is_reported_as_off(facemood: Run) -> None:
    known = dict(json.loads(facemood("doctor", "--json").stdout)["facts"])
    assert known["telemetry"].startswith("off")
