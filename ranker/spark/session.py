"""A session of Spark, and what has to be so in it."""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ranker.errors import RankerError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class SparkError(RankerError):
    """Spark is not installed, cannot be started, or gave up; the message has its first words."""

    exit_code = 3


@contextmanager
def open_session(master: str | None) -> Iterator["SparkSession"]:
    """A session, stopped at the end.

    Args:
        master: Such as `local[2]` or `spark://host:7077`; None: as Spark's own configuration says.

    Raises:
        SparkError: there is no Spark, or no Java to run it.
    """
    if importlib.util.find_spec("pyspark") is None:
        raise SparkError("Spark is not installed; pip install 'disco[spark]' does it")
    from pyspark.sql import SparkSession  # noqa: PLC0415 - an extra

    builder: Any = SparkSession.builder.appName("disco rank")
    for name, value in _CONFIGURATION.items():
        builder = builder.config(name, value)
    if master is not None:
        builder = builder.master(master)
    try:
        session = builder.getOrCreate()
    except Exception as error:
        raise SparkError(
            f"Spark does not start ({first_line(error)}); it needs Java 17 or newer in JAVA_HOME, "
            "and a master that answers"
        ) from error
    context = session.sparkContext
    context.setLogLevel("ERROR")
    if not context.getConf().contains(_PARTS):
        # Its own default, 200, is for no size of data in particular.
        session.conf.set(_PARTS, str(2 * context.defaultParallelism))
    try:
        yield session
    finally:
        session.stop()


_PARTS = "spark.sql.shuffle.partitions"
_CONFIGURATION = {
    "spark.sql.session.timeZone": "UTC",
    "spark.driver.maxResultSize": "0",  # all scores come to the driver, 16 bytes each
    "spark.ui.showConsoleProgress": "false",
}


def first_line(error: Exception) -> str:
    """What Spark says, without the traces of the Java behind it."""
    return str(error).strip().partition("\n")[0][:300]
