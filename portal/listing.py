"""The two lists: what is on them, in what order, and how many.

Rows, counts, next case and downloads share one query.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    and_,
    case,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
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
_NO_DUE = date(9999, 12, 31)
# Written out, not bound: the same words as in the index ix_cases_list_order, or it would not be used.
_DUE = func.coalesce(Case.due_on, literal_column("'9999-12-31'", Date))


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
        changed = replace(self, **changes)
        given = {f.name: getattr(changed, f.name) for f in fields(self) if f.name != "list"}
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


def order() -> tuple[Any, ...]:
    """Soonest due first, a household's leads together."""
    return (_DUE, Case.id, Lead.lead_no)


def matching(filters: Filters, viewer: Viewer, today: date, *what: Any) -> Select[Any]:
    """SELECT `what` over the leads (with their cases) that the filters leave."""
    # A case's list is that of its leads; told for both, either index may lead.
    conditions = [Lead.list == filters.list, Case.list == filters.list, *_given(filters, viewer, today)]
    if filters.view != "all":
        conditions.append(view_condition(filters.view))
    return select(*what).select_from(Lead).join(Case, Case.id == Lead.case_id).where(*conditions)


def view_condition(view: str) -> ColumnElement[bool]:
    explained = and_(Lead.suppression_id.is_not(None), Lead.present)
    closed = and_(not_(explained), Case.stage == "closed")
    conditions = {
        "suppressed": explained,
        "closed": closed,
        "cleared": and_(not_(explained), Case.stage != "closed", not_(Lead.present)),
        "open": and_(not_(explained), Case.stage != "closed", Lead.present),
    }
    return conditions[view]


@dataclass(frozen=True)
class Counts:
    """views: leads per view under the other filters, each the number of rows that view shows.

    households: of this view.
    """

    views: dict[str, int]
    households: int


def count(db: ScopedSession, filters: Filters, viewer: Viewer, today: date) -> Counts:
    """All counts of a list in one pass over it."""
    return remembered(
        db, ("counts", *_asked(filters, viewer, today)), lambda: _count(db, filters, viewer, today)
    )


def _count(db: ScopedSession, filters: Filters, viewer: Viewer, today: date) -> Counts:
    shown = true() if filters.view == "all" else view_condition(filters.view)
    households = func.count(func.distinct(case((shown, Lead.household_id))))
    sums = [how_many(view_condition(view)) for view in VIEWS]
    *views, all_, families = db.execute(
        matching(replace(filters, view="all"), viewer, today, *sums, func.count(Lead.id), households)
    ).one()
    return Counts(dict(zip([*VIEWS, "all"], [*views, all_], strict=True)), families)


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
        "unassigned": Case.assignee_id.is_(None),
        "week": Case.due_on.between(today, today + timedelta(days=7)),
        "overdue": Case.due_on < today,
    }
    row = db.execute(matching(Filters(list_name), viewer, today, *map(how_many, waiting.values()))).one()
    return dict(zip(waiting, row, strict=True))


def how_many(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def choices(db: ScopedSession, list_name: str, column: Any) -> list[str]:
    """The values of a column that the viewer's leads of this list have, for a filter's choice."""
    return list(db.scalars(select(column).where(Lead.list == list_name).distinct().order_by(column)))


def next_case_id(db: ScopedSession, filters: Filters, viewer: Viewer, today: date, after: Case) -> int | None:
    """The case that follows `after` in the list's order; None at the end."""
    here = tuple_(after.due_on or _NO_DUE, after.id)
    found = matching(filters, viewer, today, Case.id).where(tuple_(_DUE, Case.id) > here)
    found = found.order_by(_DUE, Case.id).limit(1)
    return db.scalars(found).one_or_none()


def _given(filters: Filters, viewer: Viewer, today: date) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for column, value in (
        (Lead.rule, filters.rule),
        (Lead.state, filters.state),
        (Case.stage, filters.stage),
        (Lead.county_code, filters.county),
        (Lead.township_code, filters.township),
    ):
        if value:
            conditions.append(column == value)
    if filters.due == "overdue":
        conditions.append(Case.due_on < today)
    elif filters.due == "week":
        conditions.append(Case.due_on.between(today, today + timedelta(days=7)))
    conditions += _assigned(filters.assignee, viewer)
    if filters.q:
        conditions.append(_searched(filters.q))
    return conditions


def _assigned(assignee: str, viewer: Viewer) -> list[ColumnElement[bool]]:
    if assignee == "me":
        return [Case.assignee_id == viewer.user_id]
    if assignee == "none":
        return [Case.assignee_id.is_(None)]
    return [Case.assignee_id == int(assignee)] if assignee else []


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


def _searched(text: str) -> ColumnElement[bool]:
    for mark, column in ((BY_NUMBER, Lead.person), (BY_NAME, Lead.name_digest)):
        if text.startswith(mark):
            try:
                return column == bytes.fromhex(text.removeprefix(mark))
            except ValueError:
                return false()
    return or_(Lead.lead_no == text.upper(), Lead.household_id == text)
