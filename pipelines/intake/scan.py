"""Blocks of records on the fast road: what a contract asks for as tables for the compiled loops, and their results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from connectors.contract import FileContract
from pipelines.identity.idnumber import CHECK_CHARACTERS, real_days, unpack_numbers
from pipelines.identity.text_hash import TextsInBlock, codepoints
from pipelines.intake import kernels
from pipelines.intake.batch import BIT
from pipelines.intake.checks import Judging, earliest_after, parsed_type, value_judge
from pipelines.intake.text_digests import Digests, TextNumbers

_KINDS = {
    "id": kernels.ID,
    "name": kernels.CARRIED,
    "carried": kernels.CARRIED,
    "text": kernels.TEXT,
    "identifier": kernels.TEXT,
    "money": kernels.MONEY,
}
_MOST_VALUES = 1 << 16
# More odd records than this share of what fits a block: the general reader takes the whole block.
_ODD_BYTES = 512
# The loops look at 64 bytes together, and a few ahead.
PADDING = 80


@dataclass
class Listed:
    """The distinct values of one column of few values, each judged once.

    values: what each means (None where it means nothing); bits: its reasons; blank: nothing but white space.
    """

    values: pa.Array
    bits: NDArray[np.uint32]
    blank: NDArray[np.bool_]


@dataclass
class Scanned:
    """The plain records of one block, judged. It answers what `Checked` answers.

    lines: where each stands in the file; mask: reason bits (0: accepted); records: (n, 2) its bytes in the block.
    """

    file: FileContract
    lines: NDArray[np.int64]
    mask: NDArray[np.uint32]
    block: NDArray[np.uint8]
    records: NDArray[np.int32]
    _scanner: Scanner
    _spans: NDArray[np.int32]
    _packed: NDArray[np.int64]
    _flags: NDArray[np.uint8]
    _amounts: NDArray[np.int64]
    _codes: NDArray[np.int32]
    file_name: str = ""

    @property
    def spoiled(self) -> list[tuple[int, str]]:
        return []

    @property
    def has_ids(self) -> bool:
        return self.file.id_column is not None

    @property
    def valid(self) -> NDArray[np.bool_]:
        return (self._flags & 1).astype(bool)

    @property
    def upgraded(self) -> NDArray[np.bool_]:
        return self._flags >= 2

    def formed(self) -> NDArray[np.bool_]:
        return np.ones(len(self.mask), dtype=bool)

    def id_blocks(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        blocks = np.zeros((len(rows), 2), np.uint64)
        blocks[:, 0] = self._packed[rows].view(np.uint64).byteswap()
        return blocks.view(np.uint8)

    def id_chars(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        return unpack_numbers(self._packed[rows].view(np.uint64))

    def first_future(self, as_of: date) -> int:
        listed = self._scanner.listed
        return earliest_after(as_of, [listed[c.name].values for c in self.file.columns if c.not_future])

    def amounts(self, name: str, rows: NDArray[np.int64]) -> pa.Array:
        amounts = self._amounts[self._scanner.place[name]][rows]
        return pa.array(amounts, mask=amounts == kernels.NO_AMOUNT)

    def coded(self, name: str, rows: NDArray[np.int64]) -> tuple[pa.Array, NDArray[np.int32]]:
        return self._scanner.listed[name].values, self._codes[self._scanner.place[name]][rows]

    def text(self, name: str, rows: NDArray[np.int64]) -> pa.Array:
        values, spaced = self.raw_text(self._spans[self._scanner.place[name]], rows)
        return pc.utf8_trim_whitespace(values) if spaced else values

    def digests(self, name: str, rows: NDArray[np.int64], numbers: TextNumbers) -> Digests:
        spans = self._spans[self._scanner.place[name]]
        texts = TextsInBlock(self.block, spans, rows, self._scanner.is_gb, lambda odd: self.text(name, odd))
        return numbers.of_block(texts)

    def raw_text(self, spans: NDArray[np.int32], rows: NDArray[np.int64]) -> tuple[pa.Array, bool]:
        """The bytes between spans as UTF-8, and whether some of them may have white space around."""
        offsets = np.empty(len(rows) + 1, np.int32)
        gb, points = self._scanner.is_gb, codepoints()
        total, spaced = kernels.measure(self.block, spans, rows, gb, points, offsets)
        data = np.empty(total, np.uint8)
        kernels.gather(self.block, spans, rows, gb, points, data)
        return pa.StringArray.from_buffers(len(rows), pa.py_buffer(offsets), pa.py_buffer(data)), spaced

    def raw_fields(self, row: int) -> list[str]:
        begin, end = self.records[row]
        return self._scanner.split_raw(self.block[begin:end].tobytes())


class Scanner:
    """Reads the blocks of one file; remembers the distinct values of its columns of few values."""

    def __init__(self, file: FileContract, judging: Judging, split_raw: Callable[[bytes], list[str]]) -> None:
        """split_raw: the fields of one record as they stand in the file."""
        self.file = file
        self.split_raw = split_raw
        self.is_gb = file.encoding == "gb18030"
        columns = file.columns
        kinds = [_KINDS.get(column.type, kernels.FEW) for column in columns]
        self.place: dict[str, int] = {}
        self._count = dict.fromkeys((kernels.TEXT, kernels.ID, kernels.MONEY, kernels.FEW), 0)
        for column, kind in zip(columns, kinds, strict=True):
            group = max(kind, kernels.TEXT)
            self.place[column.name] = self._count[group]
            self._count[group] += 1
        required = [not column.optional and column.empty_only_when is None for column in columns]
        few = self._count[kernels.FEW]
        self._known = np.zeros((few, _MOST_VALUES, kernels.LONGEST_FEW // 8), np.uint64)
        self._lengths = np.zeros((few, _MOST_VALUES), np.int32)
        self._counts = np.zeros(few, np.int64)
        self._fixed: tuple[Any, ...] = (
            np.array(kinds, np.int64),
            np.array([self.place[column.name] for column in columns], np.int64),
            np.array(required, np.bool_),
            np.array([column.not_negative for column in columns], np.bool_),
            CHECK_CHARACTERS,
            real_days(judging.as_of),
            self._known,
            self._lengths,
            self._counts,
            np.full((few, 2 * _MOST_VALUES), -1, np.int32),
            np.full((few, 1 << kernels.NEAR_BITS, 3), np.iinfo(np.uint64).max),  # no value is so long
            np.zeros((3, len(columns)), np.int64),
        )
        self._judges = {
            column.name: value_judge(column, judging)
            for column, kind in zip(columns, kinds, strict=True)
            if kind == kernels.FEW
        }
        self.listed = {
            name: Listed(
                pa.array([], parsed_type(file.column(name))), np.zeros(0, np.uint32), np.zeros(0, bool)
            )
            for name in self._judges
        }
        keys = [column.header.encode() for column in columns]
        words = max(map(len, keys)) // 8 + 1
        padded = b"".join(key.ljust(8 * words, b"\0") for key in keys)
        self._keys = np.frombuffer(padded, np.uint64).reshape(1, len(keys), words)
        self._key_lengths = np.array([len(key) for key in keys], np.int64)
        self._rooms = self._make_rooms(0)

    def read_lines(
        self, block: NDArray[np.uint8], first: int
    ) -> tuple[Scanned | None, NDArray[np.int64], int]:
        """A block of whole lines. Returns the plain records (None: the general reader must take the whole block),
        the odd lines as (index, begin, end), and how many lines there are."""
        file = self.file
        room = self._room(block)
        odd = np.empty((len(block) // _ODD_BYTES + 64, 3), np.int64)
        scan: Callable[..., Any] = kernels.scan_lines
        how = (file.format == "jsonl", np.uint8(ord(file.separator)), file.quoted, self.is_gb)
        rows, odds, lines = scan(block, *how, self._keys, self._key_lengths, *self._fixed, *room, odd)
        if odds < 0:
            return None, odd[:0], lines
        return self._scanned(block, first, rows, room), odd[:odds], lines

    def read_array(
        self, block: NDArray[np.uint8], at: int, first: int
    ) -> tuple[Scanned, NDArray[np.int64], int, int, int]:
        """Elements of a JSON array from `at`; `first` is the place of the next one, from 1.

        Returns the plain records, the odd elements as (index, begin, end), how many elements, where to go on and
        the state of kernels.scan_array.
        """
        room = self._room(block)
        odd = np.empty((len(block) // _ODD_BYTES + 64, 3), np.int64)
        scan: Callable[..., Any] = kernels.scan_array
        rows, odds, elements, resume, state = scan(
            block, at, first == 1, self._keys, self._key_lengths, *self._fixed, *room, odd
        )
        return self._scanned(block, first, rows, room), odd[:odds], elements, resume, state

    def _room(self, block: NDArray[np.uint8]) -> tuple[Any, ...]:
        """Where the loops write; the same for every block, as touching fresh memory costs more than filling it."""
        rows = len(block) // len(self.file.columns) + 1
        if rows > len(self._rooms[0]):
            self._rooms = self._make_rooms(rows)
        return self._rooms

    def _make_rooms(self, rows: int) -> tuple[Any, ...]:
        return (
            np.empty(rows, np.int32),
            np.empty((rows, 2), np.int32),
            np.empty((self._count[kernels.TEXT], rows, 2), np.int32),
            np.empty(rows if self._count[kernels.ID] else 0, np.int64),
            np.empty(rows if self._count[kernels.ID] else 0, np.uint8),
            np.empty((self._count[kernels.MONEY], rows), np.int64),
            np.empty((self._count[kernels.FEW], rows), np.int32),
        )

    def _scanned(self, block: NDArray[np.uint8], first: int, rows: int, room: tuple[Any, ...]) -> Scanned:
        lines, records, spans, packed, flags, amounts, codes = room
        self._judge_new_values()
        scanned = Scanned(
            self.file,
            lines[:rows].astype(np.int64) + first,
            np.zeros(rows, np.uint32),
            block,
            records[:rows].copy(),
            self,
            spans[:, :rows].copy(),
            packed[:rows].copy(),
            flags[:rows].copy(),
            amounts[:, :rows].copy(),
            codes[:, :rows].copy(),
        )
        self._add_reasons(scanned)
        return scanned

    def _judge_new_values(self) -> None:
        for name, judge in self._judges.items():
            place, listed = self.place[name], self.listed[name]
            old, new = len(listed.bits), int(self._counts[place])
            if old == new:
                continue
            raws = [
                self._known[place, code].tobytes()[: self._lengths[place, code]] for code in range(old, new)
            ]
            judged = [judge(raw.decode(self.file.encoding)) for raw in raws]
            fresh = pa.array([value for value, _, _ in judged], listed.values.type)
            listed.values = pa.concat_arrays([listed.values, fresh])
            listed.bits = np.append(listed.bits, np.array([bits for _, bits, _ in judged], np.uint32))
            listed.blank = np.append(listed.blank, np.array([blank for _, _, blank in judged], bool))

    def _add_reasons(self, scanned: Scanned) -> None:
        for column in self.file.columns:
            listed = self.listed.get(column.name)
            if listed is None:
                continue
            codes = scanned._codes[self.place[column.name]]
            if listed.bits.any():
                scanned.mask |= listed.bits[codes]
            if column.empty_only_when:
                name, value = column.empty_only_when
                other = self.listed[name]
                same = np.asarray(pc.fill_null(pc.equal(other.values, value), False))
                lacking = listed.blank[codes] & ~same[scanned._codes[self.place[name]]]
                scanned.mask[lacking] |= BIT["required_missing"]


def padded(raw: bytes) -> NDArray[np.uint8]:
    """A block of these bytes as the loops want it: with a line end and some room behind its end."""
    block = np.zeros(len(raw) + PADDING, np.uint8)
    block[: len(raw)] = np.frombuffer(raw, np.uint8)
    block[len(raw)] = ord("\n")
    return block[: len(raw)]
