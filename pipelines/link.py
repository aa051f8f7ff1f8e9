"""Who is who: compare each department's kept rows with the records they may be about."""

from __future__ import annotations

import json
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from connectors.contract import FileContract
from connectors.registry import all_contracts, authorised_sources, evidence_sources
from pipelines.durable import replacing_folder
from pipelines.intake.evidence_tables import (
    REGISTER_SCHEMA,
    find_repeated,
    mark_repeated,
    open_evidence_rows,
)
from pipelines.plain_rows import People, plain_records, read_people
from pipelines.settings import Settings
from pipelines.warehouse import build_table, load_table, open_warehouse, query_arrow, sql_text

# What says how a row reaches a record; no rule may read it.
_OF_NAME_AND_NUMBER = "name_digest, name_readable, is_upgraded, is_repaired"
_PARTED_BANKS = ("standing_bank_row", "alike_bank_row")
_COUNTED = ("linked", "duplicate", "used_without_authorisation", "evidence_rows", "evidence_sum")


def link_night(settings: Settings) -> dict[str, Any]:
    """Write work/<as-of>/link (the counts) and work/<as-of>/reach: which record each row reaches.

    reach: of each source plain_<source>.arrow, the record of each plain row beside the evidence, and
    uncommon_<source>.arrow, all other rows with the records they reach; neither of a source without evidence.
    Returns the counts per source: linked, duplicate (spec section 3), used_without_authorisation, evidence_rows,
    evidence_sum.
    """
    asked_record = settings.work / "people" / "asked_record.parquet"
    counts = {source: dict.fromkeys(_COUNTED, 0) for source in evidence_sources()}
    delivered = {source: rows for source in counts if len(rows := _evidence_of(settings, source))}
    with replacing_folder(settings.work / "reach") as building, open_warehouse(building) as con:
        with ThreadPoolExecutor(settings.workers) as side_by_side:
            people = side_by_side.submit(read_people, asked_record)
            writing = {
                source: side_by_side.submit(_write_plain, source, delivered[source], people, building)
                for source in sorted(delivered, key=lambda source: -len(delivered[source]))
            }
            others = {source: one.result() for source, one in writing.items()}
        if others:
            con.register(
                "other_person", pa.concat_tables(rows.select(["person"]) for rows in others.values())
            )
            con.execute(
                "create table asked_record as from read_parquet($file) where person in (from other_person)",
                {"file": str(asked_record)},
            )
            define_reach(con)
        for source, evidence in delivered.items():
            counts[source] = _link_source(con, source, evidence, others[source], building)
    with replacing_folder(settings.work / "link") as building:
        (building / "counts.json").write_text(json.dumps(counts), encoding="utf-8")
    return counts


def load_linked(con: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """Views reach_<source> of each source's evidence of tonight, and inexact."""
    for source in evidence_sources():
        evidence = _evidence_of(settings, source)
        if not len(evidence):
            con.register(f"reach_{source}", _reaching_nothing(evidence))
            continue
        plain, uncommon = open_reached(settings, source)
        con.register(f"plain_{source}", plain)
        con.register(f"uncommon_{source}", uncommon)
        con.execute(
            f"""
            create or replace view reach_{source} as
            select * exclude ({_OF_NAME_AND_NUMBER}), 'exact' as how, false as is_repeated
            from plain_{source}
            where record is not null
            union all by name
            from uncommon_{source}
            """
        )
    gather_inexact(con)


def open_reached(settings: Settings, source: str) -> tuple[pa.Table, pa.Table]:
    """A source's evidence of tonight with the record of each plain row, and all other rows with those they reach."""
    evidence, folder = _evidence_of(settings, source), settings.work / "reach"
    if not len(evidence):
        nothing = _reaching_nothing(evidence)
        return nothing, nothing
    record = _read_arrow(folder / _plain_file(source)).column("record")
    return evidence.append_column("record", record), _read_arrow(folder / _uncommon_file(source))


def define_reach(con: duckdb.DuckDBPyConnection) -> None:
    """The macro of sql/link/reach.sql. Wants asked_record."""
    con.execute(sql_text("link/reach"))


def view_reach(con: duckdb.DuckDBPyConnection, source: str, evidence: pa.Table) -> None:
    """View reach_<source>: one row per row of the source and record it reaches. Wants `define_reach`.

    evidence: with is_repeated. Of no row nothing is asked: most sources have none about one household.
    """
    if not len(evidence):
        con.register(f"reach_{source}", _reaching_nothing(evidence))
        return
    con.register(f"evidence_{source}", evidence)
    con.execute(
        f"""
        create or replace view reach_{source} as
        select * exclude ({_OF_NAME_AND_NUMBER}, scopes)
        from reach('evidence_{source}', {source == "tax"})
        where how is not null
        """
    )


def _reaching_nothing(evidence: pa.Table) -> pa.Table:
    none = evidence.drop_columns(_OF_NAME_AND_NUMBER.split(", "))
    for name, kind in (("record", pa.int32()), ("how", pa.string()), ("is_repeated", pa.bool_())):
        if name not in none.column_names:
            none = none.append_column(name, pa.array([], kind))
    return none


def part_banks(plain: pa.Table, uncommon: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Rows of banks that are what their account held on its latest day, with is_first (of the account); others of
    such days, of which the largest of some has to be found, with their account.

    plain, uncommon: of `open_reached`.
    """
    # What checks a household alone need not load the compiler.
    from pipelines.latest_rows import part_by_day

    asset = ["record", "currency", "balance", "balance_date"]
    account = ["bank_code", "account_no", "account_type"]
    exact = uncommon.filter(pc.equal(uncommon.column("how"), "exact"))
    rows = pa.concat_tables([table.select([*asset, *account]) for table in (plain, exact)])
    stands, is_first, is_alike = part_by_day(
        rows, "bank_code", "account_no", "balance_date", ("account_type", "currency")
    )
    standing = rows.select(asset).append_column("is_first", is_first).filter(stands)
    return standing, rows.filter(is_alike)


def view_latest_banks(
    con: duckdb.DuckDBPyConnection, parted: tuple[pa.Table, pa.Table] | None = None
) -> None:
    """View latest_banks: the exact rows of banks that may be of their account's latest day.

    stands: it is part of what the account held, by itself; is_first: and the first such of the account. parted: of
    `part_banks`; without it that is known of none.
    """
    if parted is None:
        con.execute(
            """
            create view latest_banks as
            select *, false as stands, false as is_first from reach_banks where how = 'exact'
            """
        )
        return
    for name, rows in zip(_PARTED_BANKS, parted, strict=True):
        con.register(name, rows)
    con.execute(
        """
        create view latest_banks as
        select *, true as stands from standing_bank_row
        union all by name
        select *, false as stands, false as is_first from alike_bank_row
        """
    )


def drop_latest_banks(con: duckdb.DuckDBPyConnection) -> None:
    """Give back what latest_banks holds; reach_banks stays."""
    con.execute("drop view latest_banks")
    for rows in _PARTED_BANKS:
        con.unregister(rows)
    pa.default_memory_pool().release_unused()  # or it would be kept for Arrow, beside what DuckDB takes now


def gather_inexact(con: duckdb.DuckDBPyConnection) -> None:
    """View inexact of the views reach_<source>: the rows that are no evidence."""
    every = [f"select '{source}' as source, record, how from reach_{source}" for source in evidence_sources()]
    con.execute(f"create view inexact as from ({' union all '.join(every)}) where how <> 'exact'")


def load_registers(con: duckdb.DuckDBPyConnection, evidence: Path) -> None:
    """View register_row: what stands in the registers looked at. evidence: the folder that has that of each source."""
    parts = sorted((evidence / "household_registration").glob("register-*.parquet"))
    if parts:
        con.read_parquet([str(part) for part in parts]).create_view("register_row")
    else:
        load_table(con, "register_row", [], REGISTER_SCHEMA)


def _evidence_of(settings: Settings, source: str) -> pa.Table:
    return open_evidence_rows(settings.work / "evidence" / source, _file_of(source))


def _file_of(source: str) -> FileContract:
    return all_contracts()[source].files[0]


def _plain_file(source: str) -> str:
    return f"plain_{source}.arrow"


def _uncommon_file(source: str) -> str:
    return f"uncommon_{source}.arrow"


def _read_arrow(path: Path) -> pa.Table:
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


def _bit_of(source: str) -> int | None:
    """Its bit in the authorisations; None when it needs none."""
    scopes = authorised_sources()
    return scopes.index(source) if source in scopes else None


def _write_plain(source: str, evidence: pa.Table, people: Future[People], building: Path) -> pa.Table:
    """Write down the records of the plain rows. Returns the other rows."""
    others = []
    schema = pa.schema([("record", pa.int32())])
    repeated = find_repeated(evidence)  # while the people are read
    reached = people.result().reached_by(source == "tax", _bit_of(source))
    with pa.ipc.new_file(str(building / _plain_file(source)), schema) as writer:
        for rows, records in plain_records(evidence, repeated, reached):
            writer.write_batch(pa.record_batch([records], schema))
            others.append(rows.filter(records.is_null()))
    return mark_repeated(pa.Table.from_batches(others, evidence.schema))


def _link_source(
    con: duckdb.DuckDBPyConnection, source: str, evidence: pa.Table, others: pa.Table, building: Path
) -> dict[str, int]:
    con.register("evidence", evidence)
    con.register("other", others)
    build_table(con, "link/uncommon", with_obligors=source == "tax", bit=_bit_of(source))
    build_table(con, "link/link_count", plain_rows=len(evidence) - len(others))
    reached = query_arrow(
        con, f"select * exclude ({_OF_NAME_AND_NUMBER}, is_unauthorised) from uncommon where how is not null"
    )
    with pa.ipc.new_file(str(building / _uncommon_file(source)), reached.schema) as writer:
        writer.write_table(reached)
    ((linked, duplicate, without),) = con.execute("from link_count").fetchall()
    amounts = [column.name for column in _file_of(source).columns if column.type == "money"]
    sums = " + ".join(f"coalesce(sum({name}), 0)" for name in amounts) or "any_value(0)"
    ((total,),) = con.execute(f"select {sums} from evidence").fetchall()
    con.unregister("other")
    con.unregister("evidence")
    found = (linked, duplicate, without, len(evidence), int(total or 0))
    return dict(zip(_COUNTED, found, strict=True))
