"""Families that may qualify: telling them, and what they want."""

from __future__ import annotations

from portal.codes import desk_codes
from portal.desk import Desk
from portal.errors import Refused
from portal.schema import Case, Decision, Outreach
from portal.work.steps import check_stage, enter, leads_of, standing, tell, written_by


def record_outreach(desk: Desk, case: Case) -> str:
    """Applied closes the case; not wanted needs a second person, for it costs the family its chance."""
    if case.list != "newly_eligible":
        raise Refused("只有疑似符合未保线索登记联系情况。")
    check_stage(case, "outreach")
    code = desk.fields.choice("code", "联系结果", desk_codes().outreach)
    contacted_on = desk.fields.day("contacted_on", "联系日期")
    if not case.opened_on <= contacted_on <= desk.today:
        raise Refused("联系日期须在本案生成之后，且不能晚于今天。")
    note = desk.fields.text("note", "联系说明", required=desk_codes().outreach[code].needs_note)
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
    tell(desk, case, "outreach", desk_codes().outreach[code].name)
    return "outreach"


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
