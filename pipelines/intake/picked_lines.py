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
_ENDS, _ONES, _HIGH, _NOUGHTS = (np.uint64(byte * 0x0101010101010101) for byte in (10, 1, 0x80, 0x30))
_ABOVE_NINE = np.uint64(0x76 * 0x0101010101010101)  # carries a byte above nine into its highest bit
_NOBODY = np.zeros(0, np.int64)


class MarkedTexts:
    """Texts by a mark each; what has none of the marks is none of the texts."""

    def __init__(self) -> None:
        self.marks = np.zeros(1 << _MARK_BITS >> 3, np.uint8)

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
    lines: numbers of lines that are left whatever they hold, ascending.
    picked_as: which line of the stream each of these has become; of those not come to yet one beyond all.
    """

    def __init__(
        self,
        stream: BinaryIO,
        file: FileContract,
        column: str,
        texts: MarkedTexts,
        days: NDArray[np.bool_] | None = None,
        lines: NDArray[np.int64] = _NOBODY,
    ) -> None:
        self._blocks = whole_lines(stream)
        place = [one.name for one in file.columns].index(column)
        separator = np.uint8(ord(file.separator))
        days = np.zeros(0, np.bool_) if days is None else days
        self.picked_as = np.full(len(lines), np.iinfo(np.int64).max)
        self._how = (
            separator,
            file.quoted,
            file.encoding == "gb18030",
            place,
            texts.marks,
            CHECK_CHARACTERS,
            days,
            lines,
            self.picked_as,
        )
        self._left = np.zeros(0, np.uint8)
        # Lines so far, of these picked, of `lines` seen, whether the header is among them.
        self._counts = np.zeros(4, np.int64)

    def readinto(self, room: memoryview) -> int:
        """As of a raw stream: fills what it can, 0 at the end."""
        while not len(self._left):
            block = next(self._blocks, None)
            if block is None:
                return 0
            picked = np.empty(len(block), np.uint8)
            self._left = picked[: _pick(block, self._counts, *self._how, picked)]
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
        mark = _mixed(np.uint64(length), data, offsets[place], length)
        marks[mark >> 3] |= np.uint8(1 << (mark & 7))


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
def _are_digits(word):
    return ((word + _ABOVE_NINE) | word) & _HIGH == 0


@inlined
def _folded(word, base):
    """Eight digits, the first in the lowest byte, as one number to a base of at most ten."""
    word = (word * base + (word >> np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
    base *= base
    word = (word * base + (word >> np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
    base *= base
    return np.int64((word * base + (word >> np.uint64(32))) & np.uint64(0xFFFFFFFF))


@inlined
def _is_valid_number(block, begin, check, days):
    """Whether the 18 characters here are a number as it mostly stands, its check character right and its day real."""
    head = word_at(block, begin) ^ _NOUGHTS
    tail = word_at(block, begin + 8) ^ _NOUGHTS
    seventeenth = byte_at(block, begin + 16) - 48
    valid = _are_digits(head) and _are_digits(tail) and 0 <= seventeenth <= 9
    if valid:
        # The weights of GB 11643 are the powers of two to 11.
        two = np.uint64(2)
        total = (_folded(head, two) * 256 + _folded(tail, two)) * 2 + seventeenth
        born = _folded(word_at(block, begin + 6) ^ _NOUGHTS, np.uint64(10)) - 19000000
        last = byte_at(block, begin + 17)
        valid = (
            check[total * 2 % 11] == (last if last != 120 else 88) and 0 <= born < len(days) and days[born]
        )
    return valid


@compiled
def _pick(block, counts, separator, quoted, gb, column, marks, check, days, lines, picked_as, picked):
    """Copy the lines that may be wanted. Returns how many bytes."""
    at = to = np.int64(0)
    stop = len(block)
    line, picked_lines, seen, header_seen = counts[0], counts[1], counts[2], counts[3] != 0
    while at < stop:
        begin = at
        end = _find_end(block, at)
        line += 1
        plain = header_seen
        for _ in range(column):
            while at < end and byte_at(block, at) != separator:
                plain = plain and not (quoted and byte_at(block, at) == _QUOTE)
                at += 2 if gb and byte_at(block, at) >= 0x81 else 1
            at += 1
        first = at
        if len(days) > 0:
            at = first + 18
            plain = (
                plain
                and at <= end
                and (at == end or byte_at(block, at) == separator)
                and _is_valid_number(block, first, check, days)
            )
        else:
            while at < end and byte_at(block, at) != separator:
                plain = plain and 0x20 < byte_at(block, at) < 0x7F and byte_at(block, at) != _QUOTE
                at += 1
            plain = plain and first < at
        is_wanted = seen < len(lines) and lines[seen] == line
        if is_wanted:
            picked_as[seen] = picked_lines + 1
            seen += 1
        elif not plain:
            is_wanted = True
        else:
            mark = _mixed(np.uint64(at - first), block, first, at - first)
            is_wanted = marks[mark >> 3] >> (mark & 7) & 1 != 0
        if is_wanted:
            if not header_seen:
                for place in range(begin, end):
                    header_seen = header_seen or block[place] > 0x20
            length = end + 1 - begin
            for place in range(length):
                picked[to + place] = block[begin + place]
            to += length
            picked_lines += 1
        at = end + 1
    counts[0], counts[1], counts[2], counts[3] = line, picked_lines, seen, header_seen
    return to
