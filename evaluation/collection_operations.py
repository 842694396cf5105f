"""The door to judged collections; `cli/` has them searched, by the query API."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from evaluation.collections import cranfield
from evaluation.collections.article import PLAIN_FIELDS, definition, indexed, similarity
from evaluation.collections.collection import CollectionError, JudgedCollection
from evaluation.collections.result import DEPTH, CollectionResult, Part, Rankings, result
from evaluation.comparison import DEFAULT_SEED

__all__ = [
    "DEFAULT_SEED",
    "DEPTH",
    "FORMATS",
    "PLAIN_FIELDS",
    "CollectionError",
    "CollectionResult",
    "JudgedCollection",
    "Part",
    "Rankings",
    "definition",
    "indexed",
    "result",
    "similarity",
]

#: What reads the folder of a collection, by the name of its format; all raise `CollectionError`.
FORMATS: Final[Mapping[str, Callable[[Path], JudgedCollection]]] = {"cranfield": cranfield.read}
