"""SipHash-1-3 for compiled loops (Aumasson and Bernstein, SipHash: a fast short-input PRF, 2012)."""

# mypy: disallow-untyped-defs=False, check-untyped-defs=False

from __future__ import annotations

import numpy as np

from pipelines.compiled import inlined, word_at

ROOM = 8  # bytes that can be read behind the last text


@inlined
def _turned(word, places):
    return (word << np.uint64(places)) | (word >> np.uint64(64 - places))


@inlined
def _mixed(v0, v1, v2, v3):
    """One round of SipHash."""
    v0 += v1
    v1 = _turned(v1, 13) ^ v0
    v0 = _turned(v0, 32)
    v2 += v3
    v3 = _turned(v3, 16) ^ v2
    v0 += v3
    v3 = _turned(v3, 21) ^ v0
    v2 += v1
    v1 = _turned(v1, 17) ^ v2
    v2 = _turned(v2, 32)
    return v0, v1, v2, v3


@inlined
def sip_hashed(data, begin, length, first_key, second_key):
    """The hash of some bytes, behind which there are ROOM more."""
    v0 = first_key ^ np.uint64(0x736F6D6570736575)
    v1 = second_key ^ np.uint64(0x646F72616E646F6D)
    v2 = first_key ^ np.uint64(0x6C7967656E657261)
    v3 = second_key ^ np.uint64(0x7465646279746573)
    at = begin
    stop = begin + (length & ~np.int64(7))
    while at < stop:
        word = word_at(data, at)
        v3 ^= word
        v0, v1, v2, v3 = _mixed(v0, v1, v2, v3)
        v0 ^= word
        at += 8
    left = np.uint64(8 * (length & 7))
    word = (word_at(data, at) & ((np.uint64(1) << left) - np.uint64(1))) | (
        np.uint64(length) << np.uint64(56)
    )
    v3 ^= word
    v0, v1, v2, v3 = _mixed(v0, v1, v2, v3)
    v0 ^= word
    v2 ^= np.uint64(0xFF)
    v0, v1, v2, v3 = _mixed(v0, v1, v2, v3)
    v0, v1, v2, v3 = _mixed(v0, v1, v2, v3)
    v0, v1, v2, v3 = _mixed(v0, v1, v2, v3)
    return v0 ^ v1 ^ v2 ^ v3
