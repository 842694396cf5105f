"""From activity to links on Spark: what `ranker.activity` does, as operations on tables.

An entity is one number, its *key*: id · (number of types) + (place of its type). Tables that are
used again are checkpointed, not just kept: a plan that holds all that came before grows with every
join, and is gone through at each.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ranker.activity import SignalCount
from ranker.errors import EmptyGraphError, SignalError
from ranker.parquet_source import ENTITIES
from ranker.signals import COLUMNS, CountDamping, Policy, Signal
from ranker.spark.session import first_line

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

_DAY: Final = 86_400_000_000  # microseconds
_INTEGERS: Final = {"tinyint", "smallint", "int", "bigint"}
_TIMES: Final = {"timestamp", "timestamp_ntz", "void"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Activity:
    """A catalogue's activity as tables."""

    nodes: "DataFrame"  # key, type: its place among the types
    links: "DataFrame"  # source, target, weight above zero, kind
    signals: Sequence[SignalCount]


class Reader:
    """Reads a folder of Parquet files, wherever Spark can read one."""

    def __init__(
        self,
        session: "SparkSession",
        folder: str,
        types: Sequence[str],
        policy: Policy,
        *,
        moment: int,
    ) -> None:
        """`moment`: what age is counted from, microseconds since 1970."""
        self._session = session
        self.folder = folder.rstrip("/")
        self._types = list(types)
        self._policy = policy
        self.moment = moment

    def read(self) -> Activity:
        """The nodes and links of all signals.

        Raises:
            SignalError: a file lacks a column, or has what no link can be made of.
            EmptyGraphError: there are no entities.
        """
        acts = {one.name: self._acts(one) for one in self._policy.signals}
        if not any(acts.values()):
            names = ", ".join(f"{signal.name}.parquet" for signal in self._policy.signals)
            raise SignalError(f"{self.folder} has no file of a signal; give some of {names}")
        nodes = self._nodes([table for table in acts.values() if table is not None])
        owners = self._owners(acts, nodes)
        counts, kept = [], []
        for signal in self._policy.signals:
            count = SignalCount(name=signal.name)
            counts.append(count)
            table = acts[signal.name]
            if table is not None:
                began = time.perf_counter()
                kept.append((signal, self._kept(signal, table, nodes, owners, count), count))
                count.seconds = time.perf_counter() - began
        if self._policy.sources_need_in_links:
            kept = _regarded(kept, owners)
        return Activity(nodes=nodes, links=self._links(kept), signals=counts)

    def _acts(self, signal: Signal) -> "DataFrame | None":
        """source, target, strength; None if there is no file."""
        from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

        table = self._table(signal.name)
        if table is None:
            return None
        _check_columns(table, signal)
        count = f.col("count").cast("double")
        rows = table.select(
            *(self._code(f"{end}_type").alias(f"{end}_code") for end in ("source", "target")),
            "source_type", "target_type",
            *(f.col(f"{end}_id").cast("long").alias(f"{end}_id") for end in ("source", "target")),
            count.alias("count"),
            f.col("last_at").cast("timestamp").alias("last_at"),
        )  # fmt: skip
        self._check_rows(rows, signal)
        return rows.select(
            *(
                self._key(f.col(f"{end}_id"), f.col(f"{end}_code")).alias(end)
                for end in ("source", "target")
            ),
            _strength(signal, self.moment).cast("float").alias("strength"),
        )

    def _nodes(self, acts: Sequence["DataFrame"]) -> "DataFrame":
        """What `entities.parquet` lists, or else all that acts name."""
        from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

        listed = self._table(ENTITIES.removesuffix(".parquet"))
        if listed is not None:
            keys = self._listed(listed)
        else:
            ends = [table.select(f.col(end).alias("key")) for table in acts
                    for end in ("source", "target")]  # fmt: skip
            keys = ends[0]
            for more in ends[1:]:
                keys = keys.union(more)
        nodes = (
            keys.distinct()
            .withColumn("type", f.pmod("key", f.lit(len(self._types))))
            .localCheckpoint()
        )
        lowest = nodes.agg(f.min("key")).first()[0]
        if lowest is None:
            raise EmptyGraphError("there are no entities, so that there is nothing to rank")
        if lowest < 0:
            raise SignalError(f"there is an id {lowest // len(self._types)}; ids begin at 0")
        return nodes

    def _listed(self, table: "DataFrame") -> "DataFrame":
        from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

        place = f"{self.folder}/{ENTITIES}"
        if missing := {"type", "id"} - set(table.columns):
            raise SignalError(f"{place} has no column {', '.join(sorted(missing))}; add it")
        coded = table.select("type", self._code("type").alias("code"), f.col("id").cast("long"))
        unknown = coded.filter(f.col("code").isNull() | (f.col("code") < 0) | f.col("id").isNull())
        if wrong := unknown.first():
            raise SignalError(
                f"{place}: {wrong['type']!r} {wrong['id']} is no entity; types are "
                f"{', '.join(self._types)}, and ids whole numbers"
            )
        return coded.select(self._key(f.col("id"), f.col("code")).alias("key"))

    def _owners(
        self, acts: dict[str, "DataFrame | None"], nodes: "DataFrame"
    ) -> "DataFrame | None":
        """key, owner: of each entity that somebody owns."""
        from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

        owned = None
        for signal in self._policy.signals:
            table = acts[signal.name]
            if signal.owns and table is not None:
                known = _known(table, nodes).filter("source_known AND target_known")
                pairs = known.select(f.col("target").alias("key"), f.col("source").alias("owner"))
                owned = pairs if owned is None else owned.union(pairs)
        if owned is None:
            return None
        return owned.groupBy("key").agg(f.max("owner").alias("owner")).localCheckpoint()

    def _kept(
        self,
        signal: Signal,
        acts: "DataFrame",
        nodes: "DataFrame",
        owners: "DataFrame | None",
        count: SignalCount,
    ) -> "DataFrame":
        """The acts that links are made of; `count` is told of the others."""
        from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

        labelled = _known(acts, nodes).withColumn(
            "known", f.col("source_known") & f.col("target_known")
        )
        own: Column = f.expr("false")
        if owners is not None and not signal.owns:
            labelled = _with_roots(labelled, owners)
            own = f.col("source_root") == f.col("target_root")
        elif not signal.owns:
            own = f.col("source") == f.col("target")
        labelled = labelled.withColumn("own", f.col("known") & own).localCheckpoint()
        row = labelled.agg(
            f.count("*").alias("rows"),
            f.sum((~f.col("known")).cast("long")).alias("unknown"),
            f.sum(f.col("own").cast("long")).alias("own"),
        ).first()
        kept = self._capped(signal, labelled.filter(f.col("known") & ~f.col("own")))
        kept = kept.select("source", "target", "strength").localCheckpoint()
        used = kept.agg(f.count("*"), f.sum(f.col("strength").cast("double"))).first()
        count.rows, count.unknown, count.own = row["rows"], row["unknown"] or 0, row["own"] or 0
        count.used = used[0]
        count.capped = count.rows - count.unknown - count.own - count.used
        count.weight = (used[1] or 0.0) * (signal.weight + signal.reverse_weight)
        return kept

    def _capped(self, signal: Signal, acts: "DataFrame") -> "DataFrame":
        """Each source's heaviest acts; of equals those whose target comes first."""
        from pyspark.sql import Window  # noqa: PLC0415 - an extra
        from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

        if signal.most_edges is None:
            return acts
        types = f.lit(len(self._types))
        order = (f.desc("strength"), f.pmod("target", types), f.col("target"))
        place = f.row_number().over(Window.partitionBy("source").orderBy(*order))
        return acts.withColumn("place", place).filter(f.col("place") <= signal.most_edges)

    def _links(self, kept: list[tuple[Signal, "DataFrame", SignalCount]]) -> "DataFrame":
        from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

        numbers = {signal.name: kind for kind, signal in enumerate(self._policy.signals)}
        parts = []
        for signal, acts, _ in kept:
            kind = numbers[signal.name]
            ends = ("source", "target")
            for weight, number, (source, target) in (
                (signal.weight, kind, ends),
                (signal.reverse_weight, kind + len(numbers), ends[::-1]),
            ):
                if weight:
                    weighed = f.col("strength") * f.lit(weight).cast("float")
                    parts.append(
                        acts.select(
                            f.col(source).alias("source"),
                            f.col(target).alias("target"),
                            weighed.cast("double").alias("weight"),
                            f.lit(number).alias("kind"),
                        )
                    )
        links = parts[0]
        for more in parts[1:]:
            links = links.union(more)
        return (
            links.groupBy("source", "target", "kind")
            .agg(f.sum("weight").alias("weight"))
            .filter("weight > 0")
            .localCheckpoint()
        )

    def _table(self, name: str) -> "DataFrame | None":
        from pyspark.errors import AnalysisException  # noqa: PLC0415 - an extra

        place = f"{self.folder}/{name}.parquet"
        try:
            return self._session.read.parquet(place)
        except AnalysisException as error:
            if error.getCondition() == "PATH_NOT_FOUND":
                return None
            raise SignalError(f"{place} is no readable Parquet ({first_line(error)})") from error

    def _check_rows(self, rows: "DataFrame", signal: Signal) -> None:
        from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

        most = ((1 << 63) - 1) // len(self._types) - 1
        wrong = {
            "an id is null": "source_id IS NULL OR target_id IS NULL",
            f"an id is above {most:,}": f"greatest(abs(source_id), abs(target_id)) > {most}",
            "a type is null": "source_code IS NULL OR target_code IS NULL",
            "a type is none of " + ", ".join(self._types): "source_code < 0 OR target_code < 0",
            "a count is no finite number from 0 on": (
                "count IS NULL OR isnan(count) OR count < 0 OR count = double('infinity')"
            ),
        }
        found: Any = rows.agg(
            *(f.sum(f.expr(test).cast("int")).alias(what) for what, test in wrong.items())
        ).first()
        for what, test in wrong.items():
            if found[what]:
                example = rows.filter(test).first().asDict()
                shown = ", ".join(
                    f"{name} {example[name]}"
                    for name in ("source_type", "source_id", "target_type", "target_id", "count")
                )
                raise SignalError(f"signal {signal.name}: {what}, in a row with {shown}")

    def _code(self, column: str) -> "Column":
        """The place of a type among the types, -1 for an unknown one."""
        from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

        names = f.array(*(f.lit(name) for name in self._types))
        return f.array_position(names, f.col(column)) - 1

    def _key(self, one: "Column", code: "Column") -> "Column":
        return one * len(self._types) + code


def _known(acts: "DataFrame", nodes: "DataFrame") -> "DataFrame":
    """Acts with whether each end is a node."""
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    for end in ("source", "target"):
        ends = nodes.select(f.col("key").alias(end), f.lit(1).alias("there"))
        known = f.col("there").isNotNull().alias(f"{end}_known")
        acts = acts.join(ends, end, "left").select(*acts.columns, known)
    return acts


def _with_roots(acts: "DataFrame", owners: "DataFrame") -> "DataFrame":
    """Acts with the owner of each end, or the end itself."""
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    for end in ("source", "target"):
        owned = owners.select(f.col("key").alias(end), "owner")
        root = f.coalesce("owner", end).alias(f"{end}_root")
        acts = acts.join(owned, end, "left").select(*acts.columns, root)
    return acts


def _regarded(
    kept: list[tuple[Signal, "DataFrame", SignalCount]], owners: "DataFrame | None"
) -> list[tuple[Signal, "DataFrame", SignalCount]]:
    """Without what is done by those to whom, and to whose works, nobody else points."""
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    def rooted(acts: "DataFrame") -> "DataFrame":
        if owners is not None:
            return _with_roots(acts, owners)
        return acts.selectExpr("*", "source AS source_root", "target AS target_root")

    regarded = None
    for signal, acts, _ in kept:
        if not signal.owns:
            ends = rooted(acts).select(f.explode(f.array("target", "target_root")).alias("key"))
            regarded = ends if regarded is None else regarded.union(ends)
    if regarded is None:
        return kept
    known = regarded.select(f.col("key").alias("source_root")).distinct().localCheckpoint()
    found = []
    for signal, acts, count in kept:
        if signal.owns:
            found.append((signal, acts, count))
            continue
        left = (
            rooted(acts)
            .join(known, "source_root", "left_semi")
            .select(*acts.columns)
            .localCheckpoint()
        )
        used, weight = left.agg(f.count("*"), f.sum(f.col("strength").cast("double"))).first()
        count.unregarded, count.used = count.used - used, used
        count.weight = (weight or 0.0) * (signal.weight + signal.reverse_weight)
        found.append((signal, left, count))
    return found


def _strength(signal: Signal, now: int) -> "Column":
    """`Signal.strengths` as an expression."""
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    count = f.col("count")
    damped = count
    if signal.count is CountDamping.SQRT:
        damped = f.sqrt(count)
    elif signal.count is CountDamping.LOG:
        damped = f.when(count > 0, 1.0 + f.ln(f.greatest(count, f.lit(1.0)))).otherwise(0.0)
    if signal.cap is not None:
        damped = f.least(damped, f.lit(signal.cap))
    if signal.half_life_days is None:
        return damped
    age = f.greatest(f.lit(0), f.lit(now) - f.unix_micros("last_at")) / _DAY
    faded = f.pow(f.lit(2.0), -age / signal.half_life_days)
    return damped * f.coalesce(faded, f.lit(1.0))


def _check_columns(table: "DataFrame", signal: Signal) -> None:
    types = dict(table.dtypes)
    if missing := [name for name in COLUMNS if name not in types]:
        there = ", ".join(types)
        raise SignalError(
            f"signal {signal.name} has no column {', '.join(missing)}, only {there}; add it"
        )
    for name in ("source_id", "target_id"):
        if types[name] not in _INTEGERS:
            raise SignalError(f"signal {signal.name}: {name} is {types[name]}; ids are integers")
    if types["last_at"] not in _TIMES:
        raise SignalError(f"signal {signal.name}: last_at is {types['last_at']}; give a timestamp")
