"""The same calculation on Spark, for graphs that fit no machine. It needs the extra `spark`."""
