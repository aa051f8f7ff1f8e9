"""A filled-in workbook comes back: row by row it is taken or refused, with the reason."""

from __future__ import annotations

import hashlib
import hmac
import io
import re
import zipfile
import zlib
from dataclasses import dataclass

from python_calamine import CalamineError, CalamineWorkbook
from sqlalchemy import select

from portal.desk import Desk
from portal.downloads import ANSWER, CHECK, NOTE, answer_choices, check_codes
from portal.errors import DeskError, Refused
from portal.schema import Case, Download, Lead
from portal.sheet import COLUMNS, SheetRow
from portal.work.field import answer_lead
from portal.workbook import SHEET

MAX_ROWS = 60_000
_MAX_UNPACKED = 300 * 1024 * 1024
# A cell or row beyond row 99,999 or column AZ. The reader makes room for the whole rectangle up to the farthest
# cell: one in the last corner of a sheet would ask for more memory than there is, and end the process.
_FAR_AWAY = re.compile(
    rb"""\sr\s*=\s*["'](?:[A-Z]*[0-9]{6}|[A-Z]{3}|[B-Z][A-Z][0-9]|[^"']{12}|[^"']*&)""", re.IGNORECASE
)


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
    line: int
    cells: tuple[str, ...]
    answer: str
    note: str
    check: str


def take_back(desk: Desk, content: bytes) -> Returned:
    """Take every row that is ours, unchanged but for its two answer cells, and still the latest; refuse the others."""
    list_name, rows = _read_workbook(content)
    filled = [row for row in rows if row.answer or row.note]
    results = [_take_row(desk, list_name, row) for row in filled]
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
    if list_name is None or not {ANSWER, NOTE, CHECK} <= set(head):
        raise Refused("表头与下载时不同，请使用从本工作台下载的表格，不要增删列。")
    width = len(COLUMNS[list_name])
    places = {name: head.index(name) for name in (ANSWER, NOTE, CHECK)}
    return list_name, [
        _FilledRow(
            line,
            tuple(str(cell) for cell in row[:width]),
            *(str(row[places[name]]).strip() for name in (ANSWER, NOTE, CHECK)),
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


def _take_row(desk: Desk, list_name: str, row: _FilledRow) -> RowResult:
    lead_no = row.cells[0][:40]
    try:
        # A row that fails half-way leaves nothing behind, and the next one starts clean.
        with desk.db.begin_nested():
            _take(desk, list_name, row, lead_no)
    except DeskError as error:
        return RowResult(row.line, lead_no, row.answer, error.message)
    return RowResult(row.line, lead_no, row.answer, "")


def _take(desk: Desk, list_name: str, row: _FilledRow, lead_no: str) -> None:
    canary, _, rest = row.check.partition(".")
    version = rest.partition(".")[0][:9]
    download = desk.db.scalars(select(Download).where(Download.canary == canary)).one_or_none()
    lead = desk.db.scalars(select(Lead).where(Lead.lead_no == lead_no, Lead.list == list_name)).first()
    if download is None or lead is None or not (version.isascii() and version.isdigit()):
        raise Refused("不是本工作台下载给您的行，或者不在您的管辖范围内。")
    if download.user_id != desk.viewer.user_id:
        raise Refused("这一行是其他人下载的，请回传自己下载的表格。")
    told = SheetRow(lead.id, lead.case_id or 0, int(version), lead_no, "", "", False, False, row.cells)
    if not hmac.compare_digest(check_codes(desk.vault, canary, [told])[0].encode(), row.check.encode()):
        raise Refused("这一行的内容在下载后被改动过。")
    # The version moves with the fact, the answers and the case, not with a night that says the same again.
    if int(version) != lead.version:
        raise Refused("下载之后这条线索已有新的数据或办理记录，请重新下载。")
    code = answer_choices(list_name).get(row.answer)
    if code is None:
        raise Refused("核查反馈须从下拉选项中选择。")
    note = row.note[:4000]
    case = desk.db.scalars(select(Case).where(Case.id == lead.case_id)).one()
    answer_lead(desk, case, lead, code, note, download_id=download.id)
    desk.db.flush()
