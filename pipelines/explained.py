"""Findings an officer explained: off the list of discrepancies and on one of their own, while fact and time hold."""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.identity.keyring import KeyRing
from pipelines.lists import count_leads
from pipelines.suppressions import Suppressions
from pipelines.warehouse import build_table, insert_arrow, query_arrow

# What the list of explained findings says besides the columns of the list of discrepancies.
ADDED = [
    ("fact", pa.string()),
    ("answer", pa.string()),
    ("explained_by", pa.string()),
    ("explained_on", pa.date32()),
    ("explained_until", pa.date32()),
]


def part_explained(
    con: duckdb.DuckDBPyConnection,
    listed: pa.Table,
    suppressions: Suppressions,
    ring: KeyRing,
    as_of: date,
    nights: list[date],
) -> tuple[pa.Table, pa.Table]:
    """The rows that stay on the list, and the explained ones with the columns of ADDED; both in list order.

    listed: rows in list order with rule, household_id, hi, lo, is_person_rule, state and value (two decimals).
    nights: the published days.
    """
    entries = suppressions.table(ring)
    is_person = listed.column("is_person_rule")
    nobody = pa.scalar(None, pa.uint64())
    insert_arrow(
        con,
        "listed_lead",
        pa.table(
            {
                "place": np.arange(len(listed)),
                **{name: listed.column(name) for name in ("rule", "household_id", "state", "value")},
                **{name: pc.if_else(is_person, listed.column(name), nobody) for name in ("hi", "lo")},
            }
        ),
    )
    insert_arrow(con, "suppression", entries)
    insert_arrow(con, "night", pa.table({"as_of": pa.array([*nights, as_of], pa.date32())}))
    build_table(con, "publish/explained_lead", as_of=as_of)
    found = query_arrow(con, "select place, entry from explained_lead order by place")
    told = entries.rename_columns({"until": "explained_until"}).take(found.column("entry"))
    explained = listed.take(found.column("place"))
    for name, _ in ADDED:
        explained = explained.append_column(name, told.column(name))
    stays = np.ones(len(listed), bool)
    stays[found.column("place").to_numpy()] = False
    return listed.filter(pa.array(stays)), explained


def explained_details(suppressions: Suppressions, explained: pa.Table) -> dict[str, Any]:
    """What the manifest says of them: the file that was read, and the findings set apart by county, rule and state."""
    return {
        "made_at": suppressions.made_at.isoformat(timespec="seconds"),
        "sha256": suppressions.sha256,
        "written": len(suppressions.entries),
        "count": len(explained),
        "leads": count_leads(explained),
    }
