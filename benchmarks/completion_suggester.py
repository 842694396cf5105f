"""Elasticsearch's completion suggester, with the names that ours has."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import orjson
import uvloop

from benchmarks.environment import ROOT, Say
from benchmarks.suggest_corpus import Name
from core.engine import engine_client
from core.settings import Settings
from stack import operations as stacks
from stack import places

_INDEX: Final = "bench-completions"
_FIELD: Final = "name"
_BATCH: Final = 5_000  # documents
_SECONDS: Final = 300.0  # that a request for the whole index may take
_MAPPINGS: Final = {
    "_source": {"enabled": False},
    # The standard analyzer: the one that is preset would drop digits.
    "properties": {_FIELD: {"type": "completion", "analyzer": "standard", "max_input_length": 120}},
}
#: As ours makes up for slips: from three characters on, the first one too, in code points.
_FUZZY: Final = {"fuzziness": 1, "min_length": 3, "prefix_length": 0, "unicode_aware": True}


@dataclass(frozen=True, kw_only=True)
class Filled:
    """An index of completions."""

    address: str  # of the engine

    def request(self, typed: str, *, fuzzy: bool) -> bytes:
        """The bytes of a request for ten completions, and nothing else."""
        completion: dict[str, Any] = {"field": _FIELD, "size": 10}
        if fuzzy:
            completion["fuzzy"] = _FUZZY
        body = orjson.dumps({"suggest": {"s": {"prefix": typed, "completion": completion}}})
        path = f"/{_INDEX}/_search?filter_path=suggest.s.options.text"
        return (
            f"POST {path} HTTP/1.1\r\nHost: engine\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body


@contextmanager
def filled(stack_name: str, names: Sequence[Name], say: Say) -> Iterator[Filled]:
    """An index of these names, in one segment; deleted at the end. The stack is started if down."""
    stacks.up(stack_name, root=ROOT, progress=say)
    stack = stacks.open_stack(stack_name, root=ROOT)
    settings = Settings(**places.settings(stack, "bench_completions"))
    say("filling Elasticsearch's completion suggester")
    uvloop.run(_fill(settings, names))
    try:
        yield Filled(address=settings.engine_url)
    finally:
        uvloop.run(_delete(settings))


async def _fill(settings: Settings, names: Sequence[Name]) -> None:
    async with engine_client(settings, request_seconds=_SECONDS) as engine:
        await engine.indices.delete(index=_INDEX, ignore_unavailable=True)
        shards = {"number_of_shards": 1, "number_of_replicas": 0, "refresh_interval": "-1"}
        await engine.indices.create(index=_INDEX, mappings=_MAPPINGS, settings=shards)
        for batch in _batches(names):
            answer = await engine.bulk(index=_INDEX, operations=batch, filter_path="errors")
            assert not answer["errors"], "a name was refused"
        await engine.indices.forcemerge(index=_INDEX, max_num_segments=1)
        await engine.indices.refresh(index=_INDEX)
        assert (await engine.count(index=_INDEX))["count"] == len(names)


async def _delete(settings: Settings) -> None:
    async with engine_client(settings, request_seconds=_SECONDS) as engine:
        await engine.indices.delete(index=_INDEX)


def _batches(names: Sequence[Name]) -> Iterator[list[Any]]:
    for start in range(0, len(names), _BATCH):
        lines: list[bytes] = []
        for name in names[start : start + _BATCH]:
            lines.append(b'{"index":{}}')
            weight = min(name.weight, 2**31 - 1)
            lines.append(orjson.dumps({_FIELD: {"input": name.text, "weight": weight}}))
        yield lines
