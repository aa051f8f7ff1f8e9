"""Rows about accounts as a department keeps telling them: those of an account's latest day, found without a join.

Nearly every account has one row on that day, so what it holds stands there; the others are for SQL to judge
(sql/assess/bank_asset.sql).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.compiled import compiled
from pipelines.plain_rows import NO_RECORD

_EARLIER, _LONE, _SHARED = 0, 1, 2
_MOST_ROWS = 100  # of a record: each is compared with each


def part_by_day(rows: pa.Table, keeper: str, account: str, day: str) -> tuple[pa.Array, pa.Array]:
    """Whether each row is alone on the latest day of its account; whether it is one of several of that day.

    rows: with record (null: neither of both) and, never null, the account as keeper (string) and account (int64, a
    keyed digest), and day (date32). Of a record with very many rows each counts as one of several, whatever its day.
    """
    record = np.empty(len(rows), np.int32)
    key = np.empty(len(rows), np.int64)
    days = np.empty(len(rows), np.int32)
    end = 0
    for batch in rows.select(["record", keeper, account, day]).to_batches():
        begin, end = end, end + len(batch)
        record[begin:end] = batch.column(0).fill_null(NO_RECORD).to_numpy()
        key[begin:end] = batch.column(2).to_numpy()
        days[begin:end] = batch.column(3).view(pa.int32()).to_numpy()
        _fold_texts(*_text_buffers(batch.column(1)), key[begin:end])
    mark = np.empty(len(rows), np.uint8)
    start = np.zeros(record.max(initial=NO_RECORD) + 3, np.int32)
    _mark_latest(record, key, days, start, np.empty(len(rows), np.int32), mark)
    return pa.array(mark == _LONE), pa.array(mark == _SHARED)


def _text_buffers(column: pa.Array) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Where each text begins, then the end of the last; and the bytes of all."""
    _, places, octets = column.buffers()
    begins = np.frombuffer(places, np.int32)[column.offset : column.offset + len(column) + 1]
    return begins, np.frombuffer(octets or b"", np.uint8)


@compiled
def _fold_texts(begins: Any, octets: Any, key: Any) -> None:
    """Fold each text into the key beside it: equal keys and equal texts stay equal, others come apart (FNV-1a)."""
    for row in range(len(key)):
        folded = key[row]
        for at in range(begins[row], begins[row + 1]):
            folded = (folded ^ np.int64(octets[at])) * 0x100000001B3
        key[row] = folded


@compiled
def _mark_latest(record: Any, key: Any, day: Any, start: Any, order: Any, mark: Any) -> None:
    """Put the rows of each record together, then compare each with each.

    start: zeros, three more than the greatest record; order: as long as the rows; mark: as long.
    """
    for row in range(len(record)):
        start[record[row] + 2] += 1
    for one in range(1, len(start)):
        start[one] += start[one - 1]
    for row in range(len(record)):
        at = start[record[row] + 1]
        start[record[row] + 1] = at + 1
        order[at] = row
    # Now start[record + 1] is where the rows of a record end; those of no record stand before all.
    for place in range(start[0]):
        mark[order[place]] = _EARLIER
    for one in range(1, len(start)):
        begin, end = start[one - 1], start[one]
        for place in range(begin, end):
            row = order[place]
            found = _SHARED if end - begin > _MOST_ROWS else _LONE
            if found == _LONE:
                for other in range(begin, end):
                    beside = order[other]
                    if key[beside] == key[row] and beside != row:
                        if day[beside] > day[row]:
                            found = _EARLIER
                            break
                        if day[beside] == day[row]:
                            found = _SHARED
            mark[row] = found
