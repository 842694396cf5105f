"""Filters: what `filter.<name>` narrows an answer to. From a client's text to the engine's clause.

Which filters there are, and of which kind, is said by the profiles. Reading is pure, and every
value is checked against its kind: the engine only ever gets words, numbers and times to compare.

Grammar of a value: alternatives, separated by commas; a backslash takes its meaning from the comma
or backslash that follows. An alternative of a number or a date is one value, or a range with both
ends included: `2020..2024`, `2020..`, `..2024`. A date is a year, a month, a day or a moment.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from query_api.problems import Code, QueryError
from query_api.profiles import Filter, Profiles
from query_api.wording import guess, quoted

PREFIX: Final = "filter."  # of a parameter that narrows
LONGEST_VALUE: Final = 256  # characters of one alternative; no longer ones are indexed
MOST_VALUES: Final = 50  # alternatives of one filter
_LARGEST_ID: Final = 2**63 - 1
# What every field of numbers can be compared with; the engine refuses more.
_LARGEST_NUMBER: Final = 2**31 - 1
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,9})?", re.ASCII)
_ID: Final = re.compile(r"[0-9]{1,19}", re.ASCII)
_YEAR: Final = re.compile(r"[0-9]{4}", re.ASCII)
_MONTH: Final = re.compile(r"([0-9]{4})-([0-9]{2})", re.ASCII)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})?",
    re.ASCII,
)
_SEPARATOR: Final = re.compile(r"((?:[^\\,]|\\.|\\$)*)(,|$)", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_FLAGS: Final = {"true": True, "false": False}
_FORMATS: Final = {
    "value": "values separated by commas; a comma within a value is written \\,",
    "id": "ids (whole numbers) separated by commas",
    "flag": "true or false",
    "number": "a number{unit}, or a range such as 10..20, 10.. or ..20",
    "date": "a date such as 2024, 2024-05 or 2024-05-31, or a range such as 2020..2024",
}

Clause = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What one filter lets through."""

    name: str  # of the filter
    kind: str  # of its values
    values: tuple[str, ...]  # any of which is enough; each is right for its kind


def read(name: str, text: str, filter_: Filter) -> Condition:
    """The condition that a client's text means; raises `QueryError` if it means none."""
    values = tuple(dict.fromkeys(value for value in _alternatives(text) if value))
    if not values or len(values) > MOST_VALUES:
        raise _refusal(name, filter_, f"it has to name 1 to {MOST_VALUES} values")
    for value in values:
        if not _is_right(value, filter_.kind):
            raise _refusal(name, filter_, f"{quoted(value)} is none")
    return Condition(name=name, kind=filter_.kind, values=values)


def escaped(value: str) -> str:
    """The text of a filter that means this value alone."""
    return value.replace("\\", "\\\\").replace(",", "\\,")


def allowed(filter_: Filter) -> str:
    """What may stand in such a filter, in words."""
    unit = f" of {filter_.unit}" if filter_.unit else ""
    return _FORMATS[filter_.kind].format(unit=unit)


def known(profiles: Profiles) -> Mapping[str, Filter]:
    """All filters of these types by name, those of the weightiest type first."""
    found: dict[str, Filter] = {}
    for profile in profiles.values():
        for name, one in profile.filters.items():
            found.setdefault(name, one)
    return found


def unknown(name: str, profiles: Profiles) -> QueryError:
    """The error of a filter that none of these types has."""
    names = tuple(f"{PREFIX}{one}" for one in known(profiles))
    near = guess(name, tuple(known(profiles)), cutoff=0, before=PREFIX)
    return QueryError(
        Code.UNKNOWN_PARAMETER,
        f"There is no filter {quoted(name)} of {', '.join(profiles)}.{near} Filters are "
        f"{', '.join(names) or 'none'}.",
        parameter=f"{PREFIX}{name}"[:100],
        allowed=names,
    )


def clause(condition: Condition, filter_: Filter) -> Clause:
    """What finds the documents that a condition lets through."""
    clauses = [*_clauses(condition, filter_.field)]
    return clauses[0] if len(clauses) == 1 else {"bool": {"should": clauses}}


def value_clause(value: str, filter_: Filter) -> Clause:
    """What finds the documents that have one value."""
    return clause(Condition(name="", kind=filter_.kind, values=(value,)), filter_)


def _clauses(condition: Condition, field: str) -> Iterator[Clause]:
    match condition.kind:
        case "value":
            for value in condition.values:
                # People type genres in small letters.
                yield {"term": {field: {"value": value, "case_insensitive": True}}}
        case "id":
            yield {"terms": {field: [int(value) for value in condition.values]}}
        case "flag":
            yield {"terms": {field: [_FLAGS[value] for value in condition.values]}}
        case "number":
            for value in condition.values:
                yield {"range": {field: _number_range(value)}}
        case _:
            for value in condition.values:
                yield {"range": {field: _date_range(value)}}


def _alternatives(text: str) -> list[str]:
    found = []
    for one in _SEPARATOR.finditer(text):
        found.append(_ESCAPED.sub(r"\1", one[1]).strip())
        if not one[2]:
            break
    return found


def _is_right(value: str, kind: str) -> bool:
    try:
        return len(value) <= LONGEST_VALUE and bool(_CHECKS[kind](value))
    except (ValueError, OverflowError):
        return False


def _is_id(value: str) -> bool:
    return bool(_ID.fullmatch(value)) and int(value) <= _LARGEST_ID


def _number_range(value: str) -> Clause:
    """The bounds of a number or of a range; raises `ValueError` if it is none."""
    begin, end = _ends(value)
    if any(one and not _NUMBER.fullmatch(one) for one in (begin, end)):
        raise ValueError(value)
    ends = {"gte": _number(begin), "lte": _number(end)}
    return {bound: one for bound, one in ends.items() if one is not None}


def _date_range(value: str) -> Clause:
    """The bounds of a date or of a range; raises `ValueError` if it is none."""
    begin, end = _ends(value)
    bounds: Clause = {}
    if begin:
        bounds["gte"] = _period(begin)[0].isoformat()
    if end:
        ending, is_in = _period(end)[1:]
        bounds["lte" if is_in else "lt"] = ending.isoformat()
    return bounds


def _ends(value: str) -> tuple[str, str]:
    """Both ends of a range, the same where it is one value; an open end is empty."""
    if ".." not in value:
        return value, value
    begin, _, end = value.partition("..")
    if not (begin or end):
        raise ValueError(value)
    return begin.strip(), end.strip()


def _number(text: str) -> int | float | None:
    if not text:
        return None
    number = float(text) if "." in text else int(text)
    if abs(number) > _LARGEST_NUMBER:
        raise ValueError(text)
    return number


def _period(text: str) -> tuple[datetime, datetime, bool]:
    """When a date begins, when it ends, and whether that end is part of it (a moment's is)."""
    if _YEAR.fullmatch(text):
        year = int(text)
        return _moment(year, 1), _moment(year + 1, 1), False
    if found := _MONTH.fullmatch(text):
        year, month = int(found[1]), int(found[2])
        return _moment(year, month), _moment(year + month // 12, month % 12 + 1), False
    if _DAY.fullmatch(text):
        day = datetime.fromisoformat(text).replace(tzinfo=UTC)
        return day, day + timedelta(days=1), False
    if _MOMENT.fullmatch(text):
        moment = datetime.fromisoformat(text)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        return moment, moment, True
    raise ValueError(text)


def _moment(year: int, month: int) -> datetime:
    if not 1 <= month <= 12:
        raise ValueError(month)
    return datetime(year, month, 1, tzinfo=UTC)


_CHECKS: Final[Mapping[str, Callable[[str], object]]] = {
    "value": bool,
    "id": _is_id,
    "flag": _FLAGS.__contains__,
    "number": _number_range,
    "date": _date_range,
}


def _refusal(name: str, filter_: Filter, why: str) -> QueryError:
    right = allowed(filter_)
    return QueryError(
        Code.INVALID_VALUE,
        f"'{PREFIX}{name}' takes {right}; {why}.",
        parameter=f"{PREFIX}{name}",
        allowed=tuple(_FLAGS) if filter_.kind == "flag" else (right,),
    )
