"""What can go wrong with the demo catalogue."""

from pathlib import Path

from core.errors import DiscoError


class DemoError(DiscoError):
    """The root of the demo's errors."""


class CatalogueNotEmptyError(DemoError):
    """There is a catalogue already, and nobody said it may go. Nothing was changed."""

    exit_code = 2

    def __init__(self, database: str, entities: int) -> None:
        super().__init__(
            f"database {database} already holds a catalogue of {entities:,} entities; "
            "add --replace to drop it and load another"
        )


class NoCatalogueError(DemoError):
    """The database has no catalogue to play with: load one first."""

    exit_code = 2

    def __init__(self, database: str) -> None:
        super().__init__(
            f"database {database} holds no catalogue; load one with `disco demo load` "
            "or `disco demo import`"
        )


class DataFileError(DemoError):
    """A file of the real catalogue is missing or malformed: mend the line, or get the file anew."""

    exit_code = 2

    def __init__(self, path: Path, problem: str, *, line: int | None = None) -> None:
        super().__init__(f"{path}{'' if line is None else f', line {line:,}'}: {problem}")


class UnknownEntityError(DemoError):
    """The row that was to be changed is not there (any more)."""

    def __init__(self, entity: str, entity_id: int) -> None:
        super().__init__(f"there is no {entity} {entity_id}; it may have been deleted meanwhile")
