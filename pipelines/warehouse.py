"""DuckDB for one stage: open it, run the SQL files, write tables as Parquet. Nothing plain ever enters it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

SQL_FOLDER = Path(__file__).parent.parent / "sql"
_PARAMETER = re.compile(r"\$([a-z][a-z0-9_]*)")


@contextmanager
def open_warehouse(work: Path, threads: int | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory database of one stage; what does not fit spills to `work` (tokens and figures only)."""
    work.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(":memory:") as con:
        con.execute("set temp_directory = ?", [str(work / "spill")])
        con.execute("set memory_limit = ?", [os.environ.get("HEDUI_MEMORY", "4GB")])
        con.execute("set preserve_insertion_order = false")
        con.execute("set enable_progress_bar = false")  # it would be drawn into the closing table
        con.execute("set autoinstall_known_extensions = false")
        con.execute("set autoload_known_extensions = false")
        if threads:
            con.execute("set threads = ?", [threads])
        yield con


def sql_text(name: str) -> str:
    """The text of sql/<name>.sql."""
    return (SQL_FOLDER / f"{name}.sql").read_text(encoding="utf-8")


def build_table(con: duckdb.DuckDBPyConnection, name: str, **values: Any) -> None:
    """Run sql/<name>.sql, which creates the table of the same last name.

    values: offered to the file; it is given the ones it names as $parameters. Raises KeyError for a parameter
    nobody offered, duckdb.Error for a refused statement.
    """
    text = sql_text(name)
    con.execute(text, _wanted_values(text, values))


def _wanted_values(text: str, values: dict[str, Any]) -> dict[str, Any]:
    return {key: values[key] for key in named_values(text)}


def named_values(text: str) -> set[str]:
    """The $values an SQL text names; what stands in its comments does not count."""
    return set(_PARAMETER.findall(re.sub(r"--[^\n]*", "", text)))


def load_table(
    con: duckdb.DuckDBPyConnection, name: str, files: list[Path], like: pa.Schema | None = None
) -> None:
    """Create table `name` from Parquet files, or an empty one of schema `like` when there is none."""
    if files:
        con.execute(
            f"create or replace table {name} as select * from read_parquet($files)",
            {"files": [str(f) for f in files]},
        )
    else:
        assert like is not None
        empty = like.empty_table()
        con.register("_empty", empty)
        con.execute(f"create or replace table {name} as select * from _empty")
        con.unregister("_empty")


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def write_table(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    """Write a table or query as Parquet."""
    con.execute(f"copy ({query}) to {_quoted(path)} (format parquet, compression lz4)")


def query_arrow(con: duckdb.DuckDBPyConnection, query: str) -> pa.Table:
    """The result of a query as one Arrow table."""
    return con.sql(query).to_arrow_table()


def insert_arrow(con: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    """Create table `name` with the rows of an Arrow table."""
    con.register("_arrow", table)
    con.execute(f"create or replace table {name} as select * from _arrow")
    con.unregister("_arrow")
