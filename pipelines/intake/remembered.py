"""Keyed digests of texts that stand in a feed again and again: each spelling is decoded and digested once."""

# mypy: disallow-untyped-defs=False, check-untyped-defs=False, disallow-untyped-calls=False

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.compiled import compiled, inlined, word_at

Digests = tuple[NDArray[np.int64], NDArray[np.bool_]]

LONGEST = 48  # bytes; what is longer is digested each time
_WORDS = LONGEST // 8
_MOST_STEPS = 16
_DIGEST, _ABOUT = np.int64(_WORDS), np.int64(_WORDS + 1)


class RememberedTexts:
    """The digests of one column's texts, found again by the bytes that stand in the file.

    It forgets nothing and takes no more than `most` spellings: 72 bytes each, none of them before it is met.
    """

    def __init__(self, digest: Callable[[pa.Array], Digests], most: int) -> None:
        """digest: of texts in UTF-8 (StringArray), their digests and whether each can be read. most: a power of two."""
        self._digest = digest
        # One line of a core's cache each: the bytes, the digest, length and readability.
        self._known = np.zeros((most, _WORDS + 2), np.uint64)
        self._slots = np.zeros(2 * most, np.int32)
        self._count = np.zeros(1, np.int64)

    def of_texts(self, texts: pa.Array) -> Digests:
        """Digests of texts whose bytes in the file are not at hand."""
        return self._digest(texts)

    def of_spans(
        self,
        block: NDArray[np.uint8],
        spans: NDArray[np.int32],
        rows: NDArray[np.int64],
        text: Callable[[NDArray[np.int64]], pa.Array],
    ) -> Digests:
        """Digests of the texts that stand at spans[rows] of a block. text: the texts of some rows, decoded."""
        digests, readable = np.empty(len(rows), np.int64), np.empty(len(rows), np.bool_)
        unmet, of_unmet = np.empty(len(rows), np.int64), np.empty(len(rows), np.int32)
        count = _recall(block, spans, rows, self._known, self._slots, digests, readable, unmet, of_unmet)
        if count:
            unmet = unmet[:count]
            fresh, fresh_readable = self._digest(text(rows[unmet]))
            _remember(block, spans, rows[unmet], self._known, self._slots, self._count, fresh, fresh_readable)
            _fill_in(of_unmet, fresh, fresh_readable, digests, readable)
        return digests, readable


@inlined
def _masked(block, begin, length, step):
    """Eight bytes of a text of some length, zeros behind its end."""
    left = length - 8 * step
    word = word_at(block, begin + 8 * step)
    return word if left >= 8 else word & (np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(64 - 8 * left))


@inlined
def _slot_of(block, begin, length, slots):
    mixed = np.uint64(length) * np.uint64(0x9E3779B97F4A7C15)
    for step in range((length + 7) >> 3):
        mixed = (mixed ^ _masked(block, begin, length, step)) * np.uint64(0xFF51AFD7ED558CCD)
        mixed ^= mixed >> np.uint64(32)
    return np.int64(mixed & np.uint64(len(slots) - 1))


@inlined
def _is_known(block, begin, length, known, place):
    same = np.int64(known[place, _ABOUT] >> np.uint64(1)) == length
    step = 0
    while same and 8 * step < length:
        same = known[place, step] == _masked(block, begin, length, step)
        step += 1
    return same


@inlined
def _are_alike(block, begin, other, length):
    step = 0
    while 8 * step < length and _masked(block, begin, length, step) == _masked(block, other, length, step):
        step += 1
    return 8 * step >= length


@compiled
def _recall(block, spans, rows, known, slots, digests, readable, unmet, of_unmet):
    """Fill in what is known of each row's text; the places of the others go to `unmet`. Returns how many.

    of_unmet: which of the unmet texts a row has, -1 for a known one. Rows of one person or account often stand
    together: the text of the row before is not looked for again.
    """
    count = 0
    found = unmet_found = earlier = earlier_length = np.int64(-1)
    for place in range(len(rows)):
        begin = np.int64(spans[rows[place], 0])
        length = np.int64(spans[rows[place], 1]) - begin
        if begin < 0 or length != earlier_length or not _are_alike(block, begin, earlier, length):
            found = np.int64(-1)
            if begin >= 0 and length <= LONGEST:
                slot = _slot_of(block, begin, length, slots)
                for _ in range(_MOST_STEPS):
                    at = np.int64(slots[slot]) - 1
                    if at < 0:
                        break
                    if _is_known(block, begin, length, known, at):
                        found = at
                        break
                    slot = (slot + 1) & (len(slots) - 1)
            unmet_found = np.int64(-1)
            if found < 0:
                unmet[count] = place
                unmet_found = count
                count += 1
        # A text with doubled quotes stands at ~begin: nothing is compared with that.
        earlier, earlier_length = begin, length if begin >= 0 else np.int64(-1)
        of_unmet[place] = unmet_found
        if found >= 0:
            digests[place] = np.int64(known[found, _DIGEST])
            readable[place] = known[found, _ABOUT] & np.uint64(1) != 0
    return count


@compiled
def _fill_in(of_unmet, fresh, fresh_readable, digests, readable):
    """Give the rows of unmet texts what was made of these."""
    for place in range(len(of_unmet)):
        if of_unmet[place] >= 0:
            digests[place] = fresh[of_unmet[place]]
            readable[place] = fresh_readable[of_unmet[place]]


@compiled
def _remember(block, spans, rows, known, slots, counted, digests, readable):
    """Add the texts of some rows, as far as there is room."""
    for place in range(len(rows)):
        begin = np.int64(spans[rows[place], 0])
        length = np.int64(spans[rows[place], 1]) - begin
        if begin < 0 or length > LONGEST or counted[0] == len(known):
            continue
        slot = _slot_of(block, begin, length, slots)
        for _ in range(_MOST_STEPS):
            at = np.int64(slots[slot]) - 1
            if at < 0:
                at = counted[0]
                counted[0] += 1
                slots[slot] = at + 1
                for step in range((length + 7) >> 3):
                    known[at, step] = _masked(block, begin, length, step)
                known[at, _DIGEST] = np.uint64(digests[place])
                known[at, _ABOUT] = np.uint64(length) << np.uint64(1) | np.uint64(readable[place])
                break
            if _is_known(block, begin, length, known, at):
                break
            slot = (slot + 1) & (len(slots) - 1)
