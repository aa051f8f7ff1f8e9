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

import pyarrow as pa

from pipelines.beijing import BEIJING, beijing_time
from portal.codes import desk_codes
from portal.listing import ALL_VIEWS, TITLES, Filters
from portal.schema import Download
from portal.scope import ScopedSession, Viewer
from portal.sealing import Vault, text_column
from portal.sheet import COLUMNS, SheetRow
from portal.workbook import SheetFrame, write_sheet

ANSWER, NOTE, CHECK, MARK = "填写：核查反馈", "填写：说明", "行校验码", "下载标记"
CONTACTED_ON = "填写：联系日期"
# What officers write into, first the column with the choices.
FILLED = {"discrepancies": (ANSWER, NOTE), "newly_eligible": (ANSWER, CONTACTED_ON, NOTE)}
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
    mark = f"{viewer.display_name}（{viewer.login}）{beijing_time(now)} {canary}"
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
    return Taken(ledger, content, f"{filters.slug}-{now.astimezone(BEIJING):%Y%m%d-%H%M%S}.{kind}")


def check_codes(vault: Vault, canary: str, rows: list[SheetRow]) -> list[str]:
    """The check code of each row as this download shows it."""
    told = [
        "\x1f".join((f"{canary}|{row.lead_id}|{row.version}|{row.cells[0]}", *row.cells[1:])) for row in rows
    ]
    codes = vault.codes_of(told)
    return [f"{canary}.{row.version}.{code}" for row, code in zip(rows, codes, strict=True)]


def answer_choices(list_name: str) -> dict[str, str]:
    """What may be chosen in the answer column: name to code. Of a family that may qualify the contact comes first."""
    codes = desk_codes()
    contact = (
        {one.name: code for code, one in codes.outreach.items()} if list_name == "newly_eligible" else {}
    )
    return contact | {reply.name: code for code, reply in codes.replies.items() if list_name in reply.lists}


def _csv(filters: Filters, rows: list[SheetRow], vault: Vault, canary: str, mark: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([*COLUMNS[filters.list], CHECK, MARK])
    for row, code in zip(rows, check_codes(vault, canary, rows), strict=True):
        writer.writerow([*map(_inert, row.cells), code, _inert(mark)])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _inert(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _xlsx(filters: Filters, rows: list[SheetRow], vault: Vault, canary: str, mark: str) -> bytes:
    told, fill = COLUMNS[filters.list], FILLED[filters.list]
    columns = [*told, *fill, CHECK, MARK]
    frame = SheetFrame(
        columns, list(fill), list(answer_choices(filters.list)), _about(filters, len(rows), mark), mark
    )
    shown = list(zip(*(row.cells for row in rows), strict=True)) or [()] * len(told)
    empty = [[""] * len(rows)] * len(fill)
    cells = [*shown, *empty, check_codes(vault, canary, rows), [mark] * len(rows)]
    return write_sheet(frame, pa.table([text_column(column) for column in cells], columns))


def _how_to_fill(list_name: str) -> str:
    if list_name == "discrepancies":
        return f"只填写“{ANSWER}”和“{NOTE}”两列，"
    return (
        f"只填写“{ANSWER}”“{CONTACTED_ON}”和“{NOTE}”三列；登记联系情况须填联系日期（如 2026-07-01），"
        "一户有几行的填一行即可；“本人不愿申请”须填说明，并由第二人复核；"
    )


def _about(filters: Filters, rows: int, mark: str) -> dict[str, str]:
    return {
        "清单": TITLES[filters.list],
        "范围": ALL_VIEWS[filters.view],
        "筛选": replace(filters, q="（检索）" if filters.q else "").query() or "无",
        "行数": str(rows),
        "下载标记": mark,
        "填写办法": f"{_how_to_fill(filters.list)}其他列请勿改动；填好后在工作台“回传表格”上传。",
        "注意": "本表含个人信息，仅限本职工作使用，不得转发；每次下载均有独立标记并记入审计日志。",
    }
