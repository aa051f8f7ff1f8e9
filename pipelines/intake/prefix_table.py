"""Finding one of millions of uniformly random numbers among others, a whole column at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.compiled import compiled, fetch_ahead, inlined
from pipelines.identity.tokens import join_halves

_MOST_PREFIX_BITS = 24
_MOST_MARK_BITS = 27
_AHEAD = 16  # numbers that are on their way while one is compared


class PrefixTable:
    """Random numbers' leading bits are a perfect hash: a table of where each prefix begins leads to the one or two
    candidates at once.

    Most of those sought are strangers. They are turned away before, by one bit for each longer prefix: a small table.
    """

    def __init__(self, hi: NDArray[np.uint64], lo: NDArray[np.uint64]) -> None:
        """hi, lo: the halves of each known number, in the order of the numbers."""
        # One or two to a prefix; a shift by all 64 bits is no shift.
        bits = max(1, min(len(hi).bit_length(), _MOST_PREFIX_BITS))
        mark_bits = min(bits + 4, _MOST_MARK_BITS)  # of sixteen strangers one is let through
        self._shift, self._mark_shift = np.uint64(64 - bits), np.uint64(64 - mark_bits)
        counts = np.bincount((hi >> self._shift).astype(np.int64), minlength=1 << bits)
        self._start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        # Side by side, so that one look fetches both; behind the last one what nothing sought goes beyond.
        self._known = np.full((len(hi) + 1, 2), np.iinfo(np.uint64).max)
        self._known[:-1, 0], self._known[:-1, 1] = hi, lo
        self._marks = np.zeros(1 << mark_bits >> 3, np.uint8)
        _mark(self._known[:-1], self._mark_shift, self._marks)

    def find(self, hi: NDArray[np.uint64], lo: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Position of each number among the known ones, -1 for strangers."""
        position = np.full(len(hi), -1, dtype=np.int64)
        places, found = self.find_tokens(join_halves(hi, lo))
        position[places] = found
        return position

    def find_tokens(self, tokens: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Which of some numbers, (n, 16) big-endian bytes, are known. Returns (their places, their positions)."""
        places, found = np.empty(len(tokens), np.int64), np.empty(len(tokens), np.int64)
        words = np.require(tokens, requirements=["C_CONTIGUOUS", "WRITEABLE"]).view("<u8")
        count = _find(
            words, self._marks, self._mark_shift, self._start, self._shift, self._known, places, found
        )
        return places[:count], found[:count]


@compiled
def _mark(known: Any, shift: Any, marks: Any) -> None:
    for row in range(len(known)):
        mark = known[row, 0] >> shift
        marks[mark >> np.uint64(3)] |= np.uint8(1) << np.uint8(mark & np.uint64(7))


@inlined
def _swapped(word: Any) -> Any:
    """The number whose bytes are those of a word, the first the highest."""
    halves = (word >> np.uint64(32)) | (word << np.uint64(32))
    pairs = ((halves >> np.uint64(16)) & np.uint64(0x0000FFFF0000FFFF)) | (
        (halves & np.uint64(0x0000FFFF0000FFFF)) << np.uint64(16)
    )
    return ((pairs >> np.uint64(8)) & np.uint64(0x00FF00FF00FF00FF)) | (
        (pairs & np.uint64(0x00FF00FF00FF00FF)) << np.uint64(8)
    )


@compiled
def _find(
    words: Any, marks: Any, mark_shift: Any, start: Any, shift: Any, known: Any, places: Any, found: Any
) -> Any:
    """Each step is the same for whoever comes, but for the last look: so many are fetched at a time."""
    maybe = np.int64(0)
    for place in range(len(words)):
        mark = _swapped(words[place, 0]) >> mark_shift
        places[maybe] = place
        maybe += np.int64(marks[mark >> np.uint64(3)] >> np.uint8(mark & np.uint64(7)) & np.uint8(1))
    for step in range(maybe):
        found[step] = start[_swapped(words[places[step], 0]) >> shift]
    count = np.int64(0)
    last = maybe - 1
    for step in range(maybe):
        fetch_ahead(known, 2 * found[min(step + _AHEAD, last)])  # type: ignore[call-arg]
        place, at = places[step], found[step]
        hi, lo = _swapped(words[place, 0]), _swapped(words[place, 1])
        while known[at, 0] < hi or (known[at, 0] == hi and known[at, 1] < lo):
            at += 1
        places[count] = place
        found[count] = at
        count += np.int64((known[at, 0] == hi) & (known[at, 1] == lo) & (at < len(known) - 1))
    return count
