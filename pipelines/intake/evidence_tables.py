"""What the tables of evidence look like, and how they are opened; nothing here reads a delivery."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from connectors.contract import FileContract

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


def open_evidence_rows(folder: Path, file: FileContract) -> Any:
    """The kept rows of a source; they are read only where and as far as a query wants them."""
    from pyarrow import dataset  # a third of a second that a household check need not spend

    parts = [str(part) for part in sorted(folder.glob("part-*.arrow"))]
    schema = evidence_schema(file)
    return (
        dataset.dataset(parts, schema=schema, format="ipc")
        if parts
        else dataset.dataset(schema.empty_table())
    )
