"""Recording: what the operation log is told of generations."""

from typing import Any

from core.operation_log import OperationLog
from indexer.generation import Generation
from indexer.names import parse
from indexer.services import Services


def log_of(services: Services) -> OperationLog:
    """The operation log, for whoever the services were opened for."""
    return OperationLog(services.databases.primary, services.actor)


def subject_of(index: str) -> str:
    """What an action on an index is about: its entity type; the name itself if it has none."""
    name = parse(index)
    return name.entity if name else index


def document_of(one: Generation) -> dict[str, Any]:
    """A generation as programs see it: in the log, by command and over HTTP."""
    return {
        "entity": one.name.entity,
        "index": one.index,
        "definition": one.name.definition,
        "created_at": one.name.created_at,
        "live": one.is_live,
        "state": one.state,
        "gates": None if one.gates is None else one.gates["holds"],
    }
