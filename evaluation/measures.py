"""Measures by their names, such as `nDCG@10` or `P(rel=2)@5`: the language of ir-measures."""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import ir_measures
from ir_measures.measures import registry

from evaluation import formulas
from evaluation.errors import MeasureError
from evaluation.qrels import HIGHEST_GRADE

Measure = ir_measures.Measure

DEFAULTS: Final = ("nDCG@10", "P@10", "R@50", "AP", "RR", "ERR@10", "Judged@10")
_DEEPEST: Final = 1_000_000  # results of a query; more make the calculation allocate without need
_EXAMPLES: Final = {"cutoff": 10, "recall": 0.1}  # of what stands behind an @
_PARAMETERS: Final = r"(?:\([^()]*\))?"
_ONE: Final = re.compile(rf"[^\s,()]+{_PARAMETERS}[^\s,()]*")
_SEPARATED: Final = re.compile(rf"\s*{_ONE.pattern}(?:\s*[\s,]\s*{_ONE.pattern})*\s*,?\s*")

_trec_eval: Final = ir_measures.pytrec_eval
_CALCULATED: Final = {one.NAME for one in _trec_eval.SUPPORTED_MEASURES} | formulas.NAMES
#: Names that are understood, with what each means.
NAMES: Final[Mapping[str, Measure]] = {
    name: one for name, one in registry.items() if one.NAME in _CALCULATED
}


def parse(texts: Iterable[str]) -> list[Measure]:
    """The measures of texts that each have some, separated by commas or blanks; each once.

    Raises:
        MeasureError: a name or a parameter is wrong; the message has valid ones.
    """
    found = {measure: None for text in texts for measure in map(_parsed, _names(text))}
    return list(found)


def by_trec_eval(measure: Measure) -> bool:
    """Whether trec_eval's own code has the measure; the others are in `formulas`."""
    return measure.NAME not in formulas.INSTEAD and bool(_trec_eval.supports(measure))


def is_count(measure: Measure) -> bool:
    """Whether the value of several queries is their sum, and not their mean."""
    return isinstance(measure.aggregator(), ir_measures.SumAgg)


def _names(text: str) -> list[str]:
    if not _SEPARATED.fullmatch(text):
        raise MeasureError(f"measures {text!r}: give names, separated by commas: {_some()}")
    return _ONE.findall(text)


def _parsed(text: str) -> Measure:
    try:
        measure: Measure = ir_measures.parse_measure(text)
    except NameError:
        raise MeasureError(f"there is no measure {text!r}; {_nearest(text)}") from None
    except (ValueError, TypeError):
        raise MeasureError(f"measure {text!r} cannot be read; write it like {_some()}") from None
    if measure.NAME not in _CALCULATED:
        raise MeasureError(f"measure {text!r} is not calculated here; {_nearest(text)}")
    _check_parameters(measure, text)
    if not (measure.NAME in formulas.NAMES or by_trec_eval(measure)):
        raise MeasureError(f"measure {text!r} cannot be calculated with these parameters")
    return measure


def _check_parameters(measure: Measure, text: str) -> None:
    known = measure.SUPPORTED_PARAMS
    for name, value in measure.params.items():
        if name not in known:
            listed = ", ".join(known) or "none"
            raise MeasureError(f"measure {text!r} has no parameter {name}; it takes: {listed}")
        if (fits := _WANTED.get(name)) is not None and not fits[0](value):
            raise MeasureError(f"measure {text!r}: {name} is {value!r}; give {fits[1]}")
    try:
        measure.validate_params()  # type: ignore[no-untyped-call]
    except AssertionError:
        missing = [name for name, one in known.items() if one.required] or list(known)
        if missing == [measure.AT_PARAM] and missing[0] not in measure.params:
            raise MeasureError(
                f"measure {text!r} needs a {missing[0]}: write it like "
                f"{measure.NAME}@{_EXAMPLES[missing[0]]}"
            ) from None
        raise MeasureError(
            f"measure {text!r} has wrong parameters; it takes: {', '.join(known)}"
        ) from None


def _whole(least: int, most: int) -> tuple[Any, str]:
    return (
        lambda value: type(value) is int and least <= value <= most,
        f"a whole number from {least:,} to {most:,}",
    )


def _are_gains(value: object) -> bool:
    whole = _whole(-HIGHEST_GRADE, HIGHEST_GRADE)[0]
    return isinstance(value, dict) and all(whole(one) for pair in value.items() for one in pair)


def _fraction(least: float, most: float) -> tuple[Any, str]:
    return (
        lambda value: isinstance(value, float) and least <= value <= most,
        f"a number with a decimal point, from {least} to {most}",
    )


# trec_eval itself does not check: a cutoff of 0 ends the process.
_WANTED: Final = {
    "cutoff": _whole(1, _DEEPEST),
    "rel": _whole(1, HIGHEST_GRADE),
    "recall": _fraction(0.0, 1.0),
    "beta": _fraction(0.0, 1000.0),
    "gains": (_are_gains, "whole numbers by grade, like {0:0,1:1,2:5}"),
    "judged_only": (lambda value: isinstance(value, bool), "True or False"),
    "relative": (lambda value: isinstance(value, bool), "True or False"),
}


def _some() -> str:
    return ", ".join(DEFAULTS[:3])


def _nearest(text: str) -> str:
    """Which names are like the one that is wrong, or what trec_eval's own name is called here."""
    translated = _translated(text)
    if translated:
        return f"trec_eval's {text} is written {translated}"
    name = re.split(r"[@(]", text)[0]
    own = {valid.lower(): _own_name(valid) for valid in NAMES}
    near = difflib.get_close_matches(name.lower(), own, n=3, cutoff=0.4)
    meant = f"did you mean {_listed(own[one] for one in near)}? " if near else ""
    return f"{meant}There are {_listed(sorted(set(own.values()), key=str.lower))}"


def _own_name(name: str) -> str:
    """What a measure is called that has several names."""
    measure = NAMES[name]
    return name if measure.params else str(measure)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))


def _translated(text: str) -> str | None:
    try:
        found = ir_measures.parse_trec_measure(text)
    except ValueError:
        return None
    return str(found[0]) if found else None
