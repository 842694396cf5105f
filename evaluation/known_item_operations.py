"""The door to known items; `cli/` has them searched, by the query API."""

from evaluation import misspellings
from evaluation.known_items import DEPTH, KnownItem, Success, drawn, success
from evaluation.misspellings import Misspellings, MisspellingsError

__all__ = [
    "DEPTH",
    "KnownItem",
    "Misspellings",
    "MisspellingsError",
    "Success",
    "drawn",
    "read_misspellings",
    "success",
]

read_misspellings = misspellings.read
