"""Stories: what happened in a run, in words that a person can follow."""

from collections.abc import Mapping
from typing import Any

from core.events import Event
from indexer.changes import Answer, Change, Row, Stored, Write
from tests.simulation.broker import Message
from tests.simulation.database import EPOCH, Sound, User
from tests.simulation.engine import Document, Generation, Item

_NAMES: dict[int, str] = {}


def tell(value: Any) -> str:  # noqa: C901, PLR0911, PLR0912 - a line for each kind of value
    """A value in words. Times are microseconds since the model's clock started."""
    match value:
        case None:
            return "nothing"
        case Mapping():
            return ", ".join(f"{tell(key)}: {tell(one)}" for key, one in value.items()) or "nothing"
        case User(at, name, public):
            return f"<t{at - EPOCH} name {name}{'' if public else ' private'}>"
        case Sound(at, title, public, user):
            return f"<t{at - EPOCH} title {title}{'' if public else ' private'} of user {user}>"
        case Row():
            return _tell_row(value)
        case Write(key, version, row):
            return f"{tell(key)} v{version - EPOCH} {'deletion' if row is None else tell(row)}"
        case Item(_, write, generation):
            return f"{tell(write)} to {tell(generation)}"
        case Change(key, version, cascades):
            return f"{tell(key)} v{version - EPOCH}{'' if cascades else ' (refresh)'}"
        case Message():
            return "; ".join(map(tell, value.events))
        case Event(entity, number, action, at):
            return f"{action} {entity} {number} t{at - EPOCH}"
        case Answer(outcome):
            return str(outcome)
        case Stored(version, digest) | Document(version, digest):
            return f"v{max(0, version - EPOCH)} {'none' if digest is None else f'#{digest % 1000}'}"
        case Generation(name=name):
            return str(name)
        case (str(entity), int(number)):
            return f"{entity} {number}"
        case list() | tuple():
            return "[" + "; ".join(map(tell, value)) + "]"
    return str(value)


def _tell_row(row: Row) -> str:
    text = row.document.decode().replace(str(row.updated_at), f"t{row.updated_at - EPOCH}")
    return f"{text} #{row.digest % 1000}"
