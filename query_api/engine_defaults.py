"""Engine defaults: what the engine finds by itself, which ours has to be better than.

A `multi_match` of the text with nothing but fields named: the best of the fields counts, any of the
words is enough.
"""

from collections.abc import Sequence

from query_api.planner import Plan, milliseconds


def plan(
    text: str, fields: Sequence[str], indices: Sequence[str], *, limit: int, deadline: float
) -> Plan:
    """The engine search; `deadline` is how long it may take, in seconds."""
    body = {
        "query": {"multi_match": {"query": text, "fields": [*fields]}},
        "size": limit,
        "timeout": milliseconds(deadline),
        "_source": ["type", "id", "title", "subtitle"],
    }
    return Plan(indices=tuple(indices), body=body)
