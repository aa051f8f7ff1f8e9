"""The XLSX of a list: xlsxwriter makes the workbook around the rows, `pipelines.sheet_rows` the rows.

Cell by cell, 50,000 rows would take most of a minute of processor time, and lie in a temporary file meanwhile.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pyarrow as pa
import xlsxwriter  # type: ignore[import-untyped]

from pipelines.sheet_rows import LIST_PART, fill_sheet

SHEET, ABOUT, CHOICES = "线索", "说明", "选项"
_WIDE, _NARROW = 26, 16


@dataclass(frozen=True)
class SheetFrame:
    """All of the workbook but its rows.

    columns: the head of every column in order. fill: the columns officers write into; choices: what may be chosen
    in the first of them. about: label and value of each line of the second sheet. mark: printed on every page.
    """

    columns: list[str]
    fill: list[str]
    choices: list[str]
    about: dict[str, str]
    mark: str


def write_sheet(frame: SheetFrame, table: pa.Table) -> bytes:
    """The workbook with the table's rows, every cell text. The table has the frame's columns in their order."""
    shell = _make_shell(frame, table.num_rows)
    numeric = [False] * table.num_columns
    content = io.BytesIO()
    with ZipFile(shell) as parts, ZipFile(content, "w", ZIP_DEFLATED, compresslevel=4) as workbook:
        for name in parts.namelist():
            if name == LIST_PART:
                with workbook.open(name, "w") as part:
                    for piece in fill_sheet(parts.read(name).decode(), table, numeric):
                        part.write(piece)
            else:
                workbook.writestr(name, parts.read(name))
    return content.getvalue()


def _make_shell(frame: SheetFrame, rows: int) -> io.BytesIO:
    memory = io.BytesIO()
    with xlsxwriter.Workbook(memory, {"in_memory": True}) as book:
        sheet = book.add_worksheet(SHEET)
        head = book.add_format({"bold": True, "bg_color": "#EEF2F4", "border": 1})
        text = book.add_format({"num_format": "@"})
        fill = book.add_format({"bg_color": "#FFF8E1", "num_format": "@", "locked": False})
        for at, name in enumerate(frame.columns):
            style = fill if name in frame.fill else text
            # An empty cell is not written: its look comes from the column.
            sheet.set_column(at, at, _NARROW if at else _WIDE, style)
            sheet.write_string(0, at, name, head)
            sheet.write_blank(1, at, None, style)
        _arrange(sheet, frame, rows)
        _write_choices(book.add_worksheet(CHOICES), frame.choices)
        _write_about(book.add_worksheet(ABOUT), frame.about)
    return memory


def _arrange(sheet: Any, frame: SheetFrame, rows: int) -> None:
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, max(rows, 1), len(frame.columns) - 1)
    sheet.set_header(f"&C{_header_text(frame.mark)}")
    sheet.set_footer("&C第 &P 页，共 &N 页")
    if rows and frame.choices:
        at = frame.columns.index(frame.fill[0])
        # Written out, the choices would exceed the 255 characters a list may have.
        source = f"={CHOICES}!$A$1:$A${len(frame.choices)}"
        sheet.data_validation(1, at, rows, at, {"validate": "list", "source": source})


def _write_choices(sheet: Any, choices: list[str]) -> None:
    for line, name in enumerate(choices):
        sheet.write_string(line, 0, name)
    sheet.hide()


def _write_about(sheet: Any, about: dict[str, str]) -> None:
    for line, (name, value) in enumerate(about.items()):
        sheet.write_string(line, 0, name)
        sheet.write_string(line, 1, value)
    sheet.set_column(1, 1, 90)


def _header_text(mark: str) -> str:
    # "&" begins a code in a printed header, which holds at most 255 characters.
    return mark.replace("&", "&&")[:240]
