"""A readable list as a file: CSV, or a workbook in which nothing is anything but text and figures."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pyarrow as pa
import xlsxwriter  # type: ignore[import-untyped]

from pipelines.lists import COUNTS, MONEY
from pipelines.sheet_rows import LIST_PART, count_altered, fill_sheet

MOST_ROWS: Final = 1_048_575  # of a sheet, below its header
NOTES_SHEET: Final = "说明"
_ROWS_AT_ONCE = 10_000
_WIDTHS: Final = {
    "线索编号": 26,
    "规则名称": 18,
    "家庭编号": 16,
    "户编号": 16,
    "公民身份号码": 21,
    "文件": 24,
    "原因": 40,
    "数据来源": 18,
    "证据说明": 60,
    "政策依据": 40,
    "消除条件": 40,
    "下一步": 40,
}


def write_csv(table: pa.Table, file: BinaryIO) -> None:
    """UTF-8 with BOM, CRLF, header row, quotes only where needed. Equal lists give equal bytes.

    Values stand as they are, also those that begin with = + - or @: this file is read by programs. Whoever
    opens it in a spreadsheet program imports the columns as text, or takes the workbook.
    """
    text = io.TextIOWrapper(file, "utf-8-sig", newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(table.column_names)
    writer.writerows(_rows(table))
    text.detach()


def write_workbook(
    table: pa.Table, file: BinaryIO, sheet_name: str, notes: Sequence[tuple[str, str | int]]
) -> None:
    """The list on the first sheet, frozen header and filter; `notes` (label, value) on the second, 说明.

    Money and counts are numbers, so that officers can sum and sort them; all else is text. Rows stream, and
    none lies in a temporary file. Raises ValueError for more than MOST_ROWS rows.
    """
    if table.num_rows > MOST_ROWS:
        raise ValueError(f"{table.num_rows} rows are more than a sheet takes ({MOST_ROWS})")
    altered = ("因工作表限制而改动的单元格数（全文见CSV）", count_altered(table))
    frame = _make_frame(table, sheet_name, [*notes, altered])
    with ZipFile(frame) as parts, ZipFile(file, "w", ZIP_DEFLATED, compresslevel=4) as workbook:
        for name in parts.namelist():
            if name == LIST_PART:
                _write_list_part(workbook, parts.read(name).decode(), table)
            else:
                workbook.writestr(_part(name), parts.read(name))


def _make_frame(table: pa.Table, sheet_name: str, notes: Sequence[tuple[str, str | int]]) -> io.BytesIO:
    """The whole workbook with an empty second row in place of the list's rows."""
    frame = io.BytesIO()
    with xlsxwriter.Workbook(frame, {"in_memory": True}) as workbook:
        text = workbook.add_format({"num_format": "@", "valign": "top"})
        money = workbook.add_format({"num_format": "0.00", "valign": "top"})
        count = workbook.add_format({"num_format": "0", "valign": "top"})
        header = workbook.add_format({"num_format": "@", "bold": True, "bottom": 1})
        sheet = workbook.add_worksheet(sheet_name)
        for place, head in enumerate(table.column_names):
            style = money if head in MONEY else count if head in COUNTS else text
            sheet.set_column(place, place, _WIDTHS.get(head, 13), style)
            sheet.write_string(0, place, head, header)
            sheet.write_blank(1, place, None, style)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(table.num_rows, 1), table.num_columns - 1)
        _write_notes(workbook.add_worksheet(NOTES_SHEET), notes, header, text)
    return frame


def _write_notes(sheet: Any, notes: Sequence[tuple[str, str | int]], header: Any, text: Any) -> None:
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 80)
    for row, (label, told) in enumerate(notes):
        sheet.write_string(row, 0, label, header)
        value = str(told)
        if value.startswith("<r>") and value.endswith("</r>"):
            # xlsxwriter would take it for its own markup and write it unescaped; in two pieces it does not.
            sheet.write_rich_string(row, 1, value[:3], text, value[3:], text)
        else:
            sheet.write_string(row, 1, value, text)


def _write_list_part(workbook: ZipFile, frame: str, table: pa.Table) -> None:
    numeric = [head in MONEY or head in COUNTS for head in table.column_names]
    is_huge = table.nbytes + table.num_rows * table.num_columns * 100 > 2**30
    with workbook.open(_part(LIST_PART), "w", force_zip64=is_huge) as part:
        for piece in fill_sheet(frame, table, numeric):
            part.write(piece)


def _part(name: str) -> ZipInfo:
    """With the date that spreadsheet programs write, so that equal workbooks are equal bytes."""
    part = ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    part.compress_type = ZIP_DEFLATED
    return part


def _rows(table: pa.Table) -> Iterator[tuple[Any, ...]]:
    for batch in table.to_batches(max_chunksize=_ROWS_AT_ONCE):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)
