"""The ids of one file, found again in another by the bytes that stand there."""

# mypy: disallow-untyped-defs=False, check-untyped-defs=False, disallow-untyped-calls=False

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.compiled import compiled, inlined, word_at
from pipelines.identity.cipher import Tokeniser
from pipelines.identity.siphash import sip_hashed
from pipelines.identity.text_hash import TextsInBlock, hash_key, padded_texts
from pipelines.intake.text_digests import Digests

UNKNOWN = -1


class KnownIds:
    """Ids by the first row they stand in: an id's number (`Judged.digests`) is that row, UNKNOWN without one, and it
    can be read where there is one.

    They are told apart by keyed hashes: whoever writes the files cannot choose ids that are slow to tell apart.
    """

    def __init__(self, ids: pa.Array, cipher: Tokeniser) -> None:
        """ids: StringArray, trimmed."""
        self._key = hash_key("id", cipher)
        self._data, self._spans = _laid_out(ids)
        self._slots = np.zeros(1 << (2 * len(ids)).bit_length(), np.int32)
        self._first = np.empty(len(ids), np.int64)
        _enter(self._data, self._spans, *self._key, self._slots, self._first)

    def are_repeated(self) -> NDArray[np.bool_]:
        """Which rows share their id with another."""
        are_repeated: NDArray[np.bool_] = (
            np.bincount(self._first, minlength=len(self._first))[self._first] > 1
        )
        return are_repeated

    def of_texts(self, texts: pa.Array) -> Digests:
        data, spans = _laid_out(texts)
        return self._look_up(data, spans, np.arange(len(texts)))

    def of_block(self, texts: TextsInBlock) -> Digests:
        if texts.gb:
            return self.of_texts(texts.decoded(texts.rows))
        found, is_known = self._look_up(texts.block, texts.spans, texts.rows)
        (missed,) = np.nonzero(~is_known)  # or it has white space around
        if len(missed):
            found[missed], is_known[missed] = self.of_texts(texts.decoded(texts.rows[missed]))
        return found, is_known

    def _look_up(
        self, octets: NDArray[np.uint8], spans: NDArray[np.int32], rows: NDArray[np.int64]
    ) -> Digests:
        found = np.empty(len(rows), np.int64)
        _find(octets, spans, rows, self._data, self._spans, *self._key, self._slots, self._first, found)
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
def _are_alike(octets, begin, length, data, spans, row):
    """Whether the text of some length from `begin` is that of a row."""
    other = np.int64(spans[row, 0])
    alike = spans[row, 1] - other == length
    step = 0
    while alike and 8 * step < length:
        alike = _masked(octets, begin, length, step) == _masked(data, other, length, step)
        step += 1
    return alike


@inlined
def _slot_of(octets, begin, length, first_key, second_key, slots):
    return np.int64(sip_hashed(octets, begin, length, first_key, second_key) & np.uint64(len(slots) - 1))


@compiled
def _enter(data, spans, first_key, second_key, slots, first):
    """Give each row a slot, or the row that has its id already."""
    for row in range(len(spans)):
        begin = np.int64(spans[row, 0])
        length = np.int64(spans[row, 1]) - begin
        slot = _slot_of(data, begin, length, first_key, second_key, slots)
        first[row] = row
        while slots[slot]:
            other = np.int64(slots[slot]) - 1
            if _are_alike(data, begin, length, data, spans, other):
                first[row] = other
                break
            slot = (slot + 1) & (len(slots) - 1)
        if first[row] == row:
            slots[slot] = row + 1


@compiled
def _find(octets, spans, rows, data, known, first_key, second_key, slots, first, found):
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
            if _are_alike(octets, begin, length, data, known, guess):
                at = guess
                found[place] = first[at]
                break
        if found[place] >= 0:
            continue
        slot = _slot_of(octets, begin, length, first_key, second_key, slots)
        while slots[slot]:
            other = np.int64(slots[slot]) - 1
            if _are_alike(octets, begin, length, data, known, other):
                found[place] = at = other
                break
            slot = (slot + 1) & (len(slots) - 1)
