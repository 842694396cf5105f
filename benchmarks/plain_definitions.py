"""Definitions whose texts the engine analyses as it does by itself: as text, and as one keyword.

Our own analysis takes most of an engine's time in a build, whoever makes the documents. Without it
the way of the documents is measured rather than that.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from core.definitions import MAPPING_SUFFIX

#: What the engine makes of a string that no mapping tells of.
TEXT: Final = {"type": "text", "fields": {"keyword": {"type": "keyword", "ignore_above": 256}}}


@contextmanager
def plain_definitions(folder: Path) -> Iterator[Path]:
    """A copy of a folder of definitions with plain mappings; removed at the end."""
    with TemporaryDirectory(prefix="disco-bench-") as made:
        copy = Path(shutil.copytree(folder, Path(made) / "definitions"))
        for path in copy.glob(f"*{MAPPING_SUFFIX}"):
            mapping = json.loads(path.read_text(encoding="utf-8"))
            path.write_text(json.dumps(plain(mapping)), encoding="utf-8")
        yield copy


def plain(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping with every string as the engine would map it."""
    properties = {
        name: TEXT if field["type"] in {"text", "keyword"} else field
        for name, field in mapping["properties"].items()
    }
    return {**mapping, "properties": properties}
