"""Leads of one household are worked as one case."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

from sqlalchemy import bindparam, func, insert, or_, select, update

from portal.codes import desk_codes
from portal.database import look_at_rows
from portal.schema import Case, Event, Lead, Notice, Reply
from portal.scope import ScopedSession
from portal.settings import current_time
from portal.workdays import due_date, objection_end

CLEARED = "cleared"
Household = tuple[str, str]


def attach_to_cases(db: ScopedSession, opened_on: date, reopened: set[int]) -> int:
    """Give every lead a case; returns how many cases were opened.

    A lead needs work when it stands unexplained and has no case, or its case was closed before its fact changed, or
    without an answer to it: it had come, or changed, after the decision was made.
    It joins the household's open case, or begins its next round. Other leads without a case join the latest one.
    """
    rows = _leads_to_place(db, reopened)
    if not rows:
        return 0
    latest = _latest_cases(db, {(row.list, row.household_id) for row in rows})
    by_household: defaultdict[Household, list[Any]] = defaultdict(list)
    for row in rows:
        by_household[row.list, row.household_id].append(row)
    opened = [
        _case_row(latest.get(household), leads, opened_on)
        for household, leads in by_household.items()
        if latest.get(household) is None
        or (latest[household].stage == "closed" and any(map(_needs_work, leads)))
    ]
    if opened:
        db.execute(insert(Case), opened)
    current = _latest_cases(db, set(by_household))
    _move_leads(db, [(row.id, current[row.list, row.household_id].id) for row in rows])
    _tell_opening(db, [current[row["list"], row["household_id"]] for row in opened])
    look_at_rows(db.connection())
    return sum(row["stage"] != "closed" for row in opened)


def close_cleared_cases(db: ScopedSession, today: date) -> int:
    """Close, in the family's favour, cases nobody has begun and whose leads are all gone."""
    waiting = select(Case.id).where(
        Case.stage == "routed",
        ~select(Lead.id).where(Lead.case_id == Case.id, Lead.present, Lead.suppression_id.is_(None)).exists(),
        ~select(Reply.id).where(Reply.case_id == Case.id).exists(),
    )
    cases = db.scalars(select(Case).where(Case.id.in_(waiting))).all()
    for case in cases:
        case.stage, case.outcome, case.closed_on, case.due_on = "closed", CLEARED, today, None
        case.stage_since, case.touched_at = today, current_time()
        db.add(machine_event(case, "cleared", "全部线索已由数据更新消除，自动办结"))
    return len(cases)


def renew_due_dates(db: ScopedSession) -> None:
    """Count open limits anew: a year's holidays may have been announced since they were set."""
    limits = select(Case.stage, Case.stage_since, Case.due_on).where(
        Case.stage.not_in(("closed", "notified")), Case.due_on.is_not(None)
    )
    for stage, since, due_on in db.execute(limits.distinct()).all():
        clock = desk_codes().stages[stage].clock
        anew = due_date(clock, since) if clock else due_on
        if anew != due_on:
            same = (Case.stage == stage, Case.stage_since == since, Case.due_on == due_on)
            db.execute(update(Case).where(*same).values(due_on=anew))
    served = select(Case, Notice).join(Notice, Notice.case_id == Case.id).where(Case.stage == "notified")
    for case, notice in db.execute(served.order_by(Notice.id)).all():
        anew = objection_end(notice.served_on, notice.objection_until)
        if anew != notice.objection_until:
            notice.objection_until = case.due_on = anew


def machine_event(case: Case, kind: str, detail: str) -> Event:
    """A line of the case's history that no officer wrote."""
    return Event(
        case_id=case.id,
        county_code=case.county_code,
        township_code=case.township_code,
        at=current_time(),
        kind=kind,
        detail=detail,
    )


def _leads_to_place(db: ScopedSession, reopened: set[int]) -> list[Any]:
    columns = (
        Lead.id,
        Lead.list,
        Lead.household_id,
        Lead.county_code,
        Lead.township_code,
        Lead.present,
        Lead.suppression_id,
        or_(Lead.reply_code.is_(None), Lead.reply_fact != Lead.fact).label("unanswered"),
    )
    homeless = db.execute(
        select(*columns).outerjoin(Case, Case.id == Lead.case_id).where(Lead.case_id.is_(None))
    ).all()
    decided = db.execute(
        select(*columns)
        .join(Case, Case.id == Lead.case_id)
        .where(Case.stage == "closed", Lead.present, Lead.suppression_id.is_(None))
    ).all()
    return [*homeless, *(row for row in decided if row.unanswered or row.id in reopened)]


def _needs_work(row: Any) -> bool:
    return bool(row.present) and row.suppression_id is None


def _latest_cases(db: ScopedSession, households: set[Household]) -> dict[Household, Any]:
    newest = (
        select(Case.list, Case.household_id, func.max(Case.round).label("round"))
        .group_by(Case.list, Case.household_id)
        .subquery()
    )
    rows = db.execute(
        select(
            Case.id,
            Case.list,
            Case.household_id,
            Case.round,
            Case.stage,
            Case.county_code,
            Case.township_code,
        ).join(
            newest,
            (newest.c.list == Case.list)
            & (newest.c.household_id == Case.household_id)
            & (newest.c.round == Case.round),
        )
    )
    return {(row.list, row.household_id): row for row in rows if (row.list, row.household_id) in households}


def _case_row(before: Any | None, leads: list[Any], opened_on: date) -> dict[str, Any]:
    waits = any(map(_needs_work, leads))
    stage = "routed" if waits else "closed"
    clock = desk_codes().stages[stage].clock
    return {
        "list": leads[0].list,
        "household_id": leads[0].household_id,
        "county_code": leads[0].county_code,
        "township_code": leads[0].township_code,
        "round": 1 if before is None else before.round + 1,
        "stage": stage,
        "opened_on": opened_on,
        "stage_since": opened_on,
        "due_on": due_date(clock, opened_on) if clock else None,
        "outcome": None if waits else "explained",
        "closed_on": None if waits else opened_on,
        "touched_at": current_time(),
        "version": 1,
    }


def _move_leads(db: ScopedSession, moves: list[tuple[int, int]]) -> None:
    table = Lead.__table__
    db.connection().execute(
        update(table)  # type: ignore[arg-type]
        .where(table.c.id == bindparam("b_id"))
        .values(case_id=bindparam("b_case"), reply_code=None, reply_fact=None, version=table.c.version + 1),
        [{"b_id": lead_id, "b_case": case_id} for lead_id, case_id in moves],
    )


def _tell_opening(db: ScopedSession, cases: list[Any]) -> None:
    rows = [
        {
            "case_id": case.id,
            "county_code": case.county_code,
            "township_code": case.township_code,
            "at": current_time(),
            "kind": "opened",
            "detail": f"第 {case.round} 轮，由核对结果生成",
        }
        for case in cases
    ]
    if rows:
        db.execute(insert(Event), rows)
