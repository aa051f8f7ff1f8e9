"""What intake hands on: records judged, however they were read."""

from __future__ import annotations

from datetime import date
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from connectors.contract import FileContract
from pipelines.intake.text_digests import Digests, TextNumbers

# Columns of many values; those of few are listed (`Judged.coded`).
TEXTS = frozenset({"text", "identifier", "name", "carried"})


class Judged(Protocol):
    """Some records of one file with their verdicts; n of them became rows.

    lines: (n,) where each row stands in the file (line, sheet row or array position, from 1);
    mask: (n,) reason bits per row, 0 for an accepted one; spoiled: (line, reason) of records that are no rows;
    valid, upgraded, formed: (n,) of the identity number (spec section 3); has_ids: whether the file has one.
    """

    file: FileContract
    file_name: str
    mask: NDArray[np.uint32]

    @property
    def lines(self) -> NDArray[np.int64]: ...

    @property
    def spoiled(self) -> list[tuple[int, str]]: ...

    @property
    def has_ids(self) -> bool: ...

    @property
    def valid(self) -> NDArray[np.bool_]: ...

    @property
    def upgraded(self) -> NDArray[np.bool_]: ...

    def formed(self) -> NDArray[np.bool_]:
        """Which rows have a number that can be read, valid or not."""
        ...

    def id_blocks(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """(m, 16) blocks of the numbers of formed rows, ready to become tokens."""
        ...

    def id_chars(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """(m, 18) ASCII characters of the numbers of formed rows."""
        ...

    def first_future(self, as_of: date) -> int:
        """The earliest date after as_of that quarantined a row of the file so far, as yyyymmdd; 0 without one."""
        ...

    def amounts(self, name: str, rows: NDArray[np.int64]) -> pa.Array:
        """A column of money for some accepted rows: int64 millionths, null where it may be empty and is."""
        ...

    def coded(self, name: str, rows: NDArray[np.int64]) -> tuple[pa.Array, NDArray[np.int32]]:
        """A column of few values for some rows: what the distinct values mean, and which of them each row has."""
        ...

    def text(self, name: str, rows: NDArray[np.int64]) -> pa.Array:
        """A column of many values for some rows: UTF-8, trimmed."""
        ...

    def digests(self, name: str, rows: NDArray[np.int64], numbers: TextNumbers) -> Digests:
        """Keyed digests of a column of many values for some rows, and whether each can be read."""
        ...

    def raw_fields(self, row: int) -> list[str]:
        """The fields of one row as they stand in the file."""
        ...


def values_of(judged: Judged, name: str, rows: NDArray[np.int64]) -> pa.Array:
    """A column of any kind but the number for some accepted rows."""
    kind = judged.file.column(name).type
    if kind == "money":
        return judged.amounts(name, rows)
    if kind in TEXTS:
        return judged.text(name, rows)
    values, codes = judged.coded(name, rows)
    return values.take(pa.array(codes))
