"""Known items: the ways in which somebody looks for an entity that he knows. Pure.

From a document and a search profile to queries that should find the document: its title as it is
written and as it is typed, and the title together with something that each of the searched fields
says. So every field, and every rule of the analysis that real names need, is asked for.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from indexer.operations import Hit, KnownItem
from query_api.profiles import SearchProfile
from query_api.wording import plain

TITLE: Final = "title"  # as it is written
WORD: Final = "word of a title"  # the longest
PLAIN: Final = "plain title"  # as it is typed: no capitals, accents, or signs
BEGUN: Final = "begun title"  # while it is being typed
_MOST_WORDS: Final = 3  # that are added to a title
_SHORTEST: Final = 4  # characters of a word that can be begun


def known_items(
    documents: Sequence[Mapping[str, Any]], profile: SearchProfile
) -> Sequence[KnownItem]:
    """The queries for all the documents; one without a title is not looked for."""
    return [
        KnownItem(kind=kind, text=text, id=str(document["id"]), title=document[profile.title])
        for document in documents
        if document.get(profile.title)
        for kind, text in _queries(document, profile)
    ]


def answers(item: KnownItem, hit: Hit) -> bool:
    """Whether somebody who looks for the item would be content with the hit.

    What is called the same is as good. Who types a word looks for what has it in its name.
    """
    if item.kind == WORD:
        return item.text in plain(hit.title).split()
    return hit.title.casefold() == item.title.casefold()


def _queries(document: Mapping[str, Any], profile: SearchProfile) -> Iterator[tuple[str, str]]:
    title: str = document[profile.title]
    yield TITLE, title
    if word := max(plain(title).split(), key=len, default=""):
        yield WORD, word
    if (typed := plain(title)) != title and typed:
        yield PLAIN, typed
    if profile.match.prefix and (begun := _begun(title)):
        yield BEGUN, begun
    for name in _stored(profile.match.words):
        if name != profile.title and (words := _some_words(document.get(name))):
            yield f"title and {name}", f"{title} {words}"
    for name in _stored(profile.match.exact):
        value = document.get(name)
        if name not in (profile.title, profile.subtitle) and isinstance(value, str):
            yield name, value


def _stored(fields: Mapping[str, float]) -> list[str]:
    """The fields of documents behind fields of the index: `handle` behind `handle.text`."""
    return [*dict.fromkeys(name.partition(".")[0] for name in fields)]


def _begun(title: str) -> str:
    *before, last = title.split() or [""]
    if len(last) < _SHORTEST or not last.isalpha():
        return ""
    return " ".join((*before, last[: (len(last) + 1) // 2 + 1]))


def _some_words(value: Any) -> str:
    """A few words of what a field says; of a list, its first value."""
    first = value[0] if isinstance(value, list) and value else value
    return " ".join(first.split()[:_MOST_WORDS]) if isinstance(first, str) else ""
