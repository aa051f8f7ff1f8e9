"""Who is who: compare each department's kept rows with the records they may be about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from connectors.contract import FileContract
from connectors.registry import all_contracts, authorised_sources, evidence_sources
from pipelines.durable import replacing_folder
from pipelines.intake.evidence_tables import REGISTER_SCHEMA, mark_repeated, open_evidence_rows
from pipelines.settings import Settings
from pipelines.warehouse import build_table, load_table, open_warehouse, sql_text, write_table


def link_night(settings: Settings) -> dict[str, Any]:
    """Write work/<as-of>/link: the rows that reach a record otherwise than exactly, and which rows are like another.

    Returns the counts per source: linked, duplicate (spec section 3), used_without_authorisation, evidence_rows,
    evidence_sum.
    """
    counts: dict[str, dict[str, int]] = {}
    with replacing_folder(settings.work / "link") as building:
        with open_warehouse(building) as con:
            load_table(con, "asked_record", [settings.work / "people" / "asked_record.parquet"])
            define_reach(con)
            con.execute("create table inexact (source varchar, record integer, how varchar)")
            for source in evidence_sources():
                evidence = mark_repeated(_evidence_of(settings, source))
                pq.write_table(evidence.select(["is_repeated"]), building / f"repeated_{source}.parquet")
                counts[source] = _link_source(con, source, evidence)
            write_table(con, "select * from inexact", building / "inexact.parquet")
        (building / "counts.json").write_text(json.dumps(counts), encoding="utf-8")
    return counts


def load_linked(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Tables asked_record and inexact, and a view reach_<source> of each source's evidence of tonight."""
    load_table(con, "asked_record", [settings.work / "people" / "asked_record.parquet"])
    load_table(con, "inexact", [settings.work / "link" / "inexact.parquet"])
    define_reach(con)
    for source in evidence_sources():
        repeated = pq.read_table(settings.work / "link" / f"repeated_{source}.parquet").column(0)
        view_reach(con, source, _evidence_of(settings, source).append_column("is_repeated", repeated))


def define_reach(con: duckdb.DuckDBPyConnection) -> None:
    """The macro of sql/link/reach.sql. Wants asked_record."""
    con.execute(sql_text("link/reach"))


def view_reach(con: duckdb.DuckDBPyConnection, source: str, evidence: pa.Table) -> None:
    """View reach_<source>: one row per row of the source and record it reaches. Wants `define_reach`.

    evidence: with is_repeated.
    """
    con.register(f"evidence_{source}", evidence)
    con.execute(
        f"""
        create or replace view reach_{source} as
        select * exclude (name_digest, name_readable, is_upgraded, is_repaired, is_alone, scopes)
        from reach('evidence_{source}', {source == "tax"})
        where how is not null
        """
    )


def gather_inexact(con: duckdb.DuckDBPyConnection) -> None:
    """Table inexact of the views reach_<source>."""
    every = [f"select '{source}' as source, record, how from reach_{source}" for source in evidence_sources()]
    con.execute(f"create table inexact as from ({' union all '.join(every)}) where how <> 'exact'")


def load_registers(con: duckdb.DuckDBPyConnection, evidence: Path) -> None:
    """Table register_row: what stands in the registers looked at. evidence: the folder that has that of each source."""
    parts = sorted((evidence / "household_registration").glob("register-*.parquet"))
    load_table(con, "register_row", parts, REGISTER_SCHEMA)


def _evidence_of(settings: Settings, source: str) -> pa.Table:
    return open_evidence_rows(settings.work / "evidence" / source, _file_of(source))


def _file_of(source: str) -> FileContract:
    return all_contracts()[source].files[0]


def _link_source(con: duckdb.DuckDBPyConnection, source: str, evidence: pa.Table) -> dict[str, int]:
    scopes = authorised_sources()
    con.register("evidence", evidence)
    build_table(
        con,
        "link/uncommon",
        with_obligors=source == "tax",
        bit=scopes.index(source) if source in scopes else None,
    )
    build_table(con, "link/link_count", evidence_rows=len(evidence))
    con.execute(
        "insert into inexact select $source, record, how from uncommon where how <> 'exact'",
        {"source": source},
    )
    ((linked, duplicate, without),) = con.execute("from link_count").fetchall()
    amounts = [column.name for column in _file_of(source).columns if column.type == "money"]
    sums = " + ".join(f"coalesce(sum({name}), 0)" for name in amounts) or "any_value(0)"
    ((total,),) = con.execute(f"select {sums} from evidence").fetchall()
    con.unregister("evidence")
    return {
        "linked": linked,
        "duplicate": duplicate,
        "used_without_authorisation": without,
        "evidence_rows": len(evidence),
        "evidence_sum": int(total or 0),
    }
