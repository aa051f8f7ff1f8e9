"""Excel workbooks: one sheet, a header row, text and number cells."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
from python_calamine import CalamineWorkbook

from connectors.contract import FileContract
from pipelines.errors import SourceHeld
from pipelines.intake.batch import RowBatch
from pipelines.intake.checks import Judging, check_batch
from pipelines.intake.judged import Judged
from pipelines.intake.objects import plain_text

# A workbook unpacks to about ten times its size; far more is a zip bomb, not a list of households.
_MAX_UNPACKED_BYTES = 4 << 30
_MAX_RATIO = 400
_MOST_CELLS = 32_000_000
_REFERENCE = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{0,3})([0-9]{1,7})["']""")
# Cells beyond column Z or row 99999, and such rows: rare, so that looking for them costs little.
_FAR_REFERENCE = re.compile(
    rb"""\br\s*=\s*["']([A-Za-z]{2,3}(?=[0-9])|[A-Za-z]?(?=[0-9]{6}))([0-9]{1,7})["']"""
)


def read_workbook(stream: BinaryIO, file: FileContract, file_name: str, judging: Judging) -> Iterator[Judged]:
    """Rows of the contract's sheet. Raises SourceHeld (unreadable, header_mismatch)."""
    raw = stream.read()
    rows = _sheet_rows(raw, file, file_name)
    wanted = [column.header for column in file.columns]
    header = (
        [plain_text(cell).strip() for cell in rows[file.header_row - 1]]
        if len(rows) >= file.header_row
        else []
    )
    while header and not header[-1]:
        header.pop()
    if header != wanted:
        same = sum(a == b for a, b in zip(header, wanted, strict=False))
        raise SourceHeld(
            "header_mismatch",
            f"{file_name} row {file.header_row}: {len(header)} headers of which {same} are as agreed; "
            f"wanted {len(wanted)}",
        )
    lines: list[int] = []
    spoiled: list[tuple[int, str]] = []
    kept: list[list[str]] = []
    width = len(wanted)
    for number, row in enumerate(rows[file.header_row :], file.header_row + 1):
        texts = [_cell_text(cell) for cell in row]
        if not any(text.strip() for text in texts):
            continue
        if any(text.strip() for text in texts[width:]):
            spoiled.append((number, "wrong_column_count"))
            continue
        lines.append(number)
        kept.append(texts[:width] + [""] * (width - len(texts)))
    columns: dict[str, pa.Array] = {}
    for position, column in enumerate(file.columns):
        array = pa.array([texts[position] for texts in kept], pa.string()).cast(pa.binary())
        few = column.type in ("code", "digits", "currency", "date", "month")
        columns[column.name] = array.dictionary_encode() if few else array
    batch = RowBatch(np.array(lines, dtype=np.int64), columns, "utf-8", spoiled)
    yield check_batch(batch, file, judging)


def _sheet_rows(raw: bytes, file: FileContract, file_name: str) -> list[list[Any]]:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
            if unpacked > _MAX_UNPACKED_BYTES or unpacked > _MAX_RATIO * max(len(raw), 1 << 16):
                raise SourceHeld(
                    "unreadable", f"{file_name}: unpacks to {unpacked} bytes, far beyond a workbook's ratio"
                )
            _refuse_wide_sheets(archive, file_name)
        book = CalamineWorkbook.from_filelike(io.BytesIO(raw))
        if file.sheet not in book.sheet_names:
            raise SourceHeld(
                "header_mismatch", f"{file_name}: {len(book.sheet_names)} sheets, none is named {file.sheet}"
            )
        return book.get_sheet_by_name(file.sheet).to_python(skip_empty_area=False)
    except SourceHeld:
        raise
    except (Exception, BaseException) as error:
        # The reader is native code and panics on broken workbooks; its message may quote a cell.
        if isinstance(error, KeyboardInterrupt | SystemExit | MemoryError):
            raise
        raise SourceHeld("unreadable", f"{file_name}: not a workbook ({type(error).__name__})") from None


def _refuse_wide_sheets(archive: zipfile.ZipFile, file_name: str) -> None:
    """The reader lays a sheet out as one rectangle: a lone cell in its last corner would take hundreds of gigabytes."""
    names = archive.namelist()
    if "xl/workbook.xml" not in names:
        raise SourceHeld(
            "unreadable", f"{file_name}: not an xlsx workbook; save it as .xlsx and send it again"
        )
    for name in names:
        if not name.startswith("xl/worksheets/") or not name.endswith(".xml"):
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
