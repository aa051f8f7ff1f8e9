"""The ids of one file, found again in another by the bytes that stand there."""

# mypy: disallow-untyped-defs=False, check-untyped-defs=False, disallow-untyped-calls=False

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.compiled import compiled, inlined, word_at
from pipelines.identity.text_hash import padded_texts
from pipelines.intake.text_digests import Decoded, Digests, TextDigests

UNKNOWN = -1


class KnownIds(TextDigests):
    """Ids by the first row they stand in: an id's number (`Judged.digests`) is that row, UNKNOWN without one, and it
    can be read where there is one.
    """

    def __init__(self, ids: pa.Array) -> None:
        """ids: StringArray, trimmed."""
        self._data, self._spans = _laid_out(ids)
        self._slots = np.zeros(1 << (2 * len(ids)).bit_length(), np.int32)
        self._first = np.empty(len(ids), np.int64)
        _enter(self._data, self._spans, self._slots, self._first)

    def are_repeated(self) -> NDArray[np.bool_]:
        """Which rows share their id with another."""
        are_repeated: NDArray[np.bool_] = (
            np.bincount(self._first, minlength=len(self._first))[self._first] > 1
        )
        return are_repeated

    def of_texts(self, texts: pa.Array) -> Digests:
        data, spans = _laid_out(texts)
        return self._look_up(data, spans, np.arange(len(texts)))

    def of_spans(
        self,
        block: NDArray[np.uint8],
        spans: NDArray[np.int32],
        rows: NDArray[np.int64],
        gb: bool,
        decoded: Decoded,
    ) -> Digests:
        if gb:
            return self.of_texts(decoded(rows))
        found, is_known = self._look_up(block, spans, rows)
        (missed,) = np.nonzero(~is_known)  # or it has white space around
        if len(missed):
            found[missed], is_known[missed] = self.of_texts(decoded(rows[missed]))
        return found, is_known

    def _look_up(
        self, octets: NDArray[np.uint8], spans: NDArray[np.int32], rows: NDArray[np.int64]
    ) -> Digests:
        found = np.empty(len(rows), np.int64)
        _find(octets, spans, rows, self._data, self._spans, self._slots, self._first, found)
        return found, found != UNKNOWN


def _laid_out(texts: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """The bytes of texts, with room behind, and (n, 2) from where to where each stands."""
    offsets, octets = padded_texts(texts)
    edges = offsets.astype(np.int32)
    return octets, np.stack([edges[:-1], edges[1:]], axis=1)


@inlined
def _masked(octets, begin, length, step):
    """Eight bytes of a text of some length, zeros behind its end."""
    left = length - 8 * step
    word = word_at(octets, begin + 8 * step)
    return word if left >= 8 else word & (np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(64 - 8 * left))


@inlined
def _slot_of(octets, begin, length, slots):
    mixed = np.uint64(length) * np.uint64(0x9E3779B97F4A7C15)
    for step in range((length + 7) >> 3):
        mixed = (mixed ^ _masked(octets, begin, length, step)) * np.uint64(0xFF51AFD7ED558CCD)
        mixed ^= mixed >> np.uint64(32)
    return np.int64(mixed & np.uint64(len(slots) - 1))


@inlined
def _are_alike(octets, begin, others, other, length):
    step = 0
    while 8 * step < length and _masked(octets, begin, length, step) == _masked(others, other, length, step):
        step += 1
    return 8 * step >= length


@compiled
def _enter(data, spans, slots, first):
    """Give each row a slot, or the row that has its id already."""
    for row in range(len(spans)):
        begin = np.int64(spans[row, 0])
        length = np.int64(spans[row, 1]) - begin
        slot = _slot_of(data, begin, length, slots)
        first[row] = row
        while slots[slot]:
            other = np.int64(slots[slot]) - 1
            there = np.int64(spans[other, 0])
            if spans[other, 1] - there == length and _are_alike(data, begin, data, there, length):
                first[row] = other
                break
            slot = (slot + 1) & (len(slots) - 1)
        if first[row] == row:
            slots[slot] = row + 1


@compiled
def _find(octets, spans, rows, data, known, slots, first, found):
    """The row of each id. Persons of one household mostly stand together, and households in the order of their own
    file: the id of the row before and the next known one are compared before any is looked for.
    """
    at = np.int64(-1)
    for place in range(len(rows)):
        begin = np.int64(spans[rows[place], 0])
        length = np.int64(spans[rows[place], 1]) - begin
        found[place] = -1
        if begin < 0:  # with doubled quotes
            continue
        for guess in range(max(at, 0), min(at + 2, len(known))):
            there = np.int64(known[guess, 0])
            if known[guess, 1] - there == length and _are_alike(octets, begin, data, there, length):
                at = guess
                found[place] = first[at]
                break
        if found[place] >= 0:
            continue
        slot = _slot_of(octets, begin, length, slots)
        while slots[slot]:
            other = np.int64(slots[slot]) - 1
            there = np.int64(known[other, 0])
            if known[other, 1] - there == length and _are_alike(octets, begin, data, there, length):
                found[place] = at = other
                break
            slot = (slot + 1) & (len(slots) - 1)
