"""Counts for those who lead and those who check: never a person, small cells covered, every rate with its interval."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import case, func, select

from policy.codes import load_codes
from portal.codes import desk_codes
from portal.desk import Desk
from portal.helped import Flagged, Helped, Span, count_flagged, count_helped
from portal.schema import Case, Decision, Lead, LeadChange, Night
from portal.workdays import add_months

# A group with fewer answered leads is not shown: a neighbour could recognise the family in it.
SMALLEST_CELL = 8
_Z95 = 1.959964
# Days a case has been open: up to the first, from there up to the next, more than the last.
AGES = (7, 30, 60, 90)
AGE_NAMES = ("7天以内", "8–30天", "31–60天", "61–90天", "超过90天")
# Of the member with the lowest grade (sql/publish/roster.sql).
DISABILITIES = {"severe": "有一级或二级残疾成员", "other": "有三级或四级残疾成员", "none": "没有残疾成员"}
_FALSE = {"not_true", "below_limit", "exempt", "duplicate"}


@dataclass(frozen=True)
class Rate:
    """count of all with its Wilson 95 % interval; hidden when the group is too small to be told."""

    label: str
    count: int
    all: int
    hidden: bool = False

    @property
    def share(self) -> float:
        return self.count / self.all if self.all else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        return wilson_interval(self.count, self.all)


@dataclass(frozen=True)
class CountyLoad:
    """Cases of one county. ages: open cases by how long they have been open, in the order of AGES."""

    county_code: str
    open: int
    unassigned: int
    overdue: int
    closed: int
    ages: tuple[int, ...]


def wilson_interval(count: int, all_: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927); (0, 1) for nothing seen."""
    if not all_:
        return 0.0, 1.0
    share = count / all_
    middle = share + _Z95**2 / (2 * all_)
    spread = _Z95 * math.sqrt(share * (1 - share) / all_ + _Z95**2 / (4 * all_**2))
    bottom = 1 + _Z95**2 / all_
    return max(0.0, (middle - spread) / bottom), min(1.0, (middle + spread) / bottom)


def cover_small_cells(rates: list[Rate]) -> list[Rate]:
    """Hide groups below the smallest cell; when that is only one, the next smallest too, or it could be computed."""
    hidden = {at for at, rate in enumerate(rates) if rate.all < SMALLEST_CELL}
    if len(hidden) == 1 and len(rates) > 1:
        hidden.add(min((at for at in range(len(rates)) if at not in hidden), key=lambda at: rates[at].all))
    return [Rate(rate.label, rate.count, rate.all, at in hidden) for at, rate in enumerate(rates)]


def county_loads(desk: Desk, list_name: str) -> list[CountyLoad]:
    is_open = Case.stage != "closed"
    ages = [Case.opened_on >= desk.today - timedelta(days=AGES[0])]
    ages += [
        (Case.opened_on < desk.today - timedelta(days=least))
        & (Case.opened_on >= desk.today - timedelta(days=most))
        for least, most in pairwise(AGES)
    ]
    ages.append(Case.opened_on < desk.today - timedelta(days=AGES[-1]))

    def count(*conditions: Any) -> Any:
        hit = conditions[0]
        for condition in conditions[1:]:
            hit = hit & condition
        return func.sum(case((hit, 1), else_=0))

    rows = desk.db.execute(
        select(
            Case.county_code,
            count(is_open),
            count(is_open, Case.assignee_id.is_(None)),
            count(is_open, Case.due_on < desk.today),
            count(Case.stage == "closed"),
            *(count(is_open, age) for age in ages),
        )
        .where(Case.list == list_name)
        .group_by(Case.county_code)
        .order_by(Case.county_code)
    )
    return [
        CountyLoad(county, opened, unassigned, overdue, closed, tuple(by_age))
        for county, opened, unassigned, overdue, closed, *by_age in rows
    ]


def rule_rates(desk: Desk) -> list[tuple[Rate, Rate]]:
    """Per rule: answers that confirmed it, and answers that showed it false."""
    carries = [code for code, reply in desk_codes().replies.items() if reply.supports_adverse]
    groups = _answers_by(desk, Lead.rule)
    confirmed = cover_small_cells(
        [Rate(rule, _sum(told, carries), sum(told.values())) for rule, told in groups.items()]
    )
    false = cover_small_cells(
        [Rate(rule, _sum(told, _FALSE), sum(told.values())) for rule, told in groups.items()]
    )
    return list(zip(confirmed, false, strict=True))


def false_lead_rates(desk: Desk) -> dict[str, list[Rate]]:
    """Share of answered leads that were false, by age band, disability and area, as far as the nights tell them."""
    groups: dict[str, tuple[Any, Mapping[str, str]]] = {
        "年龄段": (Lead.age_band, {}),
        "家中残疾": (Lead.disability, DISABILITIES),
        "城乡": (Lead.area, load_codes().areas.names),
    }
    return {
        title: cover_small_cells(
            [
                Rate(names.get(label, label) or "未载明", _sum(told, _FALSE), sum(told.values()))
                for label, told in _answers_by(desk, column).items()
            ]
        )
        for title, (column, names) in groups.items()
    }


@dataclass(frozen=True)
class Bulletin:
    """One month: counties' work, departments' data, both lists."""

    month: date
    counties: list[dict[str, Any]]
    departments: list[dict[str, Any]]
    helped: Helped
    flagged: Flagged


def monthly_bulletin(desk: Desk, month: date) -> Bulletin:
    """month: its first day."""
    until = add_months(month, 1)
    span = Span(month, until)
    return Bulletin(
        month,
        _county_month(desk, month, until),
        _department_month(desk, month, until),
        count_helped(desk, span),
        count_flagged(desk, span),
    )


def _county_month(desk: Desk, month: date, until: date) -> list[dict[str, Any]]:
    told: defaultdict[str, Counter[str]] = defaultdict(Counter)
    new = desk.db.execute(
        select(LeadChange.county_code, LeadChange.state, func.count(LeadChange.id))
        .where(LeadChange.as_of >= month, LeadChange.as_of < until)
        .group_by(LeadChange.county_code, LeadChange.state)
    )
    for county, state, count in new:
        told[county][state] += count
    closed = desk.db.execute(
        select(Case.county_code, func.count(Case.id))
        .where(Case.closed_on >= month, Case.closed_on < until)
        .group_by(Case.county_code)
    )
    for county, count in closed:
        told[county]["closed"] += count
    late = desk.db.execute(
        select(Case.county_code, func.count(Case.id))
        .where(Case.stage != "closed", Case.due_on < min(until, desk.today))
        .group_by(Case.county_code)
    )
    for county, count in late:
        told[county]["overdue"] += count
    names = ("new", "changed", "cleared", "closed", "overdue")
    return [{"county": county} | {name: told[county][name] for name in names} for county in sorted(told)]


def _department_month(desk: Desk, month: date, until: date) -> list[dict[str, Any]]:
    told: defaultdict[str, Counter[str]] = defaultdict(Counter)
    nights = desk.db.scalars(select(Night).where(Night.as_of >= month, Night.as_of < until))
    for night in nights:
        for source, status in json.loads(night.manifest)["status"]["sources"].items():
            told[source]["nights"] += 1
            told[source][status["state"]] += 1
            for name in ("received", "quarantined", "unauthorised"):
                told[source][name] += status.get(name, 0)
    names = ("nights", "accepted", "held", "missing", "received", "quarantined", "unauthorised")
    return [{"source": source} | {name: told[source][name] for name in names} for source in told]


def months_with_nights(desk: Desk) -> list[date]:
    days = desk.db.scalars(select(Night.as_of)).all()
    return sorted({day.replace(day=1) for day in [*days, desk.today]}, reverse=True)


def decisions_without_second(desk: Desk) -> int:
    """Adverse decisions in force that only one person signed: always 0, and shown so that it can be seen."""
    adverse = [code for code, decision in desk_codes().decisions.items() if decision.adverse]
    return desk.db.scalars(
        select(func.count(Decision.id)).where(
            Decision.code.in_(adverse), Decision.state == "final", Decision.second_id.is_(None)
        )
    ).one()


def _answers_by(desk: Desk, column: Any) -> dict[str, Counter[str]]:
    rows = desk.db.execute(
        select(column, Lead.reply_code, func.count(Lead.id))
        .where(Lead.list == "discrepancies", Lead.reply_code.in_(list(desk_codes().replies)))
        .group_by(column, Lead.reply_code)
    )
    groups: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for label, code, count in rows:
        groups[label or ""][code] += count
    return dict(sorted(groups.items()))


def _sum(told: Counter[str], codes: Any) -> int:
    return sum(told[code] for code in codes)
