"""A filled-in workbook comes back: row by row it is taken or refused, with the reason."""

from __future__ import annotations

import hashlib
import hmac
import io
import re
import zipfile
import zlib
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook
from sqlalchemy import select

from portal.codes import desk_codes
from portal.desk import Desk
from portal.downloads import ANSWER, CHECK, CONTACTED_ON, FILLED, NOTE, answer_choices, check_codes
from portal.errors import DeskError, Refused
from portal.schema import Case, Download, Lead, Note
from portal.sheet import COLUMNS, SheetRow
from portal.work.field import answer_lead
from portal.work.outreach import register_contact
from portal.work.steps import case_by_id, leads_of, tell, written_by
from portal.workbook import SHEET

MAX_ROWS = 60_000
_MAX_UNPACKED = 300 * 1024 * 1024
# A cell or row beyond row 99,999 or column AZ. The reader makes room for the whole rectangle up to the farthest
# cell: one in the last corner of a sheet would ask for more memory than there is, and end the process.
_FAR_AWAY = re.compile(
    rb"""\sr\s*=\s*["'](?:[A-Z]*[0-9]{6}|[A-Z]{3}|[B-Z][A-Z][0-9]|[^"']{12}|[^"']*&)""", re.IGNORECASE
)


# 2026-07-01, 2026/7/1, 2026.7.1, 20260701, 2026年7月1日
_DAY = re.compile(r"([0-9]{4})[-/.年]?([0-9]{2}|(?<=[-/.年])[0-9])[-/.月]?([0-9]{2}|(?<=[-/.月])[0-9])日?")


@dataclass(frozen=True)
class RowResult:
    """line: the row of the sheet, 2 is the first below the header. reason: empty when it was taken."""

    line: int
    lead_no: str
    answer: str
    reason: str


@dataclass(frozen=True)
class Returned:
    taken: int
    refused: list[RowResult]
    untouched: int


@dataclass(frozen=True)
class _FilledRow:
    """contacted_on: of the newly-eligible list alone, as a day or as it was typed."""

    line: int
    cells: tuple[str, ...]
    answer: str
    note: str
    check: str
    contacted_on: date | str


@dataclass(frozen=True)
class _Contact:
    """What this workbook already told of a family. versions: of the family's leads before it was told."""

    code: str
    contacted_on: date
    note: str
    versions: dict[int, int]


def take_back(desk: Desk, content: bytes) -> Returned:
    """Take every row that is ours, unchanged but for its answer cells, and still the latest; refuse the others."""
    list_name, rows = _read_workbook(content)
    filled = [row for row in rows if row.answer or row.note or row.contacted_on]
    contacts: dict[int, _Contact] = {}
    results = [_take_row(desk, list_name, row, contacts) for row in filled]
    refused = [result for result in results if result.reason]
    desk.record(
        "upload",
        list=list_name,
        rows=len(rows),
        taken=len(filled) - len(refused),
        refused=len(refused),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    return Returned(len(filled) - len(refused), refused, len(rows) - len(filled))


def _read_workbook(content: bytes) -> tuple[str, list[_FilledRow]]:
    _check_package(content)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        table = book.get_sheet_by_name(SHEET).to_python(skip_empty_area=False, nrows=MAX_ROWS + 2)
    except (CalamineError, ValueError):
        raise Refused(f"打不开这个文件：须是从本工作台下载的 XLSX，含工作表“{SHEET}”。") from None
    if len(table) > MAX_ROWS + 1:
        raise Refused(f"一次最多回传 {MAX_ROWS} 行。")
    head = [str(cell) for cell in table[0]] if table else []
    list_name = next(
        (name for name, columns in COLUMNS.items() if head[: len(columns)] == list(columns)), None
    )
    if list_name is None or not {*FILLED[list_name], CHECK} <= set(head):
        raise Refused("表头与下载时不同，请使用从本工作台下载的表格，不要增删列。")
    places = {name: at for at, name in enumerate(head)}

    def typed(row: list[Any], column: str) -> str:
        return str(row[places[column]]).strip()

    return list_name, [
        _FilledRow(
            line,
            cells=tuple(str(cell) for cell in row[: len(COLUMNS[list_name])]),
            answer=typed(row, ANSWER),
            note=typed(row, NOTE),
            check=typed(row, CHECK),
            contacted_on=_day_of(row[places[CONTACTED_ON]]) if CONTACTED_ON in FILLED[list_name] else "",
        )
        for line, row in enumerate(table[1:], 2)
        if any(str(cell).strip() for cell in row)
    ]


def _check_package(content: bytes) -> None:
    """An XLSX is a zip; one that unpacks to hundreds of megabytes is no form of ours."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            if sum(entry.file_size for entry in package.infolist()) > _MAX_UNPACKED:
                raise Refused("文件展开后过大，不予处理。")
            sheets = [name for name in package.namelist() if name.startswith("xl/worksheets/")]
            if any(_FAR_AWAY.search(package.read(name)) for name in sheets):
                raise Refused(f"表格的行或列过多：一次最多回传 {MAX_ROWS} 行，不要增加列。")
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError):
        raise Refused("打不开这个文件：须是从本工作台下载的 XLSX。") from None


def _day_of(cell: Any) -> date | str:
    """A day as officers type one, or a date cell; anything else as it stands."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    typed = f"{cell:.0f}" if isinstance(cell, float) else str(cell).strip()
    parts = _DAY.fullmatch(typed)
    if parts is None:
        return typed
    try:
        return date(*(int(part) for part in parts.groups()))
    except ValueError:
        return typed


def _take_row(desk: Desk, list_name: str, row: _FilledRow, contacts: dict[int, _Contact]) -> RowResult:
    lead_no = row.cells[0][:40]
    try:
        # A row that fails half-way leaves nothing behind, and the next one starts clean.
        with desk.db.begin_nested():
            _take(desk, list_name, row, lead_no, contacts)
    except DeskError as error:
        return RowResult(row.line, lead_no, row.answer, error.message)
    return RowResult(row.line, lead_no, row.answer, "")


def _take(desk: Desk, list_name: str, row: _FilledRow, lead_no: str, contacts: dict[int, _Contact]) -> None:
    case, lead, download, version = _find_lead(desk, list_name, row, lead_no)
    code = answer_choices(list_name).get(row.answer)
    earlier = contacts.get(case.id)
    if earlier is not None and earlier.versions.get(lead.id) == version:
        _take_same_contact(desk, case, row, code, earlier)
        return
    # The version moves with the fact, the answers and the case, not with a night that says the same again.
    if version != lead.version:
        raise Refused("下载之后这条线索已有新的数据或办理记录，请重新下载。")
    if code is None:
        raise Refused("核查反馈须从下拉选项中选择。")
    note = row.note[:4000]
    if code in desk_codes().outreach:
        contact = _Contact(
            code, _contact_day(row), note, {one.id: one.version for one in leads_of(desk, case)}
        )
        register_contact(desk, case, code, contact.contacted_on, note, way="（回传表格）")
        desk.db.flush()
        contacts[case.id] = contact
        return
    if row.contacted_on:
        raise Refused(f"“{row.answer}”不登记联系日期，请把日期写在说明里。")
    answer_lead(desk, case, lead, code, note, download_id=download.id)
    desk.db.flush()


def _find_lead(desk: Desk, list_name: str, row: _FilledRow, lead_no: str) -> tuple[Case, Lead, Download, int]:
    """The row's case and lead, the download it came with and the lead's version then. Refused: what is not ours."""
    canary, _, rest = row.check.partition(".")
    version = rest.partition(".")[0][:9]
    download = desk.db.scalars(select(Download).where(Download.canary == canary)).one_or_none()
    same = (Lead.lead_no == lead_no, Lead.list == list_name)
    case_id = desk.db.scalars(select(Lead.case_id).where(*same)).first()
    if download is None or case_id is None or not (version.isascii() and version.isdigit()):
        raise Refused("不是本工作台下载给您的行，或者不在您的管辖范围内。")
    if download.user_id != desk.viewer.user_id:
        raise Refused("这一行是其他人下载的，请回传自己下载的表格。")
    # The case first, then the lead as it is by then: a night or a colleague may have been waited for.
    case = case_by_id(desk, case_id)
    lead = desk.db.scalars(select(Lead).where(*same).execution_options(populate_existing=True)).first()
    if lead is None or lead.case_id != case.id:
        raise Refused("下载之后这条线索已有新的数据或办理记录，请重新下载。")
    told = SheetRow(lead.id, case.id, int(version), lead_no, "", "", False, False, row.cells)
    if not hmac.compare_digest(check_codes(desk.vault, canary, [told])[0].encode(), row.check.encode()):
        raise Refused("这一行的内容在下载后被改动过。")
    return case, lead, download, int(version)


def _contact_day(row: _FilledRow) -> date:
    if not isinstance(row.contacted_on, date):
        raise Refused(f"请在“{CONTACTED_ON}”写明日期，例如 2026-07-01。")
    return row.contacted_on


def _take_same_contact(desk: Desk, case: Case, row: _FilledRow, code: str | None, earlier: _Contact) -> None:
    """Another row of a family of which this workbook has told: the same once more is no second contact."""
    if code != earlier.code or (row.contacted_on or earlier.contacted_on) != earlier.contacted_on:
        raise Refused("同一户的另一行已登记联系情况，与这一行不同；请重新下载后再填。")
    if row.note and row.note[:4000] != earlier.note:
        body = desk.vault.seal_text(row.note[:4000], "note.body")
        desk.db.add(Note(**written_by(desk, case), body_sealed=body))
        tell(desk, case, "noted", "添加备注（回传表格）")
        desk.db.flush()
