"""The API keeps what its own schema promises, whatever is sent: schemathesis makes requests from /openapi.json."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.server.conftest import Running

OPERATIONS = [
    "POST /v1/analyze",
    "POST /v1/videos",
    "GET /v1/videos/{name}",
    "DELETE /v1/videos/{name}",
    "GET /v1/videos/{name}/{result}",
    "GET /v1/models",
    "GET /v1/settings",
    "GET /healthz",
    "GET /metrics",
]


@pytest.fixture(scope="module")
def promised(server: Running) -> Iterator[dict[str, Any]]:
    """What the server offers, by method and path. Some of the bytes that are made are a video, such as a small GIF."""
    schema = schemathesis.openapi.from_url(f"{server.address}/openapi.json")
    offers: list[Any] = [found.ok() for found in schema.get_all_operations()]  # type: ignore[union-attr]
    yield {offer.label: offer for offer in offers}
    for name in list(server.service.videos._jobs):
        server.service.videos.remove(name)


def test_every_offer_is_tested(promised: dict[str, Any]) -> None:
    assert sorted(promised) == sorted(OPERATIONS)


@pytest.mark.parametrize("name", OPERATIONS)
def test_answers_are_what_the_schema_promises(name: str, promised: dict[str, Any], server: Running) -> None:
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(promised[name].as_strategy())
    def keeps_its_promises(case: Any) -> None:
        # any bytes are an upload by the schema, and few are a picture
        case.call_and_validate(base_url=server.address, excluded_checks=[positive_data_acceptance])

    keeps_its_promises()
