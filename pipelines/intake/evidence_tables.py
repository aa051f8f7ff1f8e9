"""What the tables of evidence look like, and how they are opened; nothing here reads a delivery."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from connectors.contract import FileContract

MICRO = 1_000_000  # money is kept as whole millionths of its unit
# An odd number far from a power of two: equal digests of different persons come apart.
_SPREAD = np.int64(0x9E3779B97F4A7C15 - (1 << 64))
_MARK_BITS = 22
_MARK = np.int64((1 << _MARK_BITS) - 1)
_SHORT = np.int64((1 << 32) - 1)

REGISTER_SCHEMA = pa.schema(
    [
        ("register", pa.int64()),
        ("hi", pa.uint64()),
        ("lo", pa.uint64()),
        ("is_valid", pa.bool_()),
        ("is_normal", pa.bool_()),
        ("relation", pa.string()),
        ("born", pa.int32()),
    ]
)

_FLAGS = (
    "is_member",
    "has_readable_member_name",
    "has_readable_name",
    "has_unreadable_member_name",
    "has_unreadable_name",
)
PERSON_SCHEMA = pa.schema(
    [("person", pa.int32()), ("hi", pa.uint64()), ("lo", pa.uint64()), ("scopes", pa.uint64())]
    + [(flag, pa.bool_()) for flag in _FLAGS]
)


def evidence_schema(file: FileContract) -> pa.Schema:
    """Columns of a source's evidence: its number, who, under which name, how reached, then the contract's own."""
    kinds = {"money": pa.int64(), "date": pa.date32(), "month": pa.date32(), "identifier": pa.int64()}
    fields = [
        ("row", pa.int64()),
        ("person", pa.int32()),
        ("name_digest", pa.int64()),
        ("name_readable", pa.bool_()),
        ("is_upgraded", pa.bool_()),
        ("is_repaired", pa.bool_()),
        ("row_digest", pa.int64()),
    ]
    fields += [(column.name, kinds.get(column.type, pa.string())) for column in kept_columns(file)]
    return pa.schema(fields)


def kept_columns(file: FileContract) -> list[Any]:
    return [column for column in file.columns if column.type not in ("id", "name", "carried")]


def part_name(number: int) -> str:
    """Of the evidence of a source's file, counted as in the receipt."""
    return f"part-{number:04d}.arrow"


@contextmanager
def open_part(folder: Path, number: int, file: FileContract) -> Iterator[pa.ipc.RecordBatchFileWriter]:
    """A new part to write to.

    As plain Arrow: written and read once or twice; Parquet would cost ten times as much to write.
    """
    with (
        pa.OSFile(str(folder / part_name(number)), "wb") as sink,
        pa.ipc.new_file(sink, evidence_schema(file)) as writer,
    ):
        yield writer


def batches_of(part: Path) -> Iterator[pa.RecordBatch]:
    """The rows of a part, read only as far as they are looked at."""
    with pa.memory_map(str(part)) as source, pa.ipc.open_file(source) as reader:
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)


def sum_money(rows: pa.Table | pa.RecordBatch, file: FileContract) -> int:
    """All amounts of the rows, in millionths."""
    total = 0
    for column in kept_columns(file):
        if column.type == "money":
            wide = rows.column(column.name).cast(pa.decimal128(38, 0))  # ten absurd amounts pass 64 bits
            total += int(pc.sum(wide).as_py() or 0)
    return total


def open_evidence_rows(folder: Path, file: FileContract) -> pa.Table:
    """The kept rows of a source, mapped from disk: a column is read when and as far as somebody looks at it."""
    parts = [pa.ipc.open_file(pa.memory_map(str(part))) for part in sorted(folder.glob("part-*.arrow"))]
    return pa.concat_tables([evidence_schema(file).empty_table(), *(part.read_all() for part in parts)])


def mark_repeated(evidence: pa.Table) -> pa.Table:
    """The same with is_repeated: the person has another row of the same digest."""
    is_repeated = np.zeros(len(evidence), dtype=bool)
    is_repeated[find_repeated(evidence)] = True
    return evidence.append_column("is_repeated", pa.array(is_repeated))


def find_repeated(evidence: pa.Table) -> NDArray[np.int64]:
    """Where the rows stand that have the digest of another row of the same person, in their order."""
    # Half a key sorts faster; what is alike in it is looked at again.
    short = np.empty(len(evidence), dtype=np.uint32)
    end = 0
    for keys in _row_keys(evidence):
        begin, end = end, end + len(keys)
        short[begin:end] = keys & _SHORT
    short.sort()
    alike = short[1:][short[1:] == short[:-1]]
    marked = np.zeros(1 << _MARK_BITS, dtype=bool)
    marked[alike & _MARK] = True
    places, wholes = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    end = 0
    for keys in _row_keys(evidence):
        begin, end = end, end + len(keys)
        (maybe,) = np.nonzero(marked[keys & _MARK])
        places.append(begin + maybe)
        wholes.append(keys[maybe])
    place, whole = np.concatenate(places), np.concatenate(wholes)
    _, which, times = np.unique(whole, return_inverse=True, return_counts=True)
    found: NDArray[np.int64] = place[times[which] > 1]
    return found


def _row_keys(evidence: pa.Table) -> Iterator[NDArray[np.int64]]:
    """By batch: equal for equal digests of one person."""
    for rows in evidence.select(["row_digest", "person"]).to_batches():
        yield rows.column(0).to_numpy() ^ rows.column(1).to_numpy() * _SPREAD
