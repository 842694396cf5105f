"""Differences that no event tells of, planted by writing past the indexer."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from demo import writes
from indexer.names import live_alias
from tests.integration.indexer.scene import Scene

_BULK = 5_000


@dataclass(frozen=True, kw_only=True)
class Planted:
    """Ids of users, one of each kind of difference, and one that agrees."""

    missing: int
    ghost: int
    stale: int
    right: int

    def kinds(self) -> dict[int, str]:
        """The kind of each id that differs."""
        return {self.missing: "missing", self.ghost: "ghost", self.stale: "stale"}


async def users(scene: Scene, *names: str) -> list[int]:
    """New users whose documents are right; nobody was told of them."""
    made = await scene.application.commit(*(writes.create_user(name) for name in names))
    ids = [change.id for change in made]
    await scene.index.take(*(("user", one) for one in ids))
    return ids


async def plant(scene: Scene) -> Planted:
    """One difference of each kind, without an event, searchable."""
    right, stale, ghost = await users(scene, "Right", "Stale", "Ghost")
    [missing] = await scene.application.commit(writes.create_user("Missing"))
    await scene.application.commit(writes.rename("user", stale, "Stale no more"))
    await scene.index.services.databases.primary.execute("delete from users where id = $1", ghost)
    return Planted(missing=missing.id, ghost=ghost, stale=stale, right=right)


async def write_ghosts(scene: Scene, ids: Iterable[int]) -> None:
    """Documents of users without a row."""
    lines: list[Mapping[str, Any]] = []
    version = time.time_ns() // 1_000  # above the tombstones of earlier tests
    for one in ids:
        lines.append({"index": {"_id": str(one), "version": version, "version_type": "external"}})
        lines.append({"type": "user", "id": one, "digest": one, "title": "Nobody"})
    engine = scene.index.services.engine
    index = live_alias(scene.settings.index_prefix, "user")
    for at in range(0, len(lines), 2 * _BULK):
        body = b"".join(orjson.dumps(line) + b"\n" for line in lines[at : at + 2 * _BULK])
        answer = await engine.bulk(
            operations=body,  # type: ignore[arg-type]
            index=index,
            refresh=True,
            filter_path=["errors"],
        )
        assert answer["errors"] is False
