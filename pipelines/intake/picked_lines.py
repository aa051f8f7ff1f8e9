"""A second reading of a file of lines that hands on only those with one of some texts or numbers in one column.

It may hand on too many lines and never too few: a line is left out only when it is plain up to the column, and the
column holds plain characters that are surely none of the texts, or a valid number that is surely none of the numbers.
"""

# mypy: disallow-untyped-defs=False, check-untyped-defs=False, disallow-untyped-calls=False

from __future__ import annotations

from typing import BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from connectors.contract import FileContract
from pipelines.compiled import byte_at, compiled, first_byte, inlined, word_at
from pipelines.identity.idnumber import CHECK_CHARACTERS, binary_buffers
from pipelines.intake.lines import whole_lines

PICKED_FORMATS = frozenset({"csv", "pipe"})
_MARK_BITS = 24  # a millionfold choice leaves one line of sixteen too many
_QUOTE = 34
_ENDS, _ONES, _HIGH = (np.uint64(byte * 0x0101010101010101) for byte in (10, 1, 0x80))


class MarkedTexts:
    """Texts by a mark each; what has none of the marks is none of the texts."""

    def __init__(self) -> None:
        self.marks = np.zeros(1 << _MARK_BITS, np.bool_)

    def add(self, texts: pa.Array) -> None:
        """texts: StringArray, nothing null."""
        offsets, data = binary_buffers(texts)
        room = np.zeros(len(data) + 8, np.uint8)
        room[: len(data)] = data
        _mark(room, np.ascontiguousarray(offsets, np.int64), self.marks)

    def add_numbers(self, chars: NDArray[np.uint8]) -> None:
        """chars: (n, 18) of identity numbers. They may end with a small x in the file."""
        for one in (chars, np.where(chars == ord("X"), np.uint8(ord("x")), chars)):
            ends = np.arange(len(one) + 1, dtype=np.int64) * 18
            _mark(np.append(one.ravel(), np.zeros(8, np.uint8)), ends, self.marks)


class PickedLines:
    """The stream that is left: the header, and the lines whose column may hold one of the texts.

    days: `real_days` of the as-of date when the column is one of numbers; lines with an invalid one are left too.
    """

    def __init__(
        self,
        stream: BinaryIO,
        file: FileContract,
        column: str,
        texts: MarkedTexts,
        days: NDArray[np.bool_] | None = None,
    ) -> None:
        self._blocks = whole_lines(stream)
        place = [one.name for one in file.columns].index(column)
        separator = np.uint8(ord(file.separator))
        days = np.zeros(0, np.bool_) if days is None else days
        self._how = (
            separator,
            file.quoted,
            file.encoding == "gb18030",
            place,
            texts.marks,
            CHECK_CHARACTERS,
            days,
        )
        self._left = np.zeros(0, np.uint8)
        self._header_seen = False

    def readinto(self, room: memoryview) -> int:
        """As of a raw stream: fills what it can, 0 at the end."""
        while not len(self._left):
            block = next(self._blocks, None)
            if block is None:
                return 0
            picked = np.empty(len(block), np.uint8)
            count, self._header_seen = _pick(block, self._header_seen, *self._how, picked)
            self._left = picked[:count]
        taken = min(len(room), len(self._left))
        room[:taken] = self._left[:taken].data
        self._left = self._left[taken:]
        return taken


@inlined
def _mixed(mixed, block, begin, length):
    """The mark of `length` bytes from `begin`; there are seven more behind them."""
    step = 0
    while step < length:
        word = word_at(block, begin + step)
        if length - step < 8:
            word &= np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(64 - 8 * (length - step))
        mixed = (mixed ^ word) * np.uint64(0xFF51AFD7ED558CCD)
        mixed ^= mixed >> np.uint64(32)
        step += 8
    return np.int64(mixed >> np.uint64(64 - _MARK_BITS))


@compiled
def _mark(data, offsets, marks):
    for place in range(len(offsets) - 1):
        length = offsets[place + 1] - offsets[place]
        marks[_mixed(np.uint64(length), data, offsets[place], length)] = True


@inlined
def _find_end(block, at):
    """The first line end from `at`; there is one, and seven bytes behind it."""
    stops = np.uint64(0)
    while stops == 0:
        word = word_at(block, at) ^ _ENDS
        stops = (word - _ONES) & ~word & _HIGH
        at += 8
    return at - 8 + first_byte(stops)


@inlined
def _is_valid_number(block, begin, length, check, days):
    """Whether an 18-character number stands here as it mostly does, its check character right and its day real."""
    total = born = np.int64(0)
    valid = length == 18
    place = 0
    while valid and place < 17:
        digit = byte_at(block, begin + place) - 48
        valid = 0 <= digit <= 9
        total = total * 2 + digit
        if 6 <= place < 14:
            born = born * 10 + digit
        place += 1
    if valid:
        last = byte_at(block, begin + 17)
        born -= 19000000
        valid = (
            check[total * 2 % 11] == (last if last != 120 else 88) and 0 <= born < len(days) and days[born]
        )
    return valid


@compiled
def _pick(block, header_seen, separator, quoted, gb, column, marks, check, days, picked):
    """Copy the lines that may be wanted. Returns (bytes copied, whether the header is among all lines so far)."""
    at = to = np.int64(0)
    stop = len(block)
    while at < stop:
        begin = at
        end = _find_end(block, at)
        plain = header_seen
        for _ in range(column):
            while at < end and byte_at(block, at) != separator:
                plain = plain and not (quoted and byte_at(block, at) == _QUOTE)
                at += 2 if gb and byte_at(block, at) >= 0x81 else 1
            at += 1
        first = at
        while at < end and byte_at(block, at) != separator:
            plain = plain and 0x20 < byte_at(block, at) < 0x7F and byte_at(block, at) != _QUOTE
            at += 1
        plain = plain and first < at
        if plain and len(days) > 0:
            plain = _is_valid_number(block, first, at - first, check, days)
        if not plain or marks[_mixed(np.uint64(at - first), block, first, at - first)]:
            if not header_seen:
                for place in range(begin, end):
                    header_seen = header_seen or block[place] > 0x20
            length = end + 1 - begin
            for place in range(length):
                picked[to + place] = block[begin + place]
            to += length
        at = end + 1
    return to, header_seen
