"""The two lists: what is on them, in what order, and how many.

Rows, counts, next case and downloads share one query, of one table and in the order of one of its indexes: what a
list shows of a lead's case stands on the lead (portal.schema.Lead).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode

from sqlalchemy import (
    ColumnElement,
    Select,
    bindparam,
    case,
    false,
    func,
    literal_column,
    or_,
    select,
    tuple_,
)
from starlette.datastructures import QueryParams

from portal.remembered import remembered
from portal.schema import Case, Lead
from portal.scope import ScopedSession, Viewer
from portal.sealing import Vault

SLUGS = {"discrepancies": "discrepancies", "newly-eligible": "newly_eligible"}
TITLES = {"discrepancies": "疑似不符线索", "newly_eligible": "疑似符合未保线索"}
# Every lead is on exactly one of these, so nothing is ever off all lists.
VIEWS = {"open": "待办", "suppressed": "已说明", "cleared": "已消除", "closed": "已办结"}
ALL_VIEWS = VIEWS | {"all": "全部"}
STATES = {
    "new": "新增",
    "continuing": "持续",
    "changed": "变化",
    "cleared": "已消除",
    "unverified": "待复核",
    "withdrawn": "已撤回",
}
DUES = {"overdue": "已超期", "week": "七日内到期"}
# Marks of a search whose words must not stand in an address (it is written to access logs).
BY_NUMBER, BY_NAME = "number:", "name:"
# What each of these can be at all. Filters are written to the ledger and the audit log, so a number that may be
# a person's is none of them, and a search is a code or a number of our own, never control characters.
_FORMS = {
    "rule": re.compile(r"[A-Z]\d\d", re.ASCII),
    "stage": re.compile(r"[a-z_]{1,12}"),
    "county": re.compile(r"\d{6}", re.ASCII),
    "township": re.compile(r"\d{9}", re.ASCII),
    "assignee": re.compile(r"me|none|\d{1,9}", re.ASCII),
    "q": re.compile(r"[^\x00-\x1f\x7f]{1,80}"),
}
# Stands for no due date, so that what is due never comes last.
NO_DUE = date(9999, 12, 31)
# Soonest due first, a household's leads together: the columns of the index ix_leads_list_order.
ORDER = (Lead.due_by, Lead.case_id, Lead.lead_no)


@dataclass(frozen=True)
class Filters:
    """What stands in the address of a list. Empty means all."""

    list: str
    view: str = "open"
    rule: str = ""
    state: str = ""
    stage: str = ""
    county: str = ""
    township: str = ""
    due: str = ""
    assignee: str = ""
    q: str = ""

    @property
    def slug(self) -> str:
        return self.list.replace("_", "-")

    def query(self, **changes: str) -> str:
        """The address' query with some fields changed; fields at their default are left out."""
        given = vars(self) | changes
        del given["list"]
        return urlencode(
            {name: value for name, value in given.items() if value and (name, value) != ("view", "open")}
        )

    def address(self, **changes: str) -> str:
        query = self.query(**changes)
        return f"/lists/{self.slug}?{query}" if query else f"/lists/{self.slug}"


def read_filters(list_name: str, query: QueryParams | dict[str, str]) -> Filters:
    """Filters of an address; a value no list knows is ignored rather than guessed at."""
    given = {f.name: str(query.get(f.name, "")) for f in fields(Filters) if f.name != "list"}
    for name, form in _FORMS.items():
        if not form.fullmatch(given[name]):
            given[name] = ""
    for name, known in (("view", ALL_VIEWS), ("state", STATES), ("due", DUES)):
        if given[name] not in known:
            given[name] = ""
    return Filters(list_name, **{**given, "view": given["view"] or "open"})


def matching(filters: Filters, viewer: Viewer, today: date, *what: Any) -> Select[Any]:
    """SELECT `what` over the leads that the filters leave."""
    asked = asked_of(filters, viewer, today)
    return select(*what).where(*(_CONDITIONS[name](value) for name, value in asked.items()))


def conditions_named(asked: Iterable[str]) -> list[ColumnElement[bool]]:
    """The conditions of `asked_of` by their names alone; the values are given under these names when it is run."""
    return [_CONDITIONS[name](bindparam(name)) for name in asked]


def page_ids(asked: Iterable[str], from_the_end: bool, rows: int, at_the_edge: bool) -> Select[Any]:
    """SELECT the ids of the leads on one page; at_the_edge: no others stand before them.

    Elsewhere `before` of a Span is a value too, given when it is run. How many are wanted stands in the statement, and
    nothing is skipped at the edge: only then PostgreSQL knows without the values how few rows it will read, and plans
    the statement once instead of every time.
    """
    order = [column.desc() for column in ORDER] if from_the_end else ORDER
    ids = select(Lead.id).where(*conditions_named(asked)).order_by(*order).limit(literal_column(str(rows)))
    return ids if at_the_edge else ids.offset(bindparam("before"))


@dataclass(frozen=True)
class Span:
    """A page as it is looked for, from the end of the list that is nearer: `rows` of them after `before` others."""

    from_the_end: bool
    before: int
    rows: int


def span_of(first: int, rows: int, found: int) -> Span:
    """first: how many stand before the page; rows: how many fit on it; found: how many there are."""
    shown = max(0, min(rows, found - first))
    behind = found - first - shown
    return Span(False, first, rows) if first <= behind else Span(True, behind, shown)


@dataclass(frozen=True)
class Counts:
    """views: leads per view under the other filters, each the number of rows that view shows.

    households: of this view.
    """

    views: dict[str, int]
    households: int


def count(db: ScopedSession, filters: Filters, viewer: Viewer, today: date) -> Counts:
    """All counts of a list under its filters."""
    everywhere = replace(filters, view="all")
    asked = _asked(everywhere, viewer, today)
    views = remembered(db, ("views", *asked), lambda: _count_views(db, everywhere, viewer, today))
    leads = {view: views[view].leads for view in VIEWS}
    if filters.view != "all":
        households = views[filters.view].households
    else:
        # A household may have leads on several tabs, so these cannot be added up.
        households = remembered(
            db, ("households", *asked), lambda: _count_households(db, everywhere, viewer, today)
        )
    return Counts(leads | {"all": sum(leads.values())}, households)


class _OnView(NamedTuple):
    leads: int
    households: int


def _count_views(db: ScopedSession, filters: Filters, viewer: Viewer, today: date) -> dict[str, _OnView]:
    counted = (Lead.view, func.count(), func.count(Lead.household_id.distinct()))
    rows = db.execute(matching(filters, viewer, today, *counted).group_by(Lead.view))
    found = {view: _OnView(leads, households) for view, leads, households in rows}
    return {view: found.get(view, _OnView(0, 0)) for view in VIEWS}


def _count_households(db: ScopedSession, filters: Filters, viewer: Viewer, today: date) -> int:
    households: int = db.scalars(
        matching(filters, viewer, today, func.count(Lead.household_id.distinct()))
    ).one()
    return households


def count_waiting(db: ScopedSession, list_name: str, viewer: Viewer, today: date) -> dict[str, int]:
    """Open leads that are new, unassigned, due within a week, overdue; one pass."""
    asked = _asked(Filters(list_name), viewer, today)
    return remembered(db, ("waiting", *asked), lambda: _count_waiting(db, list_name, viewer, today))


def _asked(filters: Filters, viewer: Viewer, today: date) -> tuple[object, ...]:
    """All that a count depends on besides the rows: two officers of one place share it."""
    return filters, viewer.region, today, viewer.user_id if filters.assignee == "me" else 0


def _count_waiting(db: ScopedSession, list_name: str, viewer: Viewer, today: date) -> dict[str, int]:
    waiting = {
        "new": Lead.state == "new",
        "unassigned": Lead.assignee_id.is_(None),
        "week": Lead.due_by.between(today, today + timedelta(days=7)),
        "overdue": Lead.due_by < today,
    }
    row = db.execute(matching(Filters(list_name), viewer, today, *map(how_many, waiting.values()))).one()
    return dict(zip(waiting, row, strict=True))


def how_many(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def choices(db: ScopedSession, list_name: str, column: Any, viewer: Viewer) -> list[str]:
    """The values of a column that the viewer's leads of this list have, for a filter's choice."""

    def read() -> list[str]:
        found = select(column).where(Lead.list == list_name).distinct().order_by(column)
        return list(db.scalars(found))

    return remembered(db, ("choices", list_name, column.key, viewer.region), read)


def next_case_id(db: ScopedSession, filters: Filters, viewer: Viewer, today: date, after: Case) -> int | None:
    """The case that follows `after` in the list's order; None at the end."""
    here = tuple_(after.due_on or NO_DUE, after.id)
    found = matching(filters, viewer, today, Lead.case_id).where(tuple_(Lead.due_by, Lead.case_id) > here)
    return db.scalars(found.order_by(*ORDER).limit(1)).one_or_none()


# What can be asked of a lead. The value is given, or named and given later; where there is none it does not matter.
_CONDITIONS: dict[str, Callable[[Any], ColumnElement[bool]]] = {
    "list": lambda told: Lead.list == told,
    "view": lambda told: Lead.view == told,
    # A lead without a case is on no view; only a night that is being loaded has such leads.
    "any_view": lambda _: Lead.view != "",
    "rule": lambda told: Lead.rule == told,
    "state": lambda told: Lead.state == told,
    "stage": lambda told: Lead.stage == told,
    "county": lambda told: Lead.county_code == told,
    "township": lambda told: Lead.township_code == told,
    "due_before": lambda told: Lead.due_by < told,
    "due_from": lambda told: Lead.due_by >= told,
    "due_until": lambda told: Lead.due_by <= told,
    "assignee": lambda told: Lead.assignee_id == told,
    "unassigned": lambda _: Lead.assignee_id.is_(None),
    "person": lambda told: Lead.person == told,
    "name": lambda told: Lead.name_digest == told,
    "own_number": lambda told: or_(Lead.lead_no == func.upper(told), Lead.household_id == told),
    "nothing": lambda _: false(),
}


def asked_of(filters: Filters, viewer: Viewer, today: date) -> dict[str, Any]:
    """The conditions under which a lead is on the list, with their values."""
    asked: dict[str, Any] = {"list": filters.list}
    asked |= {"view": filters.view} if filters.view != "all" else {"any_view": True}
    for name in ("rule", "state", "stage", "county", "township"):
        if value := getattr(filters, name):
            asked[name] = value
    if filters.due == "overdue":
        asked["due_before"] = today
    elif filters.due == "week":
        asked |= {"due_from": today, "due_until": today + timedelta(days=7)}
    return asked | _assigned(filters.assignee, viewer) | _searched(filters.q)


def _assigned(assignee: str, viewer: Viewer) -> dict[str, Any]:
    if assignee == "none":
        return {"unassigned": True}
    if assignee == "me":
        return {"assignee": viewer.user_id}
    return {"assignee": int(assignee)} if assignee else {}


def search_text(typed: str, vault: Vault) -> str:
    """What may stand in an address for something typed: an identity number or a name becomes its keyed code.

    A lead or household number stays as it is. Names are found whole, never by a part of a sealed value.
    """
    wanted = "".join(filter(str.isprintable, typed)).strip()
    if not wanted:
        return ""
    token = vault.token_of(wanted)
    if token is not None:
        return f"{BY_NUMBER}{token.hex()}"
    if wanted.isascii():
        return wanted[:64]
    return f"{BY_NAME}{vault.name_digests([wanted])[0].hex()}"


def _searched(text: str) -> dict[str, Any]:
    for mark, name in ((BY_NUMBER, "person"), (BY_NAME, "name")):
        if text.startswith(mark):
            try:
                return {name: bytes.fromhex(text.removeprefix(mark))}
            except ValueError:
                return {"nothing": True}
    return {"own_number": text} if text else {}
