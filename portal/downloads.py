"""A list as a sheet: exactly the screen's rows and columns, marked with who took it and when.

Every row carries a check code `<canary>.<version>.<code>`. The canary is drawn for this one download, so a single
leaked row names it; the code is keyed over the canary, the lead, its version and the cells, so a row that was
changed, invented or taken from another sheet is told apart when it comes back.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import secrets
from dataclasses import dataclass, replace
from datetime import datetime

import xlsxwriter  # type: ignore[import-untyped]

from portal.codes import desk_codes
from portal.listing import ALL_VIEWS, TITLES, Filters
from portal.schema import Download
from portal.scope import ScopedSession, Viewer
from portal.sealing import Vault
from portal.settings import LOCAL_ZONE
from portal.sheet import COLUMNS, SheetRow

ANSWER, NOTE, CHECK, MARK = "填写：核查反馈", "填写：说明", "行校验码", "下载标记"
EXTRA = (ANSWER, NOTE, CHECK, MARK)
SHEET, ABOUT, CHOICES = "线索", "说明", "选项"
MEDIA = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}
# What a spreadsheet program would take for a formula; a plain negative number is not one.
_FORMULA = re.compile(r"^(?!-[0-9][0-9,.]*(元|天)?$)[=+\-@\t\r]")


@dataclass(frozen=True)
class Taken:
    """One download as the ledger keeps it."""

    ledger: Download
    content: bytes
    file_name: str


def take_sheet(
    db: ScopedSession,
    filters: Filters,
    rows: list[SheetRow],
    kind: str,
    viewer: Viewer,
    vault: Vault,
    now: datetime,
) -> Taken:
    """Make the file and its line in the ledger. kind: xlsx or csv."""
    canary = secrets.token_hex(6)
    mark = f"{viewer.display_name}（{viewer.login}）{now.astimezone(LOCAL_ZONE):%Y-%m-%d %H:%M:%S} {canary}"
    write = _xlsx if kind == "xlsx" else _csv
    content = write(filters, rows, vault, canary, mark)
    ledger = Download(
        user_id=viewer.user_id,
        at=now,
        list=filters.list,
        format=kind,
        # Kept without the search: it may stand for a person.
        filters=replace(filters, q="…" if filters.q else "").query(),
        rows=len(rows),
        sha256=hashlib.sha256(content).hexdigest(),
        canary=canary,
    )
    db.add(ledger)
    db.flush()
    return Taken(ledger, content, f"{filters.slug}-{now.astimezone(LOCAL_ZONE):%Y%m%d-%H%M%S}.{kind}")


def check_code(vault: Vault, canary: str, row: SheetRow) -> str:
    cells = "\x1f".join(row.cells)
    return f"{canary}.{row.version}.{vault.code_of(f'{canary}|{row.lead_id}|{row.version}|{cells}')}"


def answer_choices(list_name: str) -> dict[str, str]:
    """What may be chosen in the answer column: name to code."""
    return {reply.name: code for code, reply in desk_codes().replies.items() if list_name in reply.lists}


def _csv(filters: Filters, rows: list[SheetRow], vault: Vault, canary: str, mark: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([*COLUMNS[filters.list], CHECK, MARK])
    for row in rows:
        writer.writerow([*map(_inert, row.cells), check_code(vault, canary, row), mark])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _inert(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _xlsx(filters: Filters, rows: list[SheetRow], vault: Vault, canary: str, mark: str) -> bytes:
    memory = io.BytesIO()
    book = xlsxwriter.Workbook(
        memory,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    columns = [*COLUMNS[filters.list], *EXTRA]
    sheet = book.add_worksheet(SHEET)
    head, text, fill = _formats(book)
    for at, name in enumerate(columns):
        sheet.write_string(0, at, name, head)
    for line, row in enumerate(rows, 1):
        for at, cell in enumerate(row.cells):
            sheet.write_string(line, at, cell, text)
        sheet.write_blank(line, len(row.cells), None, fill)
        sheet.write_blank(line, len(row.cells) + 1, None, fill)
        sheet.write_string(line, len(row.cells) + 2, check_code(vault, canary, row), text)
        sheet.write_string(line, len(row.cells) + 3, mark, text)
    _arrange(sheet, filters.list, columns, len(rows), mark)
    _write_choices(book, filters.list)
    _write_about(book, filters, len(rows), mark)
    book.close()
    return memory.getvalue()


def _formats(book: xlsxwriter.Workbook) -> tuple[object, object, object]:
    head = book.add_format({"bold": True, "bg_color": "#EEF2F4", "border": 1})
    return (
        head,
        book.add_format({"num_format": "@"}),
        book.add_format({"bg_color": "#FFF8E1", "num_format": "@", "locked": False}),
    )


def _arrange(
    sheet: xlsxwriter.worksheet.Worksheet, list_name: str, columns: list[str], rows: int, mark: str
) -> None:
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, max(rows, 1), len(columns) - 1)
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, len(columns) - 1, 16)
    sheet.set_header(f"&C{_header_text(mark)}")
    sheet.set_footer("&C第 &P 页，共 &N 页")
    answers = answer_choices(list_name)
    if rows and answers:
        at = columns.index(ANSWER)
        # Written out, the choices would exceed the 255 characters a list may have.
        sheet.data_validation(
            1, at, rows, at, {"validate": "list", "source": f"={CHOICES}!$A$1:$A${len(answers)}"}
        )


def _write_choices(book: xlsxwriter.Workbook, list_name: str) -> None:
    sheet = book.add_worksheet(CHOICES)
    for line, name in enumerate(answer_choices(list_name)):
        sheet.write_string(line, 0, name)
    sheet.hide()


def _write_about(book: xlsxwriter.Workbook, filters: Filters, rows: int, mark: str) -> None:
    sheet = book.add_worksheet(ABOUT)
    for line, (name, value) in enumerate(
        {
            "清单": TITLES[filters.list],
            "范围": ALL_VIEWS[filters.view],
            "筛选": replace(filters, q="（检索）" if filters.q else "").query() or "无",
            "行数": str(rows),
            "下载标记": mark,
            "填写办法": f"只填写“{ANSWER}”和“{NOTE}”两列，其他列请勿改动；填好后在工作台“回传表格”上传。",
            "注意": "本表含个人信息，仅限本职工作使用，不得转发；每次下载均有独立标记并记入审计日志。",
        }.items()
    ):
        sheet.write_string(line, 0, name)
        sheet.write_string(line, 1, value)
    sheet.set_column(1, 1, 90)


def _header_text(mark: str) -> str:
    # "&" begins a code in a printed header, which holds at most 255 characters.
    return mark.replace("&", "&&")[:240]
