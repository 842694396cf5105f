"""Sorts: the orders that hits can be had in. Which there are is said by the profiles.

Every order ends with type and id: what is alike stands in a fixed order, so that pages neither
repeat nor skip.
"""

from typing import Any, Final

from query_api.problems import Code, QueryError
from query_api.profiles import Profiles, Sort
from query_api.wording import guess, quoted

RELEVANCE: Final = "relevance"  # the order by how well a text matches; needs no profile
POPULAR: Final = "popular"  # the order by rank, where profiles have one of that name
NEWEST: Final = Sort(field="created_at", order="descending")  # what there is no text for

Order = list[dict[str, Any]]

_DIRECTIONS: Final = {"ascending": "asc", "descending": "desc"}
_FIXED: Final[Order] = [{"type": "asc"}, {"id": "desc"}]
_BY_RELEVANCE: Final[Order] = [{"_score": "desc"}, *_FIXED]


def known(profiles: Profiles) -> tuple[str, ...]:
    """The sorts that all of these types have."""
    first, *others = (list(profile.sorts) for profile in profiles.values())
    return (RELEVANCE, *(name for name in first if all(name in other for other in others)))


def check(name: str, profiles: Profiles) -> None:
    """Raises `QueryError` if these types cannot be sorted so."""
    names = known(profiles)
    if name in names:
        return
    of_some = name in {one for profile in profiles.values() for one in profile.sorts}
    advice = " Name a type that has it with 'type'." if of_some else guess(name, names)
    raise QueryError(
        Code.INVALID_VALUE,
        f"There is no sort {quoted(name)} of {', '.join(profiles)} together.{advice} Sorts are "
        f"{', '.join(names)}.",
        parameter="sort",
        allowed=names,
    )


def order(name: str | None, profiles: Profiles, *, has_text: bool) -> Order:
    """The order of that name; without one, the best first, or where there is no text the newest.

    A variant may lack a sort that others have: it gives them by relevance.
    """
    sort = next((one.sorts[name] for one in profiles.values() if name and name in one.sorts), None)
    if sort is None:
        if has_text:
            return _BY_RELEVANCE
        sort = NEWEST
    return [_by(sort), *_FIXED]


def is_by_relevance(order: Order) -> bool:
    """Whether an order is by how well a text matches."""
    return order == _BY_RELEVANCE


def _by(sort: Sort) -> dict[str, Any]:
    direction = _DIRECTIONS[sort.order]
    if sort == NEWEST:  # every document has it
        return {sort.field: direction}
    # An index may have been built before there was such a field.
    return {sort.field: {"order": direction, "missing": "_last", "unmapped_type": "long"}}
