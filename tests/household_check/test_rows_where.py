"""A few rows are found in a large file whatever its pieces tell of themselves."""

from __future__ import annotations

import io
import random

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from pipelines.rows_where import rows_where


def file_of(table, statistics):
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=7, write_statistics=statistics)
    return pq.ParquetFile(pa.BufferReader(sink.getvalue()))


@pytest.mark.parametrize("statistics", [False, ["half", "some"], True])
@pytest.mark.parametrize("rows", [0, 1, 100])
@pytest.mark.parametrize("is_sorted", [False, True])
def test_the_rows_are_those_of_a_search_through_all(rows, statistics, is_sorted):
    rng = random.Random(rows)
    half = [rng.choice([0, 5, 2**63 - 1, 2**63, 2**64 - 1, rng.getrandbits(64)]) for _ in range(rows)]
    table = pa.table(
        {
            "half": pa.array(sorted(half) if is_sorted else half, pa.uint64()),
            "some": pa.array([rng.choice([None, -3, 4, 9]) for _ in range(rows)], pa.int32()),
            "text": pa.array([rng.choice("甲乙丙") for _ in range(rows)], pa.string()),
        }
    )
    file = file_of(table, statistics)
    for column, values in (
        ("half", np.array([0, 2**63, 2**64 - 1], np.uint64)),
        ("half", np.array([], np.uint64)),
        ("some", np.array([4, -3], np.int32)),
        ("text", np.array(["乙", "丁"])),
    ):
        wanted = table.filter(pc.is_in(table[column], pa.array(values, table.schema.field(column).type)))
        assert rows_where(file, column, values).to_pylist() == wanted.to_pylist(), column


def test_pieces_that_cannot_have_the_value_are_not_read(monkeypatch):
    table = pa.table({"half": pa.array(range(70), pa.uint64())})
    read = []
    file = file_of(table, ["half"])
    whole = pq.ParquetFile.read_row_group
    monkeypatch.setattr(
        pq.ParquetFile, "read_row_group", lambda *args, **named: read.append(args[1]) or whole(*args, **named)
    )
    assert rows_where(file, "half", np.array([15], np.uint64)).to_pylist() == [{"half": 15}]
    assert set(read) == {2}
