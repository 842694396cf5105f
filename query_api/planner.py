"""The planner: from a search request to the engine's body, as a pure function without I/O.

A person's text only ever becomes the `query` of match queries, which the engine analyses as plain
text: no syntax in it is interpreted but the quotes and minuses that `grammar` reads.

Each entity type has a clause of its own, built from its profile and limited to its documents. A
search over several types is one engine search over several indices, so scores, totals and pages
come from one ordered list.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from query_api import explanations, facets, filters, grammar, sorts
from query_api.grammar import Typed
from query_api.parameters import SearchRequest
from query_api.profiles import Match, Profiles, Rank, SearchProfile, Weights
from query_api.widening import Step, Widening

Clause = dict[str, Any]

DEEPEST: Final = 10_000  # hits of one search that can be paged through, and counted exactly
PREFIX_ANALYZER: Final = "prefix_search"  # of the shared analysis: words as typed, none expanded
SNIPPET: Final = 160  # characters of a long field that a highlight shows
_SPELLINGS: Final = 20  # of a word that is looked for fuzzily

_COMMON_SOURCE: Final = ("type", "permalink")
_EVERYTHING: Final[Clause] = {"match_all": {}}
_OPERATORS: Final = {"all": "and", "any": "or"}
# An index that was built before there were ranks has no such field; a rank of 0 is left out.
_BELOVED: Final = """
double rank = doc.containsKey(params.field) && doc[params.field].size() > 0
    ? doc[params.field].value : 0;
return 1 + params.weight * rank / (rank + params.pivot);
"""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One engine search."""

    indices: tuple[str, ...]  # names of the indices that are searched
    body: Mapping[str, Any]  # the body of the engine's _search


def plan(
    request: SearchRequest,
    all_profiles: Profiles,
    *,
    indices: Mapping[str, str],
    deadline: float,
    after: Sequence[Any] | None = None,
    widening: Widening | None = None,
) -> Plan:
    """The engine search that answers `request`; `indices` has the index to search by entity type.

    A type without an index is left out, and so is one whose profile lacks a filter. `deadline` is
    how long the engine may take, in seconds; `after` the sort values of the hit before the page
    (None: the first page); `widening` how the search is widened (None: it is not).
    """
    searched = {entity: indices[entity] for entity in request.searched if entity in indices}
    chosen = {entity: all_profiles[entity] for entity in searched}
    narrowing = _narrowing(request, chosen, searched)
    typed = grammar.typed(request.text)
    sort, is_fuzzy = request.sort, False
    if widening is not None:
        typed, is_fuzzy = widening.of(typed), widening.step is Step.FUZZY
        sort = sort or (sorts.POPULAR if widening.step is Step.POPULAR else None)
    query = _query(typed, chosen, searched, widening)
    body: dict[str, Any] = {
        "query": _narrowed(query, narrowing.early),
        "sort": sorts.order(sort, chosen, has_text=bool(typed.text)),
        "size": request.limit,
        "track_total_hits": DEEPEST,
        "timeout": milliseconds(deadline),
        "_source": returned_fields(chosen),
    }
    late: Clause = {"filter": [*narrowing.late.values()]} if narrowing.late else {}
    if request.explain and sorts.is_by_relevance(body["sort"]):
        asked = explanations.asked(typed.text, chosen, searched)
        body["docvalue_fields"] = asked["docvalue_fields"]
        # They narrow nothing: something else has to be there for them to be optional.
        late = {"must": [_EVERYTHING], "should": asked["should"]} | late
    if late:
        body["post_filter"] = {"bool": late}
    if request.facets:
        body["aggs"] = facets.counted(
            request.facets, chosen, searched, narrowing.late, request.conditions
        )
    if typed.text and (highlight := _highlight(typed.text, chosen, is_fuzzy=is_fuzzy)):
        body["highlight"] = highlight
    if after is not None:
        body["search_after"] = list(after)
    return Plan(indices=tuple(searched.values()), body=body)


def plan_permalink(
    permalink: str, all_profiles: Profiles, *, indices: Mapping[str, str], deadline: float
) -> Plan:
    """The engine search for the one entity whose page stands at that path."""
    body = {
        "query": {"term": {"permalink": permalink}},
        "size": 1,
        "timeout": milliseconds(deadline),
        "_source": returned_fields(all_profiles),
    }
    searched = (indices[entity] for entity in all_profiles if entity in indices)
    return Plan(indices=tuple(searched), body=body)


def conditions(
    request: SearchRequest, all_profiles: Profiles, *, indices: Mapping[str, str]
) -> list[Clause]:
    """The clauses that every hit of `request` meets, whatever its text."""
    searched = {entity: indices[entity] for entity in request.entities if entity in indices}
    chosen = {entity: all_profiles[entity] for entity in searched}
    narrowing = _narrowing(request, chosen, searched)
    return [*narrowing.early, *narrowing.late.values()]


def fingerprint(request: SearchRequest, all_profiles: Profiles) -> str:
    """Short text that is the same for two pages of one search, and differs for other searches.

    It covers what decides which hits there are and their order, the profiles included.
    """
    types = (f"{entity}:{all_profiles[entity].digest}" for entity in request.entities)
    conditions = (f"{one.name}:{len(one.values)}:{one.values}" for one in request.conditions)
    given = (request.text, request.variant or "", request.sort or "", str(request.relax))
    state = "\0".join((*given, *types, "", *conditions))
    return hashlib.sha256(state.encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class _Narrowing:
    """The clauses that hits must meet."""

    early: Sequence[Clause]  # what nothing is found, or counted, without
    late: Mapping[str, Clause]  # by name of the facet that is counted without it


def _narrowing(request: SearchRequest, chosen: Profiles, indices: Mapping[str, str]) -> _Narrowing:
    known = filters.known(chosen)
    able = [entity for entity in chosen if _has_all(request, chosen[entity])]
    early: list[Clause] = []
    late: dict[str, Clause] = {}
    if len(able) < len(chosen):
        early.append({"terms": {"_index": [indices[entity] for entity in able]}})
    for one in request.conditions if able else ():
        clause = filters.clause(one, known[one.name])
        if one.name in request.facets:
            late[one.name] = clause
        else:
            early.append(clause)
    if request.beside:
        returned = [indices[entity] for entity in request.entities if entity in indices]
        late[facets.TYPE] = {"terms": {"_index": returned}}
    return _Narrowing(early=early, late=late)


def _has_all(request: SearchRequest, profile: SearchProfile) -> bool:
    """Whether a type can be narrowed so; a variant's profiles may lack what the live ones have."""
    return all(
        one.name in profile.filters and profile.filters[one.name].kind == one.kind
        for one in request.conditions
    )


def _narrowed(query: Clause, early: Sequence[Clause]) -> Clause:
    if not early:
        return query
    if query == _EVERYTHING:
        return {"bool": {"filter": [*early]}}
    return {"bool": {"must": [query], "filter": [*early]}}


def _query(
    typed: Typed, chosen: Profiles, indices: Mapping[str, str], widening: Widening | None
) -> Clause:
    if not typed.text and not typed.without:
        return _EVERYTHING
    clauses = [
        _of_entity(indices[entity], profile, typed, widening) for entity, profile in chosen.items()
    ]
    # A hit is of one type: the best of the clauses is its only one.
    return clauses[0] if len(clauses) == 1 else {"dis_max": {"queries": clauses}}


def _of_entity(
    index: str, profile: SearchProfile, typed: Typed, widening: Widening | None
) -> Clause:
    """What finds one type's documents.

    The index is named, not the type: an index then drops the other types' clauses before it looks
    up a single word, which saves a third of the engine's work.
    """
    fields = [*profile.match.words]
    clauses: Clause = {
        "filter": [{"term": {"_index": index}}, *(as_it_is(one, fields) for one in typed.phrases)],
        **_found(profile, typed.text, widening),
        "boost": profile.weight,
    }
    if typed.without:
        clauses["must_not"] = [as_it_is(one, fields) for one in typed.without]
    return {"bool": clauses}


def as_it_is(words: str, fields: Sequence[str]) -> Clause:
    """The words stand in one of the fields, side by side."""
    return {"multi_match": {"query": words, "type": "phrase", "fields": [*fields]}}


def _found(profile: SearchProfile, text: str, widening: Widening | None) -> Clause:
    """What finds documents, as parts of a bool query; without text, it leaves none out."""
    if not text:
        return {}
    matches: Clause = {"should": _matches(profile, text, widening), "minimum_should_match": 1}
    if profile.rank is None:
        return matches
    return {"must": [ranked({"bool": matches}, profile.rank)]}


def ranked(query: Clause, rank: Rank) -> Clause:
    """The query with scores from once to at most `1 + rank.weight` times as high, by rank.

    The factor saturates: halfway is reached at `rank.pivot`, so that the best known do not drown
    what matches better.
    """
    params = {"field": rank.field, "weight": rank.weight, "pivot": rank.pivot}
    script = {"source": _BELOVED, "params": params}
    return {
        "function_score": {
            "query": query,
            "functions": [{"script_score": {"script": script}}],
            "boost_mode": "multiply",
        }
    }


def _matches(profile: SearchProfile, text: str, widening: Widening | None) -> list[Clause]:
    """The ways in which text can match, any of which makes a hit; their scores add up."""
    match = profile.match
    if widening is not None and widening.step is Step.FUZZY:
        return [_nearly(match.words, text)]
    least = _least(profile, widening.lacking if widening is not None else 0)
    clauses: list[Clause] = [_words(match.words, text, least)]
    if match.prefix:
        clauses.append(_beginnings(match, text, least))
    if match.phrase:
        clauses.append(_phrase(match.phrase, text))
    if match.exact:
        clauses.append(_exact(match.exact, text))
    return clauses


def _least(profile: SearchProfile, lacking: int) -> Clause:
    """How many of the words must be found, as the engine's queries of several fields take it."""
    if lacking and profile.operator == "all":
        return {"operator": "or", "minimum_should_match": str(-lacking)}
    return {"operator": _OPERATORS[profile.operator]}


def _words(weights: Weights, text: str, least: Clause) -> Clause:
    """Every word is found in one of the fields, as if they were one field (BM25F)."""
    return {"combined_fields": {"query": text, "fields": weighted(weights), **least}}


def _nearly(weights: Weights, text: str) -> Clause:
    """Any word is found in one of the fields, or one that is spelled a little differently."""
    return {
        "multi_match": {
            "query": text,
            "fields": weighted(weights),
            "fuzziness": "AUTO",
            "max_expansions": _SPELLINGS,
        }
    }


def _beginnings(match: Match, text: str, least: Clause) -> Clause:
    """Every word is found in one of the fields, or begins a word of a prefix field.

    The analyzer is named, so that the engine treats fields of different analyzers as one group.
    """
    return {
        "multi_match": {
            "query": text,
            "type": "cross_fields",
            "fields": weighted(match.prefix) + weighted(match.words),
            "analyzer": PREFIX_ANALYZER,
            **least,
            "boost": 0.25,
        }
    }


def _phrase(weights: Weights, text: str) -> Clause:
    return {"multi_match": {"query": text, "type": "phrase", "fields": weighted(weights)}}


def _exact(weights: Weights, text: str) -> Clause:
    """The whole text is the whole value, in the best of the fields."""
    queries = [
        {"constant_score": {"filter": {"match": {field: {"query": text}}}, "boost": weight}}
        for field, weight in weights.items()
    ]
    return queries[0] if len(queries) == 1 else {"dis_max": {"queries": queries}}


def weighted(weights: Weights) -> list[str]:
    """The fields with their weights, as the engine writes them."""
    return [f"{field}^{weight:g}" for field, weight in weights.items()]


def returned_fields(chosen: Profiles) -> list[str]:
    """The fields of documents that hits of these types are made of."""
    names = set(_COMMON_SOURCE)
    for profile in chosen.values():
        names |= {profile.title, profile.subtitle, *profile.fields}
    return sorted(names)


def _highlight(text: str, chosen: Profiles, *, is_fuzzy: bool) -> Clause | None:
    """What marks the words of a hit.

    It has queries of its own: which words a reader looks for does not depend on how they scored.
    Each field has one that knows that field alone, which takes half as long as one for all fields.
    """
    whole = {name for profile in chosen.values() for name in (profile.title, profile.subtitle)}
    names = sorted({name for profile in chosen.values() for name in profile.highlight})
    if not names:
        return None
    return {
        "encoder": "html",
        "pre_tags": ["<em>"],
        "post_tags": ["</em>"],
        "fields": {
            name: _shown(whole=name in whole)
            | {"highlight_query": _marked(name, text, is_fuzzy=is_fuzzy)}
            for name in names
        },
    }


def _marked(field: str, text: str, *, is_fuzzy: bool) -> Clause:
    """What is marked in a field: words under their other spellings, or the last one's beginning.

    Both at once (`bool_prefix` with the synonyms) takes twice as long.
    """
    if is_fuzzy:
        nearly = {"query": text, "fuzziness": "AUTO", "max_expansions": _SPELLINGS}
        return {"match": {field: nearly}}
    unfinished = {"query": text, "analyzer": PREFIX_ANALYZER}
    return {
        "bool": {
            "should": [
                {"match": {field: {"query": text}}},
                {"match_bool_prefix": {field: unfinished}},
            ]
        }
    }


def _shown(*, whole: bool) -> Clause:
    if whole:
        return {"number_of_fragments": 0}
    return {"number_of_fragments": 1, "fragment_size": SNIPPET, "order": "score"}


def milliseconds(seconds: float) -> str:
    """A length of time as the engine writes it."""
    return f"{int(seconds * 1000)}ms"
