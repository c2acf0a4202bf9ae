"""The recipes of docs/scale.md: Kubernetes would take the job, the shell the scripts, and systemd the units."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.test_documented_commands import understand

PAGE = (ROOT / "docs" / "scale.md").read_text()


def blocks(language: str) -> list[str]:
    """The blocks of code in a language."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_job_of_kubernetes_has_the_schema_of_a_job() -> None:
    validator: Any = pytest.importorskip("kubernetes_validate", reason="needs the extra dev")
    yaml: Any = pytest.importorskip("yaml", reason="needs the extra dev")
    (text,) = blocks("yaml")
    job = yaml.safe_load(text)
    assert job["kind"] == "Job"
    validator.validate(job, validator.latest_version(), strict=True)
    command = job["spec"]["template"]["spec"]["containers"][0]["args"][0]
    assert f"/{job['spec']['completions']} " in command
    job["spec"]["completionMod"] = job["spec"].pop("completionMode")
    with pytest.raises(validator.ValidationError):
        validator.validate(job, validator.latest_version(), strict=True)


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize("script", blocks("sh"))
def test_the_shell_takes_the_scripts(script: str) -> None:
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    for options in re.findall(r"^facemood analyze (.*)$", script, re.MULTILINE):
        assert "-o " in options


def test_cron_and_systemd_run_the_same_command_each_night() -> None:
    (line,) = re.findall(r"^15 2 \* \* \*  cd (\S+) && (facemood .*)$", PAGE, re.MULTILINE)
    service, timer = (ConfigParser(), ConfigParser())
    for unit, text in zip((service, timer), blocks("ini"), strict=True):
        unit.optionxform = str  # type: ignore[assignment, method-assign]  # names of systemd have capitals
        unit.read_string(text)
    run = service["Service"]
    assert (run["WorkingDirectory"], run["ExecStart"].removeprefix("/usr/bin/env ")) == line
    assert (timer["Timer"]["OnCalendar"], timer["Install"]["WantedBy"]) == ("02:15", "timers.target")
    understand(shlex.split(line[1])[1:])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    files = [tmp_path / f"facemood.{kind}" for kind in ("service", "timer")]
    for file, text in zip(files, blocks("ini"), strict=True):
        file.write_text(text.replace("/data", str(tmp_path)))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *files], capture_output=True, text=True)
    assert [line for line in done.stderr.splitlines() if "facemood." in line] == []
