"""Narrowing on the search page: filters and sorts as links, so that an address says what is shown.

A link leads to the same search with one value more or less. Nothing here needs JavaScript.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from query_api import facts, filters, sorts
from query_api.facets import TYPE, known
from query_api.filters import Condition
from query_api.profiles import Filter, Profiles

SHOWN: Final = 8  # values of a facet; more would hide the others
_ORDERS: Final = {sorts.RELEVANCE: "Best", "title": "A to Z", "popular": "Most popular"}
_OPEN: Final = "Any"  # the end of a range that has none


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A link that changes what is shown."""

    label: str
    address: str
    current: bool = False  # whether it is chosen; then the link takes it back
    count: int | None = None  # hits that it has


@dataclass(frozen=True, kw_only=True)
class Group:
    """The choices of one filter."""

    label: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, kw_only=True)
class Narrowing:
    """All that the search can be narrowed by and ordered by."""

    groups: tuple[Group, ...]
    orders: tuple[Choice, ...]
    order: str  # the present one in words, e.g. "Newest first"
    active: tuple[Choice, ...]  # what is chosen, each a link that takes it back
    nothing: str  # the address without all of them


def counted(profiles: Profiles) -> tuple[str, ...]:
    """The facets that the page asks for."""
    return tuple(name for name in known(profiles) if name != TYPE)


def narrowing(
    given: Mapping[str, str],
    profiles: Profiles,
    conditions: Sequence[Condition],
    found: Mapping[str, Sequence[Mapping[str, Any]]],
) -> Narrowing:
    """The choices of a search; `given` are the parameters of its page, `found` its facets."""
    known_filters = filters.known(profiles)
    chosen = {one.name: one.values for one in conditions}
    groups = [
        Group(
            label=_words(name),
            choices=tuple(_choices(given, name, known_filters[name], values, chosen)),
        )
        for name, values in found.items()
        if values and name in known_filters
    ]
    orders = tuple(_orders(given, profiles))
    return Narrowing(
        groups=tuple(groups),
        orders=orders,
        order=next((_told(one.label) for one in orders if one.current), ""),
        active=tuple(_active(given, known_filters, chosen)),
        nothing=address({name: text for name, text in given.items() if name in ("q", "type")}),
    )


def address(given: Mapping[str, str], **changes: str | None) -> str:
    """The address of the search page with those parameters; blank ones are left out."""
    kept = {name: value for name, value in {**given, **changes}.items() if value}
    return f"/?{urlencode(kept)}" if kept else "/"


def _choices(
    given: Mapping[str, str],
    name: str,
    filter_: Filter,
    values: Sequence[Mapping[str, Any]],
    chosen: Mapping[str, Sequence[str]],
) -> Iterator[Choice]:
    mine = chosen.get(name, ())
    folded = {value.casefold() for value in mine}
    # What is chosen is shown in any case, however rare it is.
    ordered = [one for one in values if one["value"].casefold() in folded] + [
        one for one in values if one["value"].casefold() not in folded
    ]
    shown = ordered[: max(SHOWN, len(mine))] if filter_.kind == "value" else values
    for one in shown:
        value = one["value"]
        yield Choice(
            label=_label(name, value, filter_),
            address=_toggled(given, name, value, mine),
            current=value.casefold() in folded,
            count=one["count"],
        )


def _active(
    given: Mapping[str, str],
    known_filters: Mapping[str, Filter],
    chosen: Mapping[str, Sequence[str]],
) -> Iterator[Choice]:
    for name, values in chosen.items():
        for value in values:
            label = f"{_words(name)}: {_label(name, value, known_filters[name])}"
            yield Choice(label=label, address=_toggled(given, name, value, values), current=True)


def _toggled(given: Mapping[str, str], name: str, value: str, mine: Sequence[str]) -> str:
    """The address with that value more, or less if it is chosen."""
    left = [one for one in mine if one.casefold() != value.casefold()]
    values = left if len(left) < len(mine) else [*mine, value]
    text = ",".join(filters.escaped(one) for one in values)
    return address(given, **{f"{filters.PREFIX}{name}": text, "cursor": None})


def _orders(given: Mapping[str, str], profiles: Profiles) -> Iterator[Choice]:
    """The orders; without a text the newest come first unless another is asked for."""
    usual = sorts.RELEVANCE if given.get("q", "").strip() else "newest"
    current = given.get("sort") or usual
    for name in sorts.known(profiles):
        if name != sorts.RELEVANCE or usual == sorts.RELEVANCE:
            yield Choice(
                label=_ORDERS.get(name, _words(name)),
                address=address(given, sort=None if name == usual else name, cursor=None),
                current=name == current,
            )


def _told(label: str) -> str:
    return label if label == _ORDERS["title"] else f"{label} first"


def _label(name: str, value: str, filter_: Filter) -> str:
    match filter_.kind:
        case "flag":
            return "Yes" if value in ("true", "1") else "No"
        case "number" if ".." in value:
            return _range(value, is_time=filter_.unit == "milliseconds")
        case _ if name == "license":
            return facts.license_name(value)
        case _:
            return value


def _range(value: str, *, is_time: bool) -> str:
    begin, _, end = value.partition("..")

    def told(text: str) -> str:
        return facts.duration(int(float(text))) if is_time else text

    if not begin:
        return f"up to {told(end)}" if end else _OPEN
    return f"{told(begin)} to {told(end)}" if end else f"{told(begin)} and more"


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()
