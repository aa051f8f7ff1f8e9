"""A few rows out of a large table: one column is read whole, the others where a row is wanted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray


def rows_where(file: pq.ParquetFile, column: str, values: NDArray[Any]) -> pa.Table:
    """The rows whose column has one of a few values."""
    found = []
    for group in _groups_with(file, column, values):
        looked_at = file.read_row_group(group, [column], use_threads=False).column(0)
        chosen = find_values(looked_at.combine_chunks(), values)
        if len(chosen):
            found.append(file.read_row_group(group, use_threads=False).take(pa.array(chosen)))
    return pa.concat_tables(found) if found else file.schema_arrow.empty_table()


def batches_where(file: pa.NativeFile, schema: pa.Schema, column: str, values: NDArray[Any]) -> pa.Table:
    """The same of an Arrow file. Raises ArrowInvalid when its columns are not those of the schema."""
    only = pa.ipc.IpcReadOptions(included_fields=[schema.get_field_index(column)], use_threads=False)
    whole, alone = pa.ipc.open_file(file), pa.ipc.open_file(file, options=only)
    if not whole.schema.equals(schema):
        raise pa.ArrowInvalid("other columns")
    found = []
    for number in range(alone.num_record_batches):
        chosen = find_values(alone.get_batch(number).column(0), values)
        if len(chosen):
            found.append(whole.get_batch(number).take(pa.array(chosen)))
    return pa.Table.from_batches(found, schema)


def _groups_with(file: pq.ParquetFile, column: str, values: NDArray[Any]) -> list[int]:
    """The pieces of the file that may have one of the values, as far as they tell from where to where they go."""
    place = file.schema_arrow.get_field_index(column)
    groups = []
    for group in range(file.num_row_groups if len(values) else 0):
        told = file.metadata.row_group(group).column(place).statistics
        if told is None or not told.has_min_max or ((told.min <= values) & (values <= told.max)).any():
            groups.append(group)
    return groups


def find_values(column: pa.Array, values: NDArray[Any]) -> NDArray[np.int64]:
    """Where one of a few values stands; never at a null."""
    if column.null_count or not pa.types.is_integer(column.type):
        return np.flatnonzero(pc.is_in(column, pa.array(values)).to_numpy(zero_copy_only=False))
    plain = column.to_numpy()
    is_wanted = np.zeros(len(plain), dtype=bool)
    for value in values:  # a handful: comparing with each is faster than looking it up
        is_wanted |= plain == value
    return np.flatnonzero(is_wanted)
