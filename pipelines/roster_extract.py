"""The roster beside the lists: which households there are and whether tonight was a whole check of each.

The desk needs it to say who is due for the half-yearly check and the yearly visit; the lists name only households with
a lead. Nobody is named in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from connectors.registry import authorised_sources
from pipelines.assess import PROGRAMMES
from pipelines.warehouse import build_table, query_arrow

# It tells of families that are on no roster.
_NOT_ASKED = "rural_revitalisation"
_AREAS = {"城镇": "urban", "农村": "rural"}


def extract_roster(
    con: duckdb.DuckDBPyConnection,
    sources: Mapping[str, Mapping[str, Any]],
    tax_comparable: bool,
) -> pa.Table:
    """Columns of sql/publish/roster.sql, codes as in docs/architecture.md, sorted by household number.

    con: with household, record, incomplete and unauthorised_household.
    """
    asked = [source for source in sources if source != _NOT_ASKED]
    build_table(
        con,
        "publish/roster",
        asked_scopes=sum(1 << at for at, source in enumerate(authorised_sources()) if source in asked),
        is_usable=tax_comparable and all(sources[source]["state"] == "accepted" for source in asked),
    )
    table = query_arrow(con, "from roster").sort_by("household_id")
    for name, codes in (("programme", PROGRAMMES), ("area", _AREAS)):
        places = pc.index_in(table.column(name).combine_chunks(), pa.array(list(codes)))
        told = pa.array(list(codes.values())).take(places)
        table = table.set_column(table.column_names.index(name), name, told)
    return table
