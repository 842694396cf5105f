"""The OpenAPI document holds: whatever is made from it is answered as it says, and never fails.

`pytest --api-requests 5000` sends more than a run of all tests has the time for.
"""

from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.integration.query_api.catalogue import group, set_, sound, user
from tests.integration.query_api.conftest import Write

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# Where what is asked for matters; the others answer the same every time.
SHARE = {"/v1/search": 10}


@pytest.fixture(scope="module", autouse=True)
def _documents(write: Write) -> None:
    write(
        [
            *(sound(n, f"Rain {n}", genre="Ambient", tags=["rain"]) for n in range(1, 30)),
            *(user(1, "Rain Man"), set_(1, "Rain Songs"), group(1, "Rain Dancers")),
        ]
    )


def operations(document: dict[str, Any]) -> list[APIOperation[Any, Any, Any, Any]]:
    schema = schemathesis.openapi.from_dict(document)
    found = []
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        found.append(result.ok())
    return found


# schemathesis draws some bodies by chance of its own.
@pytest.mark.filterwarnings("ignore:Do not use the .random. module:Warning")
def test_whatever_is_sent_is_answered_as_the_document_says(
    api: httpx.Client, address: str, request: pytest.FixtureRequest
) -> None:
    wanted: int = request.config.getoption("--api-requests")
    known = operations(api.get("/openapi.json").json())
    shares = {one.label: SHARE.get(one.path, 1) for one in known}
    for operation in known:
        examples = max(2, wanted * shares[operation.label] // sum(shares.values()))
        check(operation, address, examples)


def check(operation: APIOperation[Any, Any, Any, Any], address: str, examples: int) -> None:
    """Send requests of both kinds: those that the document allows, and those that it does not."""
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    cases: st.SearchStrategy[Case[Any]] = st.one_of(
        *(operation.as_strategy(generation_mode=mode) for mode in modes)
    )

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases)
    def send(case: Case[Any]) -> None:
        response = case.call(base_url=address, timeout=20)
        case.validate_response(response, checks=CHECKS)

    send()
