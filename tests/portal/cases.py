"""Finding cases and walking them to a stage."""

from __future__ import annotations

from sqlalchemy import select

from portal.schema import Case, Lead
from portal.scope import open_machine_session


def case_of(desk, household: str, round_: int | None = None) -> Case:
    with open_machine_session(desk.engine) as db:
        found = select(Case).where(Case.household_id == household).order_by(Case.round.desc())
        if round_:
            found = found.where(Case.round == round_)
        return db.scalars(found.limit(1)).one()


def leads_of(desk, household: str) -> list[Lead]:
    with open_machine_session(desk.engine) as db:
        return list(db.scalars(select(Lead).where(Lead.household_id == household).order_by(Lead.lead_no)))


def answer_all(desk, officer, household: str, code: str = "confirmed") -> int:
    case = case_of(desk, household)
    for lead in leads_of(desk, household):
        officer.done(case.id, "reply", {"lead": lead.id, "code": code, "note": "核实过"})
    return case.id


VISIT = {
    "visited_on": "2026-07-01",
    "investigator_1": "甲",
    "investigator_2": "乙",
    "met": "户主",
    "findings": "见到本人",
}
STOP = {
    "code": "stop",
    "disposal": "exit",
    "reasons": "存款确属本人且超过标准",
    "basis": "社会救助暂行办法第十三条",
}
KEEP = {
    "code": "maintain",
    "disposal": "exit",
    "reasons": "存款系救灾补助，依规不计入",
    "basis": "57号第十四条",
}


def served_stop(desk, officer, second, household: str = "H2") -> int:
    """A case whose adverse decision was made by two persons and served."""
    case_id = answer_all(desk, officer, household)
    officer.done(case_id, "visit", VISIT)
    officer.done(case_id, "decide", STOP)
    second.done(case_id, "second", {"answer": "agree"})
    officer.done(case_id, "serve", {"served_on": "2026-07-01", "service": "in_person"})
    return case_id
