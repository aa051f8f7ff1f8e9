"""What every reader hands on: rows as whole columns of bytes, and the records that could not become rows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

# Reasons a row can be quarantined for, in the order they are reported (spec section 2); bit i of a row's mask.
REASONS = (
    "wrong_column_count",
    "undecodable_text",
    "unparseable_record",
    "id_missing",
    "id_malformed",
    "required_missing",
    "money_unparseable",
    "money_negative",
    "date_unparseable",
    "date_in_future",
    "code_unknown",
    "currency_unknown",
    "household_head_missing",
    "household_repeated",
    "member_repeated",
    "household_unknown",
)
BIT = {reason: np.uint32(1 << position) for position, reason in enumerate(REASONS)}


def reasons_of(mask: int) -> str:
    """A row's reasons as the lists show them, joined by `;`."""
    return ";".join(reason for position, reason in enumerate(REASONS) if mask >> position & 1)


@dataclass
class RowBatch:
    """Rows of one file, column by column.

    lines: where each row stands in the file (line, sheet row or array position, from 1);
    columns: by the contract's column names; BinaryArray, or DictionaryArray of binary for columns of few values;
    encoding: of those bytes.
    spoiled: (line, reason) of records that are no rows: these reasons stand alone.
    """

    lines: NDArray[np.int64]
    columns: dict[str, pa.Array]
    encoding: str
    spoiled: list[tuple[int, str]] = field(default_factory=list)
