"""The Python of docs/server.md that sends images over a WebSocket, against a server that runs."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.server.conftest import Running


def test_the_client_of_the_page_prints_what_it_reads(
    server: Running, astronaut: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "server.md").read_text(), flags=re.DOTALL)[0]
    known: dict[str, Any] = {}
    exec(code.replace("127.0.0.1:8000", f"127.0.0.1:{server.port}"), known)
    asyncio.run(known["analyze"]([astronaut.read_bytes()]))
    assert capsys.readouterr().out.splitlines()[-1] == "['happy']"
