"""Processor time of the parts of the system, found by their processes."""

from collections.abc import Mapping

import psutil

PARTS = ("engine", "database", "broker", "worker", "query_api", "load")


def seconds_by_part(own: Mapping[str, int]) -> dict[str, float]:
    """User and system seconds used so far, by part.

    `own` gives the process ids of parts that are ours (worker, query_api, load). The services are
    found by their command lines; on a machine with several stacks their times are added up.
    """
    seconds = dict.fromkeys(PARTS, 0.0)
    for process in psutil.process_iter(["pid", "name", "cmdline", "cpu_times"]):
        times = process.info["cpu_times"]
        part = _part(process, own)
        if part is not None and times is not None:
            seconds[part] += times.user + times.system
    return seconds


def difference(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Seconds used between two readings, by part, without the idle ones."""
    spent = {part: after[part] - before[part] for part in after}
    return {part: round(value, 2) for part, value in spent.items() if value >= 0.01}


def _part(process: psutil.Process, own: Mapping[str, int]) -> str | None:
    for part, pid in own.items():
        if process.pid == pid:
            return part
    name = process.info["name"] or ""
    command = " ".join(process.info["cmdline"] or ())
    if name == "java" and "elasticsearch" in command:
        return "engine"
    if name == "beam.smp":
        return "broker"
    if name == "postgres":
        return "database"
    return None
