"""Disk room: how much must stay free before the engine stops taking writes."""

import re
from collections.abc import Mapping
from typing import Any

_UNITS = {"b": 1, "kb": 2**10, "mb": 2**20, "gb": 2**30, "tb": 2**40, "pb": 2**50}
_BYTES = re.compile(r"([0-9.]+)\s*([kmgtp]?b)", re.IGNORECASE)


def wanted_free(total: int, watermarks: Mapping[str, Any], name: str) -> int:
    """Bytes that must stay free of `total` below the watermark `name` (`high`, `flood_stage`).

    `watermarks` is what the engine has below `cluster.routing.allocation.disk.watermark`. A
    watermark is a share that may be used (`90%`, `0.9`), of which no more than `max_headroom` is
    kept free, or the bytes to keep free (`10gb`).
    """
    mark = str(watermarks[name])
    if (in_bytes := _bytes(mark)) is not None:
        return in_bytes
    used = float(mark.removesuffix("%")) / (100 if mark.endswith("%") else 1)
    free = round(total * (1 - used))
    headroom = _bytes(str(watermarks.get(f"{name}.max_headroom", "")))
    return free if headroom is None else min(free, headroom)


def _bytes(text: str) -> int | None:
    match = _BYTES.fullmatch(text)
    return round(float(match[1]) * _UNITS[match[2].lower()]) if match else None
