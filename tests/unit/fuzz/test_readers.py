"""What comes from outside is read or refused with an error that says so: nothing else comes of it.

Every reader of ours: of events, of cursors, of snapshots, of index definitions, of requests.
"""

import contextlib
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import hypothesis
import orjson
import pytest

from core import definitions
from core.definitions import DefinitionError
from core.events import MalformedEventError, decode_all, routing_key
from query_api import parameters, planner, profiles
from query_api.cursors import LIFETIME, Cursor, CursorSigner
from query_api.problems import QueryError
from suggest import builder, snapshot
from suggest.errors import SnapshotError
from suggest.phrases import Phrase
from suggest.requests import BadRequestError
from suggest.requests import parse as parse_suggest
from tests.unit.fuzz.corpus import fuzzed, inputs

EVENT = b'{"id": "42", "occurred_at": "2026-03-01T12:30:00.123456+00:00", "ids": [1, "2"]}'
NOW = 1_800_000_000.0
SIGNER = CursorSigner(b"secret")
CURSOR = Cursor(
    fingerprint="f" * 16,
    query_id="q" * 28,
    position=20,
    variant="live",
    experiment=None,
    indices={"sound": "disco-sound-1"},
    after=(1.5, "sound", 42),
)
QUERY = b"q=drum+%26+bass&type=sound,user&limit=5&cursor=abc&variant=live"
ENTITIES = ("user", "sound", "set", "group")
OWN = definitions.load(Path(__file__).parents[3] / "index_definitions")


@pytest.mark.parametrize("key", ["refresh.sound", "destroy.user", "Save.é", "."])
@fuzzed("event", like=EVENT)
def test_events(raw: bytes, key: str) -> None:
    with contextlib.suppress(MalformedEventError):
        events = decode_all(key, raw, size_limit=1_000)
        assert events, "a message without an event would never be acknowledged"
        for event in events:
            assert 0 <= event.id < 2**63
            assert routing_key(event) == key


@fuzzed("cursor", like=SIGNER.build(CURSOR, now=NOW).encode())
def test_cursors(raw: bytes) -> None:
    text = raw.decode("utf-8", "replace")
    with contextlib.suppress(QueryError):
        assert SIGNER.parse(text, now=NOW) == CURSOR, "nobody can make one but us"


def test_a_whole_cursor_is_read() -> None:
    assert SIGNER.parse(SIGNER.build(CURSOR, now=NOW), now=NOW + LIFETIME) == CURSOR


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


def _pieces() -> Sequence[bytes]:
    phrases = [Phrase(f"phrase {n}", float(n + 1), "sound", str(n), f"/{n}") for n in range(20)]
    return builder.build(phrases).pieces


PIECES = _pieces()
SNAPSHOT = b"".join(PIECES)


def _opened(folder: Path, raw: bytes) -> None:
    path = folder / "fuzzed.snapshot"
    path.write_bytes(raw)
    with contextlib.suppress(SnapshotError):
        loaded = snapshot.load(path)
        same = loaded.edition == snapshot.edition_of(PIECES)
        assert same == (raw == SNAPSHOT), "an edition has one content"


@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@fuzzed("snapshot", like=SNAPSHOT)
def test_snapshots(raw: bytes, folder: Path) -> None:
    _opened(folder, raw)


@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@fuzzed("snapshot_header", like=b'{"folding": 1, "facts": {}, "sections": [["a", "u1", 0, 1, ""]]}')
def test_snapshot_headers_whose_checksum_is_right(raw: bytes, folder: Path) -> None:
    """The checksum only says that nothing was damaged; whoever wrote it may have had no idea."""
    head = snapshot.MAGIC + len(raw).to_bytes(8, "little") + hashlib.sha256(raw).digest()
    _opened(folder, head + raw)


@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("name", ["mapping.json", "hydrate.sql", "search.json"])
@fuzzed("definition", like=json.dumps(dict(OWN["sound"].mappings)).encode())
def test_definitions(raw: bytes, folder: Path, name: str) -> None:
    source = Path(__file__).parents[3] / "index_definitions"
    shutil.rmtree(folder / "definitions", ignore_errors=True)
    shutil.copytree(source, folder / "definitions")
    (folder / "definitions" / f"sound.{name}").write_bytes(raw)
    with contextlib.suppress(DefinitionError):
        profiles.read(definitions.load(folder / "definitions"))


@fuzzed("query_string", like=QUERY)
def test_requests_and_their_plans(raw: bytes) -> None:
    read = profiles.read(OWN)
    with contextlib.suppress(QueryError):
        asked = parameters.read_search(raw, read)
        indices = {entity: f"disco-{entity}-1" for entity in ENTITIES}
        plan = planner.plan(asked, read, indices=indices, deadline=1.0)
        assert plan.indices
        assert b"query_string" not in orjson.dumps(plan.body["query"]).replace(
            orjson.dumps(asked.text)[1:-1], b""
        )


@fuzzed("query_string", like=b"q=a&type=sound&limit=3&fuzzy=true")
def test_requests_for_suggestions(raw: bytes) -> None:
    with contextlib.suppress(BadRequestError):
        request = parse_suggest(raw)
        assert request.limit > 0


def test_every_reader_has_a_corpus() -> None:
    for reader in ("event", "cursor", "snapshot", "snapshot_header", "definition", "query_string"):
        assert inputs(reader)
