"""The fast road through a workbook: the cells of a plain sheet, found in one pass over its XML.

A sheet goes this way only when it is plain throughout: rows and cells in order, each with its place, and in a cell one
value or one text and nothing else. What a cell means is asked of the general reader, once for all that are written
alike, by way of a small workbook; only texts that hold nothing to unescape are taken as they stand. So the loop may
refuse whatever it likes and can get nothing wrong that it does not recognise.
"""

# mypy: disallow-untyped-defs=False, check-untyped-defs=False, disallow-untyped-calls=False
# ruff: noqa: SIM109

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipelines.compiled import byte_at, compiled, inlined, word_at
from pipelines.intake import kernels

# From a workbook, or the rows of one, to the texts of its cells, row by row.
ReadTexts = Callable[[bytes], list[list[str]]]

_BEGIN = b"<sheetData>"
# Tags alone before the rows, no attribute with one inside, and no other encoding.
_HEAD = re.compile(
    rb'(<\?xml version="1\.0" encoding="(UTF|utf)-8"( standalone="(yes|no)")?\?>)?\s*'
    rb"""(<[^<>"'!?]+("[^<>"]*"[^<>"'!?]*)*>\s*)*"""
)
_ACROSS = 26  # cells in a row of the small workbook, and the last column of a plain sheet
_LAST_ROW = (
    b"<row>" + b"<c><is><t>.</t></is></c>" * _ACROSS + b"</row>"
)  # or empty cells would end a row early
_PADDING = 64  # further than the loop looks ahead
_MOST_BYTES = 1 << 31  # places are int32
_MOST_ROWS = 1 << 20  # of any sheet (ECMA-376)
_NO_CODEPOINTS = np.zeros(0, np.int32)

_SPACE, _QUOTE, _AMPERSAND, _APOSTROPHE, _SLASH, _ZERO, _LESS, _MORE, _A, _LOW_LINE = map(ord, " \"&'/0<>A_")


def _word(text: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(text, "little"))


_THREE, _FOUR, _FIVE, _SIX, _SEVEN = (_word(b"\xff" * octets) for octets in (3, 4, 5, 6, 7))
_ROW, _END_ROW, _END_SHEET, _END_SHEET_2 = map(_word, (b'<row r="', b"</row>", b"</sheetD", b"ata>"))
_CELL, _STYLE, _TYPE, _END_CELL = map(_word, (b'<c r="', b' s="', b' t="', b"</c>"))
_VALUE, _END_VALUE = map(_word, (b"<v>", b"</v></c>"))
_TEXT, _END_TEXT, _END_TEXT_2 = map(_word, (b"<is><t>", b"</t></is", b"></c>"))
_KEPT, _KEPT_2, _KEPT_3, _KEPT_4 = map(_word, (b"<is><t x", b"ml:space", b'="preser', b've">'))


@dataclass
class PlainSheet:
    """The cells of a sheet.

    part: its name in the archive; octets: what the texts are slices of; lines: (n,) the rows that are there, by their
    number; spans: (width, n, 2) where in octets the text of each cell begins and ends.
    """

    part: str
    octets: NDArray[np.uint8]
    lines: NDArray[np.int64]
    spans: NDArray[np.int32]

    def column(self, place: int, rows: NDArray[np.int64]) -> pa.StringArray:
        """The texts of some rows."""
        return _slices(self.octets, self.spans[place], rows)

    def row(self, row: int) -> list[str]:
        return [self.column(place, np.array([row]))[0].as_py() for place in range(len(self.spans))]

    def rows_with_texts(self) -> NDArray[np.int64]:
        """The rows that are not blank."""
        begins, ends = self.spans[:, :, 0], self.spans[:, :, 1]
        first = self.octets[begins]
        has_text: NDArray[np.bool_] = np.any((ends > begins) & (first > _SPACE) & (first < 0x7F), axis=0)
        for row in np.flatnonzero(~has_text & np.any(ends > begins, axis=0)).tolist():
            has_text[row] = any(text.strip() for text in self.row(row))
        return np.flatnonzero(has_text)


def is_sheet(name: str) -> bool:
    """Whether a part of a workbook is one of its sheets."""
    return name.startswith("xl/worksheets/") and name.endswith(".xml")


def read_plain_sheet(archive: zipfile.ZipFile, width: int, read_texts: ReadTexts) -> PlainSheet | None:
    """The cells of the largest sheet; None when it is not plain, not the one wanted, or goes beyond `width` columns.

    read_texts: the general reader of the sheet that is wanted; it raises when that is not the largest one. What it
    raises, and what the archive does, is raised here.
    """
    names = archive.namelist()
    sheets = sorted(filter(is_sheet, names), key=lambda name: archive.getinfo(name).file_size)
    if not sheets or len(set(names)) < len(names):
        return None
    if archive.getinfo(sheets[-1]).file_size > _MOST_BYTES // 2:
        return None
    content = archive.read(sheets[-1])
    before, found, _ = content.partition(_BEGIN)
    if not found or _BEGIN[1:-1] in before or not _HEAD.fullmatch(before):
        return None
    pa.scalar(content, pa.binary()).cast(pa.string())  # raises where they are no UTF-8
    octets = np.full(len(content) + _PADDING, _LESS, np.uint8)  # so that no search goes further
    octets[: len(content)] = np.frombuffer(content, np.uint8)
    most = min(content.count(b"<row "), _MOST_ROWS)
    lines, spans = np.empty(most, np.int64), np.empty((width, most, 2), np.int32)
    begin = len(before + found)
    rows, end = find_cells(octets, begin, lines, spans)
    if rows < 0:
        return None
    sheet = PlainSheet(sheets[-1], octets, lines[:rows], np.ascontiguousarray(spans[:, :rows]))

    def ask(rows: bytes) -> list[list[str]]:
        return read_texts(_small_workbook(archive, sheet.part, content[:begin] + rows + content[end:]))

    return sheet if _add_asked_texts(sheet, ask) else None


def _add_asked_texts(sheet: PlainSheet, read_texts: ReadTexts) -> bool:
    """Put the texts of the cells that do not hold them as they stand behind the others', each once.

    False: the answer is of another sheet.
    """
    asked = np.nonzero(sheet.spans[:, :, 1] < 0)
    cells = np.ascontiguousarray(sheet.spans[asked])
    cells[:, 1] = ~cells[:, 1]
    alike = _slices(sheet.octets, cells, np.arange(len(cells))).dictionary_encode()
    written = alike.dictionary.cast(pa.binary()).to_pylist()
    rows = [written[first : first + _ACROSS] for first in range(0, len(written), _ACROSS)]
    small = b"".join(b"<row><c" + b"</c><c".join(row) + b"</c></row>" for row in rows)
    answer = read_texts(small + _LAST_ROW)
    if len(answer) != len(rows) + 1 or answer[-1] != ["."] * _ACROSS:
        return False  # it is another sheet that answers: the one wanted lies where no sheet is looked for
    texts = [text.encode() for row in answer[:-1] for text in row][: len(written)]
    ends = len(sheet.octets) + np.cumsum([0, *map(len, texts)])
    if ends[-1] + _PADDING >= _MOST_BYTES:
        raise OverflowError(f"a sheet of {ends[-1]} bytes; its places go up to {_MOST_BYTES}")
    sheet.spans[asked] = np.stack([ends[:-1], ends[1:]], axis=1)[alike.indices.to_numpy()]
    behind = np.frombuffer(b"".join(texts) + bytes(_PADDING), np.uint8)
    sheet.octets = np.concatenate([sheet.octets, behind])
    return True


def _small_workbook(archive: zipfile.ZipFile, part: str, sheet: bytes) -> bytes:
    """The workbook with another sheet as its only one."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as small:
        for name in archive.namelist():
            if not is_sheet(name):
                small.writestr(name, archive.read(name))
        small.writestr(part, sheet)
    return out.getvalue()


def _slices(octets: NDArray[np.uint8], spans: NDArray[np.int32], rows: NDArray[np.int64]) -> pa.StringArray:
    """The texts between spans (n, 2)."""
    offsets = np.empty(len(rows) + 1, np.int32)
    total, _ = kernels.measure(octets, spans, rows, False, _NO_CODEPOINTS, offsets)
    data = np.empty(total, np.uint8)
    kernels.gather(octets, spans, rows, False, _NO_CODEPOINTS, data)
    return pa.StringArray.from_buffers(len(rows), pa.py_buffer(offsets), pa.py_buffer(data))


@inlined
def _number(octets, at):
    """A number without leading noughts that a quote ends, and what comes behind that; -1 when there is none."""
    number = np.int64(0)
    digit = byte_at(octets, at) - _ZERO
    while 0 <= digit <= 9 and 0 < number + digit <= _MOST_ROWS:
        number = number * 10 + digit
        at += 1
        digit = byte_at(octets, at) - _ZERO
    if byte_at(octets, at) != _QUOTE or number > _MOST_ROWS:
        number = np.int64(-1)
    return number, at + 1


@inlined
def _row_tag_end(octets, at):
    """Where the tag of a row ends, of which `at` is inside; -1 when it is not plain."""
    quotes = 0
    here = byte_at(octets, at)
    while here != _MORE and here != _LESS and here != _APOSTROPHE:
        quotes += here == _QUOTE
        at += 1
        here = byte_at(octets, at)
    return at + 1 if here == _MORE and quotes % 2 == 0 else np.int64(-1)


@inlined
def _cell_tag_end(octets, at):
    """Where the tag of a cell ends that tells no more behind `at` than its style and type, each once; otherwise -1."""
    style = False
    type_ = False
    word = word_at(octets, at) & _FOUR
    while (word == _STYLE and not style) or (word == _TYPE and not type_):
        style = style or word == _STYLE
        type_ = type_ or word == _TYPE
        at += 4
        while byte_at(octets, at) >= _ZERO and byte_at(octets, at) != _LESS and byte_at(octets, at) != _MORE:
            at += 1
        if byte_at(octets, at) != _QUOTE:
            return np.int64(-1)
        at += 1
        word = word_at(octets, at) & _FOUR
    if byte_at(octets, at) == _SPACE and byte_at(octets, at + 1) == _SLASH:  # as openpyxl writes it
        at += 1
    if byte_at(octets, at) == _SLASH:
        at += 1
    return at + 1 if byte_at(octets, at) == _MORE else np.int64(-1)


@inlined
def _text_begin(octets, at):
    """Where the text of a cell begins whose content begins at `at`, and whether it may stand as it is; -1 for none."""
    word = word_at(octets, at)
    begin = np.int64(-1)
    if word & _THREE == _VALUE:
        begin = at + 3
    elif word & _SEVEN == _TEXT:
        begin = at + 7
    elif (
        word == _KEPT
        and word_at(octets, at + 8) == _KEPT_2
        and word_at(octets, at + 16) == _KEPT_3
        and word_at(octets, at + 24) & _FOUR == _KEPT_4
    ):
        begin = at + 28
    return begin, begin == at + 7


@compiled
def find_cells(octets, at, lines, spans):
    """Fill lines with the numbers of the rows from `at` on, and spans with where the texts of their cells are.

    A text that is as it stands has its own span, an empty cell (0, 0), and any other all that is written behind its
    place, with the complement of its end. Returns how many rows there are and where they end; (-1, 0) when the sheet is
    not plain.
    """
    width = len(spans)
    rows = np.int64(0)
    last = np.int64(0)
    while word_at(octets, at) == _ROW:
        number, at = _number(octets, at + 8)
        at = _row_tag_end(octets, at)
        if number <= last or at < 0:
            return np.int64(-1), np.int64(0)
        last = number
        row = rows
        lines[row] = number
        for column in range(width):
            spans[column, row, 0] = spans[column, row, 1] = 0
        rows += 1
        if byte_at(octets, at - 2) == _SLASH:
            continue
        before = np.int64(-1)
        while word_at(octets, at) & _SIX == _CELL:
            column = byte_at(octets, at + 6) - _A
            again, begin = _number(octets, at + 7)
            at = _cell_tag_end(octets, begin)
            if column <= before or column >= _ACROSS or again != number or at < 0:
                return np.int64(-1), np.int64(0)
            before = column
            if byte_at(octets, at - 2) == _SLASH:
                continue
            if word_at(octets, at) & _FOUR == _END_CELL:
                at += 4
                continue
            text, as_it_stands = _text_begin(octets, at)
            if text < 0 or column >= width:
                return np.int64(-1), np.int64(0)
            is_value = text == at + 3
            at = text
            here = byte_at(octets, at)
            as_it_stands = as_it_stands and here != _SPACE
            while here != _LESS:
                if here < _SPACE or here == _AMPERSAND or here == _LOW_LINE:
                    as_it_stands = False
                at += 1
                here = byte_at(octets, at)
            as_it_stands = as_it_stands and byte_at(octets, at - 1) != _SPACE
            word = word_at(octets, at)
            if as_it_stands:
                spans[column, row, 0] = text
                spans[column, row, 1] = at
            else:
                spans[column, row, 0] = begin
                spans[column, row, 1] = ~(at + (4 if is_value else 9))
            if is_value and word == _END_VALUE:
                at += 8
            elif not is_value and word == _END_TEXT and word_at(octets, at + 8) & _FIVE == _END_TEXT_2:
                at += 13
            else:
                return np.int64(-1), np.int64(0)
        if word_at(octets, at) & _SIX != _END_ROW:
            return np.int64(-1), np.int64(0)
        at += 6
    if word_at(octets, at) != _END_SHEET or word_at(octets, at + 8) & _FOUR != _END_SHEET_2:
        return np.int64(-1), np.int64(0)
    return rows, at
