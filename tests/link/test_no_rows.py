"""A source without a row about anybody looks to the rules as one with rows does."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest

from connectors.registry import all_contracts, evidence_sources
from pipelines.intake.evidence_tables import evidence_schema, mark_repeated
from pipelines.link import define_reach, view_reach

ASKED = pa.table(
    {
        "record": pa.array([1], pa.int32()),
        "household": pa.array([1], pa.int32()),
        "is_member": [True],
        "scopes": pa.array([0], pa.uint64()),
        "name_digest": pa.array([7], pa.int64()),
        "name_readable": [True],
        "person": pa.array([5], pa.int32()),
    }
)


def columns_of(con, source):
    told = con.sql(f"select * from reach_{source}")
    return dict(zip(told.columns, map(str, told.types), strict=True)), len(told.fetchall())


@pytest.mark.parametrize("source", evidence_sources())
def test_it_has_the_same_columns(source):
    schema = evidence_schema(all_contracts()[source].files[0])
    of_somebody = {
        "person": [5],
        "name_digest": [7],
        "name_readable": [True],
        "is_upgraded": [False],
        "is_repaired": [False],
    }
    one = pa.table(
        [pa.array(of_somebody.get(field.name, [None]), field.type) for field in schema], schema=schema
    )
    one = one.set_column(schema.get_field_index("row_digest"), "row_digest", pa.array([1], pa.int64()))
    con = duckdb.connect()
    con.register("asked_record", ASKED)
    define_reach(con)
    view_reach(con, source, mark_repeated(one))
    columns, rows = columns_of(con, source)
    con.execute(f"drop view reach_{source}")
    view_reach(con, source, mark_repeated(one.slice(0, 0)))
    assert (columns, rows) == (columns_of(con, source)[0], 1)
    assert columns_of(con, source)[1] == 0
