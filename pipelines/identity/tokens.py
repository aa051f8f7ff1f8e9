"""A token as two 64-bit halves: how tables hold and join it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def token_halves(tokens: NDArray[np.uint8]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """(n, 16) tokens as their first and last eight bytes, big-endian."""
    hi, lo = np.ascontiguousarray(tokens).view(">u8").reshape(-1, 2).T.astype(np.uint64, order="C")
    return hi, lo


def join_halves(hi: NDArray[np.uint64], lo: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """The (n, 16) tokens of which `token_halves` gives hi and lo."""
    return np.stack([hi, lo], axis=1).astype(">u8").view(np.uint8).reshape(-1, 16)
