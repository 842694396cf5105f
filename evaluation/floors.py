"""Floors: what measures must not fall below, from a file that stands beside the code.

A JSON object, such as `{"nDCG@10": 0.85, "RR": 0.9}`.
"""

import json
import math
from collections.abc import Mapping

from evaluation import lines, measures
from evaluation.errors import FileError, MeasureError
from evaluation.lines import Refusal


class FloorsError(FileError):
    """A file of floors is missing or malformed."""


def read(path: str) -> Mapping[str, float]:
    """The least values, by measure; raises `FloorsError`."""
    refusal = Refusal(path, FloorsError)
    with lines.opened(path, FloorsError) as file:
        try:
            content = json.load(file)
        except ValueError as error:
            refusal.whole(f"is no JSON ({error}); mend it")
    if not isinstance(content, dict) or not content:
        refusal.whole('has no floors; write them like {"nDCG@10": 0.85}')
    for name, least in content.items():
        if isinstance(least, bool) or not isinstance(least, int | float) or math.isnan(least):
            refusal.whole(f"the floor of {name} is {least!r}; give a number")
        try:
            measures.parse([name])
        except MeasureError as error:
            refusal.whole(str(error))
    return {name: float(least) for name, least in content.items()}
