"""`disco keys`: keys of the HTTP API."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import click
import uvloop

from access import operations
from access.operations import Created, Key, Keys, Scope
from cli.output import dry_run_option, json_option, print_json
from core.operation_log import Actor
from core.settings import load

T = TypeVar("T")


@click.group()
def keys() -> None:
    """Make, list, exchange and revoke keys of the HTTP API."""


@keys.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([str(scope) for scope in Scope]),
    help="What it lets its bearer do; can be repeated.",
)
@click.option("--days", type=click.IntRange(min=1), help="Days until it expires; never without it.")
@dry_run_option
@json_option
def create(
    *, name: str, scopes: tuple[str, ...], days: int | None, dry_run: bool, as_json: bool
) -> None:
    """Make a key for NAME, and print it. It is told once: only a hash of it is kept."""
    wanted = sorted(operations.planned(name, scopes))
    if dry_run:
        _print_plan({"name": name, "scopes": wanted, "days": days}, as_json=as_json)
        return
    _print_created(_run(lambda keys: keys.create(name, wanted, days=days)), as_json=as_json)


@keys.command("list")
@json_option
def list_keys(as_json: bool) -> None:
    """List the keys, oldest first, also those that let nobody in any more."""
    found = _run(lambda keys: keys.list())
    if as_json:
        print_json([operations.document_of(key) for key in found])
        return
    for key in found:
        click.echo(f"{key.id}  {_condition(key):10} {','.join(sorted(key.scopes)):30} {key.name}")
    if not found:
        click.echo("no key yet; make one with: disco keys create NAME --scope admin")


@keys.command()
@click.argument("key_id", metavar="ID")
@click.option(
    "--grace",
    type=click.IntRange(min=0),
    default=24,
    show_default=True,
    help="Hours that the old key still holds.",
)
@dry_run_option
@json_option
def rotate(*, key_id: str, grace: int, dry_run: bool, as_json: bool) -> None:
    """Make a key that may do what the key ID may, which ends after the grace; print the new one."""
    old, created = _run(
        lambda keys: keys.rotate(key_id, grace=timedelta(hours=grace), dry_run=dry_run)
    )
    if created is not None:
        _print_created(created, as_json=as_json)
    elif as_json:
        print_json({"key": operations.document_of(old), "grace_hours": grace, "dry_run": True})
    else:
        click.echo(f"would exchange {old.id} ({old.name}), which would hold for {grace} h more")


@keys.command()
@click.argument("key_id", metavar="ID")
@dry_run_option
@json_option
def revoke(*, key_id: str, dry_run: bool, as_json: bool) -> None:
    """Have the key ID let nobody in any more. It takes effect within five seconds."""
    key = _run(lambda keys: keys.revoke(key_id, dry_run=dry_run))
    if as_json:
        print_json({"key": operations.document_of(key), "dry_run": dry_run})
    else:
        click.echo(f"{'would revoke' if dry_run else 'revoked'} {key.id} ({key.name})")


def _run(operation: Callable[[Keys], Awaitable[T]]) -> T:
    async def run() -> T:
        async with operations.open_keys(load(), Actor.of_this_process()) as opened:
            return await operation(opened)

    return uvloop.run(run())


def _print_plan(plan: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        print_json({"plan": plan, "dry_run": True})
    else:
        click.echo(f"would make a key for {plan['name']} with {plan['scopes']}")


def _print_created(created: Created, *, as_json: bool) -> None:
    if as_json:
        print_json(operations.document_of(created.key) | {"key": created.text})
        return
    click.echo(created.text)
    click.echo("Keep it: it is told only now. Send it as: Authorization: Bearer <key>", err=True)


def _condition(key: Key) -> str:
    document = operations.document_of(key)
    if document["holds"]:
        return "holds"
    return "revoked" if key.revoked_at else "expired"
