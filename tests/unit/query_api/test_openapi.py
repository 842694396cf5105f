from typing import Any

from core import definitions
from core.settings import Settings
from query_api import openapi, profiles
from query_api.parameters import SearchParameters
from query_api.problems import KINDS

PROFILES = profiles.read(definitions.load(Settings().definitions_path))
DOCUMENT = openapi.document(PROFILES, admin=True)


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [found for below in node.values() for found in references(below)]
    if isinstance(node, list):
        return [found for below in node for found in references(below)]
    return []


def test_every_reference_leads_somewhere() -> None:
    found = set(references(DOCUMENT))
    assert found
    for reference in found:
        node: Any = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]


def test_search_takes_exactly_the_parameters_that_validate() -> None:
    described = {p["name"]: p for p in DOCUMENT["paths"]["/v1/search"]["get"]["parameters"]}
    filters = {f"filter.{name}" for one in PROFILES.values() for name in one.filters}
    assert set(described) == set(SearchParameters.model_fields) | filters
    assert all(p["description"] for p in described.values())
    assert described["type"]["schema"]["items"]["enum"] == list(PROFILES)
    assert "genre" in described["facets"]["schema"]["items"]["enum"]
    assert {"relevance", "newest", "longest"} <= set(described["sort"]["schema"]["enum"])
    assert described["filter.downloadable"]["schema"]["enum"] == ["true", "false"]
    assert "milliseconds" in described["filter.duration"]["description"]
    limit = described["limit"]["schema"]
    assert (limit["minimum"], limit["maximum"], limit["default"]) == (1, 100, 20)


def test_search_describes_every_status_that_a_problem_can_have() -> None:
    responses = DOCUMENT["paths"]["/v1/search"]["get"]["responses"]
    elsewhere = {404, 405, 409, 413, 415}
    assert {str(kind.status) for kind in KINDS.values() if kind.status not in elsewhere} | {
        "200"
    } == set(responses)


def test_what_operators_do_is_described_only_where_it_is_there() -> None:
    closed = openapi.document(PROFILES)
    assert not any(path.startswith("/v1/admin/") for path in closed["paths"])
    admin = {path: node for path, node in DOCUMENT["paths"].items() if "/admin/" in path}
    assert len(admin) == 18
    operations = [one for node in admin.values() for one in node.values()]
    assert all(one["security"] == [{"key": []}] for one in operations)
    assert len({one["operationId"] for one in operations}) == len(operations)
