"""Whom a lead names: opened numbers, and the head under whose name a lead about a whole household stands."""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipelines.identity.cipher import Tokeniser
from pipelines.identity.idnumber import unpack_blocks
from pipelines.identity.tokens import join_halves
from pipelines.warehouse import query_arrow

_MEMBERS = """
    select household, record, hi, lo, coalesce(relation = '01', false) as is_head
    from record
    where role = 'member' and household in (from household_lead)
"""


def tokens_of(table: pa.Table) -> NDArray[np.uint8]:
    """(n, 16) tokens from columns hi and lo; nulls become zeros."""
    halves = (pc.fill_null(table.column(name), 0).to_numpy().astype(np.uint64) for name in ("hi", "lo"))
    return join_halves(*halves)


def person_tokens(table: pa.Table) -> pa.Array:
    """The tokens in hi and lo as 16 bytes each; null where they are."""
    known = pa.array(np.asarray(pc.is_valid(table.column("hi"))))
    bits = known.buffers()[1]
    return pa.Array.from_buffers(pa.binary(16), len(table), [bits, pa.py_buffer(tokens_of(table))])


def open_numbers(table: pa.Table, cipher: Tokeniser) -> pa.Array:
    """Readable numbers of the tokens in hi and lo; empty where they are null."""
    known = np.asarray(pc.is_valid(table.column("hi")))
    tokens = tokens_of(table)[known]
    opened = unpack_blocks(cipher.open_tokens(tokens)) if len(tokens) else pa.array([], pa.string())
    places = np.full(len(known), -1)
    places[known] = np.arange(known.sum())
    return pc.fill_null(opened.take(pa.array(places, mask=~known)), "")


def number_order(table: pa.Table, cipher: Tokeniser) -> NDArray[np.uint64]:
    """What sorts as the readable numbers of the tokens in hi and lo do; 0, before all others, where they are null.

    A packed number is that order: X, the last check character as text, is the greatest check value too.
    """
    if not len(table):
        return np.zeros(0, np.uint64)
    packed = np.ascontiguousarray(cipher.open_tokens(tokens_of(table))[:, :8]).view(">u8").ravel()
    return np.where(np.asarray(pc.is_valid(table.column("hi"))), packed.astype(np.uint64), np.uint64(0))


def heads_of(con: duckdb.DuckDBPyConnection, cipher: Tokeniser) -> pa.Table:
    """household, record, hi, lo of the person whose name a household's leads carry (spec section 5).

    con: with household_lead and record. The head is the one member of relation 01; without exactly one it is the
    member with the lowest number.
    """
    members = query_arrow(con, _MEMBERS)
    households = members.column("household").to_numpy()
    is_head = members.column("is_head").to_numpy(zero_copy_only=False).astype(bool)
    has_head = np.bincount(households[is_head], minlength=households.max(initial=0) + 1)[households] == 1
    headed, others = np.flatnonzero(has_head & is_head), np.flatnonzero(~has_head)
    order = np.lexsort((number_order(members.take(pa.array(others)), cipher), households[others]))
    others = others[order]
    _, first = np.unique(households[others], return_index=True)
    chosen = np.concatenate([headed, others[first]])
    return members.select(["household", "record", "hi", "lo"]).take(pa.array(chosen))
