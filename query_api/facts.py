"""Facts: the fields of a hit as a person reads them on a page.

How a value is shown follows from its field's name and kind, so that a new entity type needs no
code: `*_ms` is a duration, `*_count` a number of things, `*_at` a date, `*_id` is nothing to show.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

# Say nothing in a list of results: the usual value, or what the subtitle says already.
_UNREMARKABLE: Final = {("license", "all-rights-reserved"), ("downloadable", False)}
_TOLD_ELSEWHERE: Final = frozenset({"user_handle", "handle"})
_SEARCHABLE: Final = frozenset({"genre", "city"})
_MOST_VALUES: Final = 3  # of a list, in a list of results


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One field of an entity, ready to be shown."""

    name: str  # what it is, e.g. "Duration"
    values: tuple[str, ...]  # one or more
    listed: bool = False  # whether it is a list, such as tags, rather than one value
    searchable: bool = False  # whether looking for a value makes sense

    @property
    def links(self) -> tuple[tuple[str, str], ...]:
        """Each value with the address of a search for it."""
        return tuple((value, f"/?{urlencode({'q': value})}") for value in self.values)


def summary(fields: Mapping[str, Any], subtitle: str | None = None) -> list[Fact]:
    """What a list of results shows of a hit: nothing twice, and nothing that goes without saying.

    `subtitle` is what stands above: a place named there needs no second mention.
    """
    said = {part.casefold() for part in (subtitle or "").split(", ")}
    kept: dict[str, Any] = {}
    for name, value in fields.items():
        if name not in _TOLD_ELSEWHERE and not _is_unremarkable(name, value):
            kept[name] = _unsaid(value, said)
    return all_facts(kept)


def all_facts(fields: Mapping[str, Any]) -> list[Fact]:
    """Everything that a hit's fields say, in their order."""
    facts = (_fact(name, value) for name, value in fields.items())
    return [fact for fact in facts if fact is not None]


def duration(milliseconds: int) -> str:
    """`3:07`, or `1:02:09` from an hour on."""
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def date(moment: str) -> str:
    """`8 Mar 2026`, of an RFC 3339 time, in UTC."""
    when = datetime.fromisoformat(moment).astimezone(UTC)
    return f"{when.day} {when:%b %Y}"


def _is_unremarkable(name: str, value: Any) -> bool:
    return not isinstance(value, list) and (name, value) in _UNREMARKABLE


def _unsaid(value: Any, said: set[str]) -> Any:
    """The value without what was said before, which is then said as well."""
    if isinstance(value, list):
        new = [one for one in value if str(one).casefold() not in said]
        return new[:_MOST_VALUES]
    if not isinstance(value, str):
        return value
    if value.casefold() in said:
        return None
    said.add(value.casefold())
    return value


def _fact(name: str, value: Any) -> Fact | None:
    if value is None or value in (False, "", []) or name.endswith("_id"):
        return None
    if isinstance(value, list):
        return Fact(name=_words(name), values=tuple(map(str, value)), listed=True, searchable=True)
    label, shown = _labelled(name, value)
    return Fact(name=label, values=(shown,), searchable=name in _SEARCHABLE)


def _labelled(name: str, value: Any) -> tuple[str, str]:
    """What a single value is, and how it is shown."""
    stem, _, unit = name.rpartition("_")
    match unit, value:
        case _, True:
            return "Also", _words(name)
        case "ms", int():
            return _words(stem), duration(value)
        case "count", int():
            return _words(f"{stem}s"), _counted(value, stem)
        case "at", str():
            return _words(stem), date(value)
        case "license", str():
            return _words(name), license_name(value)
        case _:
            return _words(name), str(value)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def license_name(code: str) -> str:
    """`CC BY-SA` of `cc-by-sa`, `All rights reserved` of `all-rights-reserved`."""
    if code.startswith("cc"):
        return code.upper().replace("-", " ", 1)
    return code.replace("-", " ").capitalize()


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()
