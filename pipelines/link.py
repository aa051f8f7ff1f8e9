"""Who is who: compare each department's kept rows with the records they may be about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb

from connectors.registry import all_contracts, authorised_sources, evidence_sources
from pipelines.durable import replacing_folder
from pipelines.intake.evidence_tables import REGISTER_SCHEMA, open_evidence_rows
from pipelines.settings import Settings
from pipelines.warehouse import build_file, build_table, load_table, open_warehouse, view_table

PEOPLE_TABLES = ("household", "record", "person", "incomplete", "authorised", "near_suspect")


def link_night(settings: Settings) -> dict[str, Any]:
    """Write work/<as-of>/link: how each source's rows reach the records. Returns the counts per source.

    linked: rows exact for at least one record; duplicate: linked minus distinct ones (spec section 3).
    """
    counts: dict[str, dict[str, int]] = {}
    with replacing_folder(settings.work / "link") as building:
        with open_warehouse(building) as con:
            load_people(con, settings.work / "people")
            build_table(con, "link/asked_record")
            for source in evidence_sources():
                counts[source] = _link_source(con, settings, source, building / f"reach_{source}.parquet")
        (building / "counts.json").write_text(json.dumps(counts), encoding="utf-8")
    return counts


def load_people(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    for table in PEOPLE_TABLES:
        load_table(con, table, [folder / f"{table}.parquet"])


def load_registers(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    parts = sorted((settings.work / "evidence" / "household_registration").glob("register-*.parquet"))
    load_table(con, "register_row", parts, REGISTER_SCHEMA)


def _link_source(
    con: duckdb.DuckDBPyConnection, settings: Settings, source: str, reach: Path
) -> dict[str, int]:
    """Write how the source's rows reach the records to `reach`; returns what is counted on the way."""
    contract = all_contracts()[source]
    con.register("evidence", open_evidence_rows(settings.work / "evidence" / source, contract.files[0]))
    build_file(con, "link/reach", reach, source="evidence", with_obligors=source == "tax")
    view_table(con, "reach", reach)
    ((linked, distinct),) = con.execute(
        """
        select (select count(*) from reach where how = 'exact' and is_alone)
                + (select count(distinct row) from reach where how = 'exact' and not is_alone),
            (select count(*) from (select distinct person, row_digest from reach where how = 'exact'))
        """
    ).fetchall()
    scopes = authorised_sources()
    bit = scopes.index(source) if source in scopes else None
    ((without,),) = con.execute(
        "select count(*) from evidence join person using (person) where $bit is not null and (scopes >> $bit) & 1 = 0",
        {"bit": bit},
    ).fetchall()
    amounts = [
        f"coalesce(sum({column.name}), 0)" for column in contract.files[0].columns if column.type == "money"
    ]
    ((rows, total),) = con.execute(f"select count(*), {' + '.join(amounts) or '0'} from evidence").fetchall()
    con.unregister("evidence")
    return {
        "linked": linked,
        "duplicate": linked - distinct,
        "used_without_authorisation": without,
        "evidence_rows": rows,
        "evidence_sum": int(total or 0),
    }
