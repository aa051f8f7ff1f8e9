"""What a row of a list shows: the screen and both downloads use these columns and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, select

from policy.codes import load_codes
from policy.rules import Rule, load_rules
from portal.codes import desk_codes, place_names, rule_figures
from portal.incoming import NAME_PLACE
from portal.listing import NO_DUE, ORDER, STATES, Filters, matching
from portal.schema import Lead, User
from portal.scope import ScopedSession, Viewer
from portal.sealing import Vault, masked_name, masked_number

RULES: dict[str, Rule] = load_rules()
# Read once: a sheet asks for every row.
_PROGRAMMES = load_codes().programmes
_PICKED = (
    Lead.id,
    Lead.lead_no,
    Lead.state,
    Lead.rule,
    Lead.township_code,
    Lead.household_id,
    Lead.programme,
    Lead.members,
    Lead.person,
    Lead.name_sealed,
    Lead.value_fen,
    Lead.line_fen,
    Lead.assets_fen,
    Lead.source_dates,
    Lead.case_id,
    Lead.reply_code,
    Lead.reply_fact,
    Lead.fact,
    Lead.version,
    Lead.stage,
    Lead.due_by,
    User.display_name.label("assignee"),
)


class SheetRow(NamedTuple):
    """One lead as shown. cells: text in the order of the columns."""

    lead_id: int
    case_id: int
    version: int
    lead_no: str
    household_id: str
    rule: str
    overdue: bool
    stale_reply: bool
    cells: tuple[str, ...]


Cell = Callable[[Any, str, str], str]
_COMMON_FIRST: dict[str, Cell] = {
    "线索编号": lambda row, name, number: row.lead_no,
    "状态": lambda row, name, number: STATES[row.state],
    "规则": lambda row, name, number: rule_title(row.rule),
    "家庭编号": lambda row, name, number: row.household_id,
    "乡镇": lambda row, name, number: row.township_code,
}
_PERSON: dict[str, Cell] = {
    "姓名": lambda row, name, number: name,
    "公民身份号码": lambda row, name, number: number,
}
_COMMON_LAST: dict[str, Cell] = {
    "办理阶段": lambda row, name, number: desk_codes().stages[row.stage].name,
    "承办人": lambda row, name, number: row.assignee or "",
    "到期日": lambda row, name, number: row.due_by.isoformat() if row.due_by < NO_DUE else "",
    "核查反馈": lambda row, name, number: _answer(row),
}
COLUMNS: dict[str, dict[str, Cell]] = {
    "discrepancies": {
        **_COMMON_FIRST,
        "救助类别": lambda row, name, number: _PROGRAMMES.name(row.programme or ""),
        **_PERSON,
        "核对值": lambda row, name, number: figure(row.rule, row.value_fen),
        "标准值": lambda row, name, number: figure(row.rule, row.line_fen),
        **_COMMON_LAST,
        "数据日期": lambda row, name, number: row.source_dates,
    },
    "newly_eligible": {
        **_COMMON_FIRST,
        "家庭人口": lambda row, name, number: "" if row.members is None else str(row.members),
        **_PERSON,
        "人均月收入": lambda row, name, number: figure(row.rule, row.value_fen),
        "收入标准": lambda row, name, number: figure(row.rule, row.line_fen),
        "人均金融资产": lambda row, name, number: yuan(row.assets_fen),
        **_COMMON_LAST,
    },
}


def select_rows(filters: Filters, viewer: Viewer, today: date) -> Select[Any]:
    """SELECT all rows that the filters leave."""
    return _with_assignee(matching(filters, viewer, today, *_PICKED))


def select_these(ids: Select[Any]) -> Select[Any]:
    """SELECT the rows of some leads; ids: a statement of portal.listing.page_of."""
    rows: Any = select(*_PICKED)
    return _with_assignee(rows.where(Lead.id.in_(ids)))


def _with_assignee(rows: Select[Any]) -> Select[Any]:
    return rows.outerjoin(User, User.id == Lead.assignee_id).order_by(*ORDER)


def read_rows(
    db: ScopedSession, statement: Select[Any], list_name: str, vault: Vault, today: date, *, people: bool
) -> list[SheetRow]:
    """Run a statement of select_rows and make the cells. people False: names stay covered."""
    rows = db.execute(statement).all()
    numbers = vault.numbers([row.person for row in rows])
    columns = COLUMNS[list_name].values()
    shown = []
    for row, number in zip(rows, numbers, strict=True):
        name = vault.open_text(row.name_sealed, NAME_PLACE)
        name = name if people else masked_name(name)
        covered = masked_number(number)
        cells = tuple(cell(row, name, covered) for cell in columns)
        shown.append(_sheet_row(row, cells, today))
    return shown


def _sheet_row(row: Row[Any], cells: tuple[str, ...], today: date) -> SheetRow:
    return SheetRow(
        lead_id=row.id,
        case_id=row.case_id,
        version=row.version,
        lead_no=row.lead_no,
        household_id=row.household_id,
        rule=row.rule,
        overdue=row.due_by < today,
        stale_reply=is_stale(row),
        cells=cells,
    )


def is_stale(row: Any) -> bool:
    """Whether the fact changed after it was answered."""
    return row.reply_code is not None and row.reply_fact != row.fact


def _answer(row: Any) -> str:
    if row.reply_code is None:
        return ""
    codes = desk_codes()
    known = codes.replies.get(row.reply_code) or codes.outreach[row.reply_code]
    return f"{known.name}（其后数据有变化）" if is_stale(row) else known.name


def rule_title(rule: str) -> str:
    known = RULES.get(rule)
    return f"{rule} {known.name}" if known else rule


def place_name(code: str) -> str:
    """The name of a division, or of its county with the code; a code nobody listed stays a code."""
    names = place_names()
    if code in names:
        return names[code]
    county = names.get(code[:6])
    return f"{county} {code}" if county else code


def yuan(fen: int | None) -> str:
    """Two decimals with thousands commas; empty where there is no figure."""
    return "" if fen is None else f"{'-' if fen < 0 else ''}{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


def figure(rule: str, fen: int | None) -> str:
    """A rule's value or line with its unit: 1,300.00元, 45天, 2."""
    if fen is None:
        return ""
    figures = rule_figures().get(rule)
    unit = figures.unit if figures else "money"
    if unit == "money":
        return f"{yuan(fen)}元"
    return f"{fen // 100}天" if unit == "days" else str(fen // 100)
