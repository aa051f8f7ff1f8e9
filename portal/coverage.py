"""半年核对 and the yearly visit: every household of the roster, when it was wholly checked and visited, who is due."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, literal, or_, select, union_all

from portal.codes import clocks, source_names
from portal.desk import Desk
from portal.schema import Case, Household, Night, Visit, YearlyVisit
from portal.scope import COUNTY_DIGITS
from portal.workdays import add_months

DUES = {
    "any": "任一项已超期",
    "check": "核对已超期",
    "visit": "入户已超期",
    "partial": "最近一次核对不全",
    "all": "全部在保家庭",
}
# Why a night was no whole check of a household (pipelines.roster_extract).
LACKS = {
    "": "",
    "incomplete": "名册成员信息不完整，收入、资产无法全面核对",
    "authorisation": "有成员缺少有效授权，金融和纳税数据不得核对",
    "sources": "当晚有部门数据未采用",
}


@dataclass(frozen=True)
class SourceCoverage:
    """last: the latest loaded night that accepted the source, None if none did."""

    name: str
    last: date | None
    due: date | None


@dataclass(frozen=True)
class PlaceCoverage:
    """Households on the roster of one township, or of one county (township_code '').

    How many are past a date, or were only partly checked last night.
    """

    county_code: str
    township_code: str
    households: int
    check_overdue: int
    last_partial: int
    visit_overdue: int
    never_visited: int


@dataclass(frozen=True)
class HouseholdCoverage:
    """visited: None when the desk knows of no visit. Without a check or a visit the time runs from first_night."""

    household: Household
    visited: date | None

    @property
    def check_due(self) -> date:
        kept = self.household
        return add_months(kept.checked_night or kept.first_night, clocks()["data_check"].amount)

    @property
    def visit_due(self) -> date:
        return add_months(self.visited or self.household.first_night, clocks()["home_visit"].amount)


def source_coverage(desk: Desk) -> list[SourceCoverage]:
    accepted: dict[str, date] = {}
    for night in desk.db.scalars(select(Night).order_by(Night.as_of)):
        for source, told in json.loads(night.manifest)["status"]["sources"].items():
            if told["state"] == "accepted":
                accepted[source] = night.as_of
    months = clocks()["data_check"].amount
    names = source_names()
    return [
        SourceCoverage(
            names.get(source, source),
            accepted.get(source),
            add_months(accepted[source], months) if source in accepted else None,
        )
        for source in [*names, *(one for one in accepted if one not in names)]
    ]


def place_coverage(desk: Desk, county: str) -> list[PlaceCoverage]:
    """The townships of `county` or of the viewer's own; above the county and without one, the counties."""
    visited = _last_visits()
    by_county = len(desk.viewer.region) < COUNTY_DIGITS and not county
    place = [Household.county_code] if by_county else [Household.county_code, Household.township_code]
    rows = desk.db.execute(
        select(
            Household.county_code,
            literal("") if by_county else Household.township_code,
            func.count(Household.id),
            _how_many(_check_is_over(desk.today)),
            _how_many(Household.lacks != ""),
            _how_many(_visit_is_over(visited, desk.today)),
            _how_many(visited.c.day.is_(None)),
        )
        .outerjoin(visited, visited.c.household_id == Household.household_id)
        .where(Household.on_roster, *_within(county))
        .group_by(*place)
        .order_by(*place)
    )
    return [PlaceCoverage(*row) for row in rows]


def household_coverage(
    desk: Desk, due: str, county: str, township: str, first: int, most: int
) -> list[HouseholdCoverage]:
    """Households on the roster, longest unchecked and unvisited first.

    due: a key of DUES; county, township: '' for all.
    """
    visited = _last_visits()
    overdue = {
        "check": [_check_is_over(desk.today)],
        "visit": [_visit_is_over(visited, desk.today)],
        "any": [or_(_check_is_over(desk.today), _visit_is_over(visited, desk.today))],
        "partial": [Household.lacks != ""],
        "all": [],
    }[due]
    found = (
        _with_visits(visited)
        .where(Household.on_roster, *overdue, *_within(county))
        .order_by(
            func.coalesce(Household.checked_night, Household.first_night),
            func.coalesce(visited.c.day, Household.first_night),
            Household.household_id,
        )
    )
    if township:
        found = found.where(Household.township_code == township)
    return [HouseholdCoverage(*row) for row in desk.db.execute(found.offset(first).limit(most))]


def one_household(desk: Desk, row_id: int) -> HouseholdCoverage | None:
    row = desk.db.execute(_with_visits(_last_visits()).where(Household.id == row_id)).one_or_none()
    return None if row is None else HouseholdCoverage(*row)


def _with_visits(visited: Any) -> Select[Any]:
    return select(Household, visited.c.day).outerjoin(
        visited, visited.c.household_id == Household.household_id
    )


def _last_visits() -> Any:
    """household_id and the day of its last visit, in a case or without one."""
    all_visits = union_all(
        select(Case.household_id.label("household_id"), Visit.visited_on.label("day")).join(
            Visit, Visit.case_id == Case.id
        ),
        select(YearlyVisit.household_id, YearlyVisit.visited_on),
    ).subquery()
    return (
        select(all_visits.c.household_id, func.max(all_visits.c.day).label("day"))
        .group_by(all_visits.c.household_id)
        .subquery()
    )


def _check_is_over(today: date) -> ColumnElement[bool]:
    return func.coalesce(Household.checked_night, Household.first_night) <= _last_day_over(
        today, clocks()["data_check"].amount
    )


def _visit_is_over(visited: Any, today: date) -> ColumnElement[bool]:
    return func.coalesce(visited.c.day, Household.first_night) <= _last_day_over(
        today, clocks()["home_visit"].amount
    )


def _last_day_over(today: date, months: int) -> date:
    """The last day whose limit of `months` months ended before today; months are of unequal length."""
    day = add_months(today, -months) + timedelta(days=3)
    while add_months(day, months) >= today:
        day -= timedelta(days=1)
    return day


def _within(county: str) -> list[ColumnElement[bool]]:
    return [Household.county_code == county] if county else []


def _how_many(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)
