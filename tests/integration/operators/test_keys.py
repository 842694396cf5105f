"""`disco keys`, and what the register knows of keys."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from access.operations import KeyEndedError, KeyRegister, Keys, Scope, UnknownKeyError, parse
from core.database import Pool
from core.operation_log import Actor, OperationLog, Outcome
from core.settings import Settings
from tests.integration.indexer.command_line import disco


@pytest.fixture
def log(primary: Pool) -> OperationLog:
    return OperationLog(primary, Actor(name="ana", via="cli"))


@pytest.fixture
def keys(primary: Pool, log: OperationLog) -> Keys:
    return Keys(KeyRegister(primary), log)


async def test_a_key_is_known_again_until_it_is_revoked(
    primary: Pool, keys: Keys, log: OperationLog
) -> None:
    created = await keys.create("deployment", ["admin", "search:read"])
    given = parse(created.text)
    assert given is not None
    register = KeyRegister(primary)
    found = await register.verify(given)
    assert found is not None
    assert found.name == "deployment"
    assert found.scopes == {Scope.ADMIN, Scope.SEARCH_READ}
    revoked = await keys.revoke(created.key.id)
    assert revoked.revoked_at is not None
    again = await register.verify(given)
    assert again is not None
    assert again.revoked_at == revoked.revoked_at
    actions = [one.action for one in await log.history(subject=created.key.id)]
    assert actions == ["keys.revoke", "keys.create"]


async def test_the_secret_is_kept_nowhere(primary: Pool, keys: Keys) -> None:
    created = await keys.create("deployment", ["admin"])
    secret = created.text.rpartition("_")[2]
    for table in ("api_keys", "operations"):
        rows = await primary.fetch(f"SELECT t::text AS row FROM disco.{table} AS t")
        assert rows
        assert not any(secret in row["row"] for row in rows)
    assert created.text not in repr(created)


async def test_a_wrong_secret_or_id_is_nobodys(primary: Pool, keys: Keys) -> None:
    one = await keys.create("one", ["admin"])
    other = await keys.create("other", ["admin"])
    register = KeyRegister(primary)
    mixed = parse(f"disco_{one.key.id}_{other.text[19:]}")
    unknown = parse(f"disco_{'0' * 12}_{one.text[19:]}")
    assert mixed is not None
    assert unknown is not None
    assert await register.verify(mixed) is None
    assert await register.verify(unknown) is None


async def test_a_key_is_exchanged_for_another_that_may_do_the_same(
    primary: Pool, keys: Keys, log: OperationLog
) -> None:
    first = await keys.create("exchanged", ["admin", "search:read"], days=10)
    planned, nothing = await keys.rotate(first.key.id, grace=timedelta(hours=1), dry_run=True)
    assert (planned.id, nothing) == (first.key.id, None)
    old, created = await keys.rotate(first.key.id, grace=timedelta(hours=1))
    assert created is not None
    assert (created.key.name, created.key.scopes) == ("exchanged", old.scopes)
    assert created.key.expires_at is not None
    register = KeyRegister(primary)
    for text, holds_later in ((first.text, False), (created.text, True)):
        given = parse(text)
        assert given is not None
        found = await register.verify(given)
        assert found is not None
        assert found.holds(datetime.now(UTC))
        assert found.holds(datetime.now(UTC) + timedelta(hours=2)) == holds_later
    assert (await log.history(subject=first.key.id))[0].action == "keys.rotate"
    await keys.revoke(created.key.id)
    with pytest.raises(KeyEndedError, match="disco keys create"):
        await keys.rotate(created.key.id, grace=timedelta(0))


async def test_to_revoke_what_there_is_not_is_refused(keys: Keys, log: OperationLog) -> None:
    with pytest.raises(UnknownKeyError, match="disco keys list"):
        await keys.revoke("f" * 12)
    assert (await log.history(limit=1))[0].outcome is Outcome.REFUSED


async def test_by_command(settings: Settings) -> None:
    planned = await disco(
        settings, "keys", "create", "ana", "--scope", "admin", "--dry-run", "--json"
    )
    assert orjson.loads(planned.out)["plan"] == {"name": "ana", "scopes": ["admin"], "days": None}
    made = await disco(
        settings, "keys", "create", "ana", "--scope", "admin", "--days", "30", "--json"
    )
    assert made.code == 0, made.err
    document = orjson.loads(made.out)
    assert parse(document["key"]) is not None
    assert document["expires_at"] > document["created_at"]

    would = await disco(settings, "keys", "revoke", document["id"], "--dry-run")
    assert "would revoke" in would.out
    listed = orjson.loads((await disco(settings, "keys", "list", "--json")).out)
    assert [one["holds"] for one in listed if one["id"] == document["id"]] == [True]
    assert all("key" not in one for one in listed)

    done = await disco(settings, "keys", "revoke", document["id"], "--json")
    assert orjson.loads(done.out)["key"]["holds"] is False
    for arguments, words in [
        (("revoke", "f" * 12), "no key"),
        (("create", "ana", "--scope", "root"), "root"),
        (("create", " ", "--scope", "admin"), "1 to 200 characters"),
    ]:
        wrong = await disco(settings, "keys", *arguments)
        assert (wrong.code, words in wrong.err) == (2, True), wrong
