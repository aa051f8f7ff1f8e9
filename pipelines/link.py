"""Who is who: compare each department's kept rows with the records they may be about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb

from connectors.registry import all_contracts, authorised_sources, evidence_sources
from pipelines.durable import replacing_folder
from pipelines.intake.evidence import REGISTER_SCHEMA, open_evidence_rows
from pipelines.settings import Settings
from pipelines.warehouse import build_table, load_table, open_warehouse, write_table

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
                counts[source] = _link_source(con, settings, source)
                write_table(con, f"select * from reach_{source}", building / f"reach_{source}.parquet")
                con.execute(f"drop table reach_{source}")
        (building / "counts.json").write_text(json.dumps(counts), encoding="utf-8")
    return counts


def load_people(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    for table in PEOPLE_TABLES:
        load_table(con, table, [folder / f"{table}.parquet"])


def load_registers(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    parts = sorted((settings.work / "evidence" / "household_registration").glob("register-*.parquet"))
    load_table(con, "register_row", parts, REGISTER_SCHEMA)


def _link_source(con: duckdb.DuckDBPyConnection, settings: Settings, source: str) -> dict[str, int]:
    contract = all_contracts()[source]
    con.register("evidence", open_evidence_rows(settings.work / "evidence" / source, contract.files[0]))
    build_table(con, "link/reach", source="evidence", with_obligors=source == "tax")
    row = con.execute(
        """
        select (select count(*) from (select distinct row from reach where how = 'exact')),
            (select count(*) from (select distinct person, row_digest from reach where how = 'exact'))
        """
    ).fetchone()
    assert row is not None
    scopes = authorised_sources()
    bit = scopes.index(source) if source in scopes else None
    without = con.execute(
        "select count(*) from evidence join person using (person) where $bit is not null and (scopes >> $bit) & 1 = 0",
        {"bit": bit},
    ).fetchone()
    assert without is not None
    amounts = [
        f"coalesce(sum({column.name}), 0)" for column in contract.files[0].columns if column.type == "money"
    ]
    total = con.execute(f"select count(*), {' + '.join(amounts) or '0'} from evidence").fetchone()
    assert total is not None
    con.execute(f"alter table reach rename to reach_{source}")
    con.unregister("evidence")
    return {
        "linked": row[0],
        "duplicate": row[0] - row[1],
        "used_without_authorisation": without[0],
        "evidence_rows": total[0],
        "evidence_sum": int(total[1] or 0),
    }
