"""Putting millions of tokens in order: they are uniformly random, so each one's leading bits nearly say its place."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.compiled import compiled

_TOGETHER = 4  # tokens that share their leading bits, on average


def in_token_order(
    hi: NDArray[np.uint64], lo: NDArray[np.uint64]
) -> tuple[NDArray[np.int32], NDArray[np.uint64], NDArray[np.uint64]]:
    """The rows in the order of their tokens, equal ones as they came, and both halves in that order."""
    bits = max(1, (len(hi) // _TOGETHER).bit_length())
    order = np.empty(len(hi), np.int32)
    ordered_hi, ordered_lo = np.empty(len(hi), np.uint64), np.empty(len(hi), np.uint64)
    _sort(hi, lo, np.uint64(64 - bits), np.zeros((1 << bits) + 1, np.int32), order, ordered_hi, ordered_lo)
    return order, ordered_hi, ordered_lo


@compiled
def _sort(hi: Any, lo: Any, shift: Any, start: Any, order: Any, ordered_hi: Any, ordered_lo: Any) -> None:
    """Count the leading bits, put each token among those that share them, then mend their order among themselves.

    start: zeros, one more than there are leading bits.
    """
    for row in range(len(hi)):
        start[(hi[row] >> shift) + np.uint64(1)] += 1
    for prefix in range(1, len(start)):
        start[prefix] += start[prefix - 1]
    for row in range(len(hi)):
        prefix = hi[row] >> shift
        at = start[prefix]
        start[prefix] = at + 1
        order[at], ordered_hi[at], ordered_lo[at] = row, hi[row], lo[row]
    for place in range(1, len(order)):
        row, first, second = order[place], ordered_hi[place], ordered_lo[place]
        at = place
        while at > 0 and (
            ordered_hi[at - 1] > first or (ordered_hi[at - 1] == first and ordered_lo[at - 1] > second)
        ):
            order[at], ordered_hi[at], ordered_lo[at] = order[at - 1], ordered_hi[at - 1], ordered_lo[at - 1]
            at -= 1
        order[at], ordered_hi[at], ordered_lo[at] = row, first, second
