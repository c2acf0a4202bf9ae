"""The recipes of docs/scale.md: Kubernetes would take the job, and the shell the scripts."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Any

import pytest

from tests.conftest import ROOT

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
