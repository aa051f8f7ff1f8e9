"""Tables of tonight's people that hang on the day as well as on the rows, and how all of them are written."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from connectors.registry import authorised_sources
from pipelines.identity.cipher import Tokeniser
from pipelines.identity.idnumber import pack_blocks, unpack_chars, valid_neighbours
from pipelines.identity.tokens import join_halves, token_halves

# Rows in one piece of a file: enough to be read side by side, few enough that one row is found without many.
_ROW_GROUP = 1 << 15
_LOOKED_UP = ("household", "person")
# The columns of text of record.
FEW_VALUES = ("list", "role", "relation", "disability_grade", "disability_category", "severe_illness")


def write_table(table: pa.Table, path: Path) -> None:
    """Tokens and digests are random: nothing in them repeats or grows smaller, so that only columns of few values are
    written as such. Of a column that rows are looked up by, each piece says from where to where it goes."""
    few = [
        one.name
        for one in table.schema
        if one.name == "scopes" or (not pa.types.is_primitive(one.type) and one.name != "household_id")
    ]
    pq.write_table(
        pa.table(table.columns, schema=pa.schema(map(_as_it_is, table.schema, table.columns))),
        path,
        row_group_size=_ROW_GROUP,
        compression="none",
        use_dictionary=few,
        write_statistics=[name for name in _LOOKED_UP if name in table.column_names],
        store_schema=False,
    )


def _as_it_is(field: pa.Field, column: pa.ChunkedArray) -> pa.Field:
    """A column that says of itself whether it has nulls: of one without, no row has to say so."""
    return field.with_nullable(column.null_count > 0)


def write_columns(table: pa.Table, path: Path) -> None:
    """As Arrow, to be looked at where it lies: every source needs most of it, and several processes at once."""
    with pa.ipc.new_file(str(path), table.schema) as writer:
        writer.write_table(table.combine_chunks(), max_chunksize=_ROW_GROUP)


def read_columns(path: Path) -> pa.Table:
    """What `write_columns` wrote."""
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


def find_near_suspects(record: pa.Table, as_of: date, cipher: Tokeniser) -> pa.Table:
    """near_suspect: valid numbers one edit away from a suspect number on the roster, per household (for H01)."""
    is_suspect = pc.and_(pc.equal(record.column("list"), "roster"), pc.invert(record.column("is_valid")))
    suspects = record.select(["household", "hi", "lo"]).filter(is_suspect)
    tokens = join_halves(suspects.column("hi").to_numpy(), suspects.column("lo").to_numpy())
    index, candidates = valid_neighbours(unpack_chars(cipher.open_tokens(tokens)), as_of)
    hi, lo = token_halves(cipher.tokens(pack_blocks(candidates)))
    return pa.table({"household": suspects.column("household").to_numpy()[index], "hi": hi, "lo": lo})


def find_unauthorised(
    record: pa.Table, household: pa.Table, other_member: pa.Table, scopes: NDArray[np.uint64]
) -> pa.Table:
    """unauthorised_household: list, household_id, scopes_missing of households of which some accepted member has no
    valid authorisation for a source, also of ones that are not looked at tonight (other_member; scopes: theirs).
    """
    is_member = pc.equal(record.column("role"), "member").to_numpy()
    looked_at = _missing(
        record.column("household").to_numpy()[is_member] - 1,
        record.column("scopes").to_numpy()[is_member],
        len(household),
    )
    others, of_member = np.unique(other_member.column("household").to_numpy(), return_index=True)
    missing = _missing(
        np.searchsorted(others, other_member.column("household").to_numpy()), scopes, len(others)
    )
    names = ["list", "household_id"]
    return pa.concat_tables(
        table.select(names).append_column("scopes_missing", pa.array(lacking)).filter(pa.array(lacking != 0))
        for table, lacking in ((household, looked_at), (other_member.take(pa.array(of_member)), missing))
    )


def _missing(household: NDArray[np.int32], scopes: NDArray[np.uint64], households: int) -> NDArray[np.uint64]:
    """What some member of each household (from 0) has not authorised."""
    every_scope = np.uint64((1 << len(authorised_sources())) - 1)
    lacking = every_scope & ~scopes
    (some,) = np.nonzero(lacking)
    missing = np.zeros(households, np.uint64)
    np.bitwise_or.at(missing, household[some], lacking[some])
    return missing
