"""People newly helped beside people flagged: both are what the work is for.

Households are counted once each, whatever the number of their leads, cases or rounds, and beside them the persons that
the finding is about. Of a family that may qualify these are all members, or where only the single-person rules
(单人保) fit, those persons alone. Of a flagged household they are the persons whom a rule on persons names: the nights
do not tell how many members a household of the roster has, so that rules on households count households alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Subquery, case, func, select

from portal.codes import desk_codes
from portal.desk import Desk
from portal.grouping import CLEARED
from portal.schema import Case, Lead, Outreach


@dataclass(frozen=True)
class Reach:
    households: int
    persons: int


@dataclass(frozen=True)
class Helped:
    """Families of the newly-eligible list in one span of time, by how far they came.

    found: on the list. contacted: anything was registered of them. applied: newly helped.
    """

    found: Reach
    contacted: Reach
    signed: Reach
    applied: Reach
    not_wanted: Reach


@dataclass(frozen=True)
class Flagged:
    """Households of the discrepancy list. flagged.persons: those named by rules on persons.

    kept, adverse, cleared: households whose case closed without a disadvantage, with one, because the data no longer
    say it and nobody had begun.
    """

    flagged: Reach
    kept: int
    adverse: int
    cleared: int


@dataclass(frozen=True)
class Span:
    """From `first` on and before `until`; None on either side for no limit."""

    first: date | None = None
    until: date | None = None

    def holds(self, column: Any) -> list[Any]:
        after = [column >= self.first] if self.first else []
        return after + ([column < self.until] if self.until else [])


def count_helped(desk: Desk, span: Span) -> Helped:
    """Families by what was registered of them in the span; found: by when their case was opened."""
    found = (
        select(Case.household_id)
        .where(Case.list == "newly_eligible", *span.holds(Case.opened_on))
        .distinct()
        .subquery()
    )
    contacted = (
        select(Case.household_id)
        .join(Outreach, Outreach.case_id == Case.id)
        .where(*span.holds(Outreach.contacted_on))
    )

    def came_to(code: str) -> Reach:
        return _families(desk, contacted.where(Outreach.code == code).distinct().subquery())

    return Helped(
        found=_families(desk, found),
        contacted=_families(desk, contacted.distinct().subquery()),
        signed=came_to("signed"),
        applied=came_to("applied"),
        not_wanted=came_to("not_wanted"),
    )


def count_flagged(desk: Desk, span: Span) -> Flagged:
    adverse = [code for code, decision in desk_codes().decisions.items() if decision.adverse]
    closed = Case.stage == "closed"
    flagged = (
        select(Case.household_id)
        .where(Case.list == "discrepancies", *span.holds(Case.opened_on))
        .distinct()
        .subquery()
    )

    def ended(*conditions: Any) -> int:
        households = func.count(func.distinct(Case.household_id))
        ends = select(households).where(Case.list == "discrepancies", closed, *conditions)
        return desk.db.scalars(ends.where(*span.holds(Case.closed_on))).one()

    return Flagged(
        flagged=Reach(
            desk.db.scalars(select(func.count()).select_from(flagged)).one(), _named(desk, flagged, span)
        ),
        kept=ended(Case.outcome.not_in([*adverse, CLEARED])),
        adverse=ended(Case.outcome.in_(adverse)),
        cleared=ended(Case.outcome == CLEARED),
    )


def _families(desk: Desk, households: Subquery) -> Reach:
    of_all = func.max(case((Lead.is_person_rule, 0), else_=1)) == 1
    each = (
        select(
            Lead.household_id,
            case((of_all, func.max(Lead.members)), else_=func.count(func.distinct(Lead.person_key))).label(
                "persons"
            ),
        )
        .where(Lead.list == "newly_eligible", Lead.household_id.in_(select(households)))
        .group_by(Lead.household_id)
        .subquery()
    )
    row = desk.db.execute(
        select(func.count(), func.coalesce(func.sum(each.c.persons), 0)).select_from(each)
    ).one()
    return Reach(row[0], int(row[1]))


def _named(desk: Desk, households: Subquery, span: Span) -> int:
    # One who cannot be told by a number has a running number instead, which another household's person may have too.
    person = case(
        (Lead.person.is_not(None), Lead.person_key), else_=Lead.household_id + "/" + Lead.person_key
    )
    named = select(func.count(func.distinct(person))).where(
        Lead.list == "discrepancies", Lead.is_person_rule, Lead.household_id.in_(select(households))
    )
    if span.until:
        named = named.where(Lead.first_night < span.until)
    return desk.db.scalars(named).one()
