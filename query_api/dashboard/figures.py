"""Figures: the numbers of the dashboard, out of a window. What cannot be told is missing."""

from collections.abc import Mapping
from typing import Final

from query_api.dashboard.window import Wanted, Window

#: Samples that every running worker has, and every suggest service; no other process has them.
WORKER_TELLS: Final = "disco_indexer_queue_depth"
SUGGEST_TELLS: Final = "disco_suggest_lookup_seconds_bucket"
SEARCH_ROUTES: Final = ("/v1/search", "/")
_SEARCHES: Final[Wanted] = {"route": SEARCH_ROUTES}
_FAILED: Final[Wanted] = {"status": [str(status) for status in range(500, 600)]}
_LIVE_CHANGES: Final[Wanted] = {"queue": ("indexer.interactive",)}
_SUGGESTIONS: Final[Wanted] = {"route": ("/v1/suggest",)}
_MOST_VARIANTS: Final = 16

_REQUESTS: Final = "disco_query_api_requests_total"
_REQUEST_SECONDS: Final = "disco_query_api_request_seconds"
_ANSWERED: Final = "disco_query_api_searches_total"
_NOTHING: Final[Wanted] = {"outcome": ("nothing",)}


def figures_of(window: Window) -> dict[str, float]:
    """By name: searches a second, seconds, shares from 0 to 1, and numbers of things."""
    told: dict[str, float | None] = {
        **_searching(window),
        **_by_variant(window),
        **_indexing(window),
        **_suggesting(window),
    }
    return {name: value for name, value in told.items() if value is not None}


def by_variant(figure: str, variant: str) -> str:
    """The name of a figure of one variant."""
    return f"{figure} {variant}"


def _searching(window: Window) -> Mapping[str, float | None]:
    return {
        "searches": window.rate(_REQUESTS, _SEARCHES),
        **_percentiles(window, "search", _REQUEST_SECONDS, _SEARCHES),
        **_percentiles(window, "engine", "disco_query_api_engine_seconds"),
        "failed": window.share(_REQUESTS, _FAILED, _SEARCHES),
        "nothing": window.share(_ANSWERED, _NOTHING),
        "in_progress": sum(window.gauges("disco_query_api_requests_in_progress")),
    }


def _by_variant(window: Window) -> Mapping[str, float | None]:
    variants = {one for _, after in window.looks for one in after.labels_of(_ANSWERED, "variant")}
    told: dict[str, float | None] = {}
    for variant in sorted(variants)[:_MOST_VARIANTS]:
        wanted: Wanted = {"variant": (variant,)}
        told[by_variant("searches", variant)] = window.rate(_ANSWERED, wanted)
        told[by_variant("nothing", variant)] = window.share(_ANSWERED, _NOTHING, wanted)
    return told


def _indexing(window: Window) -> Mapping[str, float | None]:
    if not window.knows(WORKER_TELLS):
        return {}
    return {
        **_percentiles(window, "lag", "disco_indexer_lag_seconds", _LIVE_CHANGES),
        "events": window.rate("disco_indexer_events_total"),
        "workers": sum(window.gauges("disco_indexer_consuming")),
    }


def _suggesting(window: Window) -> Mapping[str, float | None]:
    if not window.knows(SUGGEST_TELLS):
        return {}
    return {
        "suggestions": window.rate("disco_suggest_requests_total", _SUGGESTIONS),
        **_percentiles(window, "suggest", "disco_suggest_lookup_seconds"),
    }


def _percentiles(
    window: Window, name: str, histogram: str, wanted: Wanted | None = None
) -> Mapping[str, float | None]:
    """The 50th, 95th and 99th percentile, as `name_p50` and so on."""
    return {
        f"{name}_p{percent}": window.quantile(percent / 100, histogram, wanted or {})
        for percent in (50, 95, 99)
    }
