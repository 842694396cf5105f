"""A judged collection: documents, queries, and how relevant which document is to which query."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluation.errors import FileError
from evaluation.qrels import Qrels


class CollectionError(FileError):
    """A collection lacks a file, or one of them is malformed: mend what the message names."""


@dataclass(frozen=True, kw_only=True)
class Document:
    """Something that can be found."""

    id: str
    title: str
    authors: str
    source: str  # where it was published
    body: str


@dataclass(frozen=True, kw_only=True, eq=False)
class JudgedCollection:
    """All of a collection."""

    name: str
    documents: Sequence[Document]
    queries: Mapping[str, str]  # id -> text, in the order of the file
    qrels: Qrels  # of some of the queries, in their order; a higher grade is more relevant
