"""Names of indices and aliases: one grammar, with `build` and `parse`.

<prefix>-<entity>-<definition hash, 8 hex>-<UTC yyyymmddhhmmssffffff>    a generation
<prefix>-<entity>                                                        the live alias
<prefix>-build_journal                                                   the records of builds
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

_NAME = re.compile(r"([a-z0-9_]+)-([a-z0-9]+)-([0-9a-f]{8})-(\d{20})")
_STAMP = "%Y%m%d%H%M%S%f"


@dataclass(frozen=True, kw_only=True)
class GenerationName:
    """The parts of a generation's name."""

    prefix: str  # index prefix of the installation
    entity: str  # entity type
    definition: str  # hash of the definition that it is built from
    created_at: datetime  # UTC, microseconds

    def build(self) -> str:
        """The index name."""
        stamp = self.created_at.astimezone(UTC).strftime(_STAMP)
        return f"{self.prefix}-{self.entity}-{self.definition}-{stamp}"


def parse(name: str) -> GenerationName | None:
    """The parts of an index name; None if it is no generation's."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    prefix, entity, definition, stamp = match.groups()
    try:
        created_at = datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return None
    return GenerationName(
        prefix=prefix, entity=entity, definition=definition, created_at=created_at
    )


def live_alias(prefix: str, entity: str) -> str:
    """The alias that queries of an entity type address."""
    return f"{prefix}-{entity}"


def journal_name(prefix: str) -> str:
    """The index of the records of builds. No entity type has an underscore in its name."""
    return f"{prefix}-build_journal"


def generation_pattern(prefix: str, entity: str = "*") -> str:
    """An index pattern that matches all generations of an entity type, and no alias."""
    return f"{prefix}-{entity}-*-*"
