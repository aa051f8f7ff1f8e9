"""The rows of a department that are evidence for one record alone: nearly all, found by position instead of a join."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

NO_RECORD = np.int32(-1)


@dataclass(frozen=True)
class People:
    """Of each person by number, the one record that is theirs; NO_RECORD when there are several.

    record: int32; name_digest: int64; name_readable, is_member: bool; scopes: uint64.
    """

    record: NDArray[np.int32]
    name_digest: NDArray[np.int64]
    name_readable: NDArray[np.bool_]
    is_member: NDArray[np.bool_]
    scopes: NDArray[np.uint64]

    def reached_by(self, with_obligors: bool, scope: int | None) -> NDArray[np.int64]:
        """(n, 2): of each person the digest of the name, and the record a plain row of a source can be about, else
        NO_RECORD. Side by side, because they are looked at together, in no order.

        scope: the source's bit in the authorisations; None when it needs none.
        """
        can_be = self.name_readable.copy()
        if not with_obligors:
            can_be &= self.is_member
        if scope is not None:
            can_be &= (self.scopes & np.uint64(1 << scope)) != 0
        return np.stack([self.name_digest, np.where(can_be, self.record, NO_RECORD)], axis=1)


def read_people(asked_record: Path) -> People:
    """Of a Parquet file with the table asked_record, in the order of the persons (`pipelines.intake.persons`)."""
    with pq.ParquetFile(asked_record) as file:
        last = [file.metadata.num_row_groups - 1] if file.metadata.num_rows else []
        size = 1 + max(file.read_row_groups(last, ["person"]).column(0).to_pylist(), default=-1)
        people = People(
            np.full(size, NO_RECORD, dtype=np.int32),
            np.zeros(size, dtype=np.int64),
            np.zeros(size, dtype=bool),
            np.zeros(size, dtype=bool),
            np.zeros(size, dtype=np.uint64),
        )
        columns = [field.name for field in fields(people)]
        for rows in file.iter_batches(columns=["person", "is_alone", *columns]):
            person, is_alone, *values = (column.to_numpy(zero_copy_only=False) for column in rows.columns)
            for name, column in zip(columns, values, strict=True):
                getattr(people, name)[person] = column
            people.record[person[~is_alone]] = NO_RECORD
    return people


def plain_records(
    evidence: pa.Table, repeated: NDArray[np.int64], reached: NDArray[np.int64]
) -> Iterator[tuple[pa.RecordBatch, pa.Array]]:
    """The rows by batch, with the record of each plain one; null for the others: sql/link/reach.sql judges those.

    evidence: rows of known persons; repeated: of `find_repeated`; reached: of `People.reached_by`. Plain is a row as it
    was delivered (no repaired number), like no other, of a person with one record alone who allowed the source, with
    the same readable name: exact by the specification (section 3), however the number was written.
    """
    end = 0
    for rows in evidence.to_batches():
        begin, end = end, end + len(rows)
        person, name = (rows.column(at).to_numpy() for at in ("person", "name_digest"))
        readable, repaired = (
            rows.column(at).to_numpy(zero_copy_only=False) for at in ("name_readable", "is_repaired")
        )
        own = reached.take(person, axis=0)
        is_plain = (own[:, 0] == name) & readable & ~repaired
        first, last = np.searchsorted(repeated, (begin, end))
        is_plain[repeated[first:last] - begin] = False
        record = np.where(is_plain, own[:, 1], NO_RECORD).astype(np.int32)
        yield rows, pa.array(record, mask=record == NO_RECORD)
