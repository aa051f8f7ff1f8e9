"""Both lists of a night: tonight's leads and those of the night before as one, in list order, readable in memory.

Whole columns throughout. What has few different values, as codes and the texts that follow from the rule, is kept as
Arrow dictionaries from the first to the last step.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipelines.assess import PROGRAMMES
from pipelines.explained import ADDED
from pipelines.identity.cipher import Tokeniser
from pipelines.identity.keyring import KeyRing
from pipelines.identity.tokens import token_halves
from pipelines.lead_people import number_order, open_numbers, person_tokens
from pipelines.lead_rules import PRESENT, Telling, rule_texts
from pipelines.lists import ListName, read_published
from pipelines.manifest import Manifest
from pipelines.warehouse import build_table, query_arrow

_LETTERS = {"discrepancies": "D", "newly_eligible": "N"}
_LIST_NAMES: dict[str, ListName] = {"discrepancies": "discrepancies", "newly_eligible": "newly-eligible"}
_CENTS = pa.decimal128(38, 2)

COMMON = [
    ("lead_no", pa.string()),
    ("state", pa.string()),
    ("rule", pa.string()),
    ("county_code", pa.string()),
    ("township_code", pa.string()),
    ("household_id", pa.string()),
]
SCHEMAS = {
    "discrepancies": pa.schema(
        [
            *COMMON,
            ("programme", pa.string()),
            ("person", pa.binary(16)),
            ("name_sealed", pa.binary()),
            ("value", _CENTS),
            ("line", _CENTS),
            ("sources", pa.string()),
            ("source_dates", pa.string()),
            ("evidence", pa.string()),
            ("basis", pa.string()),
            ("clears", pa.string()),
            ("first_night", pa.date32()),
            ("is_person_rule", pa.bool_()),
        ]
    ),
    "newly_eligible": pa.schema(
        [
            *COMMON,
            ("person", pa.binary(16)),
            ("name_sealed", pa.binary()),
            ("members", pa.int32()),
            ("income", _CENTS),
            ("income_line", _CENTS),
            ("assets", _CENTS),
            ("asset_line", _CENTS),
            ("evidence", pa.string()),
            ("basis", pa.string()),
            ("next_step", pa.string()),
            ("first_night", pa.date32()),
            ("is_person_rule", pa.bool_()),
        ]
    ),
}
SCHEMAS["explained"] = pa.schema([*SCHEMAS["discrepancies"], *ADDED])
# Money columns of each list and the assessed columns they show.
_MONEY = {
    "discrepancies": {"value": "value_cents", "line": "line_cents"},
    "newly_eligible": {
        "income": "value_cents",
        "income_line": "line_cents",
        "assets": "assets_cents",
        "asset_line": "asset_line_cents",
    },
}
# The column by which a lead is changed or not.
_VALUE = {"discrepancies": "value", "newly_eligible": "income"}


def read_leads(path: Path, heads: pa.Table) -> pa.Table:
    """Tonight's leads as assessed, and named_record, named_hi, named_lo of the person whose name each carries.

    heads: household, record, hi and lo of those who stand for leads about a whole household.
    """
    leads = pq.read_table(path, read_dictionary=["rule", "county_code", "township_code", "programme"])
    of_household, households = (table.column("household").to_numpy() for table in (heads, leads))
    head = np.full(max(households.max(initial=0), of_household.max(initial=0)) + 1, -1)
    head[of_household] = np.arange(len(heads))
    has_no_head = head[households] < 0
    named = heads.take(pa.array(head[households], mask=has_no_head))
    is_of_household = pc.is_null(leads.column("record"))
    for name in ("record", "hi", "lo"):
        told = pc.if_else(is_of_household, named.column(name), leads.column(name))
        leads = leads.append_column(f"named_{name}", told)
    return leads


def previous_leads(home: Path, which: str, before: Manifest | None, ring: KeyRing) -> pa.Table:
    """The leads that were present on the list of the night before; hi and lo are their tokens under tonight's key."""
    if before is None:
        old = SCHEMAS[which].empty_table()
    else:
        old = read_published(home, before, _LIST_NAMES[which])
        if which == "discrepancies" and "explained.parquet" in before["files"]:
            apart = read_published(home, before, "explained").select(old.column_names)
            old = pa.concat_tables([old, apart])
        old = old.filter(pc.is_in(old.column("state"), pa.array(PRESENT)))
    known = np.asarray(pc.is_valid(old.column("person")))
    tokens = np.frombuffer(b"".join(old.column("person").drop_null().to_pylist()), np.uint8).reshape(-1, 16)
    halves = np.zeros((2, len(old)), np.uint64)
    if before is not None and len(tokens):
        blocks = ring.cipher(before["key_version"]).open_tokens(tokens)
        halves[:, known] = token_halves(ring.cipher().tokens(blocks))
    for name, half in zip(("hi", "lo"), halves, strict=True):
        old = old.append_column(name, pa.array(half, mask=~known))
    return old


def names_on(leads: pa.Table, names: pa.Array, gone: pa.Table, cipher: Tokeniser | None) -> pa.Array:
    """Readable names of the leads, then of the ones that are gone.

    names: of all records; cipher: of the night before.
    """
    tonight = names.take(pc.subtract(_one(leads.column("named_record")).cast(pa.int64()), 1))
    if not len(gone) or cipher is None:
        return tonight
    contexts = [person or b"" for person in gone.column("person").to_pylist()]
    opened = cipher.unseal_column(gone.column("name_sealed").to_pylist(), contexts)
    return pa.concat_arrays([tonight, pa.array(opened, pa.binary()).cast(tonight.type)])


def gone_leads(old: pa.Table, states: pa.Table, tonight: int) -> pa.Table:
    """Those of the night before that none of tonight's leads goes on from. states: of `compare_leads`."""
    return old.take(states.column("before")[tonight:])


def compare_leads(con: duckdb.DuckDBPyConnection, which: str, leads: pa.Table, old: pa.Table) -> pa.Table:
    """before (the place in old, null for a new one), state and keeps_value: of the leads, then of those that are gone.

    con: with the tables that sql/publish/lead_state.sql reads besides.
    """
    is_person = old.column("is_person_rule")
    nobody = pa.scalar(None, pa.uint64())
    con.register(
        "before",
        pa.table(
            {
                "before": np.arange(len(old)),
                "rule": old.column("rule"),
                "household_id": old.column("household_id"),
                **{name: pc.if_else(is_person, old.column(name), nobody) for name in ("hi", "lo")},
                "value_cents": _rescale(old.column(_VALUE[which]), pa.decimal128(38, 0)),
            }
        ),
    )
    identity = leads.select(["rule", "household_id", "hi", "lo", "value_cents"])
    con.register("tonight", identity.append_column("tonight", pa.array(np.arange(len(leads)))))
    build_table(con, "publish/lead_state")
    return query_arrow(con, "select before, state, keeps_value from lead_state order by tonight nulls last")


def list_leads(
    which: str,
    leads: pa.Table,
    names: pa.Array,
    states: pa.Table,
    old: pa.Table,
    telling: Telling,
    as_of: date,
    cipher: Tokeniser,
) -> pa.Table:
    """The list's columns in list order; hi and lo of the person named, name and id_number in place of what is sealed.

    names: of the leads and of the gone ones, readable; states: of `compare_leads`.
    """
    shown, gone = _shown_columns(which, leads, telling), gone_leads(old, states, len(leads))
    earlier = old.select(["lead_no", "first_night", _VALUE[which]]).take(states.column("before"))
    columns = {name: _together(column, gone.column(name)) for name, column in shown.items()}
    value = columns[_VALUE[which]]
    columns[_VALUE[which]] = pc.if_else(states.column("keeps_value"), earlier.column(_VALUE[which]), value)
    columns["lead_no"] = earlier.column("lead_no")
    columns["first_night"] = pc.fill_null(earlier.column("first_night"), pa.scalar(as_of))
    columns["state"] = states.column("state")
    columns["name"] = names
    table = pa.table({name: _one(column) for name, column in columns.items()})
    table = table.take(pa.array(_list_order(table, cipher)))
    numbers = _number_new(table, f"{as_of:%Y%m%d}-{_LETTERS[which]}")
    table = table.set_column(table.column_names.index("lead_no"), "lead_no", numbers)
    return table.append_column("id_number", open_numbers(table, cipher))


def _list_order(table: pa.Table, cipher: Tokeniser) -> NDArray[np.int64]:
    """Places of the rows in list order: county, household, rule, ID number (spec section 5)."""
    county, household, rule = (_ranks(table.column(name)) for name in ("county_code", "household_id", "rule"))
    order: NDArray[np.int64] = np.lexsort((number_order(table, cipher), rule, household, county))
    return order


def _ranks(column: pa.ChunkedArray) -> NDArray[np.int64]:
    """The place of each value among the different ones in order."""
    coded = _one(column)
    if not pa.types.is_dictionary(coded.type):
        coded = coded.dictionary_encode()
    ranks = np.empty(len(coded.dictionary), np.int64)
    ranks[pc.array_sort_indices(coded.dictionary).to_numpy()] = np.arange(len(ranks))
    places: NDArray[np.int64] = ranks[coded.indices.to_numpy()]
    return places


def _number_new(table: pa.Table, middle: str) -> pa.Array:
    """lead_no, where there is none yet numbered through each county in list order (spec section 5)."""
    known = _one(table.column("lead_no"))
    is_new = pc.is_null(known)
    county = _one(table.column("county_code").filter(is_new)).cast(pa.string())
    if not len(county):
        return known
    begins = np.flatnonzero(np.asarray(pc.not_equal(county[1:], county[:-1]))) + 1
    lengths = np.diff([0, *begins, len(county)])
    running = np.concatenate([np.arange(1, length + 1) for length in lengths])
    told = pc.utf8_lpad(pa.array(running).cast(pa.string()), 5, "0")
    return pc.replace_with_mask(known, is_new, pc.binary_join_element_wise(county, middle, told, "-"))


def _shown_columns(which: str, leads: pa.Table, telling: Telling) -> dict[str, pa.Array]:
    """What the list shows of tonight's leads, and hi and lo of the person named."""
    columns = {
        name: leads.column(name)
        for name in ("rule", "county_code", "township_code", "household_id", "evidence", "is_person_rule")
    }
    columns |= {name: leads.column(f"named_{name}") for name in ("hi", "lo")}
    columns |= {name: _as_money(leads.column(cents)) for name, cents in _MONEY[which].items()}
    rules = _one(leads.column("rule")).cast(pa.string())
    columns |= {name: _coded(rules, texts) for name, texts in rule_texts(which, telling).items()}
    if which == "discrepancies":
        programmes = _one(leads.column("programme")).cast(pa.string())
        columns["programme"] = _coded(programmes, PROGRAMMES)
    else:
        columns["members"] = leads.column("members").cast(pa.int32())
    return {name: _one(column) for name, column in columns.items()}


def _coded(values: pa.Array, texts: Mapping[str, str]) -> pa.Array:
    """The text of each value as a dictionary; null where it has none."""
    told = pa.array(list(texts.values()), pa.string()).dictionary_encode()
    return told.take(pc.index_in(values, pa.array(list(texts))))


def _together(tonight: pa.Array, gone: pa.ChunkedArray) -> pa.Array:
    """One column after the other, of the first one's type."""
    if not len(gone):
        return tonight
    if not pa.types.is_dictionary(tonight.type):
        return pa.concat_arrays([tonight, _one(gone).cast(tonight.type)])
    coded = _one(gone).cast(tonight.type.value_type).dictionary_encode()
    return _one(pa.chunked_array([tonight, coded]).unify_dictionaries())


def _one(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _as_money(cents: pa.ChunkedArray) -> pa.Array:
    """Whole hundredths as decimals with two places."""
    return _rescale(cents.cast(pa.decimal128(38, 0)), _CENTS)


def _rescale(values: pa.ChunkedArray, type_: pa.DataType) -> pa.Array:
    """The same digits under another scale: 123456 hundredths are 1234.56 and back."""
    whole = _one(values)
    return pa.Array.from_buffers(type_, len(whole), whole.buffers(), offset=whole.offset)


def seal_rows(which: str, table: pa.Table, cipher: Tokeniser) -> pa.Table:
    """The rows as they are published: persons as tokens, names sealed."""
    persons = person_tokens(table)
    contexts = [person or b"" for person in persons.to_pylist()]
    names = table.column("name").cast(pa.large_binary()).to_pylist()
    sealed = pa.array(cipher.seal_column(names, contexts), pa.binary())
    table = table.append_column("person", persons).append_column("name_sealed", sealed)
    return table.select(SCHEMAS[which].names)
