"""What intake hands on: records judged, however they were read."""

from __future__ import annotations

from datetime import date
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from connectors.contract import FileContract


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

    def canonical(self, name: str, rows: NDArray[np.int64]) -> pa.Array:
        """What one column means in some accepted rows: text, date32, or int64 millionths for money."""
        ...

    def canonical_codes(self, name: str, rows: NDArray[np.int64]) -> dict[str, int]:
        """How often each code of a column of few values stands in the rows."""
        ...

    def text(self, name: str, rows: NDArray[np.int64]) -> pa.Array:
        """Text of one column for the rows, in UTF-8, trimmed; what was parsed for columns that are judged."""
        ...

    def text_or_parsed(self, name: str) -> pa.Array:
        """A whole column for the tables of people; null where it could not be parsed."""
        ...

    def raw_fields(self, row: int) -> list[str]:
        """The fields of one row as they stand in the file."""
        ...
