"""What every step shares: finding the case, refusing a stale or impossible one, moving on, telling it."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select

from portal.codes import desk_codes
from portal.desk import Desk
from portal.errors import Conflict, NotFound, Refused
from portal.schema import Case, Event, Lead
from portal.work.handover import give_back_reopened
from portal.workdays import due_date


def find_case(desk: Desk) -> Case:
    """The case of the address. Raises NotFound for an unknown one and one of another place alike."""
    return case_by_id(desk, desk.request.path_params["case_id"])


def case_by_id(desk: Desk, case_id: int) -> Case:
    wanted = select(Case).where(Case.id == case_id)
    if desk.db.writes:
        # The case first, its leads and records after it: two officers wait for each other in one order.
        wanted = wanted.with_for_update(key_share=True)
    # A number past the column's range is unknown too, not an error of the database.
    found = desk.db.scalars(wanted).one_or_none() if case_id < 2**63 else None
    if found is None:
        raise NotFound()
    return found


def leads_of(desk: Desk, case: Case) -> list[Lead]:
    return list(desk.db.scalars(select(Lead).where(Lead.case_id == case.id).order_by(Lead.lead_no)))


def standing(leads: list[Lead]) -> list[Lead]:
    """Leads that still need an answer or have one: on tonight's list and not explained for good."""
    return [lead for lead in leads if lead.present and lead.suppression_id is None]


def check_version(desk: Desk, case: Case) -> None:
    """The page the officer looked at must be the latest. Raises Conflict."""
    if desk.fields.whole("version", "版本") != case.version:
        raise Conflict()


def check_stage(case: Case, work: str) -> None:
    if case.stage not in desk_codes().allowed[work]:
        raise Refused(f"本案现在是“{desk_codes().stages[case.stage].name}”，不能进行这一步。")


def enter(desk: Desk, case: Case, stage: str, *, due_on: date | None = None) -> None:
    """Move the case to a stage; its time limit starts today. Entering the same stage again keeps the limit."""
    if case.stage != stage:
        if case.stage == "closed":
            give_back_reopened(desk, case)
        clock = desk_codes().stages[stage].clock
        case.stage, case.stage_since = stage, desk.today
        case.due_on = due_on or (due_date(clock, desk.today) if clock else None)
    touch(desk, case)


def touch(desk: Desk, case: Case) -> None:
    """Every step changes the case row, so that its version tells any two officers apart."""
    case.touched_at = desk.now


def written_by(desk: Desk, case: Case) -> dict[str, Any]:
    """The columns every record of a step has."""
    return {
        "case_id": case.id,
        "county_code": case.county_code,
        "township_code": case.township_code,
        "by_id": desk.viewer.user_id,
        "at": desk.now,
    }


def tell(desk: Desk, case: Case, kind: str, detail: str = "") -> None:
    """A line of the case's history, and one of the audit log. detail must name no person."""
    desk.db.add(Event(**written_by(desk, case), kind=kind, detail=detail))
    touch(desk, case)
    desk.record(kind, case=case.id, list=case.list, county=case.county_code)
