"""Places: parts of a running stack that do not know of each other.

A place is a database, a virtual host of the broker and a prefix of index names, all of one name.
Tests and benchmarks work in places of their own, so that they share the services and nothing else.
"""

from typing import Any
from urllib.parse import quote

from stack import faults
from stack.assembly import Stack
from stack.rabbitmq import USER as BROKER_USER

_COPY_SECONDS = 600.0  # a large template takes its time


def settings(stack: Stack, name: str) -> dict[str, Any]:
    """What the product needs to know to work in a place, by the names of its settings."""
    addresses = stack.settings()
    return {
        "database_url": _with_path(addresses["database_url"], name),
        "replica_url": _with_path(addresses["replica_url"], name),
        "broker_url": _with_path(addresses["broker_url"], name),
        **{name: value for name, value in addresses.items() if name.startswith("engine_")},
        "index_prefix": name,
    }


def make(stack: Stack, name: str, *, template: str = "template1") -> None:
    """Make a place; its database copies `template`. The replica has it, too, when this returns."""
    stack.primary.query(f"CREATE DATABASE {name} TEMPLATE {template}", within=_COPY_SECONDS)
    make_virtual_host(stack, name)
    faults.await_replica(stack)


def remove(stack: Stack, name: str) -> None:
    """Remove all of a place."""
    remove_database(stack, name)
    remove_virtual_host(stack, name)
    remove_indices(stack, name)


def databases(stack: Stack) -> list[str]:
    """Names of all databases."""
    return stack.primary.query("SELECT datname FROM pg_database").splitlines()


def remove_database(stack: Stack, name: str) -> None:
    """Drop a database, whoever is connected to it."""
    stack.primary.query(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def make_virtual_host(stack: Stack, name: str) -> None:
    """Make a virtual host, unless there is one, with all rights for the stack's user."""
    stack.broker.call("PUT", f"vhosts/{name}")
    rights = {"configure": ".*", "write": ".*", "read": ".*"}
    stack.broker.call("PUT", f"permissions/{name}/{BROKER_USER}", rights)


def virtual_hosts(stack: Stack) -> list[str]:
    """Names of all virtual hosts."""
    return [entry["name"] for entry in stack.broker.call("GET", "vhosts")]


def remove_virtual_host(stack: Stack, name: str) -> None:
    """Remove a virtual host with its queues."""
    stack.broker.call("DELETE", f"vhosts/{name}")


def indices(stack: Stack) -> list[str]:
    """Names of all indices."""
    listed = stack.engine.get("_cat/indices?format=json&h=index&expand_wildcards=all")
    return [entry["index"] for entry in listed]


def remove_indices(stack: Stack, prefix: str) -> None:
    """Delete every index of a prefix."""
    for name in indices(stack):
        if name.startswith(f"{prefix}-"):
            stack.engine.call("DELETE", f"{quote(name)}?ignore_unavailable=true")
    # Asked for by a pattern, none at all would be an error.
    for template in stack.engine.get("_index_template")["index_templates"]:
        if template["name"].startswith(f"{prefix}-"):
            stack.engine.call("DELETE", f"_index_template/{quote(template['name'])}")


def _with_path(url: str, path: str) -> str:
    return f"{url.rpartition('/')[0]}/{path}"
