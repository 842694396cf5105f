"""Signals: each kind of activity as a query, and how what it finds counts.

`signals/<name>.sql` is a plain SELECT with the columns source_type, source_id, target_type,
target_id, count and last_at: who did it to what, how often, and when last. It need not ask whether
the two are public or living; edges of what cannot be found are left out. `signals/signals.json`
has the weights, described in docs/ranking.md.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ranker.errors import SignalError
from ranker.parameters import Dangling, Parameters

FOLDER: Final = Path(__file__).with_name("signals")
POLICY: Final = "signals.json"
COLUMNS: Final = ("source_type", "source_id", "target_type", "target_id", "count", "last_at")
MOST_SIGNALS: Final = 127  # an edge's kind has 8 bits: the signal, and whether it is reversed
_DAY: Final = 86_400_000_000  # microseconds

_Share = Annotated[float, Field(ge=0, le=1)]
_Weight = Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)]


class CountDamping(StrEnum):
    """How a count becomes a weight: the hundredth play says less than the first."""

    NONE = "none"  # n
    SQRT = "sqrt"  # √n
    LOG = "log"  # 1 + ln n


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Signal(_Part):
    """One kind of activity."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]  # also of its SQL file
    weight: _Weight = 0.0  # of an edge from source to target
    reverse_weight: _Weight = 0.0  # of an edge from target to source
    half_life_days: Annotated[float, Field(gt=0)] | None = None  # None: it never fades
    count: CountDamping = CountDamping.NONE
    cap: Annotated[float, Field(gt=0)] | None = None  # most that a damped count is
    most_edges: Annotated[int, Field(ge=1)] | None = None  # of one source; its heaviest are kept
    owns: bool = False  # the source owns the target: what it does to it otherwise is self-praise
    sql: Annotated[str, Field(exclude=True)] = ""  # the query, read from the file

    @model_validator(mode="after")
    def _weighs_something(self) -> Self:
        if not self.weight and not self.reverse_weight:
            raise ValueError("weighs nothing; give it a weight or a reverse_weight")
        return self

    def strengths(
        self, counts: NDArray[np.float64], last: NDArray[np.int64], now: int
    ) -> NDArray[np.float64]:
        """What activities weigh, before the signal's weights: damped counts, faded by age.

        Times are microseconds since 1970; what lies in the future has not faded.
        """
        damped = counts
        if self.count is CountDamping.SQRT:
            damped = np.sqrt(counts)
        elif self.count is CountDamping.LOG:
            damped = np.where(counts > 0, 1.0 + np.log(np.maximum(counts, 1.0)), 0.0)
        if self.cap is not None:
            damped = np.minimum(damped, self.cap)
        if self.half_life_days is None:
            return damped
        age = np.maximum(0, now - last) / _DAY
        faded: NDArray[np.float64] = damped * np.exp2(-age / self.half_life_days)
        return faded


class Gates(_Part):
    """What an edition must hold, compared with the live one, to be published."""

    depth: Annotated[int, Field(ge=1)] = 1000  # entities of each type, from the top
    persistence: Annotated[float, Field(gt=0, lt=1)] = 0.99  # p of the rank-biased overlap
    least_overlap: _Share = 0.8  # rank-biased overlap of each type's order with the live one
    most_moved: _Share = 0.2  # share of all mass that may have gone from some to others
    most_mover: _Share = 0.5  # by which one score may change, of the highest score of its type
    most_type_shift: _Share = 0.1  # by which one type's share of all mass may change
    most_new: _Share = 0.25  # share of a type's entities that the live edition does not have


class Policy(_Part):
    """All that decides what the scores are, besides the activity itself."""

    damping: Annotated[float, Field(ge=0, lt=1)] = 0.85
    dangling: Dangling = Dangling.TELEPORT
    tolerance: Annotated[float, Field(gt=0)] = 1e-9
    teleport: Mapping[str, _Weight] = {}  # entity type -> how likely a jump; 1 where none is said
    sources_need_in_links: bool = False  # nothing counts that somebody does whom nobody regards
    signals: Annotated[tuple[Signal, ...], Field(min_length=1, max_length=MOST_SIGNALS)]
    gates: Gates = Gates()

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        counts = Counter(signal.name for signal in self.signals)
        if twice := [name for name, count in counts.items() if count > 1]:
            raise ValueError(f"signal {twice[0]} stands there twice; leave one of them")
        return self

    def parameters(self, *, deterministic: bool = False) -> Parameters:
        """What the solver is asked for."""
        return Parameters(
            damping=self.damping,
            dangling=self.dangling,
            tolerance=self.tolerance,
            deterministic=deterministic,
        )

    def as_document(self) -> dict[str, Any]:
        """For a manifest: all of it, and of each query its checksum."""
        document = self.model_dump(mode="json")
        for described, signal in zip(document["signals"], self.signals, strict=True):
            described["sql_sha256"] = hashlib.sha256(signal.sql.encode()).hexdigest()
        return document


def load(folder: Path = FOLDER) -> Policy:
    """The policy of a folder; raises `SignalError`."""
    path = folder / POLICY
    try:
        policy = Policy.model_validate_json(path.read_bytes())
    except OSError as error:
        raise SignalError(f"{path} cannot be read ({error.strerror})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise SignalError(f"{path}: {where}: {first['msg']}; correct it") from None
    signals = [one.model_copy(update={"sql": _sql(folder, one)}) for one in policy.signals]
    return policy.model_copy(update={"signals": tuple(signals)})


def kinds(policy: Policy) -> Sequence[str]:
    """The name of each kind of edge, by its number: signals, then their reverses."""
    names = [signal.name for signal in policy.signals]
    return [*names, *(f"{name} (reverse)" for name in names)]


def _sql(folder: Path, signal: Signal) -> str:
    path = folder / f"{signal.name}.sql"
    try:
        return path.read_text(encoding="utf-8").rstrip().rstrip(";")
    except (OSError, UnicodeDecodeError) as error:
        raise SignalError(f"{path} cannot be read ({error}); each signal needs it") from error
