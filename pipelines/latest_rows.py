"""Rows about accounts as a department keeps telling them: those of an account's latest day, found without a join.

Nearly every account has one row on that day, or one of each kind, so what it holds stands there; the others are for
SQL to judge (sql/assess/bank_asset.sql).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.compiled import compiled
from pipelines.plain_rows import NO_RECORD

_EARLIER, _FIRST, _BESIDE, _ALIKE = 0, 1, 2, 3
_MOST_ROWS = 100  # of a record: each is compared with each


def part_by_day(
    rows: pa.Table, keeper: str, account: str, day: str, kinds: tuple[str, ...] = ()
) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Of each row: whether it is of its account's latest day and no other of that day is alike; whether it is, besides,
    the first such of its account; whether it is of that day and of an account of which some are alike.

    rows: with record (null: none of the three) and, never null, the account as keeper (string) and account (int64, a
    keyed digest), day (date32) and kinds (strings): rows of one account and day that agree in them are alike. Of a
    record with very many rows each counts as alike, whatever its day.
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
    several = np.flatnonzero(mark == _ALIKE)
    # What sets them apart is looked at only where it is asked.
    kind = np.zeros(len(several), np.int64)
    for name in kinds:
        _fold_texts(*_text_buffers(rows.column(name).take(pa.array(several)).combine_chunks()), kind)
    start[:] = 0
    found = np.empty(len(several), np.uint8)
    _mark_alike(record[several], key[several], kind, start, np.empty(len(several), np.int32), found)
    mark[several] = found
    stands = (mark == _FIRST) | (mark == _BESIDE)
    return pa.array(stands), pa.array(mark == _FIRST), pa.array(mark == _ALIKE)


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
def _put_together(record: Any, start: Any, order: Any) -> None:
    """The rows by record. Then start[record + 1] is where those of a record end; those of no record stand before all.

    start: zeros, three more than the greatest record; order: as long as the rows.
    """
    for row in range(len(record)):
        start[record[row] + 2] += 1
    for one in range(1, len(start)):
        start[one] += start[one - 1]
    for row in range(len(record)):
        at = start[record[row] + 1]
        start[record[row] + 1] = at + 1
        order[at] = row


@compiled
def _mark_latest(record: Any, key: Any, day: Any, start: Any, order: Any, mark: Any) -> None:
    """Compare each row of a record with each: alone on its account's latest day, one of several, or earlier.

    start, order: as `_put_together` wants them; mark: as long as the rows.
    """
    _put_together(record, start, order)
    for place in range(start[0]):
        mark[order[place]] = _EARLIER
    for one in range(1, len(start)):
        begin, end = start[one - 1], start[one]
        for place in range(begin, end):
            row = order[place]
            found = _ALIKE if end - begin > _MOST_ROWS else _FIRST
            if found == _FIRST:
                for other in range(begin, end):
                    beside = order[other]
                    if key[beside] == key[row] and beside != row:
                        if day[beside] > day[row]:
                            found = _EARLIER
                            break
                        if day[beside] == day[row]:
                            found = _ALIKE
            mark[row] = found


@compiled
def _mark_alike(record: Any, key: Any, kind: Any, start: Any, order: Any, mark: Any) -> None:
    """Compare each row of a record with each: an account of which two agree in kind is alike as a whole.

    The others are the first of their account, or beside it. start, order, mark: as for `_mark_latest`.
    """
    _put_together(record, start, order)
    for one in range(1, len(start)):
        begin, end = start[one - 1], start[one]
        for place in range(begin, end):
            row = order[place]
            mark[row] = _ALIKE if end - begin > _MOST_ROWS else _FIRST
            if mark[row] == _FIRST:
                for other in range(begin, end):
                    beside = order[other]
                    if key[beside] == key[row] and kind[beside] == kind[row] and beside != row:
                        mark[row] = _ALIKE
                        break
        for place in range(begin, end):
            row = order[place]
            for other in range(begin, end):
                beside = order[other]
                if mark[row] != _ALIKE and key[beside] == key[row]:
                    if mark[beside] == _ALIKE:
                        mark[row] = _ALIKE
                    elif other < place:
                        mark[row] = _BESIDE
