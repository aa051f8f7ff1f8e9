"""Rows of a worksheet as XML, a batch of columns at a time.

xlsxwriter makes the workbook around them. Cell by cell it would take ten seconds of processor time for 50,000
rows, hold all of them in memory or names in a temporary file, and take a text in <r>…</r> for its own markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# The stubs of pyarrow know too little of what a column can do.
Column = Any

LIST_PART: Final = "xl/worksheets/sheet1.xml"  # the first sheet in the workbook's zip
MOST_CHARACTERS: Final = 32_767  # of a cell, counted as UTF-16
MOST_EXACT_DIGITS: Final = 15  # a number cell is a double
_ROWS_AT_ONCE = 5_000
_ODD = r"_x[0-9A-Fa-f]{4}_|[\x00-\x08\x0b-\x1f]|[\x{FFFE}\x{FFFF}]"
_LOOKS_ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f]")
_DIMENSION = re.compile(r'<dimension ref="[^"]*"/>')
_TEMPLATE_ROW = re.compile(r'<row r="2"[^>]*>.*?</row>')
_TEMPLATE_CELL = re.compile(r'<c r="([A-Z]+)2" s="([0-9]+)"/>')
# Characters that XML cannot hold in any form.
_NO_XML = {0xFFFE: 0xFFFD, 0xFFFF: 0xFFFD}


def fill_sheet(frame: str, table: pa.Table, numeric: list[bool]) -> Iterator[bytes | memoryview]:
    """The XML of a sheet, with the table's rows in place of its empty second row, which tells the styles.

    frame: the sheet as xlsxwriter wrote it, a blank cell with its format under each head; numeric as in `write_rows`.
    Raises RuntimeError for a sheet without such a row.
    """
    template = _TEMPLATE_ROW.search(frame)
    if template is None:
        raise RuntimeError(
            "the workbook's frame has no second row; does this xlsxwriter write sheets otherwise?"
        )
    letters, styles = zip(*_TEMPLATE_CELL.findall(template[0]), strict=True)
    dimension = f'<dimension ref="A1:{letters[-1]}{max(table.num_rows, 1) + 1}"/>'
    yield _DIMENSION.sub(dimension, frame[: template.start()], count=1).encode()
    yield from write_rows(table, 2, list(letters), list(styles), numeric)
    yield frame[template.end() :].encode()


def write_rows(
    table: pa.Table, first_row: int, letters: list[str], styles: list[str], numeric: list[bool]
) -> Iterator[memoryview]:
    """`<row>` elements from row `first_row` (1 = first) on, in pieces of some thousand rows.

    letters, styles, numeric: per column its letters, its style index, and whether its values are figures. All
    other cells are inline text, none a formula; an empty value has no cell; a figure that a double cannot
    hold exactly is text.
    """
    row = first_row
    for batch in table.to_batches(max_chunksize=_ROWS_AT_ONCE):
        numbers = pa.array(np.arange(row, row + batch.num_rows)).cast(pa.large_string())
        cells = [
            _cells(column, numbers, letter, style, is_numeric)
            for column, letter, style, is_numeric in zip(batch.columns, letters, styles, numeric, strict=True)
        ]
        rows = _join('<row r="', numbers, '">', *cells, "</row>")
        _, offsets, content = rows.buffers()
        last = np.frombuffer(offsets, np.int64)[rows.offset + len(rows)]
        yield memoryview(content)[:last]
        row += batch.num_rows


def count_altered(table: pa.Table) -> int:
    """How many text cells a workbook cannot hold as they are: too long, or with a character XML lacks."""
    columns: list[Column] = [column for column in table.columns if pa.types.is_string(column.type)]
    return sum(
        _held(text) != text for values in columns for text in values.filter(_is_odd(values)).to_pylist()
    )


def _cells(values: Column, numbers: Column, letter: str, style: str, is_numeric: bool) -> Column:
    values = values.cast(pa.large_string()).fill_null("")
    place = f'<c r="{letter}'
    opening = f'" s="{style}" t="inlineStr"><is><t xml:space="preserve">'
    text = _join(place, numbers, opening, _escape(values), "</t></is></c>")
    length: Column = pc.utf8_length(values)
    if is_numeric:
        figure = _join(place, numbers, f'" s="{style}"><v>', values, "</v></c>")
        text = pc.if_else(pc.less_equal(length, pa.scalar(MOST_EXACT_DIGITS)), figure, text)
    return pc.if_else(pc.equal(length, pa.scalar(0)), pa.scalar("", pa.large_string()), text)


def _escape(values: Column) -> Column:
    is_odd = _is_odd(values)
    if pc.any(is_odd).as_py():
        mended = [_write_odd(text) for text in values.filter(is_odd).to_pylist()]
        values = pc.replace_with_mask(values, is_odd, pa.array(mended, pa.large_string()))
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        values = pc.replace_substring(values, character, entity)
    return values


def _is_odd(values: Column) -> Column:
    """Whether a value needs more than the three entities; few do, and those are looked at one by one."""
    length: Column = pc.binary_length(values)
    return pc.or_(pc.match_substring_regex(values, _ODD), pc.greater(length, pa.scalar(MOST_CHARACTERS)))


def _held(text: str) -> str:
    """The text as a cell can hold it."""
    units = text.translate(_NO_XML).encode("utf-16-le")[: 2 * MOST_CHARACTERS]
    return units.decode("utf-16-le", "ignore")  # half a pair at the end is left out


def _write_odd(text: str) -> str:
    """ECMA-376's _xHHHH_ for control characters, and for the underscore of a text that looks like one."""
    return _CONTROL.sub(lambda found: f"_x{ord(found[0]):04X}_", _LOOKS_ESCAPED.sub("_x005F_", _held(text)))


def _join(*pieces: Any) -> Column:
    return pc.binary_join_element_wise(*(_wide(piece) for piece in (*pieces, "")))


def _wide(piece: Any) -> Any:
    return pa.scalar(piece, pa.large_string()) if isinstance(piece, str) else piece
