"""PageRank as the textbook has it, on Spark: the iteration of `ranker.power_iteration`.

Links are dealt out once by their source, nodes by their key. In each iteration links meet the
scores of their sources where they are, and only what flows to each target travels.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ranker.errors import NotConvergedError
from ranker.parameters import Dangling, Parameters

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

_LINKS_A_PART: Final = 4_000_000


@dataclass(frozen=True, kw_only=True, eq=False)
class Network:
    """A weighted graph as tables."""

    nodes: "DataFrame"  # key, jump: its part of the teleport vector, start: its first score
    links: "DataFrame"  # source, target, weight above zero; several of a pair add up
    links_count: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Scored:
    """Scores as a table."""

    scores: "DataFrame"  # key, score; they sum to 1
    residuals: list[float]  # L1 change of each iteration
    nodes: int
    dangling_nodes: int
    dangling_mass: float


def iterate(network: Network, parameters: Parameters) -> Scored:
    """The scores of all nodes.

    Raises:
        NotConvergedError: the iterations did not suffice.
    """
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    parts = _parts(network)
    _fix_plans(network.nodes.sparkSession, parts)
    links = _shared(network.links, parts)
    state = _state(network.nodes, links, parts)
    totals = _totals(state, f.lit(0.0))
    residuals: list[float] = []
    while not residuals or parameters.error_factor * residuals[-1] > parameters.tolerance:
        if len(residuals) == parameters.iteration_limit:
            raise NotConvergedError(
                len(residuals), parameters.error_factor * residuals[-1], parameters.tolerance
            )
        state, former = _step(state, links, parameters, totals), state
        totals = _totals(state, f.abs(f.col("score") - f.col("former")))
        former.unpersist()
        residuals.append(totals["change"])
    return Scored(
        scores=state.select("key", (f.col("score") / totals["mass"]).alias("score")),
        residuals=residuals,
        nodes=int(totals["nodes"]),
        dangling_nodes=int(totals["dangling_nodes"]),
        dangling_mass=totals["dangling"] / totals["mass"],
    )


def _parts(network: Network) -> int:
    context = network.nodes.sparkSession.sparkContext
    return int(max(2 * context.defaultParallelism, network.links_count // _LINKS_A_PART))


def _fix_plans(session: "SparkSession", parts: int) -> None:
    """Links are to stay where they are from one iteration to the next.

    What adapts plans to the data, or sends a small side of a join everywhere, would deal them out
    anew; so would flows that are added up in another number of parts.
    """
    session.conf.set("spark.sql.adaptive.enabled", "false")
    session.conf.set("spark.sql.autoBroadcastJoinThreshold", "-1")
    session.conf.set("spark.sql.shuffle.partitions", str(parts))


def _shared(links: "DataFrame", parts: int) -> "DataFrame":
    """Links with the share of their source's mass that they pass on."""
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    dealt = links.repartition(parts, "source")
    out = dealt.groupBy("source").agg(f.sum("weight").alias("out"))
    share = (f.col("weight") / f.col("out")).alias("share")
    return _settled(dealt.join(out, "source").select("source", "target", share))


def _state(nodes: "DataFrame", links: "DataFrame", parts: int) -> "DataFrame":
    """Nodes with their first score, and whether they dangle."""
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    active = links.select(f.col("source").alias("key")).distinct().withColumn("active", f.lit(1))
    return _settled(
        nodes.repartition(parts, "key")
        .join(active, "key", "left")
        .select(
            "key",
            "jump",
            f.col("active").isNull().alias("dangles"),
            f.col("start").alias("score"),
            f.lit(0.0).alias("former"),
        )
    )


def _step(
    state: "DataFrame", links: "DataFrame", parameters: Parameters, totals: dict[str, float]
) -> "DataFrame":
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    flows = (
        links.join(state.select(f.col("key").alias("source"), "score"), "source")
        .groupBy(f.col("target").alias("key"))
        .agg(f.sum(f.col("share") * f.col("score")).alias("flow"))
    )
    followed = f.coalesce("flow", f.lit(0.0)) + _of_dangling(parameters.dangling, totals)
    damping = parameters.damping
    return _settled(
        state.join(flows, "key", "left").select(
            "key",
            "jump",
            "dangles",
            (damping * followed + (1.0 - damping) * f.col("jump")).alias("score"),
            f.col("score").alias("former"),
        )
    )


def _of_dangling(dangling: Dangling, totals: dict[str, float]) -> "Column":
    """What each node gets of the mass of the dangling ones."""
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    if dangling is Dangling.TELEPORT:
        return f.lit(totals["dangling"]) * f.col("jump")
    own = f.when(f.col("dangles"), f.col("score")).otherwise(0.0)
    if totals["nodes"] == 1:
        return own
    return (f.lit(totals["dangling"]) - own) / (totals["nodes"] - 1)


def _totals(state: "DataFrame", change: "Column") -> dict[str, float]:
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    stuck = f.col("dangles")
    row: Any = state.agg(
        f.count("*").alias("nodes"),
        f.sum("score").alias("mass"),
        f.sum(f.when(stuck, f.col("score")).otherwise(0.0)).alias("dangling"),
        f.sum(stuck.cast("long")).alias("dangling_nodes"),
        f.sum(change).alias("change"),
    ).first()
    found: dict[str, float] = {name: float(value) for name, value in row.asDict().items()}
    return found


def _settled(table: "DataFrame") -> "DataFrame":
    """Calculated and kept, with its history forgotten: each iteration's plan would hold all others.

    What an executor that is lost had is lost, too, and ends the run: the edition before is whole.
    """
    return table.localCheckpoint()
