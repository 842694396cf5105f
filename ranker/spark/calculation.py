"""A calculation on Spark: from Parquet files, wherever Spark reads them, to scores on the driver.

Only scores and ids come to the driver, 16 bytes an entity. The graph stays where it is, so that an
edition of it cannot explain its scores.
"""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from core.rank_editions import Edition
from ranker.activity import GraphSize
from ranker.editions import Calculation, Ranked, ranked_of
from ranker.entities import Entities, entities_of
from ranker.errors import ParameterError
from ranker.graph import Floats
from ranker.parameters import Method, Parameters, Solution
from ranker.signals import Policy
from ranker.spark.activity import Activity, Reader
from ranker.spark.iteration import Network, Scored, iterate
from ranker.spark.session import SparkError, first_line, open_session

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def calculate(
    folder: str,
    types: Sequence[str],
    policy: Policy,
    *,
    parent: Edition | None,
    master: str | None,
    moment: int | None = None,
) -> Calculation:
    """The scores of all entities, as `ranker.calculation.calculate` has them.

    Args:
        folder: Of `<signal>.parquet` and `entities.parquet`: a path, or an address such as
            `s3a://bucket/folder`.
        types: The entity types that there are.
        policy: What counts, and how much.
        parent: Whose scores to start from.
        master: Where Spark runs; None: as its own configuration says.
        moment: Of which the activity is, microseconds since 1970; None: now.

    Raises:
        SignalError, EmptyGraphError: as `ranker.spark.activity.Reader.read`.
        NotConvergedError: the iterations did not suffice.
        SparkError: Spark is missing, or gave up.
    """
    moment = time.time_ns() // 1_000 if moment is None else moment
    known = sorted(types)
    with open_session(master) as session:
        from pyspark.errors import PySparkException  # noqa: PLC0415 - an extra

        try:
            reader = Reader(session, folder, known, policy, moment=moment)
            return _calculate(session, reader, known, policy, parent)
        except PySparkException as error:
            raise SparkError(f"Spark gave up ({first_line(error)})") from error


def _calculate(
    session: "SparkSession",
    reader: Reader,
    types: list[str],
    policy: Policy,
    parent: Edition | None,
) -> Calculation:
    seconds: dict[str, float] = {}
    began = time.perf_counter()
    activity = reader.read()
    edges = activity.links.count()
    seconds["signals"] = time.perf_counter() - began
    began = time.perf_counter()
    prior = None if parent is None else ranked_of(parent)
    nodes, known_to_prior = _nodes(session, activity, types, policy, prior)
    seconds["prior"] = time.perf_counter() - began
    began = time.perf_counter()
    parameters = policy.parameters()
    scored = iterate(Network(nodes=nodes, links=activity.links, links_count=edges), parameters)
    entities, scores = _collected(scored, types)
    seconds["solve"] = time.perf_counter() - began
    return Calculation(
        entities=entities,
        graph=None,
        size=GraphSize(
            nodes=scored.nodes, edges=edges, dangling_nodes=scored.dangling_nodes, bytes=0
        ),
        signals=activity.signals,
        moment=reader.moment,
        solution=_solution(scored, scores, parameters, seconds["solve"]),
        policy=policy,
        source=f"files in {reader.folder}, by Spark {session.version}",
        parent=None if parent is None else parent.name,
        known=known_to_prior,
        seconds=seconds,
    )


def _nodes(
    session: "SparkSession",
    activity: Activity,
    types: list[str],
    policy: Policy,
    prior: Ranked | None,
) -> tuple["DataFrame", int]:
    """key, jump and start of every node; how many of them the prior has."""
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    weights = f.array(*(f.lit(float(policy.teleport.get(name, 1.0))) for name in types))
    weighed = activity.nodes.withColumn("weight", f.get(weights, f.col("type").cast("int")))
    total = weighed.agg(f.sum("weight")).first()[0]
    if not total:
        raise ParameterError("the teleport vector must be somewhere above zero; correct teleport")
    nodes = weighed.select("key", (f.col("weight") / total).alias("jump"))
    if prior is None:
        return nodes.withColumn("start", f.col("jump")), 0
    nodes = nodes.join(_prior(session, types, prior), "key", "left")
    start = f.coalesce("score", f.col("jump") * (1.0 - policy.damping))
    nodes = nodes.select(
        "key", "jump", start.alias("start"), f.col("score").isNotNull().alias("old")
    )
    mass, known = nodes.agg(f.sum("start"), f.sum(f.col("old").cast("long"))).first()
    start = f.col("start") / mass if mass else f.col("jump")
    return nodes.select("key", "jump", start.alias("start")), int(known)


def _prior(session: "SparkSession", types: list[str], prior: Ranked) -> "DataFrame":
    there = [name for name in types if name in prior.entities.ids]
    keys = [prior.entities.ids[name] * len(types) + types.index(name) for name in there]
    scores = [prior.of(name) for name in there]
    table = pa.table(
        {
            "key": np.concatenate([*keys, np.empty(0, np.int64)]),
            "score": np.concatenate([*scores, np.empty(0)]),
        }
    )
    return session.createDataFrame(table)


def _collected(scored: Scored, types: list[str]) -> tuple[Entities, Floats]:
    """All nodes and their scores, types and ids ascending."""
    table: Any = scored.scores.toArrow()
    keys, scores = (table.column(name).to_numpy() for name in ("key", "score"))
    codes, ids = keys % len(types), keys // len(types)
    order = np.lexsort((ids, codes))
    ids, codes, scores = ids[order], codes[order], scores[order]
    entities = entities_of({name: ids[codes == code] for code, name in enumerate(types)})
    found: Floats = scores / scores.sum()
    return entities, found


def _solution(scored: Scored, scores: Floats, parameters: Parameters, seconds: float) -> Solution:
    return Solution(
        scores=scores,
        residuals=tuple(scored.residuals),
        error_bound=parameters.error_factor * scored.residuals[-1],
        dangling_mass=scored.dangling_mass,
        method=Method.POWER,
        seconds=seconds,
    )
