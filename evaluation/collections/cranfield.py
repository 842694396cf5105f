"""The format of the Cranfield collection: a folder with documents, queries and judgments.

Queries are numbered by their order, from 1: the judgments count so, whatever their `.I` says.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from evaluation import lines
from evaluation.collections import sections
from evaluation.collections.collection import CollectionError, Document, JudgedCollection
from evaluation.lines import Refusal, shown
from evaluation.qrels import Qrels

# Parts of the names of files, in the order in which they are looked for: `cran.qry` is no `all`.
_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "judgments": ("rel",),
    "queries": ("qry", "quer"),
    "documents": ("all", "doc"),
}
_LEAST: Final = 4  # the code of what is relevant at least; 1 is that of the best
_NOT_RELEVANT: Final = frozenset({5, -1})
_FORM: Final = (
    "a line is `query document code`: the query's number by its order, the document's `.I`, and "
    "1 (best) to 4 (least), or 5 or -1 (not relevant)"
)


def read(folder: Path) -> JudgedCollection:
    """The collection in a folder; its files may be gzipped.

    Raises:
        CollectionError: a file is missing, cannot be told from another, or a line is malformed.
    """
    files = _files(folder)
    documents = _documents(files["documents"])
    queries = _queries(files["queries"])
    known = {one.id for one in documents}
    qrels = _judgments(files["judgments"], known, queries)
    return JudgedCollection(
        name=folder.resolve().name, documents=documents, queries=queries, qrels=qrels
    )


def _files(folder: Path) -> Mapping[str, Path]:
    refusal = Refusal(str(folder), CollectionError)
    if not folder.is_dir():
        refusal.whole("is no folder; give the one with documents, queries and judgments")
    left = sorted(one for one in folder.iterdir() if one.is_file() and not one.name.startswith("."))
    found: dict[str, Path] = {}
    for what, parts in _NAMES.items():
        ones = [one for one in left if any(part in one.name.lower() for part in parts)]
        wanted = " or ".join(f"`{part}`" for part in parts)
        if not ones:
            refusal.whole(f"has no file of {what}; one has {wanted} in its name")
        if len(ones) > 1:
            names = ", ".join(one.name for one in ones)
            refusal.whole(f"has several files of {what} ({names}); leave one with {wanted} there")
        found[what] = ones[0]
        left.remove(ones[0])
    return found


def _documents(file: Path) -> Sequence[Document]:
    refusal = Refusal(str(file), CollectionError)
    found: dict[str, Document] = {}
    for one in sections.entries(file):
        if one.id in found:
            refusal.at(one.line, f"document {one.id!r} stands above as well; remove one of them")
        said = one.sections.get
        found[one.id] = Document(
            id=one.id,
            title=said("T", ""),
            authors=said("A", ""),
            source=said("B", ""),
            body=said("W", ""),
        )
    return [*found.values()]


def _queries(file: Path) -> Mapping[str, str]:
    refusal = Refusal(str(file), CollectionError)
    found: dict[str, str] = {}
    for number, one in enumerate(sections.entries(file), start=1):
        text = one.sections.get("W", "")
        if not text:
            refusal.at(one.line, f"query {one.id!r} has no text; write it below a line `.W`")
        found[str(number)] = text
    return found


def _judgments(file: Path, known: set[str], queries: Mapping[str, str]) -> Qrels:
    refusal = Refusal(str(file), CollectionError)
    grades: dict[str, dict[str, int]] = {query: {} for query in queries}
    for at, line in lines.numbered(sections.content(file)):
        cells = line.split()
        if len(cells) != 3:
            refusal.at(at, f"{shown(line)} has {len(cells)} columns; {_FORM}")
        query, doc = (refusal.text(at, cell) for cell in cells[:2])
        query = query.lstrip("0")
        if query not in grades:
            refusal.at(at, f"there is no query {shown(cells[0])}, only 1 to {len(queries)}")
        if doc not in known:
            refusal.at(at, f"there is no document {shown(cells[1])}; {_FORM}")
        if doc in grades[query]:
            refusal.duplicate(at, query, doc)
        grades[query][doc] = _grade(cells[2], at, refusal)
    judged = {query: docs for query, docs in grades.items() if docs}
    if not judged:
        refusal.whole(f"holds no judgment; {_FORM}")
    return Qrels(path=str(file), grades=judged)


def _grade(raw: bytes, at: int, refusal: Refusal) -> int:
    """4 for the code 1, 1 for the code 4, 0 for what is not relevant."""
    code: Any = lines.number(raw, int)
    if code in _NOT_RELEVANT:
        return 0
    if code is None or not 1 <= code <= _LEAST:
        refusal.at(at, f"the code is {shown(raw)}; {_FORM}")
    return _LEAST + 1 - int(code)
