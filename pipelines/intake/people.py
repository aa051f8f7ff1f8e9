"""Who is asked about tonight: the roster and the monitored households, de-identified."""

from __future__ import annotations

import json
import os
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from connectors.contract import Contract
from connectors.feeds import open_feed
from connectors.registry import all_contracts, authorised_sources
from pipelines.durable import replacing_folder
from pipelines.errors import NightFailed
from pipelines.identity.cipher import Tokeniser
from pipelines.identity.idnumber import birth_dates, pack_blocks, unpack_chars, valid_neighbours
from pipelines.identity.names import digest_names
from pipelines.identity.tokens import join_halves, token_halves
from pipelines.intake.batch import BIT
from pipelines.intake.checks import Judging
from pipelines.intake.files import FileOutcome, contract_of, read_file
from pipelines.intake.judged import Judged
from pipelines.intake.persons import number_persons
from pipelines.intake.receipts import Receipt
from pipelines.intake.sealed_names import seal_names
from pipelines.intake.source import SourceResult, check_receipt, finish_source
from pipelines.settings import Settings
from pipelines.warehouse import build_table, insert_arrow, open_warehouse, query_arrow, write_table
from policy.model import PolicyAt

_TABLES = (
    "record",
    "incomplete",
    "authorised",
    "unauthorised_household",
    "near_suspect",
)
_HEAD = "01"  # GB/T 4761: 户主


@dataclass
class _Read:
    """All judged batches of one kind of file, with where each row came from."""

    checked: list[Judged] = field(default_factory=list)
    outcomes: list[FileOutcome] = field(default_factory=list)

    def column(self, name: str) -> pa.Array:
        parts = [one.text_or_parsed(name) for one in self.checked]
        return pa.chunked_array(parts).combine_chunks() if parts else pa.array([], pa.string())

    @property
    def masks(self) -> NDArray[np.uint32]:
        return np.concatenate([one.mask for one in self.checked] or [np.zeros(0, np.uint32)])


def intake_people(
    settings: Settings,
    policy: PolicyAt,
    cipher: Tokeniser,
    judging: Judging,
    readers: Executor | None = None,
) -> dict[str, Any]:
    """Read the roster and rural_revitalisation and write work/<as-of>/people. Returns both sources' results.

    readers: processes one of which reads rural_revitalisation meanwhile; without them a thread does.
    Raises NightFailed when the roster is held or missing: nobody can be checked without it.
    """
    with replacing_folder(settings.work / "people") as building:
        return _build_people(settings, policy, cipher, judging, building, readers)


def _build_people(
    settings: Settings,
    policy: PolicyAt,
    cipher: Tokeniser,
    judging: Judging,
    building: Path,
    readers: Executor | None,
) -> dict[str, Any]:
    contracts = all_contracts()
    with open_warehouse(building) as con, ThreadPoolExecutor(1) as beside:
        # Workbooks keep the interpreter busy, the roster's lines hardly do: together they take as long as the longer.
        later = (readers or beside).submit(
            _read_people, settings, policy, contracts["rural_revitalisation"], judging
        )
        roster, roster_read = _read_people(settings, policy, contracts["roster"], judging)
        monitored, monitored_read = later.result()
        names = _Names()
        _insert_rows(con, roster_read, monitored_read["households"], judging.as_of, cipher, names, beside)
        _judge_roster(con, roster_read)
        _judge_monitored(con, monitored_read["households"])
        _count_verdicts(con, roster_read, monitored_read["households"])
        finish_source(settings, policy, roster, [o for read in roster_read.values() for o in read.outcomes])
        finish_source(settings, policy, monitored, monitored_read["households"].outcomes)
        if roster.state != "accepted":
            raise NightFailed(
                f"the roster is {roster.state} ({roster.reason or 'no folder or receipt'}): "
                f"{roster.message or 'nothing was delivered'}. "
                "Nobody can be checked without it; nothing was published. Obtain a new roster and run the night again."
            )
        if monitored.state != "accepted":
            con.execute("delete from monitored_judged")
        del roster_read, monitored_read
        _write_people(con, building, settings.as_of, cipher, names, beside)
    results = {"roster": roster.as_dict(), "rural_revitalisation": monitored.as_dict()}
    (building / "sources.json").write_text(json.dumps(results, ensure_ascii=False), encoding="utf-8")
    return results


def _insert_rows(
    con: duckdb.DuckDBPyConnection,
    roster: dict[str, _Read],
    monitored: _Read,
    as_of: date,
    cipher: Tokeniser,
    names: _Names,
    beside: Executor,
) -> None:
    """Tables household_row, member_row, monitored_row and authorisation_row: what was read, de-identified."""
    households = beside.submit(_household_rows, roster["households"])
    authorisations = beside.submit(_authorisation_rows, roster["authorisations"], cipher)
    con.register("member_row", _person_rows(roster["members"], as_of, cipher, names, beside))
    insert_arrow(con, "monitored_row", _person_rows(monitored, as_of, cipher, names, beside))
    insert_arrow(con, "household_row", households.result())
    insert_arrow(con, "authorisation_row", authorisations.result())


def _read_people(
    settings: Settings, policy: PolicyAt, contract: Contract, judging: Judging
) -> tuple[SourceResult, dict[str, _Read]]:
    reads = {file.key: _Read() for file in contract.files}
    with closing(open_feed(contract.source, settings.feeds, os.environ)) as feed:
        result, receipt = check_receipt(contract, feed, policy)
        if receipt is None:
            return result, reads
        for listed in receipt.files:
            outcome = FileOutcome(listed.name)
            checked = list(read_file(feed, contract, listed, judging, outcome))
            for one in checked:
                one.file_name = listed.name
            read = reads[_file_key(contract, listed.name)]
            read.checked.extend(checked)
            read.outcomes.append(outcome)
    _require_every_file(contract, receipt, result)
    return result, reads


def _file_key(contract: Contract, name: str) -> str:
    file = contract_of(contract, name)
    return file.key if file else contract.files[0].key


def _require_every_file(contract: Contract, receipt: Receipt, result: SourceResult) -> None:
    """The roster is three files; a receipt that leaves one out is no roster."""
    if len(contract.files) == 1:
        return
    missing = [
        file.pattern for file in contract.files if file.pattern not in {one.name for one in receipt.files}
    ]
    if missing:
        result.hold("unreadable", f"{contract.source}: the receipt does not name {', '.join(missing)}")


class _Names:
    """The names of all person rows, in the order they were read; kept sealed, by record."""

    def __init__(self) -> None:
        self._parts: list[pa.Array] = []
        self._count = 0

    def add(self, names: pa.Array) -> NDArray[np.int64]:
        """Remember names; returns the number each can be asked for by."""
        self._parts.append(names)
        start, self._count = self._count, self._count + len(names)
        return np.arange(start, self._count)

    def of_records(self, records: NDArray[np.int32]) -> pa.Array:
        """The name of record n at n - 1; null where a row became no record."""
        nobody = np.ones(self._count, dtype=bool)
        nobody[records - 1] = False
        everybody = pa.chunked_array(self._parts, pa.string()).combine_chunks()
        return pc.if_else(pa.array(nobody), pa.scalar(None, pa.string()), everybody)


def _places(read: _Read) -> dict[str, Any]:
    """Row number, verdict so far: what every row table starts with."""
    masks = read.masks
    return {"row": np.arange(len(masks), dtype=np.int64), "mask": masks}


def _household_rows(read: _Read) -> pa.Table:
    names = (
        "household_id",
        "programme",
        "county_code",
        "township_code",
        "area",
        "declared_monthly_income",
        "declared_financial_assets",
        "status",
    )
    return _row_table(read, names)


def _row_table(read: _Read, names: tuple[str, ...]) -> pa.Table:
    types = {"declared": pa.int64(), "rigid": pa.int64(), "signed": pa.date32(), "valid": pa.date32()}
    columns: dict[str, Any] = _places(read)
    for name in names:
        columns[name] = read.column(name).cast(types.get(name.split("_")[0], pa.string()))
    return pa.table(columns)


def _tokens_of(read: _Read, cipher: Tokeniser) -> dict[str, Any]:
    """hi, lo: the token's two halves (zero where the number cannot be read)."""
    halves: list[tuple[Any, Any]] = [(np.zeros(0, np.uint64), np.zeros(0, np.uint64))]
    for one in read.checked:
        formed = np.flatnonzero(one.formed())
        hi, lo = np.zeros(len(one.mask), np.uint64), np.zeros(len(one.mask), np.uint64)
        hi[formed], lo[formed] = token_halves(cipher.tokens(one.id_blocks(formed)))
        halves.append((hi, lo))
    return {"hi": np.concatenate([hi for hi, _ in halves]), "lo": np.concatenate([lo for _, lo in halves])}


def _person_rows(read: _Read, as_of: date, cipher: Tokeniser, names: _Names, beside: Executor) -> pa.Table:
    listed = {column.name for one in read.checked[:1] for column in one.file.columns}
    wanted = (
        "household_id",
        "role",
        "county_code",
        "township_code",
        "area",
        "relation",
        "risk_eliminated",
        "declared_annual_income_per_capita",
        "rigid_expenditure_12m",
        "has_obligor",
        "disability_grade",
        "disability_category",
        "severe_illness",
    )
    raw_names = read.column("name")
    digested = beside.submit(digest_names, raw_names, cipher)
    tokens = _tokens_of(read, cipher)
    valid = np.concatenate([one.valid for one in read.checked] or [np.zeros(0, dtype=bool)])
    if listed:
        present = _row_table(read, tuple(name for name in wanted if name in listed))
    else:
        present = pa.table({"row": pa.array([], pa.int64()), "mask": pa.array([], pa.uint32())})
    for name in wanted:
        if name not in present.column_names:
            kind = pa.int64() if name.startswith(("declared", "rigid")) else pa.string()
            present = present.append_column(name, pa.nulls(len(present), kind))
    ages = _ages(read, as_of)
    digests, readable = digested.result()
    extra = {
        **tokens,
        "is_valid": valid,
        "age": ages,
        "name_digest": digests,
        "name_readable": readable,
        "name_row": names.add(raw_names),
    }
    for name, values in extra.items():
        present = present.append_column(name, pa.array(values))
    return present


def _ages(read: _Read, as_of: date) -> pa.Array:
    """Years completed at as_of, attained on the birthday; null for numbers that are not valid."""
    today = as_of.year * 10000 + as_of.month * 100 + as_of.day
    ages: list[pa.Array] = []
    for one in read.checked:
        rows = np.flatnonzero(one.valid)
        years = np.zeros(len(one.mask), np.int32)
        years[rows] = (today - birth_dates(one.id_chars(rows))) // 10000
        ages.append(pa.array(years, mask=~one.valid))
    return pa.chunked_array(ages, pa.int32()).combine_chunks()


def _authorisation_rows(read: _Read, cipher: Tokeniser) -> pa.Table:
    tokens = _tokens_of(read, cipher)
    table = _row_table(read, ("signed_on", "valid_until"))
    scopes = read.column("scope").cast(pa.string()).dictionary_encode()
    bits = np.array([scope_bits(text) for text in scopes.dictionary.to_pylist()] or [0], dtype=np.uint64)
    codes = scopes.indices.fill_null(0).to_numpy(zero_copy_only=False)
    chosen = bits[codes] if len(codes) else np.zeros(0, np.uint64)
    for name, values in {**tokens, "scopes": chosen}.items():
        table = table.append_column(name, pa.array(values))
    return table


def scope_bits(scope: str | None) -> int:
    """One bit per source that needs an authorisation, in registry order; `*` is all of them."""
    sources = authorised_sources()
    named = set(sources) if scope == "*" else set((scope or "").split(";"))
    return sum(1 << position for position, source in enumerate(sources) if source in named)


def _judge_roster(con: duckdb.DuckDBPyConnection, reads: dict[str, _Read]) -> None:
    build_table(con, "intake/household_judged", repeated=int(BIT["household_repeated"]))
    build_table(con, "intake/member_judged", unknown=int(BIT["household_unknown"]))
    con.unregister("member_row")
    _mark_repeated(con, "member_judged", "household_row", reads["members"])


def _judge_monitored(con: duckdb.DuckDBPyConnection, read: _Read) -> None:
    con.execute("create or replace table monitored_judged as select * from monitored_row")
    _mark_repeated(con, "monitored_judged", "household_id", read)
    con.execute(
        """
        update monitored_judged set mask = mask | $missing::uinteger
        where household_id <> '' and household_id not in (
            select household_id from monitored_judged where mask = 0 and relation = $head
            group by household_id having count(*) = 1
        )
        """,
        {"missing": int(BIT["household_head_missing"]), "head": _HEAD},
    )


def _mark_repeated(con: duckdb.DuckDBPyConnection, table: str, household: str, read: _Read) -> None:
    """Of acceptable rows with the same household and number one counts: a member before an obligor, then the first
    in the order of their raw fields."""
    groups = con.execute(
        f"""
        with twice as (
            select {household}, hi, lo from {table} where mask = 0 group by all having count(*) > 1
        )
        select list(row), list(coalesce(role, '成员') = '成员')
        from {table} join twice using ({household}, hi, lo) where mask = 0 group by {household}, hi, lo
        """
    ).fetchall()
    if not groups:
        return
    places = _RawRows(read)
    repeated: list[int] = []
    for rows, is_member in groups:
        order = sorted(
            zip(rows, is_member, strict=True), key=lambda one: (not one[1], places.fields(one[0]), one[0])
        )
        repeated.extend(row for row, _ in order[1:])
    insert_arrow(con, "repeated", pa.table({"row": pa.array(repeated, pa.int64())}))
    con.execute(
        f"update {table} set mask = mask | $bit::uinteger where row in (select row from repeated)",
        {"bit": int(BIT["member_repeated"])},
    )


class _RawRows:
    """The raw fields of single rows, for the rare households that name a person twice."""

    def __init__(self, read: _Read) -> None:
        self._checked = read.checked
        self._starts = np.cumsum([0] + [len(one.mask) for one in read.checked])

    def fields(self, row: int) -> list[str]:
        part = int(np.searchsorted(self._starts, row, side="right")) - 1
        return self._checked[part].raw_fields(row - int(self._starts[part]))


def _count_verdicts(con: duckdb.DuckDBPyConnection, roster: dict[str, _Read], monitored: _Read) -> None:
    """Take the reasons found across rows back to the files' outcomes."""
    for table, read in (
        ("household_judged", roster["households"]),
        ("member_judged", roster["members"]),
        ("monitored_judged", monitored),
    ):
        order = query_arrow(con, f"select mask from {table} order by row")
        final = order.column(0).combine_chunks().to_numpy(zero_copy_only=False)
        start = 0
        by_name = {outcome.name: outcome for outcome in read.outcomes}
        for one in read.checked:
            now, start = final[start : start + len(one.mask)], start + len(one.mask)
            by_name[one.file_name].replace_verdicts(one, now.astype(np.uint32))
    for read in (*roster.values(), monitored):
        for one in read.checked:
            outcome = next(o for o in read.outcomes if o.name == one.file_name)
            outcome.note_codes(one, np.flatnonzero(one.mask == 0))


def _write_people(
    con: duckdb.DuckDBPyConnection,
    folder: Path,
    as_of: date,
    cipher: Tokeniser,
    names: _Names,
    beside: Executor,
) -> None:
    con.execute(
        """
        create or replace table authorised as
        select hi, lo, bit_or(scopes) as scopes from authorisation_row
        where mask = 0 and signed_on <= $as_of and (valid_until is null or valid_until >= $as_of)
        group by hi, lo
        """,
        {"as_of": as_of},
    )
    build_table(con, "intake/incomplete", member_repeated=int(BIT["member_repeated"]))
    every_scope = (1 << len(authorised_sources())) - 1
    build_table(con, "intake/household")
    build_table(con, "intake/record")
    # Sorting tokens and sealing names need no database.
    numbered = beside.submit(_write_persons, con.cursor(), folder)
    records = query_arrow(con, "select record from record").column(0).to_numpy()
    sealed = beside.submit(_seal_names, folder / "names.sealed", names, records, cipher)
    build_table(con, "intake/unauthorised_household", every_scope=every_scope)
    _write_near_suspects(con, as_of, cipher)
    write_table(con, "select * exclude (household_row) from household", folder / "household.parquet")
    for table in _TABLES:
        write_table(con, f"select * from {table}", folder / f"{table}.parquet")
    numbered.result()
    sealed.result()


def _seal_names(path: Path, names: _Names, records: NDArray[np.int32], cipher: Tokeniser) -> None:
    seal_names(path, names.of_records(records), cipher)


def _write_persons(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    asked = query_arrow(
        con,
        "select record, household, hi, lo, role = 'member' as is_member, scopes, name_digest, name_readable"
        " from record where is_asked",
    )
    for name, table in zip(("person", "person_name", "asked_record"), number_persons(asked), strict=True):
        # Tokens and digests are random: nothing in them repeats or grows smaller.
        pq.write_table(table, folder / f"{name}.parquet", use_dictionary=False, compression="none")


def _write_near_suspects(con: duckdb.DuckDBPyConnection, as_of: date, cipher: Tokeniser) -> None:
    """near_suspect: valid numbers one edit away from a suspect number on the roster, per household (for H01)."""
    suspects = query_arrow(con, "select household, hi, lo from record where not is_valid and list = 'roster'")
    halves = (suspects.column(name).to_numpy().astype(np.uint64) for name in ("hi", "lo"))
    tokens = join_halves(*halves)
    index, candidates = valid_neighbours(unpack_chars(cipher.open_tokens(tokens)), as_of)
    hi, lo = token_halves(cipher.tokens(pack_blocks(candidates)))
    households = suspects.column("household").combine_chunks().take(pa.array(index))
    insert_arrow(con, "near_suspect", pa.table({"household": households, "hi": hi, "lo": lo}))
