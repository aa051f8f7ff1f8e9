"""Families that may qualify: telling them, and what they want."""

from __future__ import annotations

from datetime import date

from portal.codes import desk_codes
from portal.desk import Desk
from portal.errors import Refused
from portal.schema import Case, Decision, Outreach
from portal.work.steps import check_stage, enter, leads_of, standing, tell, written_by


def record_outreach(desk: Desk, case: Case) -> str:
    """What the page's form tells."""
    code = desk.fields.choice("code", "联系结果", desk_codes().outreach)
    contacted_on = desk.fields.day("contacted_on", "联系日期")
    note = desk.fields.text("note", "联系说明", required=False)
    register_contact(desk, case, code, contacted_on, note)
    return "outreach"


def register_contact(desk: Desk, case: Case, code: str, contacted_on: date, note: str, way: str = "") -> None:
    """Write how far the contact with the family came, from the page or (`way`) from a returned workbook.

    Applied closes the case; not wanted needs a second person, for it costs the family its chance.
    """
    if case.list != "newly_eligible":
        raise Refused("只有疑似符合未保线索登记联系情况。")
    check_stage(case, "outreach")
    known = desk_codes().outreach[code]
    if not case.opened_on <= contacted_on <= desk.today:
        raise Refused("联系日期须在本案生成之后，且不能晚于今天。")
    if known.needs_note and not note:
        raise Refused(f"“{known.name}”须填写说明。")
    desk.db.add(
        Outreach(
            **written_by(desk, case),
            code=code,
            contacted_on=contacted_on,
            note_sealed=desk.vault.seal_text(note, "outreach.note") if note else None,
        )
    )
    for lead in standing(leads_of(desk, case)):
        lead.reply_code, lead.reply_fact = code, lead.fact
    if case.assignee_id is None:
        case.assignee_id = desk.viewer.user_id
    _move(desk, case, code, note)
    tell(desk, case, "outreach", f"{known.name}{way}")


def _move(desk: Desk, case: Case, code: str, note: str) -> None:
    if code == "applied":
        case.outcome, case.closed_on, case.closed_by = "applied", desk.today, desk.viewer.user_id
        enter(desk, case, "closed")
    elif code == "not_wanted":
        desk.db.add(
            Decision(
                **written_by(desk, case),
                code="no_action",
                adverse=True,
                disposal="include",
                basis="本人自愿；社会救助依申请办理（社会救助暂行办法第十一条）",
                reasons_sealed=desk.vault.seal_text(note, "decision.reasons"),
                state="proposed",
            )
        )
        enter(desk, case, "review")
    else:
        enter(desk, case, "visiting")
