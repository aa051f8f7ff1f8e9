"""Excel workbooks: one sheet, a header row, text and number cells."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from python_calamine import CalamineWorkbook

from connectors.contract import FileContract
from pipelines.errors import SourceHeld
from pipelines.intake.batch import RowBatch
from pipelines.intake.checks import Judging, check_batch
from pipelines.intake.judged import Judged
from pipelines.intake.objects import plain_text
from pipelines.intake.plain_sheet import PlainSheet, is_sheet, read_plain_sheet

# A workbook unpacks to about ten times its size; far more is a zip bomb, not a list of households.
_MAX_UNPACKED_BYTES = 4 << 30
_MAX_RATIO = 400
_MOST_CELLS = 32_000_000
_REFERENCE = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{0,3})([0-9]{1,7})["']""")
# Cells beyond column Z or row 99999, and such rows: rare, so that looking for them costs little.
_FAR_REFERENCE = re.compile(
    rb"""\br\s*=\s*["']([A-Za-z]{2,3}(?=[0-9])|[A-Za-z]?(?=[0-9]{6}))([0-9]{1,7})["']"""
)


@dataclass
class _Table:
    """What a sheet holds: its headers, and of the rows below their numbers, their columns and which are too long."""

    header: list[str]
    lines: NDArray[np.int64]
    columns: list[pa.Array]
    spoiled: list[tuple[int, str]] = field(default_factory=list)


def read_workbook(stream: BinaryIO, file: FileContract, file_name: str, judging: Judging) -> Iterator[Judged]:
    """Rows of the contract's sheet. Raises SourceHeld (unreadable, header_mismatch)."""
    table = _read_table(stream.read(), file, file_name)
    wanted = [column.header for column in file.columns]
    header = [text.strip() for text in table.header]
    while header and not header[-1]:
        header.pop()
    if header != wanted:
        same = sum(a == b for a, b in zip(header, wanted, strict=False))
        raise SourceHeld(
            "header_mismatch",
            f"{file_name} row {file.header_row}: {len(header)} headers of which {same} are as agreed; "
            f"wanted {len(wanted)}",
        )
    columns: dict[str, pa.Array] = {}
    for column, texts in zip(file.columns, table.columns, strict=True):
        array = texts.cast(pa.binary())
        few = column.type in ("code", "digits", "currency", "date", "month")
        columns[column.name] = array.dictionary_encode() if few else array
    batch = RowBatch(table.lines, columns, "utf-8", table.spoiled)
    yield check_batch(batch, file, judging)


def _read_table(raw: bytes, file: FileContract, file_name: str) -> _Table:
    with _unreadable_if_broken(file_name), zipfile.ZipFile(io.BytesIO(raw)) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
        if unpacked > _MAX_UNPACKED_BYTES or unpacked > _MAX_RATIO * max(len(raw), 1 << 16):
            raise SourceHeld(
                "unreadable", f"{file_name}: unpacks to {unpacked} bytes, far beyond a workbook's ratio"
            )
        if "xl/workbook.xml" not in archive.namelist():
            raise SourceHeld(
                "unreadable", f"{file_name}: not an xlsx workbook; save it as .xlsx and send it again"
            )
        plain = None
        with suppress(SourceHeld), _unreadable_if_broken(file_name):
            plain = read_plain_sheet(
                archive, len(file.columns), lambda small: _sheet_rows(small, file, file_name)
            )
        _refuse_wide_sheets(archive, file_name, plain.part if plain else None)
        if plain:
            return _table_of_plain(plain, file)
        return _table_of_rows(_sheet_rows(raw, file, file_name), file)


def _table_of_plain(sheet: PlainSheet, file: FileContract) -> _Table:
    header = [sheet.row(row) for row in np.flatnonzero(sheet.lines == file.header_row).tolist()]
    rows = sheet.rows_with_texts()
    rows = rows[sheet.lines[rows] > file.header_row]
    columns = [sheet.column(place, rows) for place in range(len(file.columns))]
    return _Table(header[0] if header else [], sheet.lines[rows], columns)


def _table_of_rows(rows: list[list[str]], file: FileContract) -> _Table:
    header = rows[file.header_row - 1] if len(rows) >= file.header_row else []
    lines: list[int] = []
    spoiled: list[tuple[int, str]] = []
    kept: list[list[str]] = []
    width = len(file.columns)
    for number, texts in enumerate(rows[file.header_row :], file.header_row + 1):
        if not any(text.strip() for text in texts):
            continue
        if any(text.strip() for text in texts[width:]):
            spoiled.append((number, "wrong_column_count"))
            continue
        lines.append(number)
        kept.append(texts[:width] + [""] * (width - len(texts)))
    columns = [pa.array([texts[place] for texts in kept], pa.string()) for place in range(width)]
    return _Table(header, np.array(lines, dtype=np.int64), columns, spoiled)


def _sheet_rows(raw: bytes, file: FileContract, file_name: str) -> list[list[str]]:
    """The texts of every row of the sheet, from the first."""
    book = CalamineWorkbook.from_filelike(io.BytesIO(raw))
    if file.sheet not in book.sheet_names:
        raise SourceHeld(
            "header_mismatch", f"{file_name}: {len(book.sheet_names)} sheets, none is named {file.sheet}"
        )
    rows = book.get_sheet_by_name(file.sheet).to_python(skip_empty_area=False)
    return [[_cell_text(cell) for cell in row] for row in rows]


@contextmanager
def _unreadable_if_broken(file_name: str) -> Iterator[None]:
    try:
        yield
    except SourceHeld:
        raise
    except (Exception, BaseException) as error:
        # The reader is native code and panics on broken workbooks; its message may quote a cell.
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
            raise
        raise SourceHeld("unreadable", f"{file_name}: not a workbook ({type(error).__name__})") from None


def _refuse_wide_sheets(archive: zipfile.ZipFile, file_name: str, known: str | None) -> None:
    """The reader lays a sheet out as one rectangle: a lone cell in its last corner would take hundreds of gigabytes.

    known: a sheet that is known not to be wide.
    """
    for name in archive.namelist():
        if not is_sheet(name) or name == known:
            continue
        columns, rows = _furthest(archive, name, _FAR_REFERENCE)
        if max(columns, 26) * max(rows, 99_999) > _MOST_CELLS:
            columns, rows = _furthest(archive, name, _REFERENCE)
        if columns * rows > _MOST_CELLS:
            raise SourceHeld(
                "unreadable",
                f"{file_name}: a sheet reaches column {columns} and row {rows}; wanted at most {_MOST_CELLS} cells. "
                "Delete the stray cells far from the table.",
            )


def _furthest(archive: zipfile.ZipFile, name: str, reference: re.Pattern[bytes]) -> tuple[int, int]:
    """The last column and the last row that a sheet's references name."""
    columns = rows = 0
    with archive.open(name) as sheet:
        carried = b""
        while chunk := sheet.read(1 << 20):
            for letters, digits in reference.findall(carried + chunk):
                columns = max(columns, _column_number(letters))
                rows = max(rows, int(digits))
            carried = chunk[-16:]
    return columns, rows


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _cell_text(cell: Any) -> str:
    if type(cell) is str:
        return cell
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if type(cell) is float and cell.is_integer() and abs(cell) < 1e18:
        return str(int(cell))
    return plain_text(cell)
