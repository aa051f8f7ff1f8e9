"""Finding one of millions of uniformly random numbers among others, a whole column at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.compiled import compiled

_MOST_PREFIX_BITS = 24


class PrefixTable:
    """Random numbers' leading bits are a perfect hash: a table of where each prefix begins turns strangers away and
    leads to the one or two candidates at once.
    """

    def __init__(self, hi: NDArray[np.uint64], lo: NDArray[np.uint64]) -> None:
        """hi, lo: the halves of each known number, sorted by hi."""
        self._hi, self._lo = _own(hi), _own(lo)
        # One or two to a prefix; a shift by all 64 bits is no shift.
        bits = max(1, min(len(hi).bit_length(), _MOST_PREFIX_BITS))
        self._shift = np.uint64(64 - bits)
        counts = np.bincount((hi >> self._shift).astype(np.int64), minlength=1 << bits)
        self._start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)

    def find(self, hi: NDArray[np.uint64], lo: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Position of each number among the known ones, -1 for strangers."""
        found = np.empty(len(hi), dtype=np.int64)
        _find(_own(hi), _own(lo), self._start, self._shift, self._hi, self._lo, found)
        return found


def _own(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Columns that lie in a file can only be read, which would be another kind of argument to compile for."""
    return np.require(values, requirements=["C_CONTIGUOUS", "WRITEABLE"])


@compiled
def _find(hi: Any, lo: Any, start: Any, shift: Any, known_hi: Any, known_lo: Any, found: Any) -> None:
    for row in range(len(hi)):
        prefix = hi[row] >> shift
        found[row] = -1
        for at in range(start[prefix], start[prefix + np.uint64(1)]):
            if known_hi[at] == hi[row] and known_lo[at] == lo[row]:
                found[row] = at
                break
