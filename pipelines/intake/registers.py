"""Registers of household registration that H01 looks at: those of members and their spouses (spec section 4)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipelines.intake.asked import AskedPeople
from pipelines.intake.evidence_tables import REGISTER_SCHEMA
from pipelines.intake.persons import distinct

HOUSEHOLD_REGISTRATION = "household_registration"
# GB/T 4761: the head and the head's spouse; registers are looked at for H01 through them.
_HEAD_OR_SPOUSE = frozenset({"01", "02", "10", "11", "12"})


def rows_of_heads(
    table: pa.Table | pa.RecordBatch, at: NDArray[np.int64], people: AskedPeople
) -> NDArray[np.bool_]:
    """Which rows are a member's exact 正常 one as head or head's spouse of a register.

    at: the position among `people` of whom each row reaches.
    """
    digests = table.column("name_digest").to_numpy()
    readable, upgraded, repaired = (
        table.column(name).to_numpy(zero_copy_only=False)
        for name in ("name_readable", "is_upgraded", "is_repaired")
    )
    exact = people.bear_name(at, digests) & readable
    exact |= ~upgraded & (~readable | people.has_unreadable_name[at])
    heads = pc.is_in(table.column("relation"), pa.array(sorted(_HEAD_OR_SPOUSE)))
    normal = pc.equal(table.column("status"), "正常")
    are_heads: NDArray[np.bool_] = exact & ~repaired & np.asarray(pc.and_(heads, normal))
    return are_heads


def registers_of(table: pa.Table | pa.RecordBatch, chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Keyed digests of the registers that stand in some rows."""
    found: NDArray[np.int64] = table.column("register_no").to_numpy()[chosen]
    return found


def keep_registers(parts: list[Path], registers: NDArray[np.int64], kept: Path) -> NDArray[np.int64]:
    """Write to `kept` what the parts of an earlier reading hold of the registers. Returns those that they hold.

    Each register that was looked at has a row there: the one it was found by.
    """
    wanted = pa.array(registers)
    tables = [pq.read_table(part, schema=REGISTER_SCHEMA) for part in parts]
    rows = pa.concat_tables([REGISTER_SCHEMA.empty_table(), *tables])
    rows = rows.filter(pc.is_in(rows.column("register"), wanted))
    pq.write_table(rows, kept)
    return distinct(rows.column("register").to_numpy())
