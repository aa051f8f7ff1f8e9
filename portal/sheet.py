"""What a row of a list shows: the screen and both downloads use these columns and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, select

from policy.codes import load_codes
from policy.rules import Rule, load_rules
from portal.codes import desk_codes, place_names, rule_figures
from portal.incoming import NAME_PLACE
from portal.listing import NO_DUE, ORDER, STATES, Filters, Span, asked_of, conditions_named, page_ids
from portal.prepared import Columns, Prepared
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
# Statements are kept by what is asked of a lead; there are more than an office ever asks for.
_KEPT_FORMS = 500


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


# The cells of one column of a list, of the picked columns and of name and number as they are shown.
Column = Callable[[Columns], Iterable[str]]
_COMMON_FIRST: dict[str, Column] = {
    "线索编号": lambda leads: leads["lead_no"],
    "状态": lambda leads: map(STATES.__getitem__, leads["state"]),
    "规则": lambda leads: map(rule_title, leads["rule"]),
    "家庭编号": lambda leads: leads["household_id"],
    "乡镇": lambda leads: leads["township_code"],
}
_PERSON: dict[str, Column] = {
    "姓名": lambda leads: leads["name"],
    "公民身份号码": lambda leads: leads["number"],
}
_COMMON_LAST: dict[str, Column] = {
    "办理阶段": lambda leads: _stage_names(leads["stage"]),
    "承办人": lambda leads: [name or "" for name in leads["assignee"]],
    "到期日": lambda leads: ["" if day == NO_DUE else day.isoformat() for day in leads["due_by"]],
    "核查反馈": lambda leads: map(_answer, leads["reply_code"], leads["reply_fact"], leads["fact"]),
}
COLUMNS: dict[str, dict[str, Column]] = {
    "discrepancies": {
        **_COMMON_FIRST,
        "救助类别": lambda leads: [_PROGRAMMES.name(code or "") for code in leads["programme"]],
        **_PERSON,
        "核对值": lambda leads: map(figure, leads["rule"], leads["value_fen"]),
        "标准值": lambda leads: map(figure, leads["rule"], leads["line_fen"]),
        **_COMMON_LAST,
        "数据日期": lambda leads: leads["source_dates"],
    },
    "newly_eligible": {
        **_COMMON_FIRST,
        "家庭人口": lambda leads: ["" if count is None else str(count) for count in leads["members"]],
        **_PERSON,
        "人均月收入": lambda leads: map(figure, leads["rule"], leads["value_fen"]),
        "收入标准": lambda leads: map(figure, leads["rule"], leads["line_fen"]),
        "人均金融资产": lambda leads: map(yuan, leads["assets_fen"]),
        **_COMMON_LAST,
    },
}


def read_leads(db: ScopedSession, filters: Filters, viewer: Viewer, today: date) -> Columns:
    """All leads that the filters leave, as columns in the order of the list."""
    asked = asked_of(filters, viewer, today)
    return _all_leads(tuple(asked)).columns(db, asked)


def read_page(db: ScopedSession, filters: Filters, viewer: Viewer, today: date, span: Span) -> Columns:
    """The leads on one page, as columns in the order of the list."""
    asked = asked_of(filters, viewer, today)
    found = leads_on_page(tuple(asked), span.from_the_end, span.rows, span.before == 0)
    return found.columns(db, asked | {"before": span.before})


@lru_cache(maxsize=_KEPT_FORMS)
def _all_leads(asked: tuple[str, ...]) -> Prepared:
    return Prepared(_picked(*conditions_named(asked)))


@lru_cache(maxsize=_KEPT_FORMS)
def leads_on_page(asked: tuple[str, ...], from_the_end: bool, rows: int, at_the_edge: bool) -> Prepared:
    """The statement of read_page; its values are those of the conditions, and `before` of a Span."""
    return Prepared(_picked(Lead.id.in_(page_ids(asked, from_the_end, rows, at_the_edge))))


def _picked(*conditions: ColumnElement[bool]) -> Select[Any]:
    rows: Any = select(*_PICKED)
    return rows.outerjoin(User, User.id == Lead.assignee_id).where(*conditions).order_by(*ORDER)  # type: ignore[no-any-return]


def show_rows(leads: Columns, list_name: str, vault: Vault, today: date, *, people: bool) -> list[SheetRow]:
    """Make the cells of what was read. people False: names stay covered."""
    names = [vault.open_text(sealed, NAME_PLACE) for sealed in leads["name_sealed"]]
    leads["name"] = names if people else list(map(masked_name, names))
    leads["number"] = list(map(masked_number, vault.numbers(leads["person"])))
    return [
        SheetRow(*told)
        for told in zip(
            *(leads[name] for name in ("id", "case_id", "version", "lead_no", "household_id", "rule")),
            (day < today for day in leads["due_by"]),
            map(_is_stale, leads["reply_code"], leads["reply_fact"], leads["fact"]),
            zip(*(column(leads) for column in COLUMNS[list_name].values()), strict=True),
            strict=True,
        )
    ]


def is_stale(lead: Lead) -> bool:
    """Whether the fact changed after it was answered."""
    return _is_stale(lead.reply_code, lead.reply_fact, lead.fact)


def _is_stale(reply_code: str | None, reply_fact: str | None, fact: str) -> bool:
    return reply_code is not None and reply_fact != fact


def _answer(reply_code: str | None, reply_fact: str | None, fact: str) -> str:
    if reply_code is None:
        return ""
    codes = desk_codes()
    known = codes.replies.get(reply_code) or codes.outreach[reply_code]
    return f"{known.name}（其后数据有变化）" if reply_fact != fact else known.name


def _stage_names(codes: Iterable[str]) -> list[str]:
    stages = desk_codes().stages
    return [stages[code].name for code in codes]


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
