"""Trials, as this process follows them: the file of variants is read anew whenever it changes."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from core import telemetry
from core.definitions import Definition
from core.errors import DiscoError
from query_api import variants
from query_api.variants import Trials

_LOOK_EVERY: Final = 1.0  # seconds

_log = telemetry.logger("query_api")


class FollowedTrials:
    """What is tried at present. A file that cannot be used changes nothing, and is logged."""

    def __init__(self, file: Path | None, definitions: Mapping[str, Definition]) -> None:
        """Raises `TrialsError` or `DefinitionError` if the file cannot be used to begin with."""
        self._file = file
        self._definitions = definitions
        self._stamp = _stamp(file)
        self._looked_at = time.monotonic()
        self._trials = variants.read(file, definitions) if file else variants.only_live(definitions)

    def current(self) -> Trials:
        """The trials of the file as it was a second ago at most."""
        now = time.monotonic()
        if self._file is not None and now - self._looked_at >= _LOOK_EVERY:
            self._looked_at = now
            self._follow(self._file)
        return self._trials

    def _follow(self, file: Path) -> None:
        if (stamp := _stamp(file)) == self._stamp:
            return
        self._stamp = stamp
        try:
            self._trials = variants.read(file, self._definitions)
        except DiscoError as error:
            _log.error("experiments_refused", file=str(file), reason=str(error))
        else:
            _log.info("experiments_read", file=str(file), variants=list(self._trials.variants))


def _stamp(file: Path | None) -> tuple[int, int] | None:
    """What changes when the file does; None while it is away."""
    try:
        found = file.stat() if file else None
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size) if found else None
